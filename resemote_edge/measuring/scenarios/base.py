"""Scenario: its settings, what it drives, and the samples it takes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from resemote_edge.artifacts.record import Strict
from resemote_edge.measuring.timing import Budget, WarmUp

__all__ = ["Decider", "Scenario", "ScenarioSettings", "Taken"]


class ScenarioSettings(Strict, frozen=True, kw_only=True):
    """Durations and rates, of which each scenario uses some.

    Attributes:
        warmup_runs: Smallest number of untimed calls.
        warmup_seconds: Longest wait for times to settle after that.
        min_runs: Smallest number of timed calls, or frames.
        min_seconds: Shortest time that is timed.
        fps: Frames a second, where frames arrive by themselves.
        queue_frames: Number of frames that may wait for a decision; the oldest is dropped when another arrives.
        window_seconds: Length of a window over which a long run is followed.
    """

    warmup_runs: int = 10
    warmup_seconds: float = 2.0
    min_runs: int = 50
    min_seconds: float = 2.0
    fps: float = 30.0
    queue_frames: int = 1
    window_seconds: float = 5.0

    @property
    def budget(self) -> Budget:
        """The same settings, for calls that follow one another."""
        return Budget(
            warmup_runs=self.warmup_runs,
            warmup_seconds=self.warmup_seconds,
            min_runs=self.min_runs,
            min_seconds=self.min_seconds,
        )


class Decider(Protocol):
    """Interface that a scenario drives; `resemote_edge.measuring.workload.Subject` is one."""

    batch: int

    def run_model(self) -> None:
        """Run the model alone."""

    def decide(self) -> tuple[int, int, int, int]:
        """Go from files to decisions; return the nanoseconds of each stage."""


@dataclass(frozen=True, kw_only=True)
class Taken:
    """Every sample of one run of a scenario.

    Attributes:
        warm_up: Calls before the run.
        model: Time of the session alone, int64 (runs,), nanoseconds.
        stages: Time of each stage of every decision, int64 (runs, 4), nanoseconds.
        outcome: Result that is specific to the scenario; a struct.
        series: Further samples worth keeping, by name.
    """

    warm_up: WarmUp
    model: NDArray[np.int64] = field(repr=False)
    stages: NDArray[np.int64] = field(repr=False)
    outcome: Any
    series: dict[str, NDArray[Any]] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One way in which faces arrive.

    Attributes:
        name: Name on the command line.
        summary: Description in one sentence.
        run: Function that drives one decider for each stream; most scenarios have one stream.
        streams: Whether the scenario can drive several streams at once.
        arrives: Whether frames come at a rate of their own, `ScenarioSettings.fps`.
        passes: Number of times that `ScenarioSettings.min_seconds` is spent.
    """

    name: str
    summary: str
    run: Callable[[Sequence[Decider], ScenarioSettings], Taken]
    streams: bool = False
    arrives: bool = False
    passes: int = 1
