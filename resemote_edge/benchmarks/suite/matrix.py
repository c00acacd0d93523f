"""run_bench: the matrix of artifacts, runtimes, scenarios and batch sizes, each measured in a process of its own."""

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import msgspec

from resemote_edge.artifacts.artifact import Artifact
from resemote_edge.errors import DeviceUnavailableError, InputError, ResEmoteEdgeError
from resemote_edge.evaluation.accuracy import AccuracyReport
from resemote_edge.machine.environment import capture_environment
from resemote_edge.machine.topology import allowed_cores
from resemote_edge.measuring.case import (
    BenchCase,
    MeasureOptions,
    check_options,
    inputs_line,
    measure_accuracy,
    measure_speed,
    refuse_batch,
)
from resemote_edge.measuring.results import BenchReport, BenchRow, Unmeasured
from resemote_edge.measuring.scenarios import get_scenario
from resemote_edge.runtimes.registry import get_runtime, runtimes_for, why_unavailable

__all__ = ["BenchRequest", "parse_batches", "parse_names", "run_bench"]


#: Function that is called with what is measured next, jobs done, and jobs in all.
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, kw_only=True)
class BenchRequest:
    """The measurements that are asked for.

    Attributes:
        artifacts: To compare.
        runtime: A name, or ``all`` for every runtime that loads an artifact's model file and works here.
        runtime_of_target: With runtime ``all``, the one runtime that artifacts of a target are measured in; None for
            every runtime.
        scenarios: Names in `SCENARIOS`.
        batches: Crops per call, or faces per frame.
        threads: Number of CPU threads; None for every core this process may use.
        streams: Number of sessions side by side, in scenarios that can have several.
        options: Options of all measurements.
    """

    artifacts: tuple[Artifact, ...]
    runtime: str = "all"
    runtime_of_target: Mapping[str, str] | None = None
    scenarios: tuple[str, ...] = ("single-stream",)
    batches: tuple[int, ...] = (1, 8)
    threads: int | None = None
    streams: int = 1
    options: MeasureOptions = field(default_factory=MeasureOptions)

    @property
    def effective_threads(self) -> int:
        """Number of threads that all sessions of a process share."""
        return self.threads or len(allowed_cores())


def parse_batches(text: str) -> tuple[int, ...]:
    """Turn ``"1,8"`` into (1, 8).

    Raises:
        InputError: They are not whole numbers from 1 up.
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and int(part) > 0 for part in parts):
        raise InputError(f"batch sizes are whole numbers from 1 up, separated by commas; got {text!r}")
    return tuple(int(part) for part in parts)


def parse_names(text: str) -> tuple[str, ...]:
    """Turn ``"camera, offline"`` into its parts, each once."""
    return tuple(dict.fromkeys(part.strip() for part in text.split(",")))


def run_bench(request: BenchRequest, progress: Progress = lambda what, done, total: None) -> BenchReport:
    """Measure everything asked for.

    Args:
        request: Measurements to make.
        progress: Function called with each job as it begins.

    Returns:
        The report. Combinations that cannot run here, with runtime ``all``, are listed as skipped; those that were
        tried and failed, as failed; each with the reason.

    Raises:
        DeviceUnavailableError: A runtime named by the caller cannot work here, or nothing could be measured.
        InputError: A scenario, batch size or thread count makes no sense.
        DatasetError: There is no such dataset.
        ResEmoteEdgeError: Every measurement failed.
    """
    _check(request)
    cases, unmeasured = _plan(request)
    if not cases:
        reasons = "; ".join(f"{row.artifact} in {row.runtime}: {row.reason}" for row in unmeasured)
        raise DeviceUnavailableError(f"nothing to measure here: {reasons}")
    environment = capture_environment()
    rows, failed = _measure_all(cases, request.options, progress)
    unmeasured += failed
    if not rows:
        raise ResEmoteEdgeError("every measurement failed: " + "; ".join(row.reason for row in unmeasured))
    return BenchReport(
        created_utc=datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        environment=environment.to_dict(),
        inputs=inputs_line(request.options),
        accuracy_data=next((row.accuracy.dataset for row in rows if row.accuracy is not None), None),
        settings=request.options.settings,
        rows=tuple(rows),
        unmeasured=tuple(unmeasured),
    )


def _check(request: BenchRequest) -> None:
    check_options(request.options, request.batches)
    if request.effective_threads < 1 or request.streams < 1:
        raise InputError(f"threads and streams start at 1; got {request.threads} and {request.streams}")
    for name in request.scenarios:
        if request.streams > 1 and not get_scenario(name).streams:
            raise InputError(f"scenario {name} has one stream; leave --streams out, or measure offline")
        get_scenario(name)


def _plan(request: BenchRequest) -> tuple[list[BenchCase], list[Unmeasured]]:
    """Plan which runtime runs which artifact, and which combinations are left out and why."""
    cases: list[BenchCase] = []
    skipped: list[Unmeasured] = []
    for artifact in request.artifacts:
        for batch in request.batches:
            refuse_batch(artifact, batch)
        for name in _runtimes(request, artifact):
            reason = (
                None if request.runtime != "all" else why_unavailable(name, artifact, request.options.session_options)
            )
            if reason is not None:
                skipped.append(Unmeasured(artifact=artifact.passport.name, runtime=name, reason=reason))
                continue
            cases += [
                BenchCase(
                    artifact=artifact,
                    runtime=name,
                    scenario=scenario,
                    batch=batch,
                    threads=request.effective_threads,
                    streams=request.streams,
                )
                for scenario in request.scenarios
                for batch in request.batches
            ]
    return cases, skipped


def _runtimes(request: BenchRequest, artifact: Artifact) -> list[str]:
    if request.runtime != "all":
        return [_named(request, artifact)]
    if request.runtime_of_target is None:
        return runtimes_for(artifact)
    return [request.runtime_of_target[artifact.passport.target]]


def _named(request: BenchRequest, artifact: Artifact) -> str:
    runtime = get_runtime(request.runtime)
    if artifact.find(runtime.formats, roles=("model", "source")) is None:
        known = ", ".join(runtimes_for(artifact))
        raise InputError(f"{artifact.path}: runtime {request.runtime} cannot load it; it runs in {known}")
    runtime.check(artifact, request.options.session_options)
    return request.runtime


def _measure_all(
    cases: list[BenchCase], options: MeasureOptions, progress: Progress
) -> tuple[list[BenchRow], list[Unmeasured]]:
    """Measure the speed of every case, and accuracy once per artifact and runtime, after the last of its cases."""
    rows: list[BenchRow] = []
    failed: list[Unmeasured] = []
    pairs = list(dict.fromkeys((str(one.artifact.path), one.runtime) for one in cases))
    total = len(cases) + (len(pairs) if options.data is not None else 0)
    done = 0
    for pair in pairs:
        found: list[BenchRow] = []
        mine = [one for one in cases if (str(one.artifact.path), one.runtime) == pair]
        for case in mine:
            progress(str(case), done, total)
            try:
                found.append(measure_speed(case, options))
            except ResEmoteEdgeError as error:
                failed.append(unmeasured_row(case, error))
            done += 1
        if options.data is not None and found:
            progress(f"{mine[0].artifact.passport.name} · {mine[0].runtime} · accuracy", done, total)
            try:
                found = _with_accuracy(found, measure_accuracy(mine[0], options, found[0].speed.file_sha256).report)
            except ResEmoteEdgeError as error:
                failed.append(
                    Unmeasured(
                        artifact=mine[0].artifact.passport.name,
                        runtime=mine[0].runtime,
                        state="failed",
                        reason=f"accuracy: {error}",
                    )
                )
            done += 1
        rows += found
    progress("done", total, total)
    return rows, failed


def unmeasured_row(case: BenchCase, error: ResEmoteEdgeError) -> Unmeasured:
    """Make the record of a case that was tried."""
    return Unmeasured(
        artifact=case.artifact.passport.name,
        runtime=case.runtime,
        state="failed",
        reason=str(error),
        scenario=case.scenario,
        batch=case.batch,
        threads=case.threads,
    )


def _with_accuracy(rows: list[BenchRow], accuracy: AccuracyReport) -> list[BenchRow]:
    return [msgspec.structs.replace(row, accuracy=accuracy) for row in rows]
