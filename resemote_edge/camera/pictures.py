"""Pictures of one frame, as sinks are shown them: faces blurred where that was asked for, with or without boxes.

Drawing takes as long as a decision. So each picture is drawn when the first sink wants it, in the thread of that sink,
and once for all.
"""

import threading
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from resemote_edge.camera.marks import mark_of
from resemote_edge.camera.privacy.blur import Boxed, blur_faces
from resemote_edge.camera.privacy.notice import draw_notice
from resemote_edge.camera.results import FrameResult
from resemote_edge.camera.sinks.base import Picture
from resemote_edge.vision.annotate import annotate
from resemote_edge.vision.frame import Frame, bgr_pixels

__all__ = ["Pictures"]


class Pictures:
    """The pictures of one frame. Any thread may ask for them.

    Args:
        frame: The frame; not modified.
        result: What was decided about it.
        blurred: Faces to blur: all that were detected, or none.
        notice: Words on annotated pictures; empty for none.
    """

    def __init__(self, frame: Frame, result: FrameResult, blurred: Sequence[Boxed], notice: str) -> None:
        self._frame = frame
        self._result = result
        self._blurred = blurred
        self._notice = notice
        self._drawn: dict[Picture, Frame] = {}
        self._lock = threading.RLock()

    def __call__(self, kind: Picture) -> Frame | None:
        """One of the pictures, BGR, which nobody modifies; None for ``"none"``.

        Raises:
            InputError: The notice cannot be drawn on it.
            MissingDependencyError: Pillow is not installed.
        """
        if kind == "none":
            return None
        with self._lock:
            if kind not in self._drawn:
                self._drawn[kind] = Frame(self._plain() if kind == "plain" else self._annotated(), "bgr")
            return self._drawn[kind]

    def _plain(self) -> NDArray[np.uint8]:
        pixels = bgr_pixels(self._frame)
        return blur_faces(pixels, self._blurred) if self._blurred else pixels

    def _annotated(self) -> NDArray[np.uint8]:
        plain = self("plain")
        assert plain is not None, "it is always there"
        pixels = draw_notice(plain.pixels, self._notice) if self._notice else plain.pixels
        return annotate(pixels, map(mark_of, self._result.faces))
