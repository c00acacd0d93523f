"""``resemote-edge bench run``, which ``resemote-edge bench`` means where it names no command."""

from pathlib import Path
from typing import Literal

import click

from resemote_edge.cli.output import (
    data_option,
    device_option,
    json_option,
    measuring_progress,
    precision_hint_option,
    runtime_option,
    threads_option,
    variant_option,
)


@click.command()
@click.argument("artifacts", type=click.Path(path_type=Path), nargs=-1)
@variant_option
@runtime_option("all")
@click.option("--batch", default="1,8", show_default=True, help="Batch sizes, comma-separated.")
@threads_option
@device_option
@precision_hint_option
@data_option
@click.option("--split", type=click.Choice(["validation", "test"]), default="test", show_default=True)
@click.option("--reference", type=click.Path(path_type=Path), help="Artifact to compare accuracy with, image by image.")
@click.option(
    "--crop-side", type=click.IntRange(min=8, max=1024), default=48, show_default=True, help="Pixels of the crops."
)
@click.option("--min-seconds", type=click.FloatRange(min=0.0), default=2.0, show_default=True, help="Timed, per row.")
@click.option("--min-runs", type=click.IntRange(min=1), default=50, show_default=True, help="Timed calls, per row.")
@click.option("--warmup", type=click.IntRange(min=0), default=10, show_default=True, help="Calls before the clock.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), default=None, help="Folder for report.json, report.md."
)
@click.option("--force", is_flag=True, help="Replace files at the destination.")
@json_option
def run(
    artifacts: tuple[Path, ...],
    variant: str | None,
    runtime: str,
    batch: str,
    threads: int | None,
    device: str,
    precision_hint: Literal["bf16"] | None,
    data: Path | None,
    split: str,
    reference: Path | None,
    crop_side: int,
    min_seconds: float,
    min_runs: int,
    warmup: int,
    output: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Measure latency, throughput, memory, size and (with --data) accuracy of ARTIFACTS.

    Every row is measured in a process of its own. Without ARTIFACTS, the embedded weights are exported for the runtime
    into artifacts/ first, or taken from there if they were exported before.

    \b
    Example:
      resemote-edge bench --runtime openvino
      resemote-edge bench artifacts/* --runtime all --batch 1,8 --data fer2013.zip -o bench-results
    """
    from rich.console import Console

    from resemote_edge.benchmarks.report import REPORT_FILES, rich_table, write_report
    from resemote_edge.benchmarks.runner import BenchRequest, parse_batches, run_bench
    from resemote_edge.default_artifact import artifacts_or_default
    from resemote_edge.staging import refuse_files

    refuse_files(output, REPORT_FILES, force=force)
    opened = artifacts_or_default(artifacts, runtime, device, lambda text: click.echo(text, err=True), variant)
    request = BenchRequest(
        artifacts=opened,
        runtime=runtime,
        batches=parse_batches(batch),
        threads=threads,
        device=device,
        data=data,
        split=split,
        reference=reference,
        crop_side=crop_side,
        warmup_runs=warmup,
        min_runs=min_runs,
        min_seconds=min_seconds,
        precision_hint=precision_hint,
    )
    with measuring_progress("measuring") as update:
        report = run_bench(request, progress=lambda _, done, total: update(done, total))
    if as_json:
        click.echo(report.to_json().decode(), nl=False)
    else:
        console = Console()
        console.print(rich_table(report))
        for row in report.skipped:
            console.print(f"not measured: {row.artifact} in {row.runtime}: {row.reason}", style="yellow", markup=False)
    if output is not None:
        written = write_report(report, output)
        for kind, path in written.items():
            click.echo(f"{kind}: {path}", err=True)
        if "picture" not in written:
            click.echo("no picture: it needs matplotlib; run: pip install 'resemote-edge[report]'", err=True)
