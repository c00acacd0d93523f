"""Ratio: how many times faster one contestant is than another, with an interval."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from resemote_edge.errors import InputError

__all__ = ["Ratio", "ratio_of_p50"]

_RESAMPLES = 2000


@dataclass(frozen=True)
class Ratio:
    """A ratio of latencies.

    Attributes:
        value: Ratio of the other's p50 to ours: above 1, ours is faster.
        interval_95: Bootstrap percentile interval.
    """

    value: float
    interval_95: tuple[float, float]


def ratio_of_p50(ours: NDArray[np.int64], against: NDArray[np.int64], *, seed: int = 0) -> Ratio:
    """The ratio of two medians, from contestants that took turns in the same rounds.

    Whole rounds are drawn with replacement, the same for both. What slows the machine during a round slows both, and
    calls of one turn resemble each other too much to count as independent.

    Args:
        ours: Times of ours, int64 (rounds, runs), nanoseconds.
        against: Times of the other, with as many rounds, int64 (rounds, runs), nanoseconds.
        seed: Seed of the resampling; the same samples and seed give the same interval.

    Returns:
        The ratio. If there is only one round, the interval has no width and says nothing.

    Raises:
        InputError: The numbers of rounds differ, or are 0.
    """
    if ours.ndim != 2 or against.ndim != 2 or len(ours) != len(against) or not ours.size or not against.size:
        raise InputError(f"ratios need two tables with the same rounds, got shapes {ours.shape} and {against.shape}")
    draws = np.random.default_rng(seed).integers(0, len(ours), (_RESAMPLES, len(ours)))
    ratios = [_median(against[rounds]) / _median(ours[rounds]) for rounds in draws]
    low, high = np.percentile(ratios, (2.5, 97.5))
    return Ratio(_median(against) / _median(ours), (float(low), float(high)))


def _median(nanoseconds: NDArray[np.int64]) -> float:
    return float(np.median(nanoseconds))
