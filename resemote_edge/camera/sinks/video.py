"""Video: a film with boxes and labels, at a constant frame rate.

Pictures are repeated where the source was slow or frames were dropped, so that the film's time is the source's. A film
is complete only when its index is written, at its end: so it has a hidden name until then.
"""

import errno
import os
import shutil
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resemote_edge.artifacts.partial import partial_folder, sync
from resemote_edge.camera.privacy.retention import Retention
from resemote_edge.camera.results import FrameResult
from resemote_edge.camera.sinks.base import Sink, SinkOptions, file_path
from resemote_edge.errors import DeviceUnavailableError, InputError, ResEmoteEdgeError
from resemote_edge.vision.frame import Frame
from resemote_edge.vision.opencv import import_opencv

__all__ = ["LONGEST_STILL_SECONDS", "VideoSink"]

#: Longest time for which one picture is repeated; a longer pause of the source is cut to it.
LONGEST_STILL_SECONDS = 5.0

#: Bytes that stay free on the disk, so that the index still fits when the disk is full.
_RESERVE_BYTES = 16 << 20

#: Frames whose times tell the rate of the source, where nobody named one; they wait until it is known.
_RATE_FRAMES = 10

#: Rate of a film whose frames do not tell one, as there is only one.
_USUAL_RATE = 30.0

#: Rates that sources have; a measured one is taken for the nearest, if that is near.
_RATES = (5, 10, 12.5, 15, 20, 24000 / 1001, 24, 25, 30000 / 1001, 30, 50, 60000 / 1001, 60, 90, 120)
_NEAR = 0.05

_CODEC = "mp4v"  # MPEG-4 part 2: every build of OpenCV with FFmpeg has its encoder, and none needs a licence for it.


class VideoSink(Sink):
    """Writes a film.

    Args:
        address: Path that ends in ``.mp4``, or ``file://`` and such a path.
        options: `existing`, `frames_per_second` and `keep_seconds` are used.

    Raises:
        InputError: The address names no such file or one in a folder that is not there; the frame rate is none; or the
            film is to be appended to.
        MissingDependencyError: OpenCV is not installed.
    """

    picture = "annotated"
    queue_frames = 16  # Pictures are large.

    def __init__(self, address: str, options: SinkOptions) -> None:
        self._cv2 = import_opencv("writing a film")
        self.name = address
        self._path = file_path(address.removeprefix("file://"), address)
        if self._path.suffix.lower() != ".mp4":
            raise InputError(f"{address} is no .mp4 file", hint="films are written as .mp4")
        if options.existing == "append":
            raise InputError(f"{address}: nothing can be appended to a film", hint="leave --append out")
        self._rate = options.frames_per_second
        if self._rate is not None and not 0 < self._rate <= 1000:
            raise InputError(f"{address}: a film of {self._rate:g} frames per second", hint="pass another --fps")
        self._first: list[tuple[NDArray[np.uint8], float]] = []
        self._replaces = options.existing == "replace"
        self._retention = None
        if options.keep_seconds is not None:
            self._retention = Retention(self._path, keep_seconds=options.keep_seconds)
        self._film: _Film | None = None

    def open(self) -> None:
        """Refuse what can never work before the run begins.

        Raises:
            InputError: The file exists and may not be replaced, or nothing can be written in its folder.
            DeviceUnavailableError: This OpenCV cannot write films.
        """
        if self._retention is None and self._path.exists() and not self._replaces:
            raise InputError(f"{self._path} exists", hint="pass --force to replace it, or another path")
        try:
            if self._retention is not None:
                self._retention.sweep()
            with partial_folder(self._path.parent, self._path.name) as folder:
                writer = self._writer(folder / "probe.mp4", (64, 64), self._rate or _USUAL_RATE)
                writer.release()
        except OSError as error:
            raise InputError(f"{self._path}: {error.strerror}", hint="pass a path that can be written") from error

    def write(self, result: FrameResult, picture: Frame | None) -> None:
        """Add one picture to the film.

        Raises:
            OSError: The disk is full.
            InputError: The frame has another size than those before it.
        """
        assert picture is not None, "this sink asks for a picture"
        if self._retention is not None and self._film is not None and self._retention.is_due:
            self._finish()
        if self._rate is None:
            self._first.append((picture.pixels, result.seconds))
            if len(self._first) == _RATE_FRAMES:
                self._settle()
            return
        self._add(picture.pixels, result.seconds)

    def tick(self) -> None:
        """End a film when its time is over, and delete those that are too old."""
        if self._retention is not None:
            if self._retention.is_due:
                self._finish()
            self._retention.sweep()

    def close(self) -> None:
        """Finish the film and give it its name.

        Raises:
            ResEmoteEdgeError: The film cannot be read back, as on a full disk; nothing is left of it.
        """
        self._finish()

    def _settle(self) -> None:
        """Take the rate from the frames that wait, and write them."""
        first, self._first = self._first, []
        self._rate = _rate_of([seconds for _, seconds in first])
        for pixels, seconds in first:
            self._add(pixels, seconds)

    def _add(self, pixels: NDArray[np.uint8], seconds: float) -> None:
        if self._film is None:
            self._film = self._begin((pixels.shape[1], pixels.shape[0]))
        self._film.add(pixels, seconds)

    def _writer(self, path: Path, size: tuple[int, int], rate: float) -> Any:
        code = self._cv2.VideoWriter.fourcc(*_CODEC)
        writer = self._cv2.VideoWriter(str(path), self._cv2.CAP_FFMPEG, code, rate, size)
        if not writer.isOpened():
            raise DeviceUnavailableError(
                f"OpenCV {self._cv2.__version__} cannot write {path.suffix} films of {size[0]}x{size[1]} pixels at "
                f"{rate:g} frames per second here",
                hint="install a build with FFmpeg: pip install 'resemote-edge[video]'",
            )
        return writer

    def _begin(self, size: tuple[int, int]) -> "_Film":
        assert self._rate is not None, "it is known when pictures are written"
        with ExitStack() as stack:
            folder = stack.enter_context(partial_folder(self._path.parent, self._path.name))
            target = self._path if self._retention is None else self._retention.begin()
            path = folder / target.name
            return _Film(
                writer=self._writer(path, size, self._rate),
                path=path,
                target=target,
                size=size,
                rate=self._rate,
                stack=stack.pop_all(),
            )

    def _finish(self) -> None:
        if self._first:
            self._settle()
        film, self._film = self._film, None
        if film is not None:
            film.finish(self._cv2, replace=self._replaces)
        if self._retention is not None:
            self._retention.end()


class _Film:
    """One film that is being written."""

    def __init__(
        self, *, writer: Any, path: Path, target: Path, size: tuple[int, int], rate: float, stack: ExitStack
    ) -> None:
        self._writer = writer
        self._path = path
        self._target = target
        self._size = size
        self._rate = rate
        self._stack = stack
        self._held: NDArray[np.uint8] | None = None
        self._place = 0  # of the held picture in the film
        self._start = 0.0  # of the film, in the source's time
        self._seconds = 0.0  # of the held picture
        self._written = 0

    def add(self, pixels: NDArray[np.uint8], seconds: float) -> None:
        """Write the picture before this one for as long as it was the newest, and hold this one."""
        if (pixels.shape[1], pixels.shape[0]) != self._size:
            raise InputError(f"a frame of another size than the film's {self._size[0]}x{self._size[1]} pixels")
        if shutil.disk_usage(self._path.parent).free < _RESERVE_BYTES:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._target))
        if self._held is None:
            self._start = seconds
        else:
            self._move_on(seconds)
        self._held, self._seconds = pixels, seconds

    def _move_on(self, seconds: float) -> None:
        """Write the held picture up to the time of the next one; a film that begins again goes on at once."""
        step = round((seconds - self._start) * self._rate) - self._place
        longest = max(round(LONGEST_STILL_SECONDS * self._rate), 1)
        if seconds < self._seconds or step > longest:
            step = 1 if seconds < self._seconds else longest
            self._start = seconds - (self._place + step) / self._rate
        for _ in range(step):
            self._put()
        self._place += max(step, 0)

    def _put(self) -> None:
        self._writer.write(self._held)
        self._written += 1

    def finish(self, cv2: Any, *, replace: bool) -> None:
        """Write the index, read the film back and give it its name."""
        with self._stack:
            if self._held is not None:
                self._put()
            self._writer.release()
            frames = _frames(cv2, self._path)
            if frames != self._written:
                raise ResEmoteEdgeError(
                    f"{self._target}: {frames} of {self._written} frames can be read back, so it was not kept",
                    hint="look at the disk's free space, and at limits on the size of files",
                )
            sync(self._path)
            _put_in_place(self._path, self._target, replace=replace)


def _rate_of(times: list[float]) -> float:
    """The rate of a source, from the times of its first frames, some of which may have been dropped."""
    steps = [step for step in np.diff(times) if step > 0]
    if not steps:
        return _USUAL_RATE
    shortest = float(np.quantile(steps, 0.25))
    frames = sum(max(round(float(step) / shortest), 1) for step in steps)
    rate = min(max(frames / float(sum(steps)), 1.0), 120.0)
    nearest = min(_RATES, key=lambda usual: abs(usual - rate))
    return nearest if abs(nearest - rate) <= _NEAR * rate else rate


def _frames(cv2: Any, path: Path) -> int:
    """Frames that a film's index has; 0 if it cannot be read."""
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    try:
        return int(capture.get(cv2.CAP_PROP_FRAME_COUNT)) if capture.isOpened() else 0
    finally:
        capture.release()


def _put_in_place(path: Path, target: Path, *, replace: bool) -> None:
    """Rename a finished film; if another file took the name meanwhile, and may not be replaced, give it another."""
    if replace or not os.path.lexists(target):
        path.replace(target)
        return
    number = 2
    while os.path.lexists(target.with_stem(f"{target.stem}-{number}")):
        number += 1
    other = target.with_stem(f"{target.stem}-{number}")
    path.replace(other)
    raise ResEmoteEdgeError(f"{target} appeared during the run, so the film is {other}")
