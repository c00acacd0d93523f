"""From a face crop to the network's input: the one definition, for every runtime and language.

Steps, each exact, so that another implementation can be held to the same bits:

1. gray: ``(19595 R + 38470 G + 7471 B + 32768) >> 16``, the ITU-R BT.601 luma in the fixed point Pillow uses;
2. resize to 64x64 uint8 with an antialiased triangle filter (what Pillow calls BILINEAR): two small matrix products
   whose weights are integers in units of 2^-16. Every intermediate is an integer below 2^53, so float64 products are
   exact whatever order a BLAS sums them in, and a C implementation gets the same pixels with 64-bit integers;
3. normalise: ``(pixel / 255 - mean) / std`` through a table of 256 float32 values for each of the three equal channels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from resemote_edge.errors import InputError

__all__ = ["ColorOrder", "PreprocessSpec", "resize_triangle", "to_gray", "triangle_weights"]

ColorOrder: TypeAlias = Literal["gray", "rgb", "bgr"]

#: Smallest crop side accepted, in pixels; below it there is no face left to look at.
MIN_CROP_SIDE = 8

_FRACTION_BITS = 16
_ONE = 1 << _FRACTION_BITS
_LUMA_RGB = np.array([19595, 38470, 7471], dtype=np.uint32)


def to_gray(crop: NDArray[np.uint8], color: ColorOrder) -> NDArray[np.uint8]:
    """Convert one crop to gray.

    Args:
        crop: uint8, (H, W) for ``"gray"``, (H, W, 3) for ``"rgb"`` and ``"bgr"``; any strides. Not modified.
        color: Order of the channels; never guessed.

    Returns:
        uint8 (H, W); for gray input the crop itself, not a copy.

    Raises:
        InputError: Wrong type, shape, size or colour order.
    """
    _check_crop(crop, color)
    if color == "gray":
        return crop
    weights = _LUMA_RGB if color == "rgb" else _LUMA_RGB[::-1]
    wide = crop.astype(np.uint32)
    luma = wide[..., 0] * weights[0] + wide[..., 1] * weights[1] + wide[..., 2] * weights[2]
    gray: NDArray[np.uint8] = ((luma + 0x8000) >> 16).astype(np.uint8)
    return gray


@lru_cache(maxsize=512)
def triangle_weights(source: int, target: int) -> NDArray[np.float64]:
    """Weights of the antialiased triangle filter along one axis.

    Args:
        source: Pixels there are.
        target: Pixels wanted.

    Returns:
        float64 (target, source), integer values in units of 2^-16, each row summing to exactly 2^16; read-only.
    """
    scale = source / target
    # When shrinking, the filter widens with the scale: that is the antialiasing.
    reach = max(scale, 1.0)
    weights = np.zeros((target, source), dtype=np.float64)
    for row in range(target):
        center = (row + 0.5) * scale
        first = max(int(center - reach + 0.5), 0)
        last = min(int(center + reach + 0.5), source)
        taps = np.maximum(1.0 - np.abs(np.arange(first, last) + 0.5 - center) / reach, 0.0)
        fixed = np.rint(taps / taps.sum() * _ONE)
        # Rounding may leave the row a unit off; the largest tap takes the difference, so that flat areas stay flat.
        fixed[int(np.argmax(fixed))] += _ONE - fixed.sum()
        weights[row, first:last] = fixed
    weights.setflags(write=False)
    return weights


def resize_triangle(gray: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Resize a stack of gray images of one size with the antialiased triangle filter.

    Args:
        gray: uint8 (N, H, W).
        height: Rows wanted.
        width: Columns wanted.

    Returns:
        uint8 (N, height, width), a new array unless the size is already right.
    """
    if gray.shape[1:] == (height, width):
        return gray
    vertical = triangle_weights(gray.shape[1], height)
    horizontal = triangle_weights(gray.shape[2], width)
    exact = vertical @ gray.astype(np.float64) @ horizontal.T
    half = float(1 << (2 * _FRACTION_BITS - 1))
    return np.floor((exact + half) / float(1 << (2 * _FRACTION_BITS))).astype(np.uint8)


@dataclass(frozen=True, kw_only=True)
class PreprocessSpec:
    """What a network expects of its input; written into every passport.

    Attributes:
        height: Input rows, pixels.
        width: Input columns, pixels.
        channels: Equal copies of the gray image fed to the network.
        resize: Name of the resize filter; only ``"triangle"`` exists.
        mean: Per channel, subtracted after scaling to [0, 1].
        std: Per channel, divided by after the mean is subtracted.
    """

    height: int = 64
    width: int = 64
    channels: int = 3
    resize: Literal["triangle"] = "triangle"
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)

    def pixels(self, crops: Sequence[NDArray[np.uint8]], color: ColorOrder) -> NDArray[np.uint8]:
        """Bring crops to the network's size, as gray pixels.

        Args:
            crops: uint8 crops, (H, W) or (H, W, 3), each of any size from 8x8 up, contiguous or not.
            color: Channel order of all of them.

        Returns:
            uint8 (N, height, width), caller-owned.

        Raises:
            InputError: A crop is of the wrong type, shape or size.
        """
        out = np.empty((len(crops), self.height, self.width), dtype=np.uint8)
        by_shape: dict[tuple[int, ...], list[int]] = {}
        for index, crop in enumerate(crops):
            _check_crop(crop, color)
            by_shape.setdefault(crop.shape, []).append(index)
        for indices in by_shape.values():
            stack = np.stack([to_gray(crops[index], color) for index in indices])
            out[indices] = resize_triangle(stack, self.height, self.width)
        return out

    def normalize(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Turn gray pixels into the network's input.

        Args:
            pixels: uint8 (N, height, width).

        Returns:
            float32 (N, channels, height, width), NCHW, caller-owned.
        """
        out = np.empty((len(pixels), self.channels, self.height, self.width), dtype=np.float32)
        for channel, table in enumerate(_normalize_tables(self.mean, self.std)):
            np.take(table, pixels, out=out[:, channel], mode="clip")
        return out

    def __call__(self, crops: Sequence[NDArray[np.uint8]], color: ColorOrder) -> NDArray[np.float32]:
        """Crops to network input: `pixels`, then `normalize`."""
        return self.normalize(self.pixels(crops, color))


@lru_cache(maxsize=8)
def _normalize_tables(mean: tuple[float, ...], std: tuple[float, ...]) -> tuple[NDArray[np.float32], ...]:
    levels = np.arange(256, dtype=np.float64) / 255.0
    return tuple(((levels - m) / s).astype(np.float32) for m, s in zip(mean, std, strict=True))


def _check_crop(crop: Any, color: ColorOrder) -> None:
    if color not in get_args(ColorOrder):
        raise InputError(f"unknown colour order {color!r}; pass color='gray', 'rgb' or 'bgr'")
    if not isinstance(crop, np.ndarray) or crop.dtype != np.uint8:
        found = f"dtype {crop.dtype}" if isinstance(crop, np.ndarray) else type(crop).__name__
        raise InputError(f"a face crop must be a uint8 numpy array, got {found}")
    wanted = "(H, W)" if color == "gray" else "(H, W, 3)"
    if crop.ndim != (2 if color == "gray" else 3) or (crop.ndim == 3 and crop.shape[2] != 3):
        raise InputError(f"a crop with color={color!r} must have shape {wanted}, got {crop.shape}")
    if min(crop.shape[:2]) < MIN_CROP_SIDE:
        raise InputError(f"a face crop must be at least {MIN_CROP_SIDE}x{MIN_CROP_SIDE} pixels, got {crop.shape[:2]}")
