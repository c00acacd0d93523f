"""``resemote-edge bench run``: the command that ``resemote-edge bench`` runs if none is named."""

from pathlib import Path

import click

from resemote_edge.cli.measuring import MeasuringChoice, measuring_options
from resemote_edge.cli.output import (
    echo_written,
    json_option,
    output_option,
    parse_batches,
    parse_names,
    runtime_option,
    suite_progress,
    threads_option,
    variant_option,
)


@click.command()
@click.argument("artifacts", type=click.Path(path_type=Path), nargs=-1)
@variant_option
@runtime_option("all")
@click.option(
    "--scenario",
    default="single-stream",
    show_default=True,
    help="Scenarios to measure, separated by commas: single-stream, multi-stream, offline, camera, sustained.",
)
@click.option(
    "--batch", default="1,8", show_default=True, help="Numbers of crops per call or frame, separated by commas."
)
@threads_option
@click.option(
    "--streams",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Number of sessions that run side by side in the scenario offline.",
)
@measuring_options
@output_option("Folder to write the report and every sample into.")
@click.option("--force", is_flag=True, help="Replace an earlier report in the folder.")
@json_option
def run(
    artifacts: tuple[Path, ...],
    variant: str | None,
    runtime: str,
    scenario: str,
    batch: str,
    threads: int | None,
    streams: int,
    output: Path | None,
    force: bool,
    as_json: bool,
    measuring: MeasuringChoice,
) -> None:
    """Measure latency, memory, size and accuracy of ARTIFACTS.

    ARTIFACTS are folders that 'export' made. If none is named, the embedded weights are exported into artifacts/ first,
    for each runtime that is measured; an export that is already there is used again. Accuracy is measured if --data
    names a dataset.

    Each combination of artifact, runtime, scenario and batch size is a row of the report. Every row is measured in its
    own process, pinned to as many cores as --threads says. If a row fails, the report says why, the other rows are
    still measured, and the exit code is 1. With -o, the command writes report.json, report.csv, report.md, report.html,
    latency.png and samples/.

    \b
    Example:
      resemote-edge bench --runtime openvino
      resemote-edge bench artifacts/* --runtime all --batch 1,8 --data fer2013.zip -o bench-results
      resemote-edge bench --runtime openvino --scenario camera --batch 4 --fps 30
    """
    import sys

    from resemote_edge.artifacts.files import refuse_files
    from resemote_edge.benchmarks.report.files import REPORT_FILES, write_report
    from resemote_edge.benchmarks.suite.in_memory import run_in_memory
    from resemote_edge.cli.views.bench import show_report
    from resemote_edge.workflows.default_artifact import artifacts_or_default

    refuse_files(output, REPORT_FILES, force=force)
    suite = measuring.suite(
        runtimes=None if runtime == "all" else (runtime,),
        scenarios=parse_names(scenario),
        batches=parse_batches(batch),
        threads=None if threads is None else (threads,),
        streams=(streams,),
    )
    opened = artifacts_or_default(
        artifacts, runtime, measuring.device, lambda text: click.echo(text, err=True), variant
    )
    with suite_progress() as (notice, progress):
        report = run_in_memory(suite, opened, data=measuring.data, output=output, notice=notice, progress=progress)
    show_report(report, as_json=as_json)
    if output is not None:
        echo_written(write_report(report, output), ("page",))
    sys.exit(1 if report.failed else 0)
