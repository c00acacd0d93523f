"""Ratio of two latencies over restarts: pairs of fresh processes that took turns, one pair after the other.

Two processes of the same file differ: memory lies elsewhere, pages are larger or smaller, threads sit on other cores.
Within a process that is an offset, which does not average out, however long one measures. So the unit is the restart,
and the interval is between restarts.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from resemote_edge.errors import InputError

__all__ = ["MIN_RESTARTS", "RestartRatio", "rank_of_interval", "ratio_over_restarts"]

#: Smallest number of restarts: with fewer, even the range from smallest to largest covers less than 95 %.
MIN_RESTARTS = 6

_LEVEL = 0.95


@dataclass(frozen=True, kw_only=True)
class RestartRatio:
    """Time of B over time of A.

    Attributes:
        value: Median over the restarts: above 1, B takes longer.
        interval: Interval for the median of all restarts there could be.
        coverage: Probability that such an interval contains it, at least 0.95.
        of_restarts: Ratio of each restart, in order.
    """

    value: float
    interval: tuple[float, float]
    coverage: float
    of_restarts: tuple[float, ...]


def ratio_over_restarts(restarts: Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]]) -> RestartRatio:
    """The ratio of two latencies, with an interval that includes the differences from process to process.

    A round gives the ratio of the medians of two turns, one right after the other, so that drift cancels. The ratio of
    a restart is the median of its rounds, which ignores bursts of load in some of them. The interval ends at two of the
    sorted ratios of restarts, which assumes nothing about their distribution (David and Nagaraja, Order Statistics,
    2003, section 7.1). With nine or more restarts, one outlier on either side changes nothing.

    Args:
        restarts: Times of A and of B for each restart, in nanoseconds, int64 (rounds, runs) each; restarts may differ
            in both numbers.

    Raises:
        InputError: There are fewer than `MIN_RESTARTS`, or turns do not come in pairs.
    """
    if len(restarts) < MIN_RESTARTS:
        raise InputError(f"an interval over restarts needs at least {MIN_RESTARTS} of them, got {len(restarts)}")
    logarithms = sorted(found := [_of_restart(a, b) for a, b in restarts])
    rank = rank_of_interval(len(restarts))
    return RestartRatio(
        value=math.exp(float(np.median(logarithms))),
        interval=(math.exp(logarithms[rank - 1]), math.exp(logarithms[-rank])),
        coverage=_coverage(len(restarts), rank),
        of_restarts=tuple(map(math.exp, found)),
    )


def rank_of_interval(restarts: int) -> int:
    """Rank, counted from either end, of the values that bound an interval of at least 95 %; 1 is the outermost."""
    return max(rank for rank in range(1, restarts // 2 + 1) if rank == 1 or _coverage(restarts, rank) >= _LEVEL)


def _coverage(restarts: int, rank: int) -> float:
    """Probability that the values at this rank from either end of so many draws enclose the median."""
    outside = sum(math.comb(restarts, below) for below in range(rank))
    return 1.0 - 2.0 * outside / 2.0**restarts


def _of_restart(a: NDArray[np.int64], b: NDArray[np.int64]) -> float:
    """Logarithm of B over A in one pair of processes."""
    if a.ndim != 2 or b.ndim != 2 or len(a) != len(b) or not a.size or not b.size:
        raise InputError(f"a restart needs two tables with the same rounds, got shapes {a.shape} and {b.shape}")
    return float(np.median(np.log(np.median(b, axis=1) / np.median(a, axis=1))))
