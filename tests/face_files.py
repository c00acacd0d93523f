"""Image files of drawn faces, for tests that lay out a dataset as its authors publish it."""

from functools import cache
from pathlib import Path

from PIL import Image

from resemote_edge.vision.drawn import drawn_faces


@cache
def _drawn(side):
    return drawn_faces(80, side=side, seed=side)


def face_image(index: int, side: int = 48, mode: str = "L") -> Image.Image:
    """The drawn face of that number; different numbers below 80 are different faces."""
    return Image.fromarray(_drawn(side)[index]).convert(mode)


def save_face(path: Path, index: int, side: int = 48, mode: str = "L") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    face_image(index, side, mode).save(path)
    return path
