"""Harness: times a call, keeps every sample, clips nothing."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

__all__ = ["Budget", "Samples", "time_call"]


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


def time_call(call: Callable[[], object], budget: Budget) -> Samples:
    """Call again and again and time each call.

    Args:
        call: Blocks until its work is done, as `Session.run` does.
        budget: How long.

    Returns:
        Every sample, in order.
    """
    for _ in range(budget.warmup_runs):
        call()
    clock = time.perf_counter_ns
    samples: list[int] = []
    end = clock() + int(budget.min_seconds * 1e9)
    while len(samples) < budget.max_runs and (len(samples) < budget.min_runs or clock() < end):
        start = clock()
        call()
        samples.append(clock() - start)
    return Samples(budget.warmup_runs, np.asarray(samples, dtype=np.int64))
