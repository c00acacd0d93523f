"""Latency: a distribution of wall times, with intervals, and without percentiles that too few samples cannot show."""

import math

import msgspec
import numpy as np
from numpy.typing import NDArray

from resemote_edge.artifacts.record import Strict
from resemote_edge.errors import InputError
from resemote_edge.measuring.statistics.block_bootstrap import resampled_percentiles

__all__ = ["PERCENTILES", "Latency", "runs_needed", "summarize_latency"]

#: Field stem to the share of the calls below it.
PERCENTILES: dict[str, float] = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p99_9": 0.999}

_RESAMPLES = 500


class Latency(Strict, frozen=True, kw_only=True):
    """Wall times of one thing done again and again; nothing is clipped.

    Attributes:
        runs: Timed calls.
        mean_ms: Over all of them; None, as the next two, in reports from before it was kept.
        min_ms: Shortest.
        max_ms: Longest.
        p50_ms: Median.
        p90_ms: None where there were fewer runs than `runs_needed` says, or where nobody asked; so the others.
        p95_ms: The same.
        p99_ms: The same.
        p99_9_ms: The same.
        interval_95_ms: Lower and upper end per percentile (``p50``, ...), by a bootstrap over blocks of consecutive
            calls; missing where the percentile is.
    """

    runs: int
    mean_ms: float | None = None
    min_ms: float | None = None
    max_ms: float | None = None
    p50_ms: float
    p90_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    p99_9_ms: float | None = None
    interval_95_ms: dict[str, tuple[float, float]] = msgspec.field(default_factory=dict)

    def percentile_ms(self, name: str) -> float | None:
        """A percentile by its stem in `PERCENTILES`."""
        value: float | None = getattr(self, f"{name}_ms")
        return value


def runs_needed(share: float) -> int:
    """Samples without which a percentile has no upper bound.

    The largest of n samples lies above the percentile with probability ``1 - share**n``. Below 97.5 %, the sample holds
    no value that a two-sided 95 % interval could end at, whatever the distribution (David and Nagaraja, Order
    Statistics, 2003, section 7.1): 6 for the median, 368 for p99, 3,688 for p99.9.

    Args:
        share: Of the calls below the percentile, in (0, 1).
    """
    return math.ceil(math.log(0.025) / math.log(share))


def summarize_latency(nanoseconds: NDArray[np.int64], *, seed: int = 0) -> Latency:
    """Summarise every sample; the intervals are by `resampled_percentiles`.

    Args:
        nanoseconds: int64 (runs,), in the order they were taken.
        seed: Of the bootstrap.

    Raises:
        InputError: There are no samples.
    """
    if not nanoseconds.size:
        raise InputError("no call was timed; measure for longer, or ask for more runs")
    shares = {name: share for name, share in PERCENTILES.items() if len(nanoseconds) >= runs_needed(share)}
    values = {f"{name}_ms": float(np.quantile(nanoseconds, share)) / 1e6 for name, share in shares.items()}
    values.setdefault("p50_ms", float(np.median(nanoseconds)) / 1e6)
    return Latency(
        runs=len(nanoseconds),
        mean_ms=float(nanoseconds.mean()) / 1e6,
        min_ms=float(nanoseconds.min()) / 1e6,
        max_ms=float(nanoseconds.max()) / 1e6,
        interval_95_ms=_intervals(nanoseconds, shares, seed),
        **values,
    )


def _intervals(nanoseconds: NDArray[np.int64], shares: dict[str, float], seed: int) -> dict[str, tuple[float, float]]:
    if not shares:
        return {}
    found = resampled_percentiles(nanoseconds, list(shares.values()), resamples=_RESAMPLES, seed=seed) / 1e6
    low, high = np.quantile(found, (0.025, 0.975), axis=0)
    return {name: (float(low[at]), float(high[at])) for at, name in enumerate(shares)}
