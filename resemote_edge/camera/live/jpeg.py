"""JPEG of a frame, by OpenCV if it is installed, else by Pillow."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from resemote_edge.camera.live.options import LiveOptions
from resemote_edge.camera.marks import mark_of
from resemote_edge.camera.privacy.notice import draw_notice
from resemote_edge.camera.results import FrameResult
from resemote_edge.errors import InputError, needs
from resemote_edge.vision.annotate import annotate
from resemote_edge.vision.frame import Frame
from resemote_edge.vision.opencv import import_opencv

__all__ = ["Encode", "JpegEncoders", "Render", "jpeg_encoder", "jpeg_encoders"]

#: From a BGR frame to the bytes of its JPEG; called by one thread at a time.
Encode: TypeAlias = Callable[[Frame], bytes]

#: From what was decided about a frame, and the frame, to a JPEG.
Render: TypeAlias = Callable[[FrameResult, Frame], bytes]


@dataclass(frozen=True, kw_only=True)
class JpegEncoders:
    """What makes the pictures of each kind of client.

    Attributes:
        page: For pages, which draw boxes and show a notice themselves.
        plain: For streams without boxes: with the notice in the picture.
        drawn: For streams: with boxes, labels and the notice. None where Pillow, which draws them, is not installed.
    """

    page: Render
    plain: Render
    drawn: Render | None


def jpeg_encoders(options: LiveOptions) -> JpegEncoders:
    """The functions that make JPEG, as the options ask for it.

    Raises:
        InputError: The notice cannot be drawn.
        MissingDependencyError: Nothing that makes JPEG is installed, or Pillow is not and there is a notice.
    """
    encode = jpeg_encoder(quality=options.jpeg_quality, max_width=options.max_width)

    def noticed(frame: Frame) -> NDArray[np.uint8]:
        return draw_notice(frame.pixels, options.notice) if options.notice else frame.pixels

    def page(_: FrameResult, frame: Frame) -> bytes:
        return encode(frame)

    def plain(_: FrameResult, frame: Frame) -> bytes:
        return encode(Frame(noticed(frame), "bgr"))

    def drawn(result: FrameResult, frame: Frame) -> bytes:
        return encode(Frame(annotate(noticed(frame), map(mark_of, result.faces)), "bgr"))

    noticed(Frame(np.zeros((720, 1280, 3), np.uint8), "bgr"))  # says now what could not be drawn later
    return JpegEncoders(page=page, plain=plain, drawn=None if find_spec("PIL") is None else drawn)


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
    cv2 = import_opencv("making JPEG for the live page")

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
