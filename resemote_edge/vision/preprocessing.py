"""From a face crop to the network's input: the one definition, for every runtime and language.

The steps are exact, so that another implementation can be held to the same bits:

1. gray: ``(19595 R + 38470 G + 7471 B + 32768) >> 16``, the ITU-R BT.601 luma in the fixed point Pillow uses;
2. resize to 64x64 uint8 with an antialiased triangle filter (what Pillow calls BILINEAR): two small matrix products
   whose weights are integers in units of 2^-16. Every intermediate is an integer below 2^53, so float64 products are
   exact whatever order a BLAS sums them in, and a C implementation gets the same pixels with 64-bit integers;
3. normalise: ``(pixel / 255 - mean) / std`` through a table of 256 float32 values for each of the three equal channels.

A graph may take over the last step, or the first and the last (`InputFormat`); the host then only resizes the crops.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from resemote_edge.artifacts.tensor_spec import BATCH, TensorSpec
from resemote_edge.errors import InputError

__all__ = ["ColorOrder", "InputFormat", "PreprocessSpec", "resize_triangle", "to_gray", "triangle_weights"]

ColorOrder: TypeAlias = Literal["gray", "rgb", "bgr"]
_COLORS: tuple[str, ...] = get_args(ColorOrder)

#: What a network takes: the normalised tensor, or uint8 pixels (NHWC) that its graph converts and normalises itself.
InputFormat: TypeAlias = Literal["tensor", "gray-u8", "rgb-u8", "bgr-u8"]

#: Smallest crop side accepted, in pixels; below it there is no face left to look at.
MIN_CROP_SIDE = 8

#: Largest side of a network's input, in pixels; beyond it a passport is damaged.
MAX_SIDE = 4096

_FRACTION_BITS = 16
_ONE = 1 << _FRACTION_BITS

#: Pixels whose intermediates are in memory at a time.
_STRIP_PIXELS = 1 << 20

#: Pixels of a crop from which on crops are resized one at a time.
_LARGEST_GROUPED = 1 << 16

#: Longest side, in pixels, whose weights are kept.
_LARGEST_KEPT = 1024

_LUMA_RGB = np.array([19595, 38470, 7471], dtype=np.uint32)


def to_gray(crop: NDArray[np.uint8], color: ColorOrder) -> NDArray[np.uint8]:
    """Convert one crop to gray.

    Args:
        crop: Pixels, uint8, (H, W) for ``"gray"``, (H, W, 3) for ``"rgb"`` and ``"bgr"``; any strides. Not modified.
        color: Order of the channels; never guessed.

    Returns:
        uint8 (H, W); for gray input the crop itself, not a copy.

    Raises:
        InputError: The crop has the wrong type, shape, size or colour order.
    """
    _check_crop(crop, color)
    if color == "gray":
        return crop
    weights = _LUMA_RGB if color == "rgb" else _LUMA_RGB[::-1]
    if crop.shape[0] * crop.shape[1] <= _STRIP_PIXELS:
        return _luma(crop, weights)
    return np.concatenate([_luma(crop[rows], weights) for rows in _strips(*crop.shape[:2])])


def _luma(crop: NDArray[np.uint8], weights: NDArray[np.uint32]) -> NDArray[np.uint8]:
    wide = crop.astype(np.uint32)
    luma = wide[..., 0] * weights[0] + wide[..., 1] * weights[1] + wide[..., 2] * weights[2]
    gray: NDArray[np.uint8] = ((luma + 0x8000) >> 16).astype(np.uint8)
    return gray


def _strips(height: int, width: int) -> list[slice]:
    """Rows to compute at a time: intermediates are 8 or 12 times as large as the pixels, and photographs are large."""
    rows = max(1, _STRIP_PIXELS // width)
    return [slice(top, top + rows) for top in range(0, height, rows)]


def triangle_weights(source: int, target: int) -> NDArray[np.float64]:
    """Weights of the antialiased triangle filter along one axis.

    Args:
        source: Number of pixels there are.
        target: Number of pixels wanted.

    Returns:
        float64 (target, source), integer values in units of 2^-16, each row summing to exactly 2^16; read-only.
    """
    # Those of a photograph take megabytes, so that keeping them would cost more than computing them again.
    return (_kept_weights if source <= _LARGEST_KEPT else _triangle_weights)(source, target)


def _triangle_weights(source: int, target: int) -> NDArray[np.float64]:
    scale = source / target
    # When shrinking, the filter widens with the scale: that is the antialiasing.
    reach = max(scale, 1.0)
    weights = np.zeros((target, source), dtype=np.float64)
    for row in range(target):
        center = (row + 0.5) * scale
        first = max(int(center - reach + 0.5), 0)
        last = min(int(center + reach + 0.5), source)
        taps = np.maximum(1.0 - np.abs(np.arange(first, last) + 0.5 - center) / reach, 0.0)
        # Summed from the first tap to the last: `sum` adds in pairs, which another language would have to copy.
        fixed = np.rint(taps / np.cumsum(taps)[-1] * _ONE)
        # Rounding may leave the row a unit off; the largest tap takes the difference, so that flat areas stay flat.
        fixed[int(np.argmax(fixed))] += _ONE - fixed.sum()
        weights[row, first:last] = fixed
    weights.setflags(write=False)
    return weights


_kept_weights = lru_cache(maxsize=512)(_triangle_weights)


def resize_triangle(gray: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Resize a stack of gray images of one size with the antialiased triangle filter.

    Args:
        gray: Images, uint8 (N, H, W).
        height: Rows wanted.
        width: Columns wanted.

    Returns:
        uint8 (N, height, width), a new array unless the size is already right.
    """
    if gray.shape[1:] == (height, width):
        return gray
    vertical = triangle_weights(gray.shape[1], height)
    horizontal = triangle_weights(gray.shape[2], width)
    # Sums of integers are exact in any order, so that the rows may come in strips.
    if gray.shape[1] * gray.shape[2] <= _STRIP_PIXELS:
        narrow = vertical @ gray.astype(np.float64)
    else:
        narrow = np.zeros((len(gray), height, gray.shape[2]), dtype=np.float64)
        for rows in _strips(*gray.shape[1:]):
            narrow += vertical[:, rows] @ gray[:, rows].astype(np.float64)
    exact = narrow @ horizontal.T
    half = float(1 << (2 * _FRACTION_BITS - 1))
    return np.floor((exact + half) / float(1 << (2 * _FRACTION_BITS))).astype(np.uint8)


@dataclass(frozen=True, kw_only=True)
class PreprocessSpec:
    """Demands of a network on its input; written into every passport.

    Attributes:
        height: Input rows, pixels.
        width: Input columns, pixels.
        channels: Equal copies of the gray image fed to the network.
        resize: Name of the resize filter; only ``"triangle"`` exists.
        mean: Value per channel, subtracted after scaling to [0, 1].
        std: Value per channel, divided by after the mean is subtracted.
        input: Input format of the graph; any other than ``tensor`` saves the host the conversion and normalisation.
    """

    height: int = 64
    width: int = 64
    channels: int = 3
    resize: Literal["triangle"] = "triangle"
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)
    input: InputFormat = "tensor"

    def __post_init__(self) -> None:
        """Refuse what no network takes; raises ValueError, as decoders expect."""
        if not all(MIN_CROP_SIDE <= side <= MAX_SIDE for side in (self.height, self.width)):
            raise ValueError(f"an input has {MIN_CROP_SIDE} to {MAX_SIDE} rows and columns")
        if not 1 <= self.channels <= len(self.mean):
            raise ValueError(f"an input has 1 to {len(self.mean)} channels, got {self.channels}")
        if not all(math.isfinite(value) for value in (*self.mean, *self.std)) or min(self.std) <= 0.0:
            raise ValueError(f"mean and std must be finite and std above 0, got {self.mean} and {self.std}")

    @property
    def feed_channels(self) -> int:
        """Channels of the graph's input."""
        return {"tensor": self.channels, "gray-u8": 1}.get(self.input, 3)

    @property
    def takes_color(self) -> bool:
        """Whether the graph is fed colours; if not, it needs only the gray of a face."""
        return self.input in ("rgb-u8", "bgr-u8")

    @property
    def feed_spec(self) -> TensorSpec:
        """Spec of the graph's input: float32 NCHW for ``tensor``, uint8 NHWC otherwise."""
        if self.input == "tensor":
            shape: tuple[int | Literal["batch"], ...] = (BATCH, self.channels, self.height, self.width)
            return TensorSpec(name="input", dtype="float32", shape=shape)
        return TensorSpec(name="input", dtype="uint8", shape=(BATCH, self.height, self.width, self.feed_channels))

    def _as_they_are(
        self, crops: Sequence[NDArray[np.uint8]] | NDArray[np.uint8], color: ColorOrder
    ) -> NDArray[np.uint8] | None:
        """The feed, stacked, if every crop already has the graph's input format; None if one needs work or refusal."""
        if self.input != f"{color}-u8":
            return None
        out = np.empty((len(crops), self.height, self.width, self.feed_channels), dtype=np.uint8)
        each = out[..., 0] if color == "gray" else out
        size = each.shape[1:]
        for index, crop in enumerate(crops):
            if not isinstance(crop, np.ndarray) or crop.dtype != np.uint8 or crop.shape != size:
                return None
            each[index] = crop
        return out

    def pixels(self, crops: Sequence[NDArray[np.uint8]] | NDArray[np.uint8], color: ColorOrder) -> NDArray[np.uint8]:
        """Bring crops to the network's size, as gray pixels.

        Args:
            crops: Crops, uint8, (H, W) or (H, W, 3), each of any size from 8x8 up, contiguous or not.
            color: Channel order of all of them.

        Returns:
            uint8 (N, height, width), caller-owned.

        Raises:
            InputError: A crop is of the wrong type, shape or size.
        """
        out = np.empty((len(crops), self.height, self.width), dtype=np.uint8)
        by_shape: dict[tuple[int, ...], list[tuple[int, NDArray[np.uint8]]]] = {}
        for index, crop in enumerate(crops):
            gray = to_gray(crop, color)
            if gray.shape == (self.height, self.width):
                out[index] = gray
            elif gray.size > _LARGEST_GROUPED:
                out[index] = resize_triangle(gray[None], self.height, self.width)[0]
            else:
                by_shape.setdefault(gray.shape, []).append((index, gray))
        # Small crops of one size are resized together: two matrix products for all of them.
        for group in by_shape.values():
            stack = np.stack([gray for _, gray in group])
            out[[index for index, _ in group]] = resize_triangle(stack, self.height, self.width)
        return out

    def color_pixels(
        self, crops: Sequence[NDArray[np.uint8]] | NDArray[np.uint8], color: ColorOrder
    ) -> NDArray[np.uint8]:
        """Bring crops to the network's size, in colour, in the channel order of `input`.

        Args:
            crops: Crops as `pixels` takes them; gray ones become three equal channels.
            color: Channel order of all of them.

        Returns:
            uint8 (N, height, width, 3), caller-owned.

        Raises:
            InputError: A crop is of the wrong type, shape or size.
        """
        out = np.empty((len(crops), self.height, self.width, 3), dtype=np.uint8)
        turn = 1 if self.input.startswith(color) else -1
        for index, crop in enumerate(crops):
            _check_crop(crop, color)
            channels = crop[..., None] if color == "gray" else crop[..., ::turn]
            if channels.shape[:2] != (self.height, self.width):
                planes = resize_triangle(channels.transpose(2, 0, 1), self.height, self.width)
                channels = planes.transpose(1, 2, 0)
            out[index] = channels
        return out

    def sized(
        self, crops: Sequence[NDArray[np.uint8]] | NDArray[np.uint8], color: ColorOrder
    ) -> tuple[NDArray[np.uint8], ColorOrder]:
        """Bring crops to the network's size, in the colours that it needs and no more.

        Classifying the result is classifying the crops, to the bit; whoever looks at the crops as well, or keeps them,
        resizes them once this way.

        Args:
            crops: Crops as `pixels` takes them.
            color: Channel order of all of them.

        Returns:
            uint8 (N, height, width) or (N, height, width, 3), caller-owned, and its channel order.

        Raises:
            InputError: A crop is of the wrong type, shape or size.
        """
        if not self.takes_color:
            return self.pixels(crops, color), "gray"
        return self.color_pixels(crops, color), "rgb" if self.input == "rgb-u8" else "bgr"

    def normalize(self, pixels: NDArray[np.uint8], dtype: type[np.floating[Any]] = np.float32) -> NDArray[Any]:
        """Turn gray pixels into the normalised tensor.

        Args:
            pixels: Gray levels, uint8 (N, height, width).
            dtype: Data type of the result; the values are computed in float64 and rounded once.

        Returns:
            (N, channels, height, width), NCHW, caller-owned.
        """
        out = np.empty((len(pixels), self.channels, self.height, self.width), dtype=dtype)
        for channel, table in enumerate(_normalize_tables(self.mean, self.std, np.dtype(dtype).name)):
            np.take(table, pixels, out=out[:, channel], mode="clip")
        return out

    def tensor(self, feed: NDArray[Any], dtype: type[np.floating[Any]] = np.float32) -> NDArray[Any]:
        """The normalised tensor a feed stands for, as the original network takes it.

        Args:
            feed: Feed that `__call__` returned.
            dtype: Data type of the result.

        Returns:
            (N, channels, height, width), NCHW.
        """
        if self.input == "tensor":
            return feed.astype(dtype, copy=False)
        if self.input == "gray-u8":
            return self.normalize(feed[..., 0], dtype)
        color: ColorOrder = "rgb" if self.input == "rgb-u8" else "bgr"
        return self.normalize(np.stack([to_gray(image, color) for image in feed]), dtype)

    def __call__(self, crops: Sequence[NDArray[np.uint8]] | NDArray[np.uint8], color: ColorOrder) -> NDArray[Any]:
        """Turn crops into the graph's input, as `feed_spec` describes it; caller-owned.

        Raises:
            InputError: A crop is of the wrong type, shape or size.
        """
        ready = self._as_they_are(crops, color)
        if ready is not None:
            return ready
        if self.takes_color:
            return self.color_pixels(crops, color)
        gray = self.pixels(crops, color)
        return gray[..., None] if self.input == "gray-u8" else self.normalize(gray)


@lru_cache(maxsize=8)
def _normalize_tables(mean: tuple[float, ...], std: tuple[float, ...], dtype: str) -> tuple[NDArray[Any], ...]:
    levels = np.arange(256, dtype=np.float64) / 255.0
    return tuple(((levels - m) / s).astype(dtype) for m, s in zip(mean, std, strict=True))


def _check_crop(crop: Any, color: ColorOrder) -> None:
    if color not in _COLORS:
        raise InputError(f"unknown colour order {color!r}", hint="pass color='gray', 'rgb' or 'bgr'")
    if not isinstance(crop, np.ndarray) or crop.dtype != np.uint8:
        found = f"dtype {crop.dtype}" if isinstance(crop, np.ndarray) else type(crop).__name__
        raise InputError(f"a face crop must be a uint8 numpy array, got {found}")
    wanted = "(H, W)" if color == "gray" else "(H, W, 3)"
    if crop.ndim != (2 if color == "gray" else 3) or (crop.ndim == 3 and crop.shape[2] != 3):
        raise InputError(f"a crop with color={color!r} must have shape {wanted}, got {crop.shape}")
    if min(crop.shape[:2]) < MIN_CROP_SIDE:
        raise InputError(f"a face crop must be at least {MIN_CROP_SIDE}x{MIN_CROP_SIDE} pixels, got {crop.shape[:2]}")
