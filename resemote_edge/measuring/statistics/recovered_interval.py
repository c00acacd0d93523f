"""Interval of a difference of two values, computed from their own intervals where no samples were kept."""

from math import sqrt

__all__ = ["interval_of_difference"]


def interval_of_difference(
    first: float, first_interval: tuple[float, float], second: float, second_interval: tuple[float, float]
) -> tuple[float, float]:
    """Interval of ``second - first``, for two independent values, at the level of their own intervals.

    The variance towards each end is recovered from the value's distance to that end of its interval, so that lopsided
    intervals stay lopsided (Zou and Donner, 2008). With Wilson's intervals of two proportions, this is Newcombe's
    score interval of their difference (1998, method 10). With logarithms, it is the interval of a ratio.

    Args:
        first: First value.
        first_interval: Lower and upper end of its interval, with the value between them.
        second: Second value, from data of its own.
        second_interval: Lower and upper end of its interval, with the value between them.

    Returns:
        Lower and upper end.
    """
    difference = second - first
    (first_low, first_high), (second_low, second_high) = first_interval, second_interval
    return (
        difference - sqrt((second - second_low) ** 2 + (first_high - first) ** 2),
        difference + sqrt((second_high - second) ** 2 + (first - first_low) ** 2),
    )
