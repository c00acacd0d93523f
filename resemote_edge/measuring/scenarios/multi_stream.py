"""``multi-stream``: several faces a frame, all of them to be decided before the next frame comes."""

from collections.abc import Sequence

import numpy as np

from resemote_edge.artifacts.record import Strict
from resemote_edge.measuring.latency import Latency, summarize_latency
from resemote_edge.measuring.scenarios.arrivals import serve_arrivals
from resemote_edge.measuring.scenarios.base import Decider, Scenario, ScenarioSettings, Taken
from resemote_edge.measuring.timing import warm_up

__all__ = ["MULTI_STREAM", "MultiStream"]


class MultiStream(Strict, frozen=True, kw_only=True, tag="multi-stream"):
    """Outcome of the deadlines.

    Attributes:
        fps: Frames a second that arrive.
        faces: Number of faces to decide in each frame.
        deadline_ms: Time allowed from a frame's arrival to its last decision: the time between two frames.
        frames: Number of frames that arrived; none is dropped.
        late_frames: Number of frames decided after their deadline.
        late_share: Fraction of frames that were late.
        age: Time from arrival to decision.
    """

    fps: float
    faces: int
    deadline_ms: float
    frames: int
    late_frames: int
    late_share: float
    age: Latency


def run(deciders: Sequence[Decider], settings: ScenarioSettings) -> Taken:
    """Let frames arrive, and decide every one."""
    (decider,) = deciders
    warmed = warm_up(decider.decide, settings.budget)
    frames = max(settings.min_runs, int(settings.min_seconds * settings.fps))
    found = serve_arrivals(decider, fps=settings.fps, frames=frames, queue_frames=None)
    late = int(np.count_nonzero(found.ages > found.period_ns))
    return Taken(
        warm_up=warmed,
        model=found.stages[:, 2],
        stages=found.stages,
        outcome=MultiStream(
            fps=settings.fps,
            faces=decider.batch,
            deadline_ms=found.period_ns / 1e6,
            frames=frames,
            late_frames=late,
            late_share=late / frames,
            age=summarize_latency(found.ages),
        ),
        series={"age_ns": found.ages},
    )


MULTI_STREAM = Scenario(
    name="multi-stream",
    summary="Several faces a frame, all to be decided before the next frame comes.",
    run=run,
    arrives=True,
)
