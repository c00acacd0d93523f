"""Worker: the thread of one sink behind its `NewestQueue`, and all workers of a run together.

The thread that decides never waits for a sink: it puts a result into the queue, and the oldest one is dropped when the
queue is full. A film is another matter, since nobody waits for its frames: there the workers may be told to wait for
room, as long as the sink gets on.
"""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import TypeAlias

from resemote_edge.camera.privacy.aggregate import AggregateResult
from resemote_edge.camera.queue import NewestQueue
from resemote_edge.camera.results import FrameResult
from resemote_edge.camera.sinks.base import Picture, Sink, SinkEnded, SinkFacts
from resemote_edge.errors import ResEmoteEdgeError
from resemote_edge.vision.frame import Frame

__all__ = ["END_SECONDS", "SinkWorker", "SinkWorkers"]

#: Time that the sinks have at the end of a run, all together.
END_SECONDS = 5.0

#: Time that a sink without room may take for one result before nobody waits for it any more.
_PATIENCE_SECONDS = 10.0

_TICK_SECONDS = 1.0

#: Time after which a reason that still holds is told again.
_TELL_AGAIN_SECONDS = 600.0

#: Reasons that are counted apart; a text with a number in it could be a new one every time.
_MOST_REASONS = 16
_OTHER = "other errors"

_FULL = "queue full"
_NOT_WRITTEN = "not written before the end"

#: Draws the picture of a kind, once for all sinks; see `Pictures`.
_Draw: TypeAlias = Callable[[Picture], Frame | None]
_Item: TypeAlias = tuple[FrameResult | AggregateResult, _Draw | None]


class SinkWorker:
    """The thread of one sink.

    Args:
        sink: The sink; no other thread calls it, but for `Sink.open`.
        tell: Function that shows a person one line; a reason that repeats is told once in ten minutes.
        every_frame: Whether `put` waits for room, as long as the sink gets on; for a film, never for a camera.
    """

    def __init__(self, sink: Sink, *, tell: Callable[[str], None], every_frame: bool = False) -> None:
        self.sink = sink
        self._tell = tell
        self._every_frame = every_frame
        self._queue: NewestQueue[_Item] = NewestQueue(sink.queue_frames)
        self._lock = threading.Lock()
        self._facts = SinkFacts()
        self._told: dict[str, float] = {}
        self._finished = self._stuck = self._abandoned = False
        self._open = 0  # results that were put, and neither dropped, written nor lost yet
        self._thread = threading.Thread(target=self._run, name=f"sink {sink.name}", daemon=True)
        sink.lose = self._lose
        sink.tell = self._tell_once

    @property
    def facts(self) -> SinkFacts:
        """What became of the results so far; caller-owned."""
        with self._lock:
            return SinkFacts(
                written=self._facts.written, lost=dict(self._facts.lost), unfinished=self._facts.unfinished
            )

    @property
    def finished(self) -> bool:
        """Whether whoever looked at the sink has left."""
        return self._finished

    def start(self) -> None:
        """Start the thread; the sink is open."""
        self._thread.start()

    def put(self, result: FrameResult | AggregateResult, draw: _Draw | None = None) -> None:
        """Queue a result, with what draws its pictures; drop and count the oldest one if there is no room."""
        if self._queue.closed:
            return
        with self._lock:
            self._open += 1
        if self._every_frame and not self._stuck:
            if self._queue.put_when_free((result, draw), _PATIENCE_SECONDS):
                return
            self._stuck = True
        if self._queue.put((result, draw)):
            self._settle()
            if not self._queue.closed:
                self._lose(_FULL, 1)

    def end(self) -> None:
        """Ask the thread to write what waits, close the sink and end; returns at once."""
        self._queue.close()

    def join(self, seconds: float) -> bool:
        """Wait for the end that was asked for, and give up what is not written by then.

        Args:
            seconds: Longest time to wait.

        Returns:
            Whether the sink ended in time; if not, its thread goes on alone until the program ends.
        """
        self._thread.join(timeout=max(seconds, 0.0))
        if not self._thread.is_alive():
            return True
        with self._lock:
            self._abandoned = True
            lost = self._open
            self._facts.unfinished = self._facts.unfinished or "it did not end in time"
        self._queue.clear()
        if lost:
            self._lose(_NOT_WRITTEN, lost)
        else:
            self._tell_once("it did not end in time")
        return False

    def _run(self) -> None:
        ticked = time.monotonic()
        while True:
            closed = self._queue.closed  # Asked first, so that nothing put before the end is left behind.
            item = self._queue.take(_TICK_SECONDS)
            if item is None and closed:
                break
            if item is not None:
                self._stuck = False
                self._write(*item)
            if time.monotonic() - ticked >= _TICK_SECONDS:
                ticked = time.monotonic()
                self._tick()
        self._close()

    def _write(self, result: FrameResult | AggregateResult, draw: _Draw | None) -> None:
        try:
            if isinstance(result, AggregateResult):
                self.sink.write_aggregate(result)
            else:
                self.sink.write(result, None if draw is None else draw(self.sink.picture))
        except SinkEnded:
            self._finished = True
            self._queue.close()
            self._queue.clear()
        except Exception as error:
            if self._settle():
                self._lose(_reason(error), 1)
        else:
            if self._settle():
                with self._lock:
                    self._facts.written += 1

    def _settle(self) -> bool:
        """Note that one result is not open any more; False if `join` has counted it as lost already."""
        with self._lock:
            self._open -= 1
            return not self._abandoned

    def _tick(self) -> None:
        try:
            self.sink.tick()
        except Exception as error:
            self._tell_once(_reason(error))

    def _close(self) -> None:
        try:
            self.sink.close()
        except SinkEnded:
            pass  # Nobody is left who would read the end.
        except Exception as error:
            reason = _reason(error)
            with self._lock:
                self._facts.unfinished = reason
            self._tell_once(reason)

    def _lose(self, reason: str, count: int) -> None:
        with self._lock:
            lost = self._facts.lost
            counted = reason if reason in lost or len(lost) < _MOST_REASONS else _OTHER
            lost[counted] = lost.get(counted, 0) + count
        self._tell_once(counted, f"{reason}; what this sink loses is counted")

    def _tell_once(self, reason: str, text: str = "") -> None:
        """Tell a person, unless that was told a short while ago."""
        now = time.monotonic()
        with self._lock:
            if now - self._told.get(reason, -_TELL_AGAIN_SECONDS) < _TELL_AGAIN_SECONDS:
                return
            self._told[reason] = now
        self._tell(f"{self.sink.name}: {text or reason}")


def _reason(error: Exception) -> str:
    """An error as the reason of a loss: one line, without what changes from one time to the next."""
    text = error.reason if isinstance(error, ResEmoteEdgeError) else getattr(error, "strerror", None) or str(error)
    return (text or type(error).__name__).partition("\n")[0][:500]


class SinkWorkers:
    """The sinks of a run, each behind its queue; a context manager that opens and closes them.

    Args:
        sinks: The sinks.
        tell: Function that shows a person one line.
        every_frame: Whether `put` waits for room, as for a film.
    """

    def __init__(self, sinks: Sequence[Sink], *, tell: Callable[[str], None], every_frame: bool = False) -> None:
        self._workers = [SinkWorker(sink, tell=tell, every_frame=every_frame) for sink in sinks]

    @property
    def pictures(self) -> frozenset[Picture]:
        """Kinds of picture that the sinks ask for, ``"none"`` left out."""
        return frozenset(worker.sink.picture for worker in self._workers) - {"none"}

    @property
    def finished(self) -> bool:
        """Whether whoever looked at one of the sinks has left, so that the run is to end."""
        return any(worker.finished for worker in self._workers)

    @property
    def facts(self) -> list[tuple[str, SinkFacts]]:
        """Name of each sink, and what became of its results."""
        return [(worker.sink.name, worker.facts) for worker in self._workers]

    def __enter__(self) -> "SinkWorkers":
        with ExitStack() as opened:
            for worker in self._workers:
                worker.sink.open()
                opened.callback(worker.sink.close)
            opened.pop_all()
        for worker in self._workers:
            worker.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def put(self, result: FrameResult, draw: _Draw) -> None:
        """Give every sink a result.

        Args:
            result: What was decided about one frame.
            draw: Draws the pictures of that frame, each when a sink wants it, in the sink's thread.
        """
        for worker in self._workers:
            worker.put(result, draw)

    def put_aggregate(self, result: AggregateResult) -> None:
        """Give every sink the counts of one interval."""
        for worker in self._workers:
            worker.put(result)

    def close(self) -> None:
        """End all sinks; those that do not end within `END_SECONDS` are given up."""
        for worker in self._workers:
            worker.end()
        deadline = time.monotonic() + END_SECONDS
        for worker in self._workers:
            worker.join(deadline - time.monotonic())
