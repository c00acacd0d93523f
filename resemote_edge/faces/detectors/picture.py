"""Picture: a frame in the size and colours that a detector's network takes."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from resemote_edge.vision.frame import Frame, colors_of
from resemote_edge.vision.opencv import opencv_if_installed
from resemote_edge.vision.scaling import scale

__all__ = ["Picture", "fit"]


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A frame within the network's input: in the upper left corner, in its own proportions, on black.

    Attributes:
        pixels: Input, uint8 (height, width, 3) in BGR.
        across: Pixels of the frame per pixel of the input, from left to right.
        down: The same from top to bottom.
    """

    pixels: NDArray[np.uint8] = field(repr=False)
    across: float
    down: float


def fit(frame: Frame, width: int, height: int) -> Picture:
    """Scale a frame to fit into a network's input.

    The luma and chroma of ``nv12`` and ``yuyv`` are scaled before they become colours, which is less work.

    Args:
        frame: The frame, in any format.
        width: Columns of the input.
        height: Rows of the input.
    """
    factor = min(width / frame.width, height / frame.height)
    columns = max(min(round(frame.width * factor), width), 1)
    rows = max(min(round(frame.height * factor), height), 1)
    pixels = np.zeros((height, width, 3), dtype=np.uint8)
    pixels[:rows, :columns] = _scaled(frame, rows, columns)
    return Picture(pixels=pixels, across=frame.width / columns, down=frame.height / rows)


def _scaled(frame: Frame, rows: int, columns: int) -> NDArray[np.uint8]:
    """The frame in another size: uint8 (rows, columns, 3) in BGR, or (rows, columns, 1) in gray."""
    library, samples = opencv_if_installed(), frame.pixels
    if frame.format == "gray":
        return scale(samples, rows, columns, library=library)[..., None]
    if frame.format == "bgr":
        return scale(samples, rows, columns, library=library)
    if frame.format == "rgb":
        return scale(samples, rows, columns, library=library)[..., ::-1]
    if frame.format == "nv12":
        luma, chroma = samples[: frame.height], samples[frame.height :].reshape(frame.height // 2, -1, 2)
    else:
        luma, chroma = samples[..., 0], samples.reshape(frame.height, -1, 4)[..., 1::2]
    luma, chroma = (scale(np.ascontiguousarray(one), rows, columns, library=library) for one in (luma, chroma))
    return colors_of(luma, chroma[..., 0], chroma[..., 1], full_range=frame.full_range)[..., ::-1]
