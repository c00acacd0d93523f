"""Folder: its images in the order of their names, as a film."""

from pathlib import Path

import numpy as np

from resemote_edge.camera.sources.base import Captured, FrameClock, Source, SourceOptions
from resemote_edge.errors import InputError
from resemote_edge.vision.frame import Frame
from resemote_edge.vision.image import read_rgb
from resemote_edge.vision.signatures import HEAD_BYTES, is_image

__all__ = ["FolderSource"]

#: Frames a second, where nobody says another number.
_FPS = 25.0


class FolderSource(Source):
    """Images of a folder, not of the folders in it.

    Args:
        address: Path of the folder, perhaps after ``folder://`` or ``file://``.
        options: Options.
        clock: Clock of the stream.
    """

    live = False

    def __init__(self, address: str, options: SourceOptions, clock: FrameClock) -> None:
        self.name = address
        self._folder = Path(address.removeprefix("folder://").removeprefix("file://"))
        self._options = options
        self._period = 1.0 / (options.fps or _FPS)
        self._clock = clock
        self._next = 0
        self._paths: list[Path] = []

    def open(self) -> None:
        """List the images."""
        try:
            entries = sorted(self._folder.iterdir())
            self._paths = [path for path in entries if path.is_file() and _holds_image(path)]
        except OSError as error:
            raise InputError(f"{self._folder}: {error.strerror}") from None
        if not self._paths:
            raise InputError(f"{self._folder}: no images among the {len(entries)} entries of this folder")

    def read(self) -> Captured | None:
        """The next image; see `Source.read`."""
        if self._next >= len(self._paths) and not self._options.loop:
            return None
        path = self._paths[self._next % len(self._paths)]
        rgb = read_rgb(path)
        captured = self._clock.stamp(Frame(np.ascontiguousarray(rgb[..., ::-1]), "bgr"), self._next * self._period)
        self._next += 1
        return captured

    def close(self) -> None:
        """Nothing is held."""


def _holds_image(path: Path) -> bool:
    with path.open("rb") as stream:
        return is_image(stream.read(HEAD_BYTES))
