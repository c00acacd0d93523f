"""OpenCV, imported quietly: its own messages and FFmpeg's would end up between ours, passwords of streams included."""

import os
from importlib import import_module
from typing import Any

from resemote_edge.errors import needs, where_installed

__all__ = ["import_opencv", "opencv_if_installed"]

#: Read by OpenCV when it is imported, and when it first opens a stream; -8 is FFmpeg's AV_LOG_QUIET.
_QUIET = {"OPENCV_LOG_LEVEL": "SILENT", "OPENCV_FFMPEG_LOGLEVEL": "-8"}

#: How FFmpeg opens a stream: over TCP, as OpenCV does by itself, and after looking at it for one second, not for five.
_STREAMS = {"OPENCV_FFMPEG_CAPTURE_OPTIONS": "rtsp_transport;tcp|analyzeduration;1000000"}


def import_opencv(purpose: str) -> Any:
    """The module ``cv2``, told to keep quiet; what the user set in the environment stands.

    Args:
        purpose: What it is needed for, for the message where it is missing.

    Raises:
        MissingDependencyError: It is not installed.
    """
    _prepare()
    with needs("video", purpose, "cv2"):
        import cv2
    return cv2


def opencv_if_installed() -> Any:
    """The module ``cv2``, or None where it is not installed."""
    _prepare()
    found: Any = None
    with where_installed("cv2"):
        found = import_module("cv2")
    return found


def _prepare() -> None:
    for name, value in (_QUIET | _STREAMS).items():
        os.environ.setdefault(name, value)
