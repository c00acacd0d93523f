"""Events: what happens to a face, from the results of frames: it is new, its expression changes, it is gone."""

from dataclasses import dataclass
from typing import Literal

import msgspec

from resemote_edge.artifacts.record import Strict
from resemote_edge.camera.results import SCHEMA_VERSION, FaceResult, FrameResult

__all__ = ["SILENT_SECONDS", "Events", "FaceEvent", "encode_event"]

#: Time without a word of a track after which it counts as gone: the result that named its end may have been dropped.
SILENT_SECONDS = 5.0


class FaceEvent(Strict, frozen=True, kw_only=True):
    """What happened to one face.

    Attributes:
        schema_version: Version of this record, that of the results of frames.
        source: Source of the frames, without a password that its address may hold.
        session: Random name of this run; track numbers mean nothing across runs.
        event: ``new``: the face was seen; ``update``: its label changed; ``end``: it is gone, or the run ended.
        track: Number of the face for as long as it stays in view.
        frame: Number of the frame in which it happened.
        captured_utc: Time of capture of that frame, ISO 8601 with milliseconds.
        label: Expression, ``unsure``, or None if the face was not judged; at an end, the last one.
        previous: Label before an ``update``.
        score: Probability of the most likely class in [0, 1]; None if the face was not judged, and at an end.
        seconds: Time since the track began.
    """

    schema_version: int = SCHEMA_VERSION
    source: str
    session: str
    event: Literal["new", "update", "end"]
    track: int
    frame: int
    captured_utc: str
    label: str | None
    previous: str | None = None
    score: float | None = None
    seconds: float


def encode_event(event: FaceEvent) -> bytes:
    """An event as one line of JSON, without the newline."""
    return msgspec.json.encode(event)


@dataclass
class _Track:
    label: str | None
    began: float
    seen: float


class Events:
    """Turns the results of frames into events; results may be missing between two that it is given."""

    def __init__(self) -> None:
        self._tracks: dict[int, _Track] = {}
        self._last: FrameResult | None = None

    def of(self, result: FrameResult) -> list[FaceEvent]:
        """The events of one frame: ends first, then the faces in their order."""
        events = []
        if self._last is not None and self._last.session != result.session:
            events += self.finish()
        silent = [number for number, track in self._tracks.items() if _is_silent(track, result)]
        here = {face.track for face in result.faces}
        for number in dict.fromkeys([*result.ended, *silent]):
            if number in self._tracks and number not in here:
                events.append(self._ended(number, result))
        for face in result.faces:
            events += self._seen(face, result)
        self._last = result
        return events

    def finish(self) -> list[FaceEvent]:
        """The ends of all faces that are still in view, as the run ends."""
        last, self._last = self._last, None
        return [] if last is None else [self._ended(number, last) for number in sorted(self._tracks)]

    def _seen(self, face: FaceResult, result: FrameResult) -> list[FaceEvent]:
        track = self._tracks.get(face.track)
        if track is None:
            began = result.seconds - face.seconds
            self._tracks[face.track] = _Track(label=face.label, began=began, seen=result.seconds)
            return [_event("new", face, result, previous=None)]
        track.seen = result.seconds
        previous, track.label = track.label, face.label
        return [_event("update", face, result, previous=previous)] if face.label != previous else []

    def _ended(self, number: int, result: FrameResult) -> FaceEvent:
        track = self._tracks.pop(number)
        return FaceEvent(
            source=result.source,
            session=result.session,
            event="end",
            track=number,
            frame=result.frame,
            captured_utc=result.captured_utc,
            label=track.label,
            seconds=max(track.seen - track.began, 0.0),
        )


def _is_silent(track: _Track, result: FrameResult) -> bool:
    return result.seconds - track.seen > SILENT_SECONDS


def _event(event: Literal["new", "update"], face: FaceResult, result: FrameResult, previous: str | None) -> FaceEvent:
    return FaceEvent(
        source=result.source,
        session=result.session,
        event=event,
        track=face.track,
        frame=result.frame,
        captured_utc=result.captured_utc,
        label=face.label,
        previous=previous,
        score=face.score,
        seconds=face.seconds,
    )
