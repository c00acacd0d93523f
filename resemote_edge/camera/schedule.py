"""Schedule: in which frames the detector looks, and in which the tracker predicts."""

import math

from resemote_edge.errors import InputError

__all__ = ["AUTO", "DetectionSchedule"]

#: Look as often as the frame rate allows.
AUTO = "auto"

#: Longest time without a look, seconds: a new face should not wait for longer.
_MOST_S = 0.25

#: Share of the time between two frames that work may take; the rest is for reading, sinks and the system.
_LOAD = 0.7

#: Weight of the newest measurement.
_WEIGHT = 0.1


class DetectionSchedule:
    """Decides in which frames to detect, from how long that takes and how fast frames come.

    Args:
        every: Detect in every n-th frame; ``"auto"`` for the smallest n that keeps up with the frames.

    Attributes:
        every: The n in force.

    Raises:
        InputError: It is neither a number from 1 up nor ``auto``.
    """

    def __init__(self, every: int | str) -> None:
        if every != AUTO and not (isinstance(every, int) and 1 <= every <= 1000):
            raise InputError(f"detection runs in every n-th frame, got {every!r}", hint="pass 1 to 1000, or auto")
        self._auto = every == AUTO
        self.every = 1 if self._auto else int(every)
        self._since = self.every - 1  # The first frame is looked at: faces in it may have to be blurred.
        self._detecting: float | None = None
        self._rest: float | None = None
        self._interval: float | None = None

    def due(self) -> bool:
        """Whether the detector should look at this frame; ask once a frame."""
        self._since += 1
        if self._since < self.every:
            return False
        self._since = 0
        return True

    def record(self, *, detecting: float | None, rest: float, interval: float | None) -> None:
        """Take the measurements of one frame.

        Args:
            detecting: Time that the detector took, seconds; None if it did not look.
            rest: Time of everything else, seconds.
            interval: Time from one frame of the source to the next, seconds; None where it has no pace of its own.
        """
        if not self._auto:
            return
        if detecting is not None:
            self._detecting = _mean(self._detecting, detecting)
        self._rest = _mean(self._rest, rest)
        if interval is not None:
            self._interval = _mean(self._interval, interval)
        if self._interval is None or self._detecting is None:
            return
        spare = _LOAD * self._interval - self._rest
        most = max(1, math.floor(_MOST_S / self._interval))
        self.every = min(most, math.ceil(self._detecting / spare)) if spare > 0 else most


def _mean(before: float | None, value: float) -> float:
    return value if before is None else before + _WEIGHT * (value - before)
