"""SuitePlan: the steps of a suite on this machine, in order, and what cannot be measured, with the reason."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Literal

from resemote_edge.artifacts.artifact import Artifact, file_sha256
from resemote_edge.artifacts.passport_base import PASSPORT_NAME
from resemote_edge.benchmarks.suite.file import Suite, ValidityEntry
from resemote_edge.errors import InputError
from resemote_edge.measuring.results import Unmeasured
from resemote_edge.measuring.scenarios import SCENARIOS
from resemote_edge.runtimes.registry import RUNTIMES, get_runtime, why_unavailable

__all__ = ["Step", "SuiteArtifact", "SuitePlan", "make_plan"]


@dataclass(frozen=True, kw_only=True)
class SuiteArtifact:
    """An artifact of a suite, which may still have to be exported.

    Attributes:
        name: Name of the artifact.
        path: Folder of the artifact.
        target: Target that it is exported for.
        precision: Precision of the artifact.
        formats: Formats of its model files.
        largest_batch: Largest batch it takes; None for any.
        opened: The opened artifact; None while it is not exported.
        passport_sha256: Hash of its passport when it was opened, and so of every file; empty before.
    """

    name: str
    path: Path
    target: str
    precision: str
    formats: tuple[str, ...]
    largest_batch: int | None
    opened: Artifact | None
    passport_sha256: str = ""

    @classmethod
    def of(cls, artifact: Artifact, roles: tuple[str, ...] = ("model",)) -> "SuiteArtifact":
        """Describe an artifact that exists, whose files of these roles may run."""
        passport = artifact.passport
        return cls(
            name=passport.name,
            path=artifact.path,
            target=passport.target,
            precision=passport.precision,
            formats=tuple(entry.format for entry in passport.files if entry.role in roles),
            largest_batch=passport.batch.max,
            opened=artifact,
            passport_sha256=file_sha256(artifact.path / PASSPORT_NAME),
        )

    @property
    def artifact(self) -> Artifact:
        """The opened artifact."""
        assert self.opened is not None  # It is exported before it is measured.
        return self.opened


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing that is measured: a row, an accuracy, or a check of our timer.

    Attributes:
        kind: Kind of the step.
        entry: Artifact that is measured.
        runtime: Runtime that runs it.
        threads: Number of CPU threads over all streams.
        scenario: Name of the scenario in `SCENARIOS`; None for a step that is no row.
        batch: Crops per call; None for an accuracy.
        streams: Number of sessions side by side.
        fps: Frames a second; None if none arrive.
        check: Comparison of the timer; None for a step that is no check.
    """

    kind: Literal["speed", "accuracy", "validity"]
    entry: SuiteArtifact
    runtime: str
    threads: int
    scenario: str | None = None
    batch: int | None = None
    streams: int = 1
    fps: float | None = None
    check: ValidityEntry | None = None

    @property
    def group(self) -> str:
        """Key of the steps that take about as long."""
        return self.scenario or self.kind

    @property
    def stem(self) -> str:
        """Name for files about the step, the same every time and different for every step of one plan."""
        parts = [self.entry.name, self.runtime, self.group]
        parts += [] if self.batch is None else [f"b{self.batch}", f"t{self.threads}"]
        parts += [] if self.streams == 1 else [f"s{self.streams}"]
        parts += [] if self.fps is None else [f"{self.fps:g}fps"]
        return "-".join(parts)

    def __str__(self) -> str:
        parts = [self.entry.name, self.runtime, self.group]
        parts += [] if self.batch is None else [f"batch {self.batch}", f"threads {self.threads}"]
        parts += [] if self.streams == 1 else [f"{self.streams} streams"]
        parts += [] if self.fps is None else [f"{self.fps:g} frames/s"]
        return " · ".join(parts)

    def unmeasured(self, reason: str) -> Unmeasured:
        """Record of the step, as one that was tried and failed."""
        return Unmeasured(
            artifact=self.entry.name,
            runtime=self.runtime,
            state="failed",
            reason=reason if self.kind == "speed" else f"{self.kind}: {reason}",
            scenario=self.scenario,
            batch=self.batch,
            threads=self.threads,
        )


@dataclass(frozen=True, kw_only=True)
class SuitePlan:
    """The plan of a suite on this machine.

    Attributes:
        steps: Steps to measure, in order.
        unmeasured: Combinations that cannot be measured, and why.
    """

    steps: tuple[Step, ...]
    unmeasured: tuple[Unmeasured, ...]


def make_plan(suite: Suite, entries: Sequence[SuiteArtifact], *, with_accuracy: bool) -> SuitePlan:
    """Lay out a suite.

    Rows of all artifacts take turns, so that a run that is stopped early has some rows of each. Checks of the timer
    follow, then accuracies.

    Args:
        suite: Suite that is asked for.
        entries: Artifacts of the suite that exist or can be exported.
        with_accuracy: Whether there is data.

    Raises:
        InputError: Two artifacts have the same name, or nothing is left to measure.
    """
    names = [entry.name for entry in entries]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise InputError(
            f"two artifacts are called {twice[0]}, and their rows could not be told apart",
            hint="export one of them under another name, or measure them one after the other",
        )
    pairs: list[tuple[SuiteArtifact, str]] = []
    unmeasured: list[Unmeasured] = []
    for entry in entries:
        able = [name for name in suite.runtimes or RUNTIMES if {*get_runtime(name).formats} & {*entry.formats}]
        if not able:
            reason = f"none of the suite's runtimes loads {', '.join(entry.formats)}"
            unmeasured.append(Unmeasured(artifact=entry.name, runtime="any", state="failed", reason=reason))
        for name in [name for name in able if _is_wanted(suite, entry, name)]:
            reason_or_none = _refusal(name, entry, suite)
            if reason_or_none is None:
                pairs.append((entry, name))
            else:
                # Only a runtime that the suite names was asked for; any other is merely skipped.
                state: Literal["failed", "skipped"] = "failed" if suite.runtimes else "skipped"
                unmeasured.append(Unmeasured(artifact=entry.name, runtime=name, state=state, reason=reason_or_none))
    rows = [list(_rows(suite, entry, runtime)) for entry, runtime in pairs]
    steps = [step for turn in zip_longest(*rows) for step in turn if step is not None]
    steps += _checks(suite, pairs)
    if with_accuracy:
        threads = max(suite.effective_threads)
        measured = {(step.entry.name, step.runtime) for step in steps if step.kind == "speed"}
        steps += [
            Step(kind="accuracy", entry=entry, runtime=runtime, threads=threads)
            for entry, runtime in pairs
            if (entry.name, runtime) in measured
        ]
    fitting, beyond = _split_by_batch(steps)
    return SuitePlan(steps=tuple(fitting), unmeasured=(*unmeasured, *beyond))


def _is_wanted(suite: Suite, entry: SuiteArtifact, runtime: str) -> bool:
    """Whether the suite leaves any row or check of a pair; otherwise, it does not matter if the pair can run."""
    return next(_rows(suite, entry, runtime), None) is not None or bool(_checks(suite, [(entry, runtime)]))


def _refusal(runtime: str, entry: SuiteArtifact, suite: Suite) -> str | None:
    """Reason why it cannot run here; None if it can, or if that is not known before the export."""
    if entry.opened is None:
        return None
    return why_unavailable(runtime, entry.opened, suite.session_options)


def _rows(suite: Suite, entry: SuiteArtifact, runtime: str) -> Iterator[Step]:
    """Every row of one artifact in one runtime that is not excluded."""
    for name in suite.scenarios:
        scenario = SCENARIOS[name]
        for threads in suite.effective_threads:
            for batch in suite.batches:
                for streams in suite.streams if scenario.streams else (1,):
                    for fps in suite.effective_fps if scenario.arrives else (None,):
                        step = Step(
                            kind="speed",
                            entry=entry,
                            runtime=runtime,
                            scenario=name,
                            threads=threads,
                            batch=batch,
                            streams=streams,
                            fps=fps,
                        )
                        if not _excluded(suite, step):
                            yield step


def _excluded(suite: Suite, step: Step) -> bool:
    fields = {
        "artifact": step.entry.name,
        "target": step.entry.target,
        "precision": step.entry.precision,
        "runtime": step.runtime,
        "scenario": step.scenario,
        "batch": step.batch,
        "threads": step.threads,
        "streams": step.streams,
        "fps": step.fps,
    }
    return any(exclude.matches(fields) for exclude in suite.excludes)


def _checks(suite: Suite, pairs: Iterable[tuple[SuiteArtifact, str]]) -> list[Step]:
    """Checks of the timer; two entries may ask for the same."""
    found = [
        Step(
            kind="validity",
            entry=entry,
            runtime=runtime,
            threads=check.effective_threads,
            batch=check.batch,
            check=check,
        )
        for check in suite.checks
        for entry, runtime in pairs
        if runtime == check.runtime and check.wants(entry.name)
    ]
    places = [(step.entry.name, step.runtime, step.batch, step.threads) for step in found]
    return [step for at, step in enumerate(found) if places[at] not in places[:at]]


def _split_by_batch(steps: Sequence[Step]) -> tuple[list[Step], list[Unmeasured]]:
    """Steps whose batch an artifact takes, and those whose batch is beyond it."""
    fitting: list[Step] = []
    beyond: list[Unmeasured] = []
    for step in steps:
        largest = step.entry.largest_batch
        if step.batch is None or largest is None or step.batch <= largest:
            fitting.append(step)
        else:
            beyond.append(step.unmeasured(f"its largest batch is {largest}; exclude this row, or export it for more"))
    return fitting, beyond
