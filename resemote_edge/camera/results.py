"""Results: what is said of one frame, as every sink and the live page get it.

The structs are the JSON of ``resemote-edge camera``, one object a line; `SCHEMA_VERSION` changes whenever an old reader
would misread a new line. Numbers are rounded to what they mean: pixels to a tenth, probabilities to four digits.
"""

from typing import Any, Literal

import msgspec

from resemote_edge.artifacts.record import Strict

__all__ = ["SCHEMA_VERSION", "FaceResult", "FrameResult", "encode_result", "result_schema"]

SCHEMA_VERSION = 1


class FaceResult(Strict, frozen=True, kw_only=True):
    """One face in one frame.

    Attributes:
        track: Number of the face for as long as it stays in view; counted from 1 in every session and never reused.
        event: ``new`` in the first frame in which the track is confirmed, else ``update``.
        x: Left edge of the face's box, pixels of the frame.
        y: Upper edge, pixels.
        width: Width, pixels.
        height: Height, pixels.
        detection_score: The detector's confidence that this is a face, in [0, 1].
        detected: Whether the detector saw the face in this frame; if not, its place is a prediction.
        label: Expression, smoothed over time: a class of the network, or ``unsure``. None if the face was not judged in
            the last 0.7 seconds.
        score: Probability of the most likely class, smoothed over time, in [0, 1]; None along with the label.
        probabilities: Probability of each class, smoothed over time, by name; empty along with the label.
        not_judged: Reason why the face was not judged in this frame, such as ``too small``; None if it was.
        seconds: Time since the track began.
    """

    track: int
    event: Literal["new", "update"]
    x: float
    y: float
    width: float
    height: float
    detection_score: float
    detected: bool
    label: str | None
    score: float | None
    probabilities: dict[str, float]
    not_judged: str | None = None
    seconds: float


class FrameResult(Strict, frozen=True, kw_only=True):
    """One frame that was decided.

    Attributes:
        schema_version: Version of this record, `SCHEMA_VERSION`.
        source: Source of the frames, without a password that its address may hold.
        session: Random name of this run; track numbers mean nothing across runs.
        frame: Number of the frame as the source counts them, from 0.
        captured_utc: Time of capture, ISO 8601 with milliseconds.
        seconds: Time of capture since the first frame; in a film, the film's own time.
        width: Width of the frame, pixels.
        height: Height, pixels.
        decision_age_ms: Time from capture to decision, milliseconds.
        faces: The faces, in the order of their track numbers.
        ended: Numbers of tracks that ended with this frame.
        dropped: Frames dropped since the run began, by reason.
    """

    schema_version: int = SCHEMA_VERSION
    source: str
    session: str
    frame: int
    captured_utc: str
    seconds: float
    width: int
    height: int
    decision_age_ms: float
    faces: tuple[FaceResult, ...]
    ended: tuple[int, ...] = ()
    dropped: dict[str, int] = msgspec.field(default_factory=dict)


def encode_result(result: FrameResult) -> bytes:
    """A result as one line of JSON, without the newline."""
    return msgspec.json.encode(result)


def result_schema() -> dict[str, Any]:
    """JSON schema of one line."""
    return msgspec.json.schema(FrameResult)
