"""JPEG of a frame, by OpenCV if it is installed, else by Pillow."""

import io
from collections.abc import Callable
from importlib.util import find_spec
from typing import TypeAlias

import numpy as np

from resemote_edge.errors import InputError, needs
from resemote_edge.vision.frame import Frame

__all__ = ["Encode", "jpeg_encoder"]

#: From a BGR frame to the bytes of its JPEG; called by one thread at a time.
Encode: TypeAlias = Callable[[Frame], bytes]


def jpeg_encoder(*, quality: int, max_width: int) -> Encode:
    """A function that makes JPEG.

    Args:
        quality: 1 to 95.
        max_width: Width beyond which a frame is made smaller, pixels.

    Raises:
        MissingDependencyError: Neither package is installed.
    """
    if find_spec("cv2") is not None:
        return _with_opencv(quality, max_width)
    with needs("images", "making JPEG for the live page", "PIL"):
        return _with_pillow(quality, max_width)


def _size(frame: Frame, max_width: int) -> tuple[int, int]:
    """Width and height to be sent, pixels."""
    width = min(frame.width, max_width)
    return width, max(round(frame.height * width / frame.width), 1)


def _with_opencv(quality: int, max_width: int) -> Encode:
    import cv2

    def encode(frame: Frame) -> bytes:
        pixels, size = frame.pixels, _size(frame, max_width)
        if size[0] != frame.width:
            pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
        done, content = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
        if not done:
            raise InputError(f"OpenCV makes no JPEG of a frame of {frame.width}x{frame.height} pixels")
        return bytes(content)

    return encode


def _with_pillow(quality: int, max_width: int) -> Encode:
    from PIL import Image

    def encode(frame: Frame) -> bytes:
        image = Image.fromarray(np.ascontiguousarray(frame.pixels[..., ::-1]))
        size = _size(frame, max_width)
        if size[0] != frame.width:
            image = image.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
        content = io.BytesIO()
        image.save(content, "JPEG", quality=quality)
        return content.getvalue()

    return encode
