"""Verdict: which of two is faster, judged by the interval of a ratio."""

from typing import Literal

from resemote_edge.errors import InputError

__all__ = ["Verdict", "check_margin", "judge", "rules_out"]

#: Verdicts about B, compared with A.
Verdict = Literal["faster", "slower", "no difference shown"]


def judge(interval: tuple[float, float], margin: float) -> Verdict:
    """Decide whether B is shown to be faster or slower than A.

    The whole interval must lie beyond the smallest difference that counts. The limits are reciprocal, so that A and B
    can change places: with a margin of 0.03, above 1.03 or below 1/1.03.

    Args:
        interval: Interval of the time of B over the time of A.
        margin: Smallest difference that counts, as a fraction from 0.
    """
    low, high = interval
    if low > 1.0 + margin:
        return "slower"
    if high < 1.0 / (1.0 + margin):
        return "faster"
    return "no difference shown"


def rules_out(interval: tuple[float, float], margin: float) -> bool:
    """Whether the interval excludes a difference that counts, in either direction.

    Without this, "no difference was shown" may only mean that too little was measured.
    """
    low, high = interval
    return 1.0 / (1.0 + margin) <= low and high <= 1.0 + margin


def check_margin(margin: float) -> None:
    """Refuse a margin that makes no sense.

    Raises:
        InputError: The margin is negative, 1 or more, or not a number.
    """
    if not 0.0 <= margin < 1.0:
        raise InputError(f"the margin is a fraction from 0, below 1, such as 0.03 for 3 %, got {margin:g}")
