"""Photographs: faces and expressions of image files, one after the other, as rows and as annotated copies."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resemote_edge.artifacts.files import write_file
from resemote_edge.classifier import EmotionClassifier
from resemote_edge.errors import InputError, needs
from resemote_edge.faces.analysis import JudgedFace, find_and_classify
from resemote_edge.faces.detectors.base import Detector
from resemote_edge.vision.annotate import Mark, annotate
from resemote_edge.vision.frame import Frame
from resemote_edge.vision.image import read_face

__all__ = ["Photograph", "analyse_photographs", "drawing_paths", "write_drawing"]

#: Suffix of annotated copies: a format that loses nothing.
_SUFFIX = ".png"


@dataclass(frozen=True, kw_only=True)
class Photograph:
    """What was found in one image file.

    Attributes:
        path: The file.
        pixels: Picture, uint8 (height, width, 3), RGB, upright.
        faces: The faces, from left to right.
    """

    path: Path
    pixels: NDArray[np.uint8] = field(repr=False)
    faces: tuple[JudgedFace, ...]

    def to_dict(self) -> dict[str, Any]:
        """The result as plain JSON types; lengths are in pixels of the upright picture."""
        return {
            "image": str(self.path),
            "width": self.pixels.shape[1],
            "height": self.pixels.shape[0],
            "faces": [
                {
                    "x": round(face.x, 2),
                    "y": round(face.y, 2),
                    "width": round(face.width, 2),
                    "height": round(face.height, 2),
                    "detection_score": face.score,
                    "landmarks": [[round(x, 2), round(y, 2)] for x, y in face.landmarks],
                    "label": emotion.label,
                    "score": emotion.score,
                    "probabilities": emotion.probabilities,
                }
                for face, emotion in self.faces
            ],
        }


def analyse_photographs(
    paths: Sequence[Path], detector: Detector, classifier: EmotionClassifier
) -> Iterator[Photograph]:
    """Find and judge the faces of image files; one picture is in memory at a time.

    Args:
        paths: Image files.
        detector: Finds the faces.
        classifier: Judges them.

    Yields:
        What was found, in the order of the files.

    Raises:
        InputError: A file cannot be read, or its picture is too small or too large; the message names the file.
        ArtifactError: An engine fails.
    """
    for path in paths:
        pixels = read_face(path)
        try:
            faces = find_and_classify(Frame(pixels, "rgb"), detector, classifier)
        except InputError as error:
            raise InputError(f"{path}: {error.reason}", hint=error.hint) from None
        yield Photograph(path=path, pixels=pixels, faces=tuple(sorted(faces, key=lambda judged: judged.face.x)))
        del pixels


def drawing_paths(paths: Sequence[Path], place: Path, *, force: bool) -> list[Path]:
    """Where the annotated copies of image files go.

    Args:
        paths: Image files.
        place: A ``.png`` file for the copy of one; else a folder, in which each copy has the name of its file.
        force: Whether files that are there may be replaced.

    Raises:
        InputError: Several files are to be drawn in one, two have the same name, or a file is there already.
    """
    if place.suffix.lower() == _SUFFIX and not place.is_dir():
        if len(paths) > 1:
            raise InputError(f"{place}: one file for {len(paths)} pictures", hint="pass a folder as --draw")
        copies = [place]
    elif place.suffix and not place.is_dir():
        raise InputError(f"{place}: annotated pictures are written as PNG", hint=f"pass a {_SUFFIX} file or a folder")
    else:
        copies = [place / f"{path.stem}{_SUFFIX}" for path in paths]
    sources = {path.resolve() for path in paths}
    for number, copy in enumerate(copies):
        if copy in copies[:number]:
            raise InputError(
                f"two pictures would be drawn in {copy}", hint="draw those with the same name in separate calls"
            )
        if copy.resolve() in sources:
            raise InputError(f"{copy} is one of the pictures themselves", hint="pass another file or folder as --draw")
        if copy.exists() and not force:
            raise InputError(f"{copy} exists", hint="pass --force to replace it, or another --draw")
    return copies


def write_drawing(photograph: Photograph, path: Path) -> None:
    """Write a copy of a photograph with boxes, labels and bars, as PNG, whole or not at all.

    Args:
        photograph: What was found.
        path: Destination; parents are created, an older file is replaced.
    """
    with needs("images", "drawing on pictures"):
        from PIL import Image
    marks = [
        Mark(box=face.box, label=emotion.label, score=emotion.score, probabilities=emotion.probabilities, track=number)
        for number, (face, emotion) in enumerate(photograph.faces, 1)
    ]
    drawn = annotate(photograph.pixels[..., ::-1], marks)
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(drawn[..., ::-1])).save(buffer, format="PNG")
    write_file(path, buffer.getvalue())
