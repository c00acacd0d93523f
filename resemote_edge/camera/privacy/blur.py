"""Privacy: faces made unrecognizable in a picture.

A face is reduced to a few coarse colours, and those are drawn large and soft. What is left of it is at most 144 bits
a frame, so nothing that works on the picture can bring the face back. A face that the detector missed stays as it is.
"""

from collections.abc import Iterable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from resemote_edge.vision.framing import Framing

__all__ = ["COLORS", "Boxed", "blur_faces"]

#: Colours that are left across a face, and down.
COLORS = 4

#: Side of the square that is blurred, in units of the geometric mean of the box's sides: hair, ears and chin belong to
#: a face, and a box is rarely exact.
_SQUARE = Framing(scale=1.6)

#: Width of a level, to whose middle a channel is rounded: eight levels are left.
_LEVEL = 32

#: Samples of a face that are averaged, and steps in which it is drawn, at most, along each side: more would take time
#: and change nothing that can be seen.
_MOST_SAMPLES = 96


class Boxed(Protocol):
    """What has the box of a face, in pixels of the frame: a face of a detector, or of a result."""

    @property
    def x(self) -> float:
        """Left edge."""

    @property
    def y(self) -> float:
        """Upper edge."""

    @property
    def width(self) -> float:
        """Width."""

    @property
    def height(self) -> float:
        """Height."""


def blur_faces(pixels: NDArray[np.uint8], faces: Iterable[Boxed]) -> NDArray[np.uint8]:
    """Blur faces beyond recognition.

    Give it every face that was detected, also those whose tracks are not confirmed yet.

    Args:
        pixels: Picture, uint8 (H, W, 3), any order of channels; not modified.
        faces: Boxes of the faces, which may reach over the picture's border.

    Returns:
        A picture of the same shape, caller-owned.

    Raises:
        InputError: A box has no area, or lies beyond any frame.
    """
    blurred = pixels.copy()
    for face in faces:
        square = _SQUARE.square(face.x, face.y, face.width, face.height)
        top, bottom = max(square.y, 0), min(square.y + square.height, pixels.shape[0])
        left, right = max(square.x, 0), min(square.x + square.width, pixels.shape[1])
        if top < bottom and left < right:
            area = blurred[top:bottom, left:right]
            area[...] = _soft(_coarse(area), area.shape[0], area.shape[1])
    return blurred


def _coarse(area: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The colours that are left: float32 (COLORS, COLORS, 3), or fewer for an area with fewer pixels."""
    few = area[:: -(-area.shape[0] // _MOST_SAMPLES), :: -(-area.shape[1] // _MOST_SAMPLES)]
    rows, columns = _edges(few.shape[0]), _edges(few.shape[1])
    sums = np.add.reduceat(np.add.reduceat(few, rows[:-1], axis=0, dtype=np.int32), columns[:-1], axis=1)
    counts = np.diff(rows)[:, None, None] * np.diff(columns)[None, :, None]
    colors: NDArray[np.float32] = (sums // counts // _LEVEL * _LEVEL + _LEVEL // 2).astype(np.float32)
    return colors


def _edges(side: int) -> NDArray[np.intp]:
    """Edges of the parts of a side."""
    return np.unique(np.arange(COLORS + 1) * side // COLORS)


def _soft(colors: NDArray[np.float32], height: int, width: int) -> NDArray[np.uint8]:
    """Colours drawn large, with linear interpolation between their centres."""
    rows, columns = min(height, _MOST_SAMPLES), min(width, _MOST_SAMPLES)
    wide = np.einsum("rcd,xc->rxd", colors, _weights(columns, colors.shape[1])).reshape(colors.shape[0], -1)
    levels = _weights(rows, colors.shape[0]) @ wide + np.float32(0.5)
    steps: NDArray[np.uint8] = levels.astype(np.uint8).reshape(rows, columns, 3)
    return steps.take(np.arange(width) * columns // width, axis=1).take(np.arange(height) * rows // height, axis=0)


def _weights(side: int, colors: int) -> NDArray[np.float32]:
    """Weight of each colour at each step of a side: float32 (side, colors)."""
    place = np.clip((np.arange(side) + 0.5) * colors / side - 0.5, 0, colors - 1)
    weights: NDArray[np.float32] = np.maximum(1 - np.abs(place[:, None] - np.arange(colors)), 0).astype(np.float32)
    return weights
