"""Distribution: latencies by percentile, up to the highest one that the samples can show."""

import math

import numpy as np
from numpy.typing import NDArray

from resemote_edge.measuring.latency import PERCENTILES, Latency, quantiles_ms

__all__ = ["TICKS", "nines", "share_told", "tail_of_report", "tail_of_samples"]

_POINTS = 96

#: Percentiles on the axis, by their place on it.
TICKS = {"min": 0.0, "p50": 0.5, "p90": 0.9, "p99": 0.99, "p99.9": 0.999, "p99.99": 0.9999}


def nines(share: float) -> float:
    """Place of a percentile on the axis: 0 for the shortest call, 1 for p90, 2 for p99, 3 for p99.9."""
    return -math.log10(1.0 - share)


def share_told(runs: int) -> float:
    """Highest percentile that this many samples can show: the inverse of `latency.runs_needed`.

    Args:
        runs: Number of samples, 1 or more.

    Returns:
        Share of the calls below it, in [0, 1); below 0.5 if they cannot even show the median.
    """
    return float(0.025 ** (1.0 / runs))


def tail_of_samples(nanoseconds: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Compute the line through all percentiles that the samples can show.

    Args:
        nanoseconds: Samples, int64 (runs,), one or more.

    Returns:
        Places on the axis, float64 (points,), ascending from 0, and latencies in ms, float64 (points,).
    """
    places = np.linspace(0.0, nines(max(share_told(len(nanoseconds)), 0.5)), _POINTS)
    return places, quantiles_ms(nanoseconds, 1.0 - 10.0**-places)


def tail_of_report(latency: Latency) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The percentiles that a report gives, if the samples themselves were not kept; the same form."""
    found = [] if latency.min_ms is None else [(0.0, latency.min_ms)]
    for name, share in PERCENTILES.items():
        value = latency.percentile_ms(name)
        if value is not None:
            found.append((nines(share), value))
    places, values = zip(*found, strict=True)
    return np.asarray(places, dtype=np.float64), np.asarray(values, dtype=np.float64)
