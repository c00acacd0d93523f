"""Harness: warms up until times settle, then times calls and keeps every sample."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from resemote_edge.artifacts.record import Strict

__all__ = ["Budget", "WarmUp", "time_calls", "time_in_blocks", "warm_up"]

#: To see whether times have settled, the medians of so many calls are compared, and so many in a row must agree.
_LOOK_RUNS = 5
_LOOKS = 3

#: Largest difference between medians that agree, as a fraction of the smallest.
_SETTLED = 0.05

#: Largest number of calls, and longest time, of a block of calls of one kind.
_BLOCK_RUNS = 20
_BLOCK_NS = 100_000_000


@dataclass(frozen=True, kw_only=True)
class Budget:
    """Length of a measurement.

    Attributes:
        warmup_runs: Smallest number of calls before the clock counts.
        warmup_seconds: Longest wait for times to settle after those; 0 for none.
        min_runs: Smallest number of timed calls.
        min_seconds: Shortest time that is timed.
        max_runs: Largest number of timed calls.
    """

    warmup_runs: int = 10
    warmup_seconds: float = 0.0
    min_runs: int = 50
    min_seconds: float = 2.0
    max_runs: int = 20_000


class WarmUp(Strict, frozen=True, kw_only=True):
    """Untimed calls before a measurement.

    Attributes:
        runs: Number of calls.
        seconds: Time they took; None if not recorded.
        settled: Whether their times had settled; None if that was not awaited.
    """

    runs: int
    seconds: float | None
    settled: bool | None


def warm_up(call: Callable[[], object], budget: Budget) -> WarmUp:
    """Call until times have settled, which is when the medians of the last few calls agree.

    Clocks rise, caches fill and kernels are compiled in the first calls; nobody knows beforehand how many that takes.

    Args:
        call: Function that blocks until its work is done.
        budget: Limits, of which `warmup_runs` and `warmup_seconds` are used.
    """
    clock = time.perf_counter_ns
    start = clock()
    for _ in range(budget.warmup_runs):
        call()
    runs, medians = budget.warmup_runs, list[float]()
    end = clock() + int(budget.warmup_seconds * 1e9)
    settled = None if budget.warmup_seconds == 0.0 else False
    while settled is False and clock() < end:
        taken = []
        for _ in range(_LOOK_RUNS):
            before = clock()
            call()
            taken.append(clock() - before)
        runs += _LOOK_RUNS
        medians = [*medians, float(np.median(taken))][-_LOOKS:]
        settled = len(medians) == _LOOKS and max(medians) <= min(medians) * (1.0 + _SETTLED)
    return WarmUp(runs=runs, seconds=(clock() - start) / 1e9, settled=settled)


def time_calls(call: Callable[[], object], budget: Budget) -> NDArray[np.int64]:
    """Make a call again and again, and time each.

    Args:
        call: Function that blocks until its work is done, as `Session.run` does.
        budget: Length of the measurement, of which `warmup_seconds` is not used.

    Returns:
        Wall time of every timed call in nanoseconds, int64 (runs,), in order.
    """
    for _ in range(budget.warmup_runs):
        call()
    clock = time.perf_counter_ns
    taken: list[int] = []
    end = clock() + int(budget.min_seconds * 1e9)
    while len(taken) < budget.max_runs and (len(taken) < budget.min_runs or clock() < end):
        start = clock()
        call()
        taken.append(clock() - start)
    return np.asarray(taken, dtype=np.int64)


def time_in_blocks(
    model: Callable[[], object], whole: Callable[[], tuple[int, ...]], budget: Budget
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Time two kinds of calls in blocks that take turns.

    They take turns because a machine's speed drifts. A turn is a block of calls, because each kind drives the other's
    memory out of the caches. That does not happen in an application that makes calls of one kind.

    Args:
        model: Function that blocks until its work is done.
        whole: Function that reads the clock itself, and returns the nanoseconds of its stages.
        budget: Length of the measurement, for each of them.

    Returns:
        Samples in order: int64 (runs,) of the first and int64 (runs, stages) of the second.
    """
    clock = time.perf_counter_ns
    alone: list[int] = []
    staged: list[tuple[int, ...]] = []
    end = clock() + 2 * int(budget.min_seconds * 1e9)
    while len(alone) < budget.max_runs and (len(alone) < budget.min_runs or clock() < end):
        block_end = clock() + _BLOCK_NS
        begun = len(alone)
        while len(alone) - begun < _BLOCK_RUNS and len(alone) < budget.max_runs and clock() < block_end:
            start = clock()
            model()
            alone.append(clock() - start)
        for _ in range(len(alone) - begun):
            staged.append(whole())
    return np.asarray(alone, dtype=np.int64), np.asarray(staged, dtype=np.int64)
