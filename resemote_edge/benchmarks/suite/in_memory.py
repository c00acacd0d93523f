"""run_in_memory: runs a suite without a file, on open artifacts, and keeps nothing but the report."""

from collections.abc import Callable, Sequence
from pathlib import Path

from resemote_edge.artifacts.artifact import Artifact
from resemote_edge.benchmarks.suite.file import Suite, check_suite
from resemote_edge.benchmarks.suite.plan import SuiteArtifact, make_plan
from resemote_edge.benchmarks.suite.report import bench_report
from resemote_edge.benchmarks.suite.rows import KeptRow
from resemote_edge.benchmarks.suite.runner import Bench, SuiteProgress, run_steps, sort_out
from resemote_edge.data.registry import DatasetReader
from resemote_edge.errors import DeviceUnavailableError, InputError, ResEmoteEdgeError
from resemote_edge.machine.environment import capture_environment
from resemote_edge.measuring.results import BenchReport
from resemote_edge.measuring.row import refuse_batch
from resemote_edge.runtimes.registry import get_runtime, runtimes_for

__all__ = ["run_in_memory"]

#: Roles of files that a named runtime may run: also the ONNX that an engine is built from.
_ROLES = ("model", "source")


def run_in_memory(
    suite: Suite,
    artifacts: Sequence[Artifact],
    *,
    data: Path | None = None,
    output: Path | None = None,
    notice: Callable[[str], None] = lambda text: None,
    progress: Callable[[SuiteProgress], None] = lambda far: None,
) -> BenchReport:
    """Measure everything a suite asks for.

    Args:
        suite: Suite that is asked for; it names no artifacts and no exports.
        artifacts: Artifacts to measure.
        data: Dataset for accuracy; None leaves it out.
        output: Folder of the report, in which samples are kept; None keeps none.
        notice: Function called with what was found in the data, one sentence at a time.
        progress: Function called with the progress.

    Returns:
        The report. It lists combinations that failed, and, if the suite names no runtime, those that cannot run here as
        skipped, each with the reason.

    Raises:
        DeviceUnavailableError: A runtime that the suite names cannot work here, or nothing could be measured.
        InputError: A scenario, batch size or another setting makes no sense.
        ArtifactError: The artifact that accuracies are to be compared with is not whole.
        DatasetError: The data cannot be read.
        ResEmoteEdgeError: Every measurement failed.
    """
    check_suite(suite)
    if data is not None:
        split = "test" if suite.accuracy is None else suite.accuracy.split
        # Read before minutes of measuring, so that its notes come first.
        DatasetReader(lambda text: notice(f"note: {text}")).load(data, (split,))
    for artifact in artifacts:
        _refuse(artifact, suite)
    roles = _ROLES if suite.runtimes else ("model",)
    plan = make_plan(suite, [SuiteArtifact.of(one, roles) for one in artifacts], with_accuracy=data is not None)
    if not plan.steps:
        reasons = "; ".join(f"{row.artifact} in {row.runtime}: {row.reason}" for row in plan.unmeasured)
        raise DeviceUnavailableError(f"nothing to measure here: {reasons}")
    wanted = None if data is None or suite.accuracy is None else suite.accuracy.reference
    bench = Bench(
        suite=suite,
        environment=capture_environment(),
        output=output,
        data=data,
        reference=None if wanted is None else SuiteArtifact.of(Artifact.load(wanted)),
    )
    kept: dict[str, KeptRow] = {}
    run_steps(bench, sort_out(bench, plan.steps), kept, notice=lambda text: None, progress=progress)
    report = bench_report(bench, plan, kept)
    if not report.rows:
        raise ResEmoteEdgeError("every measurement failed: " + "; ".join(row.reason for row in report.unmeasured))
    return report


def _refuse(artifact: Artifact, suite: Suite) -> None:
    """Refuse an artifact that cannot be run with a batch size or runtime that the suite names."""
    for batch in suite.batches:
        refuse_batch(artifact, batch)
    for name in suite.runtimes or ():
        runtime = get_runtime(name)
        if artifact.find(runtime.formats, roles=_ROLES) is None:
            known = ", ".join(runtimes_for(artifact))
            raise InputError(f"{artifact.path}: runtime {name} cannot load it", hint=f"it runs in {known}")
        runtime.check(artifact, suite.session_options)
