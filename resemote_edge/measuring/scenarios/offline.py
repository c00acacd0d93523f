"""``offline``: as many crops a second as the machine can, in batches, by one session or several side by side."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import numpy as np
from numpy.typing import NDArray

from resemote_edge.artifacts.record import Strict
from resemote_edge.measuring.scenarios.base import Decider, Scenario, ScenarioSettings, Taken
from resemote_edge.measuring.timing import Budget, WarmUp, time_calls, warm_up

__all__ = ["OFFLINE", "Offline"]


class Offline(Strict, frozen=True, kw_only=True, tag="offline"):
    """Throughput of one session or several.

    Attributes:
        streams: Number of sessions that worked side by side.
        crops: Number of crops decided, over all sessions.
        seconds: Time from the first call to the last decision.
        decisions_per_s: Crops a second, from pixels to decisions; decoding is included where it is measured.
        model_samples_per_s: Crops a second of the sessions alone, on input that is ready.
    """

    streams: int
    crops: int
    seconds: float
    decisions_per_s: float
    model_samples_per_s: float


def run(deciders: Sequence[Decider], settings: ScenarioSettings) -> Taken:
    """Keep all sessions busy: first the models alone, then whole decisions."""
    budget = settings.budget
    with ThreadPoolExecutor(len(deciders)) as pool:
        warmed = list(pool.map(lambda decider: warm_up(decider.decide, budget), deciders))
        model_s, model = _together(pool, _models, deciders, budget)
        whole_s, stages = _together(pool, _decisions, deciders, budget)
    batch = deciders[0].batch
    return Taken(
        warm_up=_all(warmed),
        model=model.reshape(-1),
        stages=stages,
        outcome=Offline(
            streams=len(deciders),
            crops=len(stages) * batch,
            seconds=whole_s,
            decisions_per_s=len(stages) * batch / whole_s,
            model_samples_per_s=model.size * batch / model_s,
        ),
    )


_Work = Callable[[Decider, Budget], NDArray[np.int64]]


def _models(decider: Decider, budget: Budget) -> NDArray[np.int64]:
    """One stream's share of the runs of the model alone."""
    return time_calls(decider.run_model, replace(budget, warmup_runs=0))


def _decisions(decider: Decider, budget: Budget) -> NDArray[np.int64]:
    """One stream's share of the whole decisions."""
    taken: list[tuple[int, int, int, int]] = []
    end = time.monotonic() + budget.min_seconds
    while len(taken) < budget.max_runs and (len(taken) < budget.min_runs or time.monotonic() < end):
        taken.append(decider.decide())
    return np.asarray(taken, dtype=np.int64)


def _together(
    pool: ThreadPoolExecutor, work: _Work, deciders: Sequence[Decider], budget: Budget
) -> tuple[float, NDArray[np.int64]]:
    """Let all streams work at once; return the seconds until the last was done, and their samples in a row."""
    barrier = Barrier(len(deciders))

    def share(decider: Decider) -> NDArray[np.int64]:
        barrier.wait()
        return work(decider, budget)

    start = time.perf_counter()
    done = list(pool.map(share, deciders))
    return time.perf_counter() - start, np.concatenate(done)


def _all(warmed: list[WarmUp]) -> WarmUp:
    """Join the warm-ups of all streams into one."""
    states = [one.settled for one in warmed]
    return WarmUp(
        runs=sum(one.runs for one in warmed),
        seconds=max(one.seconds or 0.0 for one in warmed),
        settled=None if None in states else all(states),
    )


OFFLINE = Scenario(
    name="offline", summary="As many crops a second as the machine can, in batches.", run=run, streams=True, passes=2
)
