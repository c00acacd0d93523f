"""Source: where frames come from."""

import threading
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass

from resemote_edge.errors import InputError
from resemote_edge.vision.frame import Frame

__all__ = ["Captured", "FrameClock", "Source", "SourceOptions"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Captured:
    """A frame and its times.

    Attributes:
        frame: The picture; nobody writes to it.
        number: Number of the frame as its source counts, from 0.
        seconds: Time of the frame since the first one, seconds; in a film, the film's own time. Strictly increasing.
        captured_ns: Moment at which the source handed the frame over, nanoseconds of `time.perf_counter_ns`. What a
            camera, network or decoder kept the frame for before is not in it: nothing on this side can see that.
        utc: The same moment, seconds since 1970.
    """

    frame: Frame
    number: int
    seconds: float
    captured_ns: int
    utc: float


@dataclass(frozen=True, kw_only=True)
class SourceOptions:
    """Options to open a source with.

    Attributes:
        loop: Whether a film or folder starts again at its end.
        fps: Frames a second of a folder or of the pattern, and the rate to ask a camera for; None for the source's own.
        size: Width and height to ask a camera or the pattern for, pixels; None for the source's own.
        stall_s: Time after which a source that gives nothing counts as failed, seconds.

    Raises:
        InputError: A value is out of its range.
    """

    loop: bool = False
    fps: float | None = None
    size: tuple[int, int] | None = None
    stall_s: float = 5.0

    def __post_init__(self) -> None:
        if self.fps is not None and not 0.01 <= self.fps <= 1000:
            raise InputError(f"a source has 0.01 to 1000 frames a second, got {self.fps}")
        if not 0.1 <= self.stall_s <= 3600:
            raise InputError(f"a stall is noticed after 0.1 to 3600 seconds, got {self.stall_s}")


class Source(ABC):
    """A camera, stream, film or folder, opened anew for every attempt; used by one thread.

    Attributes:
        name: Address as the user wrote it, without a password that it may hold.
        live: Whether frames come at their own pace, so that late ones are dropped; a film waits.
    """

    name: str
    live: bool

    @abstractmethod
    def open(self) -> None:
        """Open it.

        Raises:
            SourceError: It cannot be opened now; the message says why, as far as the system tells.
            InputError: It can never be opened.
            MissingDependencyError: A package is not installed.
        """

    @abstractmethod
    def read(self) -> Captured | None:
        """The next frame, waited for; None at the end of a film.

        Raises:
            SourceError: The source broke off.
        """

    @abstractmethod
    def close(self) -> None:
        """Release it; calling it again does nothing."""


class FrameClock:
    """Numbers and times of the frames of one stream, which go on when the stream is opened again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._number = 0
        self._start: int | None = None
        self._last = -1.0

    def stamp(self, frame: Frame, seconds: float | None = None) -> Captured:
        """Give a frame its number and times.

        Args:
            frame: The frame, taken just now.
            seconds: Time of the frame in its film; None for the time that went by since the first frame. Films whose
                times stand still or jump back get later ones.
        """
        with self._lock:
            now, utc = time.perf_counter_ns(), time.time()
            self._start = now if self._start is None else self._start
            at = (now - self._start) / 1e9 if seconds is None else seconds
            at = at if at > self._last else self._last + 1e-3
            captured = Captured(frame=frame, number=self._number, seconds=at, captured_ns=now, utc=utc)
            self._number, self._last = self._number + 1, at
            return captured
