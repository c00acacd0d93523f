"""run_steps: measures the unfinished steps of a suite, one after the other, and keeps failures with their reasons."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import msgspec

import resemote_edge
from resemote_edge.artifacts.artifact import file_sha256
from resemote_edge.artifacts.passport_base import PASSPORT_NAME
from resemote_edge.artifacts.record import utc_now
from resemote_edge.benchmarks.suite.clock import SuiteClock
from resemote_edge.benchmarks.suite.file import Suite
from resemote_edge.benchmarks.suite.plan import Step, SuiteArtifact
from resemote_edge.benchmarks.suite.rows import (
    KeptFailure,
    KeptRow,
    KeptSpeed,
    KeptValidity,
    Machine,
    SuiteFolder,
    decision_key,
    machine_of,
)
from resemote_edge.errors import InputError, ResEmoteEdgeError
from resemote_edge.machine.environment import Environment
from resemote_edge.machine.pinning import choose_cores
from resemote_edge.measuring.results import AccuracyJob, AccuracyResult, SpeedJob
from resemote_edge.measuring.row import SAMPLES_FOLDER, measure_row, run_accuracy
from resemote_edge.measuring.timer_check.check import Check, measure_validity
from resemote_edge.runtimes.registry import get_runtime
from resemote_edge.runtimes.session import model_file

__all__ = ["Bench", "Planned", "SuiteProgress", "run_steps", "sort_out"]

#: Packages besides the runtime that a row's result depends on.
_DECIDING_PACKAGES = ("numpy", "pillow")


@dataclass(frozen=True, kw_only=True)
class Bench:
    """Settings and facts that all steps of a suite share.

    Attributes:
        suite: Suite that is run.
        environment: Environment of this run.
        folder: Folder in which rows are kept; None keeps none.
        output: Folder of the report, in which samples are kept; None keeps none.
        data: Dataset for accuracy; None for none.
        data_sha256: Hash of the dataset's split.
        reference: Artifact that accuracies are compared with; None for none.
        reference_problem: Reason why the reference that the suite names is not there; None if it is there.
    """

    suite: Suite
    environment: Environment
    folder: SuiteFolder | None = None
    output: Path | None = None
    data: Path | None = None
    data_sha256: str | None = None
    reference: SuiteArtifact | None = None
    reference_problem: str | None = None
    _versions: dict[str, str] = field(default_factory=dict, repr=False)

    @cached_property
    def machine(self) -> Machine:
        """Record of this machine."""
        return machine_of(self.environment)

    @property
    def split(self) -> str:
        """Split that accuracy is measured on."""
        return "test" if self.suite.accuracy is None else self.suite.accuracy.split

    @property
    def inputs(self) -> str:
        """Describe in words what is fed for timing."""
        return f"drawn faces, {self.suite.crop_side}x{self.suite.crop_side} RGB"

    def runtime_version(self, runtime: str) -> str:
        """Version of a runtime's package; asked for once."""
        if runtime not in self._versions:
            self._versions[runtime] = get_runtime(runtime).probe().version or "unknown"
        return self._versions[runtime]

    def decided_by(self, step: Step) -> dict[str, Any]:
        """Everything that a step's result depends on, by name."""
        environment, packages = self.environment, self.environment.packages
        common: dict[str, Any] = {
            "artifact": step.entry.passport_sha256,
            "runtime": step.runtime,
            "runtime version": self.runtime_version(step.runtime),
            "threads": step.threads,
            "cores": list(choose_cores(step.threads)),
            "device": self.suite.device,
            "precision hint": self.suite.precision_hint,
            "machine": self.machine.id,
            "kernel": environment.kernel,
            "governor": environment.governor,
            "python": environment.python,
            "resemote-edge": resemote_edge.__version__,
            **{name: packages.get(name) for name in _DECIDING_PACKAGES},
        }
        if step.kind == "accuracy":
            reference = None if self.reference is None else self.reference.passport_sha256
            return common | {"data": self.data_sha256, "split": self.split, "reference": reference}
        if step.check is not None:
            return common | {"batch": step.batch, "rounds": step.check.rounds, "seconds": step.check.seconds}
        settings: dict[str, Any] = msgspec.to_builtins(self.suite.effective_settings)
        settings["fps"] = step.fps  # This replaces the rate of the settings.
        return common | {
            "scenario": step.scenario,
            "batch": step.batch,
            "streams": step.streams,
            "settings": settings,
            "crop side": self.suite.crop_side,
            "slowed to": self.suite.slow_to_ms or None,
        }


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A step, and the row that was kept of it.

    Attributes:
        step: Step that is planned.
        state: State; steps that are ``missing`` or ``changed`` are measured, those ``done`` or ``failed`` are not.
        why: What has changed, or why it failed; empty otherwise.
        kept: Row that still counts; None if there is none.
    """

    step: Step
    state: Literal["done", "failed", "missing", "changed"]
    why: str = ""
    kept: KeptRow | None = None


@dataclass(frozen=True, kw_only=True)
class SuiteProgress:
    """Progress of a run.

    Attributes:
        current: Description of the step being measured.
        done: Number of steps that are finished.
        total: Number of steps in all.
        seconds_left: Estimate of the time left.
    """

    current: str
    done: int
    total: int
    seconds_left: float


def sort_out(bench: Bench, steps: Sequence[Step], *, retry_failed: bool = False) -> list[Planned]:
    """Separate finished steps from those to be measured.

    Args:
        bench: Settings and facts that steps share.
        steps: Steps, all of them.
        retry_failed: Whether steps that failed are to be measured again.

    Raises:
        InputError: A row cannot be read.
    """
    return [_look_at(bench, step, retry_failed) for step in steps]


def _look_at(bench: Bench, step: Step, retry_failed: bool) -> Planned:
    if step.entry.opened is None:
        return Planned(step=step, state="missing", why="its artifact is exported first")
    kept = None if bench.folder is None else bench.folder.read(step.stem)
    if bench.folder is None or kept is None:
        return Planned(step=step, state="missing")
    changes = kept.changes(bench.decided_by(step))
    if changes:
        return Planned(step=step, state="changed", why=f"changed since: {', '.join(changes)}")
    if isinstance(kept.found, KeptFailure):
        again = Planned(step=step, state="missing", why="failed before")
        failed = Planned(step=step, state="failed", why=kept.found.unmeasured.reason, kept=kept)
        return again if retry_failed else failed
    if isinstance(kept.found, KeptSpeed) and not bench.folder.has_samples(kept.found.row):
        return Planned(step=step, state="changed", why="its samples are gone")
    return Planned(step=step, state="done", kept=kept)


def run_steps(
    bench: Bench,
    planned: Sequence[Planned],
    kept: dict[str, KeptRow],
    *,
    notice: Callable[[str], None],
    progress: Callable[[SuiteProgress], None],
) -> None:
    """Measure the steps that are not finished.

    Args:
        bench: Settings and facts that steps share.
        planned: Steps, all of them.
        kept: Mapping that each step's result is added to, by stem, so that an interrupted caller has the finished ones.
        notice: Function called with what happens, one line at a time.
        progress: Function called with the progress.
    """
    clock = SuiteClock(bench.suite.effective_settings)
    for one in planned:
        if one.kept is not None:
            kept[one.step.stem] = one.kept
            if not one.kept.failed:
                clock.note(one.step, one.kept.seconds)
    waiting = [one for one in planned if one.kept is None]
    for number, one in enumerate(waiting):
        left = clock.left(other.step for other in waiting[number:])
        progress(SuiteProgress(current=str(one.step), done=len(kept), total=len(planned), seconds_left=left))
        if one.why:
            notice(f"{one.step}: {one.why}; measured again")
        row = _measure(bench, one.step)
        kept[one.step.stem] = row = _keep(bench, one.step, row)
        if isinstance(row.found, KeptFailure):
            notice(f"failed: {one.step}: {row.found.unmeasured.reason}")
        else:
            clock.note(one.step, row.seconds)
            notice(f"measured: {one.step}: {_in_short(row)}, {row.seconds:.0f} s")
    progress(SuiteProgress(current="done", done=len(kept), total=len(planned), seconds_left=0.0))


def _measure(bench: Bench, step: Step) -> KeptRow:
    """Measure one step; an error becomes its result."""
    decided_by = bench.decided_by(step)
    began = time.monotonic()
    found: KeptSpeed | AccuracyResult | KeptValidity | KeptFailure
    try:
        found = _MEASURE[step.kind](bench, step)
        if file_sha256(step.entry.path / PASSPORT_NAME) != step.entry.passport_sha256:
            raise InputError(f"{step.entry.path}: was replaced while it was measured", hint="measure again")
    except ResEmoteEdgeError as error:
        found = KeptFailure(unmeasured=step.unmeasured(" ".join(str(error).split())))
    except OSError as error:  # such as a full disk or a missing file
        found = KeptFailure(unmeasured=step.unmeasured(_os_reason(error)))
    return KeptRow(
        key=decision_key(decided_by),
        decided_by=decided_by,
        machine=bench.machine,
        measured_utc=utc_now(),
        git_commit=bench.environment.git_commit,
        seconds=round(time.monotonic() - began, 3),
        found=found,
    )


def _keep(bench: Bench, step: Step, row: KeptRow) -> KeptRow:
    """Write a row; one that cannot be written counts as failed, because it would be lost after this run."""
    if bench.folder is None:
        return row
    try:
        bench.folder.write(step.stem, row)
    except OSError as error:
        before = f" ({row.found.unmeasured.reason})" if isinstance(row.found, KeptFailure) else ""
        reason = f"the row could not be kept{before}: {_os_reason(error)}; make room, and start the suite again"
        return msgspec.structs.replace(row, found=KeptFailure(unmeasured=step.unmeasured(reason)))
    return row


def _speed(bench: Bench, step: Step) -> KeptSpeed:
    assert step.scenario is not None
    assert step.batch is not None
    suite, settings = bench.suite, bench.suite.effective_settings
    samples, path = None, None
    if bench.output is not None:
        samples = f"{SAMPLES_FOLDER}/{step.stem}.npz"
        path = str((bench.output / samples).resolve())
    job = SpeedJob(
        artifact=str(step.entry.path),
        runtime=step.runtime,
        device=suite.device,
        scenario=step.scenario,
        settings=settings if step.fps is None else msgspec.structs.replace(settings, fps=step.fps),
        threads=step.threads,
        cores=choose_cores(step.threads),
        batch=step.batch,
        streams=step.streams,
        crop_side=suite.crop_side,
        precision_hint=suite.precision_hint,
        slow_to_ms=suite.slow_to_ms,
        samples=path,
    )
    row = measure_row(step.entry.artifact, job, timeout_s=suite.timeout_seconds, samples=samples)
    return KeptSpeed(row=row)


def _accuracy(bench: Bench, step: Step) -> AccuracyResult:
    if bench.reference_problem is not None:
        raise InputError(bench.reference_problem)
    job = AccuracyJob(
        artifact=str(step.entry.path),
        runtime=step.runtime,
        device=bench.suite.device,
        threads=step.threads,
        data=str(bench.data),
        split=bench.split,
        reference=None if bench.reference is None else str(bench.reference.path),
        precision_hint=bench.suite.precision_hint,
    )
    found = run_accuracy(job, timeout_s=bench.suite.timeout_seconds)
    if found.file_sha256 != model_file(get_runtime(step.runtime), step.entry.artifact).sha256:
        raise InputError(f"{step.entry.path}: the file changed while it was measured", hint="run the benchmark again")
    return found


def _validity(bench: Bench, step: Step) -> KeptValidity:
    assert step.check is not None
    assert step.batch is not None
    check = Check(
        artifact=step.entry.artifact,
        runtime=step.runtime,
        batch=step.batch,
        threads=step.threads,
        rounds=step.check.rounds,
        seconds=step.check.seconds,
        timeout_s=bench.suite.timeout_seconds,
    )
    return KeptValidity(validity=measure_validity(check))


_MEASURE: dict[str, Callable[[Bench, Step], KeptSpeed | AccuracyResult | KeptValidity]] = {
    "speed": _speed,
    "accuracy": _accuracy,
    "validity": _validity,
}


def _in_short(row: KeptRow) -> str:
    if isinstance(row.found, KeptSpeed):
        return f"p50 {row.found.row.speed.model.p50_ms:.2f} ms"
    if isinstance(row.found, AccuracyResult):
        return f"{row.found.report.accuracy * 100:.2f} %"
    assert isinstance(row.found, KeptValidity)
    return f"{row.found.validity.ratio:.3f} of {row.found.validity.timer}"


def _os_reason(error: OSError) -> str:
    return f"{error.filename or 'reading or writing'}: {error.strerror or error}"
