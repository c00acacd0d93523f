"""run_suite: exports and measures what a suite's file lists; an interrupted run continues with what is missing.

Exports and measurements run in processes of their own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from resemote_edge.artifacts.artifact import Artifact, file_sha256
from resemote_edge.benchmarks.suite.clock import EXPORT_SECONDS, SuiteClock
from resemote_edge.benchmarks.suite.file import ExportEntry, LoadedSuite
from resemote_edge.benchmarks.suite.plan import SuiteArtifact, SuitePlan, make_plan
from resemote_edge.benchmarks.suite.report import bench_report, suite_state
from resemote_edge.benchmarks.suite.rows import ARTIFACTS_FOLDER, KeptRow, SuiteFolder
from resemote_edge.benchmarks.suite.runner import Bench, Planned, SuiteProgress, run_steps, sort_out
from resemote_edge.data.registry import DatasetReader
from resemote_edge.errors import ArtifactError, InputError, ResEmoteEdgeError
from resemote_edge.export.command import ExportOptions, run_export
from resemote_edge.export.recipe import Recipe, default_recipe, find_recipe
from resemote_edge.machine.environment import capture_environment
from resemote_edge.measuring.processes.contestant import Contestant, Opened
from resemote_edge.measuring.processes.stopping import Stop, stoppable
from resemote_edge.measuring.processes.worker_process import run_apart
from resemote_edge.measuring.results import BenchReport, Unmeasured
from resemote_edge.weights import embedded_checkpoint

__all__ = ["SuiteForecast", "SuiteOutcome", "build_artifact", "forecast_suite", "run_suite"]

#: An export takes minutes on a small machine; an hour means that it hangs.
_EXPORT_TIMEOUT_S = 3600.0

Notice = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class SuiteOutcome:
    """Result of a run.

    Attributes:
        report: Report of all finished rows, even if the run was stopped.
        interrupted: Number of the signal that stopped it; None if it was not stopped.
    """

    report: BenchReport
    interrupted: int | None


@dataclass(frozen=True, kw_only=True)
class SuiteForecast:
    """Forecast of a run.

    Attributes:
        planned: All steps, with the kept row of each.
        exports: Names of the artifacts that would be exported first.
        unmeasured: Combinations that cannot be measured here.
        seconds: Estimated time of each step to be measured, by its place in `planned`.
    """

    planned: tuple[Planned, ...]
    exports: tuple[str, ...]
    unmeasured: tuple[Unmeasured, ...]
    seconds: dict[int, float]

    @property
    def total_seconds(self) -> float:
        """Time of all steps, with the exports."""
        return sum(self.seconds.values()) + EXPORT_SECONDS * len(self.exports)


@dataclass(frozen=True, kw_only=True)
class _Found:
    """The artifacts of a suite.

    Attributes:
        entries: Artifacts that exist or can be exported.
        unmeasured: Artifacts that can be neither opened nor exported.
        exports: Exports to make, by name.
    """

    entries: tuple[SuiteArtifact, ...]
    unmeasured: tuple[Unmeasured, ...]
    exports: dict[str, ExportEntry]


def forecast_suite(
    loaded: LoadedSuite, folder: Path, *, data: Path | None = None, retry_failed: bool = False
) -> SuiteForecast:
    """Tell what `run_suite` would do with the same arguments, without doing any of it.

    Raises:
        ResEmoteEdgeError: The run would fail; see `run_suite`.
    """
    kept = SuiteFolder(folder)
    bench = _prepare(loaded, kept, data)
    found = _open(loaded, kept, notice=lambda text: None)
    bench = _with_reference(bench, loaded, found.entries)
    plan = _plan(loaded, found, data)
    planned = sort_out(bench, plan.steps, retry_failed=retry_failed)
    clock = SuiteClock(loaded.suite.effective_settings)
    for one in planned:
        if one.kept is not None and not one.kept.failed:
            clock.note(one.step, one.kept.seconds)
    return SuiteForecast(
        planned=tuple(planned),
        exports=tuple(found.exports),
        unmeasured=plan.unmeasured,
        seconds={at: clock.expect(one.step) for at, one in enumerate(planned) if one.kept is None},
    )


def run_suite(
    loaded: LoadedSuite,
    folder: Path,
    *,
    data: Path | None = None,
    retry_failed: bool = False,
    notice: Notice = lambda text: None,
    progress: Callable[[SuiteProgress], None] = lambda far: None,
) -> SuiteOutcome:
    """Export and measure what is missing, and report on all of it.

    Args:
        loaded: Suite to run; see `load_suite`.
        folder: Folder in which everything is kept. A row in it is measured again only if what it depends on changed.
        data: Dataset for accuracy; None leaves it out.
        retry_failed: Whether steps that failed before are tried again.
        notice: Function called with what happens, one line at a time.
        progress: Function called with the progress.

    Returns:
        The report, which lists combinations that failed or cannot be measured with the reason. Ctrl-C and termination
        end the present row, and the report says how many rows are missing.

    Raises:
        InputError: The folder holds something else, another run uses it, or its rows are another machine's; a recipe
            does not exist; or there is data and nothing to judge.
        DatasetError: The data cannot be read.
        OSError: The folder cannot be written to.
    """
    kept_in = SuiteFolder(folder)
    bench = _prepare(loaded, kept_in, data, notice)
    kept: dict[str, KeptRow] = {}
    interrupted = None
    with kept_in.locked():
        if kept_in.note_suite(loaded.content):
            notice("the suite has changed; rows that it decides otherwise now are measured again")
        found = _open(loaded, kept_in, notice)
        try:
            with stoppable():
                found = _export_all(found, notice, progress)
                bench = _with_reference(bench, loaded, found.entries)
                plan = _plan(loaded, found, data)
                planned = sort_out(bench, plan.steps, retry_failed=retry_failed)
                run_steps(bench, planned, kept, notice=notice, progress=progress)
        except Stop as stop:
            interrupted = stop.signal
        plan = _plan(loaded, found, data)
        # Includes finished rows that this run did not reach.
        kept = {one.step.stem: one.kept for one in sort_out(bench, plan.steps) if one.kept is not None} | kept
        report = bench_report(bench, plan, kept)
        state = suite_state(loaded, kept_in, plan, kept)
    return SuiteOutcome(report=msgspec.structs.replace(report, suite=state), interrupted=interrupted)


def build_artifact(checkpoint: str, recipe: str, folder: str) -> Opened:
    """Export weights, as an opener (see `Contestant`); the folder's contents are replaced.

    Args:
        checkpoint: Weights to export; INT8 recipes use the ranges that are recorded beside them.
        recipe: Name or file of the recipe.
        folder: Destination of the artifact.
    """
    run_export(ExportOptions(checkpoint=Path(checkpoint), recipe=recipe, output=Path(folder), force=True))
    return Opened()


def _prepare(loaded: LoadedSuite, folder: SuiteFolder, data: Path | None, notice: Notice = lambda text: None) -> Bench:
    """Prepare what all steps share, and raise errors before minutes of work; writes nothing."""
    suite = loaded.suite
    for entry in suite.exports:
        _recipe(entry)
    bench = Bench(suite=suite, environment=capture_environment(), folder=folder, output=folder.path, data=data)
    folder.refuse_foreign(suite.name)
    folder.refuse_other_machine(bench.machine)
    if data is None:
        return bench
    if suite.accuracy is None:
        raise InputError(
            f"suite {suite.name} asks for no accuracy", hint="leave --data out, or add accuracy to the file"
        )
    datasets = DatasetReader(lambda text: notice(f"note: {text}"))
    split = datasets.load(data, (suite.accuracy.split,))[suite.accuracy.split]
    return replace(bench, data_sha256=split.sha256())


def _with_reference(bench: Bench, loaded: LoadedSuite, entries: Sequence[SuiteArtifact]) -> Bench:
    """Add the artifact that accuracies are compared with, or the reason why it is not there."""
    accuracy = bench.suite.accuracy
    if bench.data is None or accuracy is None or accuracy.reference is None:
        return bench
    reference, problem = _reference(loaded, accuracy.reference, entries)
    return replace(bench, reference=reference, reference_problem=problem)


def _reference(
    loaded: LoadedSuite, name: str, entries: Sequence[SuiteArtifact]
) -> tuple[SuiteArtifact | None, str | None]:
    """Find the artifact that accuracies are compared with, or the reason why it is not there."""
    known = [entry for entry in entries if entry.name == name]
    if known:
        return (known[0], None) if known[0].opened is not None else (None, f"reference {name} is not exported yet")
    if any(entry.artifact == name for entry in loaded.suite.exports):
        return None, f"reference {name} could not be exported"
    try:
        return SuiteArtifact.of(Artifact.load(loaded.artifact_path(name))), None
    except ArtifactError as error:
        return None, f"reference {error}"


def _plan(loaded: LoadedSuite, found: _Found, data: Path | None) -> SuitePlan:
    plan = make_plan(loaded.suite, found.entries, with_accuracy=data is not None)
    return replace(plan, unmeasured=(*found.unmeasured, *plan.unmeasured))


def _open(loaded: LoadedSuite, folder: SuiteFolder, notice: Notice) -> _Found:
    """Open every artifact; those that cannot be used are listed with the reason."""
    suite = loaded.suite
    entries: list[SuiteArtifact] = []
    unmeasured: list[Unmeasured] = []
    exports: dict[str, ExportEntry] = {}
    runtimes = ", ".join(suite.runtimes or ("any",))
    for name in suite.artifacts:
        try:
            entries.append(SuiteArtifact.of(Artifact.load(loaded.artifact_path(name))))
        except (ArtifactError, OSError) as error:
            unmeasured.append(Unmeasured(artifact=name, runtime=runtimes, state="failed", reason=str(error)))
    for entry in suite.exports:
        path = folder.path / ARTIFACTS_FOLDER / entry.artifact
        recipe = _recipe(entry)
        try:
            artifact = Artifact.load(path) if path.exists() else None
        except (ArtifactError, OSError) as error:
            reason = f"{error}; delete {path}, and it is exported again"
            unmeasured.append(Unmeasured(artifact=entry.artifact, runtime=runtimes, state="failed", reason=reason))
            continue
        if artifact is not None and not _is_of(artifact, entry, recipe):
            notice(f"{entry.artifact}: was exported from other weights or by another recipe; it is exported again")
            artifact = None
        if artifact is None:
            exports[entry.artifact] = entry
        entries.append(SuiteArtifact.of(artifact) if artifact is not None else _to_come(entry, recipe, path))
    return _Found(entries=tuple(entries), unmeasured=tuple(unmeasured), exports=exports)


def _recipe_name(entry: ExportEntry) -> str:
    """Name or file of an entry's recipe; the default for this CPU if it names none."""
    return entry.recipe or default_recipe(str(entry.target), str(entry.precision))


def _recipe(entry: ExportEntry) -> Recipe:
    return find_recipe(_recipe_name(entry))


def _is_of(artifact: Artifact, entry: ExportEntry, recipe: Recipe) -> bool:
    """Whether an artifact was exported from an entry's weights by its recipe, as both are now."""
    passport = artifact.passport
    same_recipe = msgspec.json.encode(passport.recipe, order="sorted") == msgspec.json.encode(recipe, order="sorted")
    return same_recipe and passport.lineage.checkpoint_sha256 == file_sha256(embedded_checkpoint(entry.variant))


def _to_come(entry: ExportEntry, recipe: Recipe, path: Path) -> SuiteArtifact:
    return SuiteArtifact(
        name=entry.artifact,
        path=path,
        target=recipe.target,
        precision=recipe.precision,
        formats=recipe.info.formats,
        largest_batch=recipe.batch.max,
        opened=None,
    )


def _export_all(found: _Found, notice: Notice, progress: Callable[[SuiteProgress], None]) -> _Found:
    """Export what is missing; what cannot be exported is listed with the reason."""
    entries: list[SuiteArtifact] = []
    unmeasured = list(found.unmeasured)
    left = len(found.exports)
    for entry in found.entries:
        wanted = found.exports.get(entry.name)
        if wanted is None:
            entries.append(entry)
            continue
        progress(SuiteProgress(current=f"exporting {entry.name}", done=0, total=0, seconds_left=left * EXPORT_SECONDS))
        left -= 1
        try:
            entries.append(_export(wanted, entry.path))
            notice(f"exported: {entry.name}")
        except (ResEmoteEdgeError, OSError) as error:
            reason = " ".join(str(error).split())
            notice(f"failed: {reason}")
            unmeasured.append(Unmeasured(artifact=entry.name, runtime="any", state="failed", reason=reason))
    return _Found(entries=tuple(entries), unmeasured=tuple(unmeasured), exports={})


def _export(entry: ExportEntry, path: Path) -> SuiteArtifact:
    arguments = {
        "checkpoint": str(embedded_checkpoint(entry.variant)),
        "recipe": _recipe_name(entry),
        "folder": str(path),
    }
    contestant = Contestant(name=entry.artifact, opener=f"{__name__}:build_artifact", arguments=arguments)
    run_apart(contestant, timeout_s=_EXPORT_TIMEOUT_S)
    return SuiteArtifact.of(Artifact.load(path))
