"""Scaling of whole frames: fast, and the same bits everywhere.

A frame is halved by means of 2x2 pixels, rounded to nearest, as long as it is at least twice as large as wanted; the
rest is bilinear interpolation with weights in units of 1/256, rounded once. OpenCV's ``INTER_LINEAR_EXACT`` computes
the same, and does so in a fraction of the time where it is installed.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["scale"]

_ONE = 256
_HALF = 1 << 15

#: Samples that are halved at a time, so that a photograph's intermediates take no memory to speak of.
_STRIP_SAMPLES = 4 << 20


def scale(pixels: NDArray[np.uint8], height: int, width: int, *, library: Any = None) -> NDArray[np.uint8]:
    """Scale a picture.

    Args:
        pixels: Samples, uint8 (H, W) or (H, W, channels), any strides; not modified.
        height: Rows of the result.
        width: Columns of the result.
        library: OpenCV's module, as `opencv_if_installed` gives it; None to compute in numpy. The result is the same.

    Returns:
        uint8 (height, width) or (height, width, channels); `pixels` itself if it has that size.
    """
    while pixels.shape[0] >= 2 * height and pixels.shape[1] >= 2 * width:
        pixels = _halved(pixels, library)
    if pixels.shape[:2] == (height, width):
        return pixels
    if library is not None:
        return _resized(pixels, height, width, library)
    return _interpolated(pixels, height, width)


def _resized(pixels: NDArray[np.uint8], height: int, width: int, library: Any) -> NDArray[np.uint8]:
    resized = library.resize(pixels, (width, height), interpolation=library.INTER_LINEAR_EXACT)
    return np.asarray(resized, dtype=np.uint8)


def _halved(pixels: NDArray[np.uint8], library: Any) -> NDArray[np.uint8]:
    """Means of 2x2 pixels; an odd last row or column is left out."""
    height, width = pixels.shape[0] // 2, pixels.shape[1] // 2
    even = pixels[: 2 * height, : 2 * width]
    if library is not None:
        return _resized(even, height, width, library)
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    halved = np.empty((height, width, channels), dtype=np.uint8)
    strip = max(_STRIP_SAMPLES // (4 * width * channels), 1)
    for top in range(0, height, strip):
        rows = even[2 * top : 2 * (top + strip)]
        flat = rows.reshape(len(rows), -1)
        sums = np.add(flat[0::2], flat[1::2], dtype=np.uint16)
        sums += 1  # Two columns make it the half that rounds to nearest.
        for channel in range(channels):  # Long strided rows are faster than short runs of channels.
            total = sums[:, channel :: 2 * channels] + sums[:, channels + channel :: 2 * channels]
            total >>= 2
            halved[top : top + strip, :, channel] = total
    return halved.reshape((height, width, *pixels.shape[2:]))


def _interpolated(pixels: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    upper, lower, below = _taps(pixels.shape[0], height)
    left, right, beyond = _taps(pixels.shape[1], width)
    flat = pixels.reshape(pixels.shape[0], -1)
    rows = np.multiply(flat[upper], (_ONE - below)[:, None], dtype=np.uint16)
    rows += np.multiply(flat[lower], below[:, None], dtype=np.uint16)
    rows = rows.reshape(height, pixels.shape[1], channels)
    far = beyond.astype(np.uint32)
    near = _ONE - far
    scaled = np.empty((height, width, channels), dtype=np.uint8)
    for channel in range(channels):
        plane = rows[..., channel]
        total = plane.take(left, axis=1) * near
        total += plane.take(right, axis=1) * far
        total += _HALF
        total >>= 16
        scaled[..., channel] = total
    return scaled.reshape((height, width, *pixels.shape[2:]))


def _taps(source: int, target: int) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.uint16]]:
    """The two samples that each sample of the result lies between, and the weight of the second in units of 1/256."""
    places = (1.0 / (target / source)) * (np.arange(target) + 0.5) - 0.5
    first = np.floor(places).astype(np.intp)
    weights = np.rint((places - first) * _ONE).astype(np.uint16)
    weights[(first < 0) | (first >= source - 1)] = 0
    first = np.clip(first, 0, source - 1)
    return first, np.minimum(first + 1, source - 1), weights
