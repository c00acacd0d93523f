"""Text: what happens to faces, a line each, for people at a terminal."""

import sys

from resemote_edge.camera.events import Events, FaceEvent
from resemote_edge.camera.privacy.aggregate import AggregateResult
from resemote_edge.camera.results import FrameResult
from resemote_edge.camera.sinks.base import Sink, SinkEnded, SinkOptions
from resemote_edge.vision.frame import Frame

__all__ = ["TextSink"]


class TextSink(Sink):
    """Prints a line when a face is new, when its expression changes, and when it is gone.

    Args:
        address: ``text:-``.
        options: Nothing of them is used.
    """

    takes_aggregates = True

    def __init__(self, address: str, options: SinkOptions) -> None:
        self.name = address
        self._events = Events()
        self._last: FrameResult | None = None

    def write(self, result: FrameResult, picture: Frame | None) -> None:
        """Print the events of one frame."""
        self._last = result
        for event in self._events.of(result):
            self._print(f"{result.seconds:8.2f} s  face {event.track}: {_words(event)}")

    def write_aggregate(self, result: AggregateResult) -> None:
        """Print the counts of one interval."""
        counts = ", ".join(f"{count} {label}" for label, count in result.expressions.items())
        faces = f"fewer than {result.min_group}" if result.faces is None else result.faces
        self._print(f"{result.from_seconds:8.2f} to {result.to_seconds:.2f} s  faces: {faces}; {counts or 'no counts'}")

    def close(self) -> None:
        """Print who was still there."""
        for event in self._events.finish():
            self._print(f"{self._last.seconds if self._last else 0.0:8.2f} s  face {event.track}: {_words(event)}")

    def _print(self, line: str) -> None:
        try:
            print(line, flush=True)
        except BrokenPipeError:
            sys.stdout = sys.__stderr__  # Python would try to flush what nobody reads.
            raise SinkEnded from None


def _words(event: FaceEvent) -> str:
    """What happened, in words."""
    label = event.label or "not judged"
    score = f" {event.score * 100:.0f} %" if event.score is not None else ""
    if event.event == "new":
        return f"new, {label}{score}"
    if event.event == "update":
        return f"{label}{score} (was {event.previous or 'not judged'})"
    return f"gone after {event.seconds:.1f} s"
