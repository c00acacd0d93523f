"""Summary: what became of all the frames of a run."""

import time
from collections import deque

import numpy as np

from resemote_edge.artifacts.record import Strict
from resemote_edge.camera.results import FrameResult
from resemote_edge.measuring.latency import quantiles_ms

__all__ = ["Ages", "CameraSummary", "RunTally", "SinkSummary"]

#: Ages that are kept, the newest: an hour at 30 frames a second. A run of months must not grow.
_KEPT = 108_000

_SHARES = (0.5, 0.95, 0.99)


class Ages(Strict, frozen=True, kw_only=True):
    """Time from the capture of a frame to the decision about it, over at most the last 108,000 frames.

    Attributes:
        p50_ms: Median, milliseconds.
        p95_ms: 95th percentile.
        p99_ms: 99th percentile.
        max_ms: Largest.
    """

    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float


class SinkSummary(Strict, frozen=True, kw_only=True):
    """What became of the results given to one sink.

    Attributes:
        sink: Its address, without passwords.
        written: Results that it took.
        lost: Results that it lost, and events made of them, by reason.
        unfinished: What went wrong at its end, such as a film that cannot be read back; None if it ended well.
    """

    sink: str
    written: int
    lost: dict[str, int]
    unfinished: str | None = None


class CameraSummary(Strict, frozen=True, kw_only=True):
    """What became of all the frames of a run.

    Attributes:
        source: Source of the frames, without passwords.
        session: Random name of the run.
        seconds: Time from the first decision to the last, seconds.
        captured: Frames that the source gave.
        decided: Frames that were decided.
        dropped: Frames that were dropped, by reason.
        restarts: Number of times that the source came back after a failure.
        lost: Whether the source had failed when the run ended, and was not back.
        faces: Number of faces that were followed.
        detect_every: The detector looked at every n-th frame; the n in force at the end.
        fps: Frames decided a second; None if fewer than two were.
        decision_age: Age of the decisions; None if there were none, or the source was a film, which waits.
        sinks: The sinks, in the order they were named.
    """

    source: str
    session: str
    seconds: float
    captured: int
    decided: int
    dropped: dict[str, int]
    restarts: int
    lost: bool
    faces: int
    detect_every: int
    fps: float | None
    decision_age: Ages | None
    sinks: tuple[SinkSummary, ...] = ()


class RunTally:
    """Counts the decisions of a run as they are made.

    Attributes:
        decided: Number of decisions.
    """

    def __init__(self) -> None:
        self.decided = 0
        self._first = self._last = 0.0
        self._ages: deque[int] = deque(maxlen=_KEPT)

    def add(self, result: FrameResult) -> None:
        """Count one decision."""
        self._last = time.monotonic()
        if not self.decided:
            self._first = self._last
        self.decided += 1
        self._ages.append(round(result.decision_age_ms * 1e6))

    @property
    def seconds(self) -> float:
        """Time from the first decision to the last."""
        return self._last - self._first

    @property
    def fps(self) -> float | None:
        """Decisions a second; None where fewer than two were made."""
        return (self.decided - 1) / self.seconds if self.decided > 1 and self.seconds > 0 else None

    def ages(self) -> Ages | None:
        """Percentiles of the ages; None where there are none."""
        if not self._ages:
            return None
        p50, p95, p99, most = quantiles_ms(np.asarray(self._ages, dtype=np.int64), [*_SHARES, 1.0]).round(3).tolist()
        return Ages(p50_ms=p50, p95_ms=p95, p99_ms=p99, max_ms=most)
