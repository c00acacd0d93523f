"""run_demo: the main job from end to end, on small embedded weights, in minutes even on a slow machine."""

from collections.abc import Callable, Container
from dataclasses import dataclass
from pathlib import Path

from resemote_edge.artifacts.artifact import Artifact
from resemote_edge.artifacts.files import refuse_files
from resemote_edge.artifacts.self_test import self_test
from resemote_edge.benchmarks.report.files import REPORT_FILES, write_report
from resemote_edge.benchmarks.suite.file import SUITE_SCHEMA, Exclude, Suite
from resemote_edge.benchmarks.suite.in_memory import run_in_memory
from resemote_edge.benchmarks.suite.runner import SuiteProgress
from resemote_edge.data.locate import find_fer2013
from resemote_edge.export.command import ExportOptions, run_export
from resemote_edge.export.context import ExportContext
from resemote_edge.export.summary import describe_lines
from resemote_edge.export.targets import TARGETS
from resemote_edge.measuring.results import BenchReport
from resemote_edge.runtimes.registry import RUNTIMES, open_session, probe_all, runtimes_for, why_unavailable
from resemote_edge.weights import choose_checkpoint

__all__ = ["DemoResult", "run_demo"]


@dataclass(frozen=True)
class DemoResult:
    """Result of the demo.

    Attributes:
        report: Report of the measurements.
        written: Files of the report, by kind.
        unavailable: Runtimes that cannot work on this machine, each with the reason.
    """

    report: BenchReport
    written: dict[str, Path]
    unavailable: dict[str, str]


def run_demo(
    data: Path | None,
    output: Path,
    *,
    variant: str,
    force: bool = False,
    notice: Callable[[str], None] = lambda text: None,
    progress: Callable[[SuiteProgress], None] = lambda far: None,
) -> DemoResult:
    """Export to every target, run each artifact's self-test, and measure each in the runtime its target is made for.

    Args:
        data: Dataset FER2013; None to look where `find_fer2013` looks.
        output: Folder for the artifacts and the report.
        variant: Name of the embedded weights.
        force: Whether to replace what an earlier demo left there.
        notice: Function called with what happens, one line at a time.
        progress: Function called with the progress.

    Raises:
        ResEmoteEdgeError: An export or a measurement failed.
    """
    refuse_files(output, REPORT_FILES, force=force)
    checkpoint = choose_checkpoint(None, variant)
    data = data or find_fer2013()
    notice(f"dataset: {data}" if data else "no dataset: drawn faces for parity and latency, no accuracy")
    unavailable = {name: found.reason for name, found in probe_all().items() if not found.available}
    for name, reason in unavailable.items():
        notice(f"runtime {name} cannot work here: {reason}")
    artifacts = []
    context = ExportContext()
    for target, precision in [(name, each) for name, info in TARGETS.items() for each in info.demo]:
        name = f"{checkpoint.stem}-{target}-{precision}"
        options = ExportOptions(
            checkpoint=checkpoint, target=target, precision=precision, data=data, output=output / name, force=force
        )
        artifact = run_export(options, context=context)
        for line in describe_lines(artifact):
            notice(line)
        artifacts.append(artifact)
        _self_test(artifact, unavailable, notice)
    report = run_in_memory(_suite(), artifacts, data=data, progress=progress)
    return DemoResult(report, write_report(report, output), unavailable)


def _suite() -> Suite:
    """A suite of every artifact in the runtime that its target is made for."""
    others = {
        target: tuple(name for name in RUNTIMES if name != info.home_runtime)
        for target, info in TARGETS.items()
        if info.demo
    }
    return Suite(
        schema=SUITE_SCHEMA,
        name="demo",
        description="What the demo measures.",
        preset="quick",
        excludes=tuple(Exclude(target=target, runtime=names) for target, names in others.items()),
    )


def _self_test(artifact: Artifact, unavailable: Container[str], notice: Callable[[str], None]) -> None:
    for name in runtimes_for(artifact):
        if name in unavailable:
            continue  # already said, for all artifacts
        reason = why_unavailable(name, artifact)
        if reason is not None:
            notice(f"self-test in {name}: not run, {reason}")
            continue
        with open_session(artifact, name) as session:
            result = self_test(artifact, session)
        state = "passed" if result.passed else "FAILED"
        notice(f"self-test in {name} on {result.device}: {state}, difference {result.max_abs_diff:.2g}")
