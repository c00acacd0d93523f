"""``sustained``: one call after the other for minutes, to see whether it slows down or memory grows."""

import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from resemote_edge.artifacts.record import Strict
from resemote_edge.machine.memory import resident_bytes
from resemote_edge.measuring.latency import median_ms
from resemote_edge.measuring.scenarios.base import Decider, Scenario, ScenarioSettings, Taken
from resemote_edge.measuring.timing import warm_up

__all__ = ["SUSTAINED", "Sustained", "Window"]


class Window(Strict, frozen=True, kw_only=True):
    """A stretch of a long run.

    Attributes:
        start_s: Time since the beginning of the run.
        runs: Number of decision calls in it.
        p50_ms: Median time from crop to decision.
        max_ms: Longest time from crop to decision.
        resident_bytes: Resident memory of the process, at the end of the window.
    """

    start_s: float
    runs: int
    p50_ms: float
    max_ms: float
    resident_bytes: int


class Sustained(Strict, frozen=True, kw_only=True, tag="sustained"):
    """Changes over a long run.

    Attributes:
        seconds: Length of the run.
        decisions_per_s: Crops a second, from pixels to decisions.
        slowdown: Ratio of the p50 of the last quarter of the windows to that of the first: 1.1 is a tenth slower.
        memory_growth_bytes: Resident memory of the last window less that of the first.
        windows: Windows in order.
    """

    seconds: float
    decisions_per_s: float
    slowdown: float
    memory_growth_bytes: int
    windows: tuple[Window, ...]


def run(deciders: Sequence[Decider], settings: ScenarioSettings) -> Taken:
    """Decide without a pause, and look at every window."""
    (decider,) = deciders
    warmed = warm_up(decider.decide, settings.budget)
    start = time.perf_counter_ns()
    end = start + int(settings.min_seconds * 1e9)
    parts: list[NDArray[np.int64]] = []
    windows: list[Window] = []
    while time.perf_counter_ns() < end or sum(map(len, parts)) < settings.min_runs:
        begun = time.perf_counter_ns()
        parts.append(_window(decider, begun + int(settings.window_seconds * 1e9)))
        windows.append(_summary(parts[-1], begun - start))
    seconds = (time.perf_counter_ns() - start) / 1e9
    stages = np.concatenate(parts)
    return Taken(
        warm_up=warmed,
        model=stages[:, 2],
        stages=stages,
        outcome=Sustained(
            seconds=seconds,
            decisions_per_s=len(stages) * decider.batch / seconds,
            slowdown=_slowdown([window.p50_ms for window in windows]),
            memory_growth_bytes=windows[-1].resident_bytes - windows[0].resident_bytes,
            windows=tuple(windows),
        ),
    )


def _window(decider: Decider, end: int) -> NDArray[np.int64]:
    taken = [decider.decide()]
    while time.perf_counter_ns() < end:
        taken.append(decider.decide())
    return np.asarray(taken, dtype=np.int64)


def _summary(stages: NDArray[np.int64], start_ns: int) -> Window:
    whole = stages[:, 1:].sum(axis=1)
    return Window(
        start_s=start_ns / 1e9,
        runs=len(stages),
        p50_ms=median_ms(whole),
        max_ms=float(whole.max()) / 1e6,
        resident_bytes=resident_bytes(),
    )


def _slowdown(medians: list[float]) -> float:
    quarter = max(len(medians) // 4, 1)
    return float(np.median(medians[-quarter:]) / np.median(medians[:quarter]))


SUSTAINED = Scenario(
    name="sustained", summary="One call after the other for minutes: does it slow down, does memory grow.", run=run
)
