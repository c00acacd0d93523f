"""Faces of a frame: from a picture, as a camera or decoder gives it, and its boxes to the crops a classifier takes.

Gray and colour frames are cut, not copied. In the formats with luma and chroma (ITU-R BT.601), gray is the luma.
Colours are computed in fixed point with 16 fraction bits; each pixel takes the chroma sample that its pair of columns
(in NV12, of rows too) shares. All arithmetic is in integers, and the native runtime gives the same bits.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import index
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from resemote_edge.errors import InputError
from resemote_edge.vision.preprocessing import MIN_CROP_SIDE, ColorOrder

__all__ = ["MAX_FRAME_SIDE", "Box", "Edges", "Frame", "PixelFormat", "bgr_pixels", "colors_of", "crops", "side_within"]

#: How the samples of a frame lie in its array.
PixelFormat: TypeAlias = Literal["gray", "rgb", "bgr", "nv12", "yuyv"]
_FORMATS: tuple[str, ...] = get_args(PixelFormat)

#: What becomes of a box that reaches over the frame's border.
Edges: TypeAlias = Literal["cut", "replicated"]

#: Largest side of a frame, in pixels; the smallest is that of a crop.
MAX_FRAME_SIDE = 16384

_SHAPES = {"gray": "(H, W)", "rgb": "(H, W, 3)", "bgr": "(H, W, 3)", "nv12": "(H * 3 / 2, W)", "yuyv": "(H, W, 2)"}
_HALF = 1 << 15


class _ColorFactors(NamedTuple):
    """Factors from luma and chroma to colour, in units of 2^-16."""

    luma: int
    black: int
    v_to_red: int
    u_to_green: int
    v_to_green: int
    u_to_blue: int


_FULL_RANGE = _ColorFactors(65536, 0, 91881, 22554, 46802, 116130)
_VIDEO_RANGE = _ColorFactors(76309, 16, 104597, 25675, 53279, 132201)


@dataclass(frozen=True, eq=False)
class Frame:
    """A picture with faces in it.

    Attributes:
        pixels: Samples of the picture, uint8, any strides, never modified: (H, W) for ``gray``; (H, W, 3) for ``rgb``
            and ``bgr``; (H * 3 / 2, W) for ``nv12``, the rows of luma and below them those of U and V in turn; (H, W,
            2) for ``yuyv``, luma first, then U in even columns and V in odd ones.
        format: Layout of `pixels`; never guessed.
        full_range: Range of luma in ``nv12`` and ``yuyv``: whether it fills 0 to 255, as in JPEG, or 16 to 235, as in
            video.

    Raises:
        InputError: `pixels` is not such an array, has a side outside 8 to `MAX_FRAME_SIDE`, or an odd one where two
            pixels share their chroma.
    """

    pixels: NDArray[np.uint8] = field(repr=False)
    format: PixelFormat
    full_range: bool = False

    def __post_init__(self) -> None:
        if self.format not in _FORMATS:
            raise InputError(f"unknown pixel format {self.format!r}", hint=f"pass one of {', '.join(_FORMATS)}")
        pixels: Any = self.pixels
        if not isinstance(pixels, np.ndarray) or pixels.dtype != np.uint8:
            found = f"dtype {pixels.dtype}" if isinstance(pixels, np.ndarray) else type(pixels).__name__
            raise InputError(f"the pixels of a frame must be a uint8 numpy array, got {found}")
        if not _shape_fits(pixels.shape, self.format):
            raise InputError(f"a {self.format} frame must have shape {_SHAPES[self.format]}, got {pixels.shape}")
        if not all(MIN_CROP_SIDE <= side <= MAX_FRAME_SIDE for side in (self.width, self.height)):
            raise InputError(
                f"the frame is {self.width}x{self.height} pixels",
                hint=f"pass sides of {MIN_CROP_SIDE} to {MAX_FRAME_SIDE}",
            )
        if self.format in ("nv12", "yuyv") and self.width % 2:
            raise InputError(
                f"the frame is {self.width}x{self.height} pixels",
                hint=f"{self.format} needs an even width, since pixels share their chroma: cut the frame",
            )

    @property
    def width(self) -> int:
        """Columns, pixels."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Rows, pixels."""
        rows = int(self.pixels.shape[0])
        return rows // 3 * 2 if self.format == "nv12" else rows


@dataclass(frozen=True)
class Box:
    """Place of a face in a frame, in pixels; it may reach over the frame's border.

    Attributes:
        x: First column.
        y: First row.
        width: Columns.
        height: Rows.

    Raises:
        InputError: One of them is not a whole number.
    """

    x: int
    y: int
    width: int
    height: int

    def __post_init__(self) -> None:
        for name in ("x", "y", "width", "height"):
            value = getattr(self, name)
            try:
                object.__setattr__(self, name, index(value))
            except TypeError:
                raise InputError(f"{name} of a box must be a whole number, got {value!r}", hint="round it") from None


def crops(
    frame: Frame, boxes: Sequence[Box], *, color: bool, edges: Edges = "cut"
) -> tuple[list[NDArray[np.uint8]], ColorOrder]:
    """Cut the faces out of a frame.

    Args:
        frame: The picture.
        boxes: Boxes of the faces.
        color: Whether the network is fed colours (`PreprocessSpec.takes_color`). If not, and the frame has luma, the
            luma is taken as it is: it becomes a gray crop without a detour through colours.
        edges: What becomes of a box that reaches over the frame's border: ``"cut"`` leaves the part within, so that the
            crop is smaller; ``"replicated"`` fills the crop with the pixels of the border, so that it keeps its shape.

    Returns:
        One crop per box, uint8 (H, W) or (H, W, 3), views of the frame where its format allows and no edge is
        replicated; and their channel order.

    Raises:
        InputError: Less than 8x8 pixels of a box lie within the frame.
    """
    areas = [_clip(frame, box, number) for number, box in enumerate(boxes)]
    order: ColorOrder
    if frame.format in ("gray", "rgb", "bgr"):
        faces, order = [frame.pixels[area] for area in areas], frame.format
    elif color:
        faces, order = [_colors(frame, *area) for area in areas], "rgb"
    else:
        faces, order = [_luma(frame, *area) for area in areas], "gray"
    if edges == "replicated":
        faces = [_replicated(face, *area, box) for face, area, box in zip(faces, areas, boxes, strict=True)]
    return faces, order


def side_within(frame: Frame, box: Box) -> int:
    """Shorter side of the part of a box that lies within a frame, pixels; zero or less if none does."""
    across = min(box.x + box.width, frame.width) - max(box.x, 0)
    down = min(box.y + box.height, frame.height) - max(box.y, 0)
    return min(across, down)


def bgr_pixels(frame: Frame) -> NDArray[np.uint8]:
    """The whole picture in blue, green and red: uint8 (H, W, 3), a view where the frame has these already."""
    if frame.format == "bgr":
        return frame.pixels
    (pixels,), order = crops(frame, [Box(0, 0, frame.width, frame.height)], color=True)
    return np.repeat(pixels[..., None], 3, axis=2) if order == "gray" else pixels[..., ::-1]


def _replicated(face: NDArray[np.uint8], rows: slice, columns: slice, box: Box) -> NDArray[np.uint8]:
    """A crop in the whole size of its box, which repeats the pixels of the frame's border beyond it."""
    missing = [
        (rows.start - box.y, box.y + box.height - rows.stop),
        (columns.start - box.x, box.x + box.width - columns.stop),
    ]
    if not any(map(any, missing)):
        return face
    return np.pad(face, missing + [(0, 0)] * (face.ndim - 2), mode="edge")


def _shape_fits(shape: tuple[int, ...], format: PixelFormat) -> bool:
    last = {"rgb": (3,), "bgr": (3,), "yuyv": (2,)}.get(format, ())
    return len(shape) == 2 + len(last) and shape[2:] == last and (format != "nv12" or shape[0] % 3 == 0)


def _clip(frame: Frame, box: Box, number: int) -> tuple[slice, slice]:
    """The rows and columns of a box that lie within the frame."""
    left, right = max(box.x, 0), min(box.x + box.width, frame.width)
    top, bottom = max(box.y, 0), min(box.y + box.height, frame.height)
    if min(right - left, bottom - top) < MIN_CROP_SIDE:
        raise InputError(
            f"box {number} (x={box.x}, y={box.y}, width={box.width}, height={box.height}) has "
            f"{max(right - left, 0)}x{max(bottom - top, 0)} pixels within the frame of {frame.width}x{frame.height}",
            hint=f"at least {MIN_CROP_SIDE}x{MIN_CROP_SIDE} must lie there: leave the box out",
        )
    return slice(top, bottom), slice(left, right)


def _levels(fixed: NDArray[np.int32]) -> NDArray[np.uint8]:
    """Round and clamp values in units of 2^-16."""
    levels: NDArray[np.uint8] = np.clip((fixed + _HALF) >> 16, 0, 255).astype(np.uint8)
    return levels


def _samples(frame: Frame, rows: slice, columns: slice) -> NDArray[np.uint8]:
    """The luma of an area, as it stands in the frame."""
    area = frame.pixels[rows, columns]
    return area if frame.format == "nv12" else area[..., 0]


def _luma(frame: Frame, rows: slice, columns: slice) -> NDArray[np.uint8]:
    """The luma of an area, 0 to 255."""
    luma = _samples(frame, rows, columns)
    if frame.full_range:
        return luma
    return _levels(_VIDEO_RANGE.luma * (luma.astype(np.int32) - _VIDEO_RANGE.black))


def _colors(frame: Frame, rows: slice, columns: slice) -> NDArray[np.uint8]:
    """An area in red, green and blue: uint8 (H, W, 3)."""
    # Pairs are counted from the frame's edge, not the area's.
    y, x = np.arange(rows.start, rows.stop)[:, None], np.arange(columns.start, columns.stop) // 2 * 2
    pixels = frame.pixels
    if frame.format == "nv12":
        below = frame.height + y // 2
        u, v = pixels[below, x], pixels[below, x + 1]
    else:
        u, v = pixels[y, x, 1], pixels[y, x + 1, 1]
    return colors_of(_samples(frame, rows, columns), u, v, full_range=frame.full_range)


def colors_of(
    luma: NDArray[np.uint8], u: NDArray[np.uint8], v: NDArray[np.uint8], *, full_range: bool
) -> NDArray[np.uint8]:
    """Colours of luma and chroma (ITU-R BT.601), in fixed point.

    Args:
        luma: uint8 (H, W).
        u: Blue difference of each pixel, uint8 (H, W).
        v: Red difference of each pixel, uint8 (H, W).
        full_range: Range of luma, as `Frame.full_range`.

    Returns:
        uint8 (H, W, 3), RGB, caller-owned.
    """
    factors = _FULL_RANGE if full_range else _VIDEO_RANGE
    light = factors.luma * (luma.astype(np.int32) - factors.black)
    light += _HALF
    blueness, redness = u.astype(np.int32) - 128, v.astype(np.int32) - 128
    colors = np.empty((*luma.shape, 3), dtype=np.uint8)
    for channel, (of_red, of_blue) in enumerate(
        ((factors.v_to_red, 0), (-factors.v_to_green, -factors.u_to_green), (0, factors.u_to_blue))
    ):
        fixed = light.copy()
        if of_red:
            fixed += of_red * redness
        if of_blue:
            fixed += of_blue * blueness
        fixed >>= 16
        np.clip(fixed, 0, 255, out=colors[..., channel], casting="unsafe")
    return colors
