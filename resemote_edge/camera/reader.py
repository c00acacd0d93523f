"""Reader: a thread that takes frames from a source, opens it again when it fails, and notices when it is silent.

A thread that hangs in a driver or decoder cannot be ended. The watchdog leaves it behind, and a new thread opens the
source anew; what the old one still delivers is thrown away.
"""

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

from resemote_edge.camera.flip import FLIPS, flipped
from resemote_edge.camera.queue import NewestQueue
from resemote_edge.camera.sources import make_source
from resemote_edge.camera.sources.base import Captured, FrameClock, Source, SourceOptions
from resemote_edge.errors import InputError, SourceError

__all__ = ["FrameReader", "ReaderOptions"]

#: Time before a source is opened again, seconds: the first time, and at most.
_BACKOFF_S = (0.1, 1.0)

#: Threads that hang and were left behind, above which no more are started.
_MOST_LEFT_BEHIND = 3

#: Frames of a film that are read ahead.
_READ_AHEAD = 2


@dataclass(frozen=True, kw_only=True)
class ReaderOptions:
    """How a source is read.

    Attributes:
        max_fps: Frames a second that are passed on at most; None for all.
        reconnect: Whether a live source that failed is opened again.
        give_up_s: Time without a frame after which it is given up, seconds; None for never.
        flip: How frames are flipped, one of `FLIPS`; None leaves them as they are.

    Raises:
        InputError: A value is out of its range.
    """

    max_fps: float | None = None
    reconnect: bool = True
    give_up_s: float | None = None
    flip: str | None = None

    def __post_init__(self) -> None:
        if self.max_fps is not None and not 0.01 <= self.max_fps <= 1000:
            raise InputError(f"0.01 to 1000 frames a second can be passed on, got {self.max_fps}")
        if self.give_up_s is not None and not 0 < self.give_up_s <= 1e6:
            raise InputError(f"a source can be given up after 0 to 1,000,000 seconds, got {self.give_up_s}")
        if self.flip is not None and self.flip not in FLIPS:
            raise InputError(f"there is no flip {self.flip!r}", hint=f"choose one of {', '.join(FLIPS)}")


class FrameReader:
    """Reads a source in a thread of its own. One thread takes the frames; any may ask for the figures.

    Args:
        address: Address of the source.
        source_options: Options of the source.
        options: How it is read.
        notice: Told when the source fails and when it is back, by the reader's threads.

    Attributes:
        captured: Number of frames that the source gave.
        restarts: Number of times that the source came back after it had failed.
        failure: Why the source ended before its end; None if it did not, or has not yet.

    Raises:
        InputError: The address can be no source.
    """

    def __init__(
        self,
        address: str,
        source_options: SourceOptions,
        options: ReaderOptions,
        notice: Callable[[str], None] = lambda text: None,
    ) -> None:
        self._make: Callable[[], Source] = lambda: make_source(address, source_options, self._clock)
        self._clock = FrameClock()
        self._source = self._make()
        self._options = options
        self._stall_s = source_options.stall_s
        self._notice = notice
        self.name = self._source.name
        self.live = self._source.live
        self._queue: NewestQueue[Captured] = NewestQueue(1 if self.live else _READ_AHEAD)
        self._lock = threading.Lock()
        self._generation = 0
        self._threads: list[threading.Thread] = []
        self._stop = threading.Event()
        self._last_frame = time.monotonic()
        self._last_passed = -1.0
        self._skipped: Counter[str] = Counter()
        self._lost = False
        self.captured = 0
        self.restarts = 0
        self.failure: Exception | None = None

    @property
    def dropped(self) -> dict[str, int]:
        """Frames that were not passed on, by reason."""
        found = {"late": self._queue.dropped, **self._skipped}
        return {reason: count for reason, count in found.items() if count}

    def start(self) -> None:
        """Open the source and begin to read.

        Raises:
            SourceError: It does not open, or not in time.
            InputError: It can never be opened.
            MissingDependencyError: A package is not installed.
        """
        opening = threading.Thread(target=self._open_first, daemon=True, name="camera-open")
        self._first_error: Exception | None = None
        self._opened = threading.Event()
        opening.start()
        # The first frame of a camera takes longer than those that follow.
        if not self._opened.wait(max(2 * self._stall_s, 10.0)):
            raise SourceError(
                f"{self.name}: does not open, and does not say why", hint="see: resemote-edge doctor camera"
            )
        if self._first_error is not None:
            raise self._first_error
        self._last_frame = time.monotonic()
        self._begin_thread(self._source)
        if self.live:
            threading.Thread(target=self._watch, daemon=True, name="camera-watchdog").start()

    def take(self, timeout: float) -> Captured | None:
        """The next frame; None if none came in time, or `ended`."""
        return self._queue.take(timeout)

    @property
    def ended(self) -> bool:
        """Whether no frame is left and none will come."""
        return self._queue.closed and not len(self._queue)

    @property
    def lost(self) -> bool:
        """Whether the source failed and is not back."""
        return self._lost

    def close(self) -> None:
        """Stop reading, and release the source as soon as it lets go."""
        self._stop.set()
        self._queue.close()
        for thread in self._threads:
            thread.join(timeout=1.0)

    def _open_first(self) -> None:
        try:
            self._source.open()
        except Exception as error:  # Raised by `start`, whatever it is.
            self._first_error = error
        finally:
            self._opened.set()

    def _begin_thread(self, source: Source | None) -> None:
        """Start a thread that reads a source, or opens one first."""
        with self._lock:
            self._generation += 1
            generation = self._generation
        thread = threading.Thread(target=self._read, args=(source, generation), daemon=True, name="camera-read")
        self._threads = [one for one in self._threads if one.is_alive()] + [thread]
        thread.start()

    def _current(self, generation: int) -> bool:
        return generation == self._generation and not self._stop.is_set()

    def _read(self, source: Source | None, generation: int) -> None:
        """Read until the end, through failures."""
        backoff = _BACKOFF_S[0]
        while self._current(generation):
            try:
                if source is None:
                    source = self._make()
                    source.open()
                if self._read_open(source, generation):
                    return
                backoff = _BACKOFF_S[0]
            except SourceError as error:
                if not self._current(generation):
                    return
                if not self.live or not self._options.reconnect:
                    self._end(error)
                    return
                self._say_lost(error.reason)
                self._stop.wait(backoff)
                backoff = min(2 * backoff, _BACKOFF_S[1])
            except Exception as error:  # Raised by whoever takes the frames.
                if self._current(generation):
                    self._end(error)
                return
            finally:
                if source is not None:
                    with contextlib.suppress(Exception):  # A driver that failed may fail again.
                        source.close()
                source = None

    def _read_open(self, source: Source, generation: int) -> bool:
        """Pass frames on until the source fails; whether it came to its end, or nobody wants more."""
        while self._current(generation):
            captured = source.read()
            if not self._current(generation):
                return True
            if captured is None:
                self._queue.close()
                return True
            self._pass_on(captured)
        return True

    def _pass_on(self, captured: Captured) -> None:
        self.captured += 1
        self._last_frame = time.monotonic()
        if self._lost:
            self._lost = False
            self.restarts += 1
            self._notice(f"{self.name}: frames come again")
        limit = self._options.max_fps
        # A tenth of slack, or a camera at exactly the limit would lose every other frame to its jitter.
        if limit is not None and captured.seconds - self._last_passed < 0.9 / limit and self._last_passed >= 0:
            self._skipped["above --max-fps"] += 1
            return
        self._last_passed = captured.seconds
        if self._options.flip is not None:
            captured = replace(captured, frame=flipped(captured.frame, self._options.flip))
        if self.live:
            self._queue.put(captured)
        else:
            while not self._queue.put_when_free(captured, timeout=0.5) and not self._stop.is_set():
                pass

    def _say_lost(self, reason: str) -> None:
        if not self._lost:
            self._lost = True
            self._notice(f"{reason}; trying again")

    def _end(self, error: Exception) -> None:
        self.failure = error
        self._queue.close()

    def _watch(self) -> None:
        """Leave a thread behind that gives nothing, and give up when that was asked for."""
        patience = self._options.give_up_s
        since = time.monotonic()
        while not self._stop.wait(min(0.1, self._stall_s / 4)) and not self._queue.closed:
            now = time.monotonic()
            silent = now - self._last_frame
            if patience is not None and silent > patience:
                self._end(SourceError(f"{self.name}: no frame for {patience:g} s"))
            elif self._options.reconnect and now - max(self._last_frame, since) > self._stall_s:
                since = now
                if sum(thread.is_alive() for thread in self._threads) > _MOST_LEFT_BEHIND:
                    continue
                self._say_lost(f"{self.name}: silent for {self._stall_s:g} s")
                self._begin_thread(None)
            elif not self._options.reconnect and silent > self._stall_s:
                self._end(SourceError(f"{self.name}: silent for {self._stall_s:g} s"))
