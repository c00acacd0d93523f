"""``camera``: frames arrive at a fixed rate, ready or not; a late decider takes the newest and drops the others."""

from collections.abc import Sequence

from resemote_edge.artifacts.record import Strict
from resemote_edge.measuring.latency import Latency, summarize_latency
from resemote_edge.measuring.scenarios.arrivals import serve_arrivals
from resemote_edge.measuring.scenarios.base import Decider, Scenario, ScenarioSettings, Taken
from resemote_edge.measuring.timing import warm_up

__all__ = ["CAMERA", "Camera"]


class Camera(Strict, frozen=True, kw_only=True, tag="camera"):
    """Outcome of the frames.

    Attributes:
        fps: Frames a second that arrive.
        faces: Number of faces to decide in each frame.
        queue_frames: Number of frames that may wait; the oldest is dropped when another arrives.
        frames: Number of frames that arrived.
        dropped_frames: Number of frames pushed out of the queue by a newer one.
        dropped_share: Fraction of frames that were dropped.
        age: Time from a frame's arrival to its decision, over the frames that were decided.
        age_growth_ms: Age of decisions in the last quarter of the run less that in the first; medians.
    """

    fps: float
    faces: int
    queue_frames: int
    frames: int
    dropped_frames: int
    dropped_share: float
    age: Latency
    age_growth_ms: float


def run(deciders: Sequence[Decider], settings: ScenarioSettings) -> Taken:
    """Let frames arrive, and decide what can be decided."""
    (decider,) = deciders
    warmed = warm_up(decider.decide, settings.budget)
    frames = max(settings.min_runs, int(settings.min_seconds * settings.fps))
    found = serve_arrivals(decider, fps=settings.fps, frames=frames, queue_frames=settings.queue_frames)
    return Taken(
        warm_up=warmed,
        model=found.stages[:, 2],
        stages=found.stages,
        outcome=Camera(
            fps=settings.fps,
            faces=decider.batch,
            queue_frames=settings.queue_frames,
            frames=frames,
            dropped_frames=found.dropped,
            dropped_share=found.dropped / frames,
            age=summarize_latency(found.ages),
            age_growth_ms=found.age_growth_ms(),
        ),
        series={"age_ns": found.ages, "frame": found.served},
    )


CAMERA = Scenario(
    name="camera",
    summary="Frames arrive at a fixed rate, ready or not; who is late takes the newest.",
    run=run,
    arrives=True,
)
