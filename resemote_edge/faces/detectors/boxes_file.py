"""Detector ``boxes``: boxes from elsewhere, one line of JSON for each frame, in the order of the frames."""

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from resemote_edge.artifacts.record import DECODE_ERRORS, read_text_bytes
from resemote_edge.errors import InputError
from resemote_edge.faces.detectors.base import Detector, DetectorOptions
from resemote_edge.faces.face import Face
from resemote_edge.vision.frame import Frame
from resemote_edge.vision.framing import Framing

__all__ = ["BoxesFile"]


_Score = Annotated[float, Meta(ge=0, le=1)]


class _Box(msgspec.Struct, kw_only=True):
    """A face of a line; other keys are ignored, so that lines of ``resemote-edge camera`` can be read.

    There, ``score`` is that of the expression, and ``detection_score`` that of the face.
    """

    x: float
    y: float
    width: float
    height: float
    score: _Score | None = None
    detection_score: _Score | None = None
    landmarks: tuple[tuple[float, float], ...] = ()


class _Line(msgspec.Struct, kw_only=True):
    faces: tuple[_Box, ...]


class BoxesFile(Detector):
    """Reports the faces of the next line at each call, whatever the frame shows."""

    name = "boxes"
    framing = Framing()

    def __init__(self, lines: list[list[Face]], path: Path, min_score: float = 0.0) -> None:
        self._lines = lines
        self._path = path
        self._min_score = min_score
        self._next = 0

    @classmethod
    def open(cls, place: Path | None, options: DetectorOptions) -> "BoxesFile":
        """Read the file.

        Args:
            place: File with an object a line: ``{"faces": [{"x": 1, "y": 2, "width": 3, "height": 3}]}``; the keys
                ``score`` and ``landmarks`` may be left out.
            options: Options of the detector.

        Raises:
            InputError: There is no such file, or a line is not such an object; the message names the line.
        """
        if place is None:
            raise InputError("the detector boxes needs a file", hint="pass the path of a .jsonl file")
        try:
            lines = read_text_bytes(place).splitlines()
        except OSError as error:
            raise InputError(f"{place}: cannot be read ({error.strerror or error})") from None
        faces = [_faces(line, f"{place}, line {number}") for number, line in enumerate(lines, 1)]
        return cls(faces, place, options.min_score or 0.0)

    def detect(self, frame: Frame) -> list[Face]:
        """The faces of the next line.

        Raises:
            InputError: There are more frames than lines.
        """
        if self._next >= len(self._lines):
            raise InputError(
                f"{self._path}: {len(self._lines)} lines, and this is frame {self._next + 1}",
                hint="the file needs a line for each frame",
            )
        faces = self._lines[self._next]
        self._next += 1
        return sorted((face for face in faces if face.score >= self._min_score), key=lambda face: -face.score)

    def close(self) -> None:
        """Do nothing."""


def _faces(line: bytes, where: str) -> list[Face]:
    try:
        boxes = msgspec.json.decode(line, type=_Line).faces
        return [
            Face(
                x=box.x,
                y=box.y,
                width=box.width,
                height=box.height,
                score=next((score for score in (box.detection_score, box.score) if score is not None), 1.0),
                landmarks=box.landmarks,
            )
            for box in boxes
        ]
    except (*DECODE_ERRORS, InputError) as error:
        raise InputError(
            f"{where}: {error}",
            hint='a line is an object such as {"faces": [{"x": 1, "y": 2, "width": 30, "height": 30}]}',
        ) from None
