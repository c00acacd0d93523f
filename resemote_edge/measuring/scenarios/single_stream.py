"""``single-stream``: one call after the other; each begins when the one before has its decision."""

from collections.abc import Sequence

from resemote_edge.artifacts.record import Strict
from resemote_edge.measuring.scenarios.base import Decider, Scenario, ScenarioSettings, Taken
from resemote_edge.measuring.timing import time_in_blocks, warm_up

__all__ = ["SINGLE_STREAM", "SingleStream"]


class SingleStream(Strict, frozen=True, kw_only=True, tag="single-stream"):
    """Result of one call after the other.

    Attributes:
        decisions_per_s: Crops a second, from pixels to decisions.
    """

    decisions_per_s: float


def run(deciders: Sequence[Decider], settings: ScenarioSettings) -> Taken:
    """Time the model alone and whole decisions, in blocks that take turns."""
    (decider,) = deciders
    budget = settings.budget
    warmed = warm_up(decider.decide, budget)
    model, stages = time_in_blocks(decider.run_model, decider.decide, budget)
    seconds = float(stages[:, 1:].sum()) / 1e9
    return Taken(
        warm_up=warmed,
        model=model,
        stages=stages,
        outcome=SingleStream(decisions_per_s=len(stages) * decider.batch / seconds),
    )


SINGLE_STREAM = Scenario(
    name="single-stream",
    summary="One call after the other; each begins when the one before has its decision.",
    run=run,
    passes=2,
)
