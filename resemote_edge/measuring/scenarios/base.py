"""What a scenario is given, and what it takes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from resemote_edge.artifacts.record import Strict
from resemote_edge.measuring.timing import Budget, WarmUp

__all__ = ["Decider", "Scenario", "ScenarioSettings", "Taken"]


class ScenarioSettings(Strict, frozen=True, kw_only=True):
    """How long and how fast; each scenario reads what concerns it.

    Attributes:
        warmup_runs: Untimed calls at least.
        warmup_seconds: Longest wait for times to settle after those.
        min_runs: Timed calls, or frames, at least.
        min_seconds: Timed seconds at least.
        fps: Frames a second that arrive, where they arrive by themselves.
        queue_frames: Frames that may wait for a decision; the oldest is dropped when another arrives.
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
        """The same for calls that follow one another."""
        return Budget(
            warmup_runs=self.warmup_runs,
            warmup_seconds=self.warmup_seconds,
            min_runs=self.min_runs,
            min_seconds=self.min_seconds,
        )


class Decider(Protocol):
    """What a scenario drives; `resemote_edge.measuring.workload.Subject` is one."""

    batch: int

    def run_model(self) -> None:
        """The model alone."""

    def decide(self) -> tuple[int, int, int, int]:
        """From files to decisions; nanoseconds of each stage."""


@dataclass(frozen=True, kw_only=True)
class Taken:
    """Every sample of one run of a scenario.

    Attributes:
        warm_up: What came before.
        model: int64 (runs,), nanoseconds of the session alone.
        stages: int64 (runs, 4), nanoseconds of each stage of every decision.
        outcome: What only this scenario says; a struct.
        series: Further samples worth keeping, by name.
    """

    warm_up: WarmUp
    model: NDArray[np.int64] = field(repr=False)
    stages: NDArray[np.int64] = field(repr=False)
    outcome: Any
    series: dict[str, NDArray[Any]] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One way that faces come, and what is asked of the decisions.

    Attributes:
        name: On the command line.
        summary: One sentence.
        run: Drives one decider for each stream; most scenarios have one stream.
        streams: Whether it can drive several at once.
        arrives: Whether frames come at a rate of their own, `ScenarioSettings.fps`.
        passes: How many times over `ScenarioSettings.min_seconds` is spent.
    """

    name: str
    summary: str
    run: Callable[[Sequence[Decider], ScenarioSettings], Taken]
    streams: bool = False
    arrives: bool = False
    passes: int = 1
