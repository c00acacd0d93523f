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
        kernel: Kernel that ran, in the engine's words.
        precision: Precision of its arithmetic, read from what ran; None when the engine does not tell.
        seconds: Time of the product alone; rounding its operands to a precision is left out.
    """

    kernel: str
    precision: str | None
    seconds: float


def tries() -> Iterator[int]:
    """Numbers of calls, from 1 up: twelve, or as many as begin within a second and a half, but three at least."""
    start = time.perf_counter()
    for number in range(1, _MOST + 1):
        if number > _FEWEST and time.perf_counter() - start > _SECONDS:
            return
        yield number
