"""``resemote-edge bench run``, which ``resemote-edge bench`` runs if no command is named."""

from pathlib import Path

import click

from resemote_edge.cli.measuring import MeasuringChoice, measuring_options
from resemote_edge.cli.output import (
    echo_written,
    json_option,
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
    help="single-stream, multi-stream, offline, camera, sustained; comma-separated.",
)
@click.option("--batch", default="1,8", show_default=True, help="Crops per call or frame, comma-separated.")
@threads_option
@click.option("--streams", type=click.IntRange(min=1), default=1, show_default=True, help="Sessions, in offline.")
@measuring_options
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), default=None, help="Folder for the report and all samples."
)
@click.option("--force", is_flag=True, help="Replace files at the destination.")
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
    """Measure latency, throughput, memory, size and (with --data) accuracy of ARTIFACTS.

    Every row is measured in a process of its own, pinned to as many cores as it has threads. Without ARTIFACTS, the
    embedded weights are exported for the runtime into artifacts/ first, or taken from there if they were exported
    before. Where a measurement fails, its row says why, the others go on, and the exit code is 1.

    \b
    Example:
      resemote-edge bench --runtime openvino
      resemote-edge bench artifacts/* --runtime all --batch 1,8 --data fer2013.zip -o bench-results
      resemote-edge bench --runtime openvino --scenario camera --batch 4 --fps 30
    """
    import sys

    from resemote_edge.artifacts.files import refuse_files
    from resemote_edge.benchmarks.report.files import REPORT_FILES, write_report
    from resemote_edge.benchmarks.suite.in_memory import parse_batches, parse_names, run_in_memory
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
    with suite_progress() as (_, progress):
        report = run_in_memory(suite, opened, data=measuring.data, output=output, progress=progress)
    show_report(report, as_json=as_json)
    if output is not None:
        echo_written(write_report(report, output), ("page",))
    sys.exit(1 if report.failed else 0)
