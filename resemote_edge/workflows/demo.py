"""The demo: the main job, end to end, on embedded defaults."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from resemote_edge.artifacts.artifact import Artifact
from resemote_edge.artifacts.files import refuse_files
from resemote_edge.artifacts.self_test import self_test
from resemote_edge.benchmarks.report.files import REPORT_FILES, write_report
from resemote_edge.benchmarks.suite.matrix import BenchRequest, run_bench
from resemote_edge.data.locate import find_fer2013
from resemote_edge.export.command import ExportOptions, run_export
from resemote_edge.export.summary import describe
from resemote_edge.measuring.case import MeasureOptions
from resemote_edge.measuring.results import BenchReport
from resemote_edge.measuring.scenarios import preset
from resemote_edge.runtimes.registry import open_session, runtimes_for, why_unavailable
from resemote_edge.weights import choose_checkpoint

__all__ = ["DemoResult", "run_demo"]

#: Target and precision of each of the demo's exports.
_EXPORTS = (
    ("pytorch", "fp32"),
    ("onnx", "fp32"),
    ("onnx", "fp16"),
    ("openvino", "fp32"),
    ("openvino", "fp16"),
    ("onnx", "int8"),
    ("openvino", "int8"),
    ("tensorrt", "fp16"),
)


@dataclass(frozen=True)
class DemoResult:
    """Result of the demo.

    Attributes:
        report: Report of the measurements.
        written: Files of the report, by kind.
    """

    report: BenchReport
    written: dict[str, Path]


def run_demo(
    data: Path | None,
    output: Path,
    *,
    variant: str | None = None,
    force: bool = False,
    notice: Callable[[str], None] = lambda text: None,
    progress: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> DemoResult:
    """Export to every target, run each artifact's self-test, and measure.

    Args:
        data: Dataset FER2013; None to look where `find_fer2013` looks.
        output: Folder for the artifacts and the report.
        variant: Variant of the embedded weights; None for the default.
        force: Whether to replace what an earlier demo left there.
        notice: Function called with what happens, one line at a time.
        progress: Function called as `run_bench` calls it.

    Returns:
        The report, and the paths it was written to.

    Raises:
        ResEmoteEdgeError: An export or a measurement failed.
    """
    refuse_files(output, REPORT_FILES, force=force)
    checkpoint = choose_checkpoint(None, variant)
    data = data or find_fer2013()
    notice(f"dataset: {data}" if data else "no dataset: drawn faces for parity and latency, no accuracy")
    artifacts = []
    for target, precision in _EXPORTS:
        name = f"{checkpoint.stem}-{target}-{precision}"
        options = ExportOptions(
            checkpoint=checkpoint,
            target=target,
            precision=precision,
            data=data,
            output=output / name,
            force=force,
        )
        artifact = run_export(options)
        for line in describe(artifact, as_lines=True):
            notice(line)
        artifacts.append(artifact)
        _self_test(artifact, notice)
    request = BenchRequest(artifacts=tuple(artifacts), options=MeasureOptions(settings=preset("quick"), data=data))
    report = run_bench(request, progress)
    return DemoResult(report, write_report(report, output))


def _self_test(artifact: Artifact, notice: Callable[[str], None]) -> None:
    for name in runtimes_for(artifact):
        reason = why_unavailable(name, artifact)
        if reason is not None:
            notice(f"self-test in {name}: not run, {reason}")
            continue
        with open_session(artifact, name) as session:
            result = self_test(artifact, session)
        state = "passed" if result.passed else "FAILED"
        notice(f"self-test in {name} on {result.device}: {state}, difference {result.max_abs_diff:.2g}")
