"""Interleaving: contestants take turns, round after round, so that a machine whose speed drifts is fair to all.

Each lives in a process of its own, with its own memory and thread pools. A turn begins with a few untimed calls, which
refill the caches. Every round has a new random order: a contestant that always followed the same neighbour would always
inherit the same state of the machine.
"""

import random
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resemote_edge.errors import InputError
from resemote_edge.measuring.processes.contestant import Contestant
from resemote_edge.measuring.processes.worker_process import WorkerProcess

__all__ = ["Measured", "Schedule", "interleave"]

#: Smallest number of timed calls in a turn, however long they take: the median of two would be their mean.
_MIN_RUNS_PER_TURN = 3


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """Schedule by which contestants take turns.

    Attributes:
        seconds: Time after which no further round begins.
        min_rounds: Smallest number of rounds.
        warmup_runs: Number of untimed calls at the start of each turn.
        runs_per_turn: Number of timed calls of each turn.
        turn_seconds: Longest time of a turn of the slowest contestant, which reduces `runs_per_turn` if necessary; None
            for no limit.
        seed: Seed of the order.
        open_timeout_s: Longest time to open one contestant.
        turn_timeout_s: Longest time of one turn.
        quiet_timeout_s: Longest time for a contestant's threads to stop after a turn.
    """

    seconds: float
    min_rounds: int
    warmup_runs: int = 3
    runs_per_turn: int = 10
    turn_seconds: float | None = None
    seed: int = 0
    open_timeout_s: float = 600.0
    turn_timeout_s: float = 300.0
    quiet_timeout_s: float = 5.0


@dataclass(frozen=True)
class Measured:
    """Times and facts of one contestant.

    Attributes:
        facts: Facts that its opener returned.
        nanoseconds: Wall time of each timed call, int64 (rounds, runs per turn).
    """

    facts: dict[str, Any]
    nanoseconds: NDArray[np.int64] = field(repr=False)


def interleave(
    contestants: Sequence[Contestant], schedule: Schedule, progress: Callable[[float], None] = lambda share: None
) -> dict[str, Measured]:
    """Time contestants in turn.

    Args:
        contestants: Contestants with different names. All of them are open, and hold their memory, at the same time.
        schedule: Schedule of rounds and turns.
        progress: Function called with the share that is done, 0 to 1, after every round.

    Returns:
        Times and facts of each contestant, by name, with the same number of rounds.

    Raises:
        InputError: Two contestants share a name.
        ResEmoteEdgeError: One failed, died, or took too long; the message names it. No process is left behind.
    """
    names = [contestant.name for contestant in contestants]
    if len(set(names)) < len(names):
        raise InputError(f"contestants need names of their own, got {', '.join(names)}")
    samples: dict[str, list[list[int]]] = {name: [] for name in names}
    with ExitStack() as stack:
        # All are started at once but opened one by one: opening is heavy, and some tools measure while they do it.
        workers = [stack.enter_context(WorkerProcess(contestant)) for contestant in contestants]
        facts = {worker.contestant.name: worker.open(schedule.open_timeout_s) for worker in workers}
        slowest = 0
        for worker in workers:
            # The first calls allocate and compile.
            slowest = max(slowest, *worker.turn(schedule.warmup_runs, 1, schedule.turn_timeout_s))
            worker.wait_until_quiet(schedule.quiet_timeout_s)
        runs = _runs_per_turn(schedule, slowest)
        generator = random.Random(schedule.seed)
        start = time.monotonic()
        done = 0
        while done < schedule.min_rounds or time.monotonic() - start < schedule.seconds:
            for worker in generator.sample(workers, len(workers)):
                taken = worker.turn(schedule.warmup_runs, runs, schedule.turn_timeout_s)
                samples[worker.contestant.name].append(taken)
                worker.wait_until_quiet(schedule.quiet_timeout_s)
            done += 1
            elapsed = (time.monotonic() - start) / schedule.seconds if schedule.seconds else 1.0
            progress(min(done / max(schedule.min_rounds, 1), elapsed, 1.0))
    return {name: Measured(facts[name], np.asarray(samples[name], dtype=np.int64)) for name in names}


def _runs_per_turn(schedule: Schedule, call_ns: int) -> int:
    if schedule.turn_seconds is None:
        return schedule.runs_per_turn
    fitting = int(schedule.turn_seconds * 1e9 / max(call_ns, 1))
    return min(schedule.runs_per_turn, max(_MIN_RUNS_PER_TURN, fitting))
