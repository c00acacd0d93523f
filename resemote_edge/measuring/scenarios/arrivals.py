"""Arrivals: frames that come at a fixed rate, whether anybody is ready or not."""

import time
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from resemote_edge.measuring.scenarios.base import Decider

__all__ = ["Arrivals", "Clock", "SystemClock", "serve_arrivals"]

#: The system wakes a sleeper late by about this much; the rest is waited for in a loop.
_WAKE_LATE_NS = 300_000


class Clock(Protocol):
    """Where time comes from."""

    def now(self) -> int:
        """Nanoseconds from any start."""

    def wait_until(self, moment: int) -> None:
        """Return at that moment; at once when it is over."""


class SystemClock:
    """The machine's own."""

    def now(self) -> int:
        """Nanoseconds from any start."""
        return time.perf_counter_ns()

    def wait_until(self, moment: int) -> None:
        """Sleep, and see the last moments pass."""
        rest = moment - time.perf_counter_ns() - _WAKE_LATE_NS
        if rest > 0:
            time.sleep(rest / 1e9)
        while time.perf_counter_ns() < moment:
            pass


@dataclass(frozen=True, kw_only=True)
class Arrivals:
    """What became of frames that arrived one every `period_ns`.

    Attributes:
        frames: Arrived.
        period_ns: Between two of them.
        served: int64 (decided,), numbers of the frames that were decided, ascending.
        ages: int64 (decided,), nanoseconds from a frame's arrival to its decisions.
        stages: int64 (decided, 4), nanoseconds of each stage.
    """

    frames: int
    period_ns: int
    served: NDArray[np.int64] = field(repr=False)
    ages: NDArray[np.int64] = field(repr=False)
    stages: NDArray[np.int64] = field(repr=False)

    @property
    def dropped(self) -> int:
        """Frames that another one pushed out of the queue."""
        return self.frames - len(self.served)

    def age_growth_ms(self) -> float:
        """By how much decisions were older in the last quarter of the run than in the first; medians, ms."""
        quarter = max(len(self.ages) // 4, 1)
        return float(np.median(self.ages[-quarter:]) - np.median(self.ages[:quarter])) / 1e6


def serve_arrivals(
    decider: Decider, *, fps: float, frames: int, queue_frames: int | None, clock: Clock | None = None
) -> Arrivals:
    """Decide frames as they arrive, one after the other.

    No thread stands in for the camera: when frame k arrives is known beforehand, so what waits whenever the decider is
    free is arithmetic, and nobody competes with it for the processor.

    Args:
        decider: Decides one frame a call.
        fps: Frames a second.
        frames: That arrive in all.
        queue_frames: That may wait, the oldest dropped for a newer one; None for all.
        clock: None for the machine's.
    """
    clock = clock or SystemClock()
    period = 1e9 / fps
    served: list[int] = []
    ages: list[int] = []
    stages: list[tuple[int, int, int, int]] = []
    start = clock.now()
    head = 0
    while True:
        clock.wait_until(start + round(head * period))
        # The camera does not stop with the last frame that counts: what comes after it still pushes others out.
        arrived = int((clock.now() - start) / period) + 1
        if queue_frames is not None:
            head = max(head, arrived - queue_frames)
        if head >= frames:
            break
        stages.append(decider.decide())
        ages.append(clock.now() - start - round(head * period))
        served.append(head)
        head += 1
    return Arrivals(
        frames=frames,
        period_ns=round(period),
        served=np.asarray(served, dtype=np.int64),
        ages=np.asarray(ages, dtype=np.int64),
        stages=np.asarray(stages, dtype=np.int64).reshape(-1, 4),
    )
