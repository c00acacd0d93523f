"""Latency: percentiles of wall times with their intervals, if there are enough samples; computed nowhere else."""

import math
from collections.abc import Sequence
from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from resemote_edge.artifacts.record import Strict
from resemote_edge.errors import InputError
from resemote_edge.measuring.statistics.block_bootstrap import resampled_percentiles

__all__ = ["PERCENTILES", "Latency", "Milliseconds", "median_ms", "quantiles_ms", "runs_needed", "summarize_latency"]

#: Field stem to the share of the calls below that percentile.
PERCENTILES: dict[str, float] = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p99_9": 0.999}

#: A duration in ms, above 0; the upper limit, thirty years, only rejects broken input.
Milliseconds = Annotated[float, Meta(gt=0.0, le=1e12)]

_RESAMPLES = 500


class Latency(Strict, frozen=True, kw_only=True):
    """Wall times of the same call made again and again; nothing is clipped.

    Attributes:
        runs: Number of timed calls.
        mean_ms: Mean over all calls. This and the next two are None if they were not recorded.
        min_ms: Shortest call.
        max_ms: Longest call.
        p50_ms: Median call.
        p90_ms: 90th percentile. This and the next three are None if there were fewer runs than `runs_needed` says.
        p95_ms: 95th percentile.
        p99_ms: 99th percentile.
        p99_9_ms: 99.9th percentile.
        interval_95_ms: Lower and upper end by percentile (``p50``, ...), by a bootstrap over blocks of consecutive
            calls; percentiles that are None have no entry.
    """

    runs: Annotated[int, Meta(ge=1)]
    mean_ms: Milliseconds | None
    min_ms: Milliseconds | None
    max_ms: Milliseconds | None
    p50_ms: Milliseconds
    p90_ms: Milliseconds | None = None
    p95_ms: Milliseconds | None = None
    p99_ms: Milliseconds | None = None
    p99_9_ms: Milliseconds | None = None
    interval_95_ms: dict[str, tuple[Milliseconds, Milliseconds]] = msgspec.field(default_factory=dict)

    def percentile_ms(self, name: str) -> float | None:
        """A percentile by its stem in `PERCENTILES`."""
        value: float | None = getattr(self, f"{name}_ms")
        return value


def runs_needed(share: float) -> int:
    """Number of samples without which a percentile has no upper bound.

    The largest of n samples lies above the percentile with probability ``1 - share**n``. If that is below 97.5 %, no
    value of the sample can be the upper end of a two-sided 95 % interval, whatever the distribution (David and
    Nagaraja, Order Statistics, 2003, section 7.1). So the median needs 6 samples, p99 368 and p99.9 3,688.

    Args:
        share: Share of the calls below the percentile, in (0, 1).
    """
    return math.ceil(math.log(0.025) / math.log(share))


def median_ms(nanoseconds: NDArray[np.int64]) -> float:
    """Median in ms of samples of any shape, where no interval is reported with it."""
    return float(np.median(nanoseconds)) / 1e6


def quantiles_ms(nanoseconds: NDArray[np.int64], shares: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
    """Quantiles in ms for curves and axes, even those for which `summarize_latency` finds too few samples.

    Args:
        nanoseconds: Times of the calls, int64 (runs,).
        shares: Shares of the calls below each quantile, in [0, 1].
    """
    return np.quantile(nanoseconds, shares) / 1e6


def summarize_latency(nanoseconds: NDArray[np.int64], *, seed: int = 0) -> Latency:
    """Summarise every sample; the intervals are by `resampled_percentiles`.

    Args:
        nanoseconds: Times of the calls, int64 (runs,), in the order they were taken.
        seed: Seed of the bootstrap.

    Raises:
        InputError: There are no samples.
    """
    if not nanoseconds.size:
        raise InputError("no call was timed", hint="measure for longer, or ask for more runs")
    shares = {name: share for name, share in PERCENTILES.items() if len(nanoseconds) >= runs_needed(share)}
    found = quantiles_ms(nanoseconds, list(shares.values()))
    values = {f"{name}_ms": float(value) for name, value in zip(shares, found, strict=True)}
    values.setdefault("p50_ms", median_ms(nanoseconds))
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
