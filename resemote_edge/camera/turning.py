"""Turning: frames of a camera that hangs upside down, on its side, or shows a mirror image."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resemote_edge.errors import InputError
from resemote_edge.vision.frame import Frame

__all__ = ["TURNS", "turned"]

#: Name of a turn to what it does with the pixels; the names are those of jetson-utils.
TURNS: dict[str, Callable[[NDArray[Any]], NDArray[Any]]] = {
    "horizontal": lambda pixels: pixels[:, ::-1],
    "vertical": lambda pixels: pixels[::-1],
    "rotate-180": lambda pixels: pixels[::-1, ::-1],
    "clockwise": lambda pixels: np.rot90(pixels, -1),
    "counterclockwise": np.rot90,
}


def turned(frame: Frame, turn: str | None) -> Frame:
    """A frame turned, or the frame itself for None.

    Raises:
        InputError: There is no such turn, or the pixels of the frame's format cannot be turned one by one.
    """
    if turn is None:
        return frame
    if turn not in TURNS or frame.format not in ("gray", "rgb", "bgr"):
        raise InputError(f"a {frame.format} frame cannot be turned {turn!r}", hint=f"choose one of {', '.join(TURNS)}")
    return Frame(np.ascontiguousarray(TURNS[turn](frame.pixels)), frame.format)
