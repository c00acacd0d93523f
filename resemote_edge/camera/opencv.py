"""OpenCV, imported quietly: its own messages and FFmpeg's would end up between ours, passwords of streams included."""

import os
from typing import Any

from resemote_edge.errors import needs

__all__ = ["import_opencv"]

#: Read by OpenCV when it is imported, and when it first opens a stream; -8 is FFmpeg's AV_LOG_QUIET.
_QUIET = {"OPENCV_LOG_LEVEL": "SILENT", "OPENCV_FFMPEG_LOGLEVEL": "-8"}


def import_opencv(purpose: str) -> Any:
    """The module ``cv2``, told to keep quiet; what the user set in the environment stands.

    Args:
        purpose: What it is needed for, for the message where it is missing.

    Raises:
        MissingDependencyError: It is not installed.
    """
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    with needs("video", purpose):
        import cv2
    return cv2
