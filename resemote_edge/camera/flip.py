"""Flip: frames of a camera that hangs upside down, on its side, or shows a mirror image."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resemote_edge.errors import InputError
from resemote_edge.vision.frame import Frame

__all__ = ["FLIPS", "flipped"]

#: Name of a flip to what it does with the pixels; the names are those of jetson-utils.
FLIPS: dict[str, Callable[[NDArray[Any]], NDArray[Any]]] = {
    "horizontal": lambda pixels: pixels[:, ::-1],
    "vertical": lambda pixels: pixels[::-1],
    "rotate-180": lambda pixels: pixels[::-1, ::-1],
    "clockwise": lambda pixels: np.rot90(pixels, -1),
    "counterclockwise": np.rot90,
}


def flipped(frame: Frame, flip: str | None) -> Frame:
    """A frame flipped, or the frame itself for None.

    Raises:
        InputError: There is no such flip, or the pixels of the frame's format cannot be moved one by one.
    """
    if flip is None:
        return frame
    if flip not in FLIPS or frame.format not in ("gray", "rgb", "bgr"):
        raise InputError(f"a {frame.format} frame cannot be flipped {flip!r}", hint=f"choose one of {', '.join(FLIPS)}")
    return Frame(np.ascontiguousarray(FLIPS[flip](frame.pixels)), frame.format)
