"""SuiteClock: estimates how long the rest of a suite takes, from what was measured and from the settings."""

import statistics
from collections import defaultdict
from collections.abc import Iterable

from resemote_edge.benchmarks.suite.plan import Step
from resemote_edge.measuring.scenarios import SCENARIOS, ScenarioSettings

__all__ = ["EXPORT_SECONDS", "SuiteClock", "duration_text"]

#: Time of an export, on a small machine.
EXPORT_SECONDS = 30.0

#: Time of a process that imports a runtime and loads an artifact.
_START_SECONDS = 4.0

#: Time of some thousand images on a small machine.
_ACCURACY_SECONDS = 60.0


class SuiteClock:
    """Estimates how long steps take.

    Args:
        settings: Settings that say how long the suite measures.
    """

    def __init__(self, settings: ScenarioSettings) -> None:
        self._settings = settings
        self._taken: dict[tuple[str, int | None], list[float]] = defaultdict(list)

    def note(self, step: Step, seconds: float) -> None:
        """Note that a step took this long."""
        self._taken[step.group, step.batch].append(seconds)

    def expect(self, step: Step) -> float:
        """Estimate the seconds that a step will take.

        The estimate is the mean of finished steps of the same scenario and batch, or else of the scenario. If there are
        none, it follows from the settings.
        """
        alike = self._taken.get((step.group, step.batch)) or [
            seconds for (group, _), taken in self._taken.items() if group == step.group for seconds in taken
        ]
        return statistics.fmean(alike) if alike else self._nominal(step)

    def left(self, steps: Iterable[Step]) -> float:
        """Estimate the seconds that steps will take one after the other."""
        return sum(map(self.expect, steps))

    def _nominal(self, step: Step) -> float:
        settings = self._settings
        if step.kind == "accuracy":
            return _ACCURACY_SECONDS
        if step.check is not None:
            # Our timer spends that time twice: on the model and on whole decisions.
            return step.check.rounds * (2 * _START_SECONDS + 1.0 + 3 * step.check.seconds)
        warmed = _START_SECONDS + settings.warmup_seconds / 2
        scenario = SCENARIOS[step.group]
        if scenario.arrives:
            return warmed + max(settings.min_seconds, settings.min_runs / (step.fps or settings.fps))
        return warmed + settings.min_seconds * scenario.passes


def duration_text(seconds: float) -> str:
    """Write a time for people: ``40 s``, ``12 min``, ``2 h 05 min``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min"
