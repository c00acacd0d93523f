"""Arrivals: frames that come at a fixed rate, whether the decider is ready or not."""

import time
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from resemote_edge.camera.queue import NewestQueue
from resemote_edge.measuring.latency import median_ms
from resemote_edge.measuring.scenarios.base import Decider

__all__ = ["Arrivals", "Clock", "SystemClock", "serve_arrivals"]

#: The system wakes a sleeping thread about this late, so the rest is waited for in a loop.
_WAKE_LATE_NS = 300_000


class Clock(Protocol):
    """Source of time."""

    def now(self) -> int:
        """Nanoseconds from any start."""

    def wait_until(self, moment: int) -> None:
        """Return at that moment; return at once when it is past."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> int:
        """Nanoseconds from any start."""
        return time.perf_counter_ns()

    def wait_until(self, moment: int) -> None:
        """Sleep, then wait through the last moments in a loop."""
        rest = moment - time.perf_counter_ns() - _WAKE_LATE_NS
        if rest > 0:
            time.sleep(rest / 1e9)
        while time.perf_counter_ns() < moment:
            pass


@dataclass(frozen=True, kw_only=True)
class Arrivals:
    """Record of frames that arrived one every `period_ns`.

    Attributes:
        frames: Number of frames that arrived.
        period_ns: Time between two frames.
        served: Numbers of the frames that were decided, int64 (decided,), ascending.
        ages: Time from a frame's arrival to its decisions, int64 (decided,), nanoseconds.
        stages: Time of each stage, int64 (decided, 4), nanoseconds.
    """

    frames: int
    period_ns: int
    served: NDArray[np.int64] = field(repr=False)
    ages: NDArray[np.int64] = field(repr=False)
    stages: NDArray[np.int64] = field(repr=False)

    @property
    def dropped(self) -> int:
        """Number of frames that another one pushed out of the queue."""
        return self.frames - len(self.served)

    def age_growth_ms(self) -> float:
        """Age of decisions in the last quarter of the run less that in the first; medians, ms."""
        quarter = max(len(self.ages) // 4, 1)
        return median_ms(self.ages[-quarter:]) - median_ms(self.ages[:quarter])


def serve_arrivals(
    decider: Decider, *, fps: float, frames: int, queue_frames: int | None, clock: Clock | None = None
) -> Arrivals:
    """Decide frames as they arrive, one after the other.

    Arrival times are known beforehand, so the frames that wait whenever the decider is free can be calculated. That
    saves a camera thread, which would compete with the decider for the processor.

    Args:
        decider: Decider of one frame a call.
        fps: Frames a second.
        frames: Number of frames that arrive in all.
        queue_frames: Number of frames that may wait; the oldest is dropped for a newer one. None lets all wait.
        clock: Source of time; None for the machine's clock.
    """
    clock = clock or SystemClock()
    period = 1e9 / fps
    served: list[int] = []
    ages: list[int] = []
    stages: list[tuple[int, int, int, int]] = []
    waiting: NewestQueue[int] = NewestQueue(queue_frames)
    start = clock.now()
    arrived = 0
    while True:
        if not len(waiting):
            clock.wait_until(start + round(arrived * period))
        # The camera goes on after the last frame that counts, and its later frames still push others out.
        now_there = int((clock.now() - start) / period) + 1
        for number in range(arrived, now_there):
            waiting.put(number)
        arrived = max(arrived, now_there)
        frame = waiting.take(timeout=0)
        if frame is None:
            continue
        if frame >= frames:
            break
        stages.append(decider.decide())
        ages.append(clock.now() - start - round(frame * period))
        served.append(frame)
    return Arrivals(
        frames=frames,
        period_ns=round(period),
        served=np.asarray(served, dtype=np.int64),
        ages=np.asarray(ages, dtype=np.int64),
        stages=np.asarray(stages, dtype=np.int64).reshape(-1, 4),
    )
