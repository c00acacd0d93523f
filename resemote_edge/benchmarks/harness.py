"""Harness: times calls, keeps every sample, clips nothing."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

__all__ = ["Budget", "Samples", "time_calls"]


@dataclass(frozen=True, kw_only=True)
class Budget:
    """How long to measure.

    Attributes:
        warmup_runs: Calls before the clock counts.
        min_runs: Timed calls at least.
        min_seconds: Timed seconds at least.
        max_runs: Timed calls at most.
    """

    warmup_runs: int = 10
    min_runs: int = 50
    min_seconds: float = 2.0
    max_runs: int = 20_000


@dataclass(frozen=True)
class Samples:
    """Every timed call.

    Attributes:
        warmup_runs: Calls that were not timed.
        nanoseconds: int64 (runs,), wall time of each call.
    """

    warmup_runs: int
    nanoseconds: NDArray[np.int64] = field(repr=False)

    def percentile_ms(self, percent: float) -> float:
        """Latency below which this share of the calls fell, in ms."""
        return float(np.percentile(self.nanoseconds, percent)) / 1e6

    @property
    def runs(self) -> int:
        """Timed calls."""
        return len(self.nanoseconds)

    @property
    def mean_ms(self) -> float:
        """Mean latency in ms."""
        return float(self.nanoseconds.mean()) / 1e6


def time_calls(calls: Sequence[Callable[[], object]], budget: Budget) -> list[Samples]:
    """Make several calls in turn, again and again, and time each.

    In turn, because a machine's speed drifts: calls timed one after the other could not be compared.

    Args:
        calls: Each blocks until its work is done, as `Session.run` does.
        budget: How long, for each of them.

    Returns:
        Every sample of every call, in order.
    """
    for _ in range(budget.warmup_runs):
        for call in calls:
            call()
    clock = time.perf_counter_ns
    samples: list[list[int]] = [[] for _ in calls]
    end = clock() + int(budget.min_seconds * 1e9) * len(calls)
    while len(samples[0]) < budget.max_runs and (len(samples[0]) < budget.min_runs or clock() < end):
        for call, taken in zip(calls, samples, strict=True):
            start = clock()
            call()
            taken.append(clock() - start)
    return [Samples(budget.warmup_runs, np.asarray(taken, dtype=np.int64)) for taken in samples]
