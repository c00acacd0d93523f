"""TimedProduct: a large matrix product that an engine computed."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["TimedProduct", "tries"]

_MOST, _FEWEST, _SECONDS = 12, 3, 1.5


@dataclass(frozen=True, kw_only=True)
class TimedProduct:
    """The fastest of several calls.

    Attributes:
        kernel: Kernel that ran, as the engine names it.
        precision: Precision of its arithmetic, from the engine's own records; None if they do not tell.
        seconds: Time of the product alone, without rounding its operands to the precision.
    """

    kernel: str
    precision: str | None
    seconds: float


def tries() -> Iterator[int]:
    """Count the tries from 1: at most twelve, and after the third only for the first second and a half."""
    start = time.perf_counter()
    for number in range(1, _MOST + 1):
        if number > _FEWEST and time.perf_counter() - start > _SECONDS:
            return
        yield number
