"""Detector ``none``: the frame is the face, as in pictures that are cropped already."""

from pathlib import Path

from resemote_edge.faces.detectors.base import Detector, DetectorOptions
from resemote_edge.faces.face import Face
from resemote_edge.vision.frame import Frame
from resemote_edge.vision.framing import Framing

__all__ = ["WholeFrame"]


class WholeFrame(Detector):
    """Reports one face, the whole frame, with the score 1."""

    name = "none"
    framing = Framing()

    @classmethod
    def open(cls, place: Path | None, options: DetectorOptions) -> "WholeFrame":
        """Open it; there is no file, and nothing to choose."""
        return cls()

    def detect(self, frame: Frame) -> list[Face]:
        """The frame itself."""
        return [Face(x=0, y=0, width=frame.width, height=frame.height)]

    def close(self) -> None:
        """Do nothing."""
