"""``resemote-edge bench suite``."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from resemote_edge.cli.output import data_option, echo_json, echo_written, json_option, output_option, suite_progress

if TYPE_CHECKING:
    from resemote_edge.workflows.suite_exports import SuiteForecast


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@output_option("Folder for the finished rows, every sample and the report.", required=True)
@data_option
@click.option(
    "--dry-run", is_flag=True, help="List what would be measured and how long it would take. Nothing is written."
)
@click.option("--retry-failed", is_flag=True, help="Measure the rows again that failed in an earlier run.")
@json_option
def suite(file: Path, output: Path, data: Path | None, dry_run: bool, retry_failed: bool, as_json: bool) -> None:
    """Measure every combination that a suite FILE describes.

    FILE is TOML. It names artifacts, or weights to export, and the runtimes, scenarios, thread counts and batch sizes
    to measure them with. Suites are in benchmarks/suites/ of a checkout.

    Every finished row is kept in the output folder. After an interruption, the same command continues with the rows
    that are missing. A row is measured again if its artifact, its settings or a version has changed. If a row fails,
    the report says why, the other rows are still measured, and the exit code is 1. The command writes report.json,
    report.csv, report.md, report.html and latency.png.

    \b
    Example:
      resemote-edge bench suite benchmarks/suites/smoke.toml -o suite-results --dry-run
      resemote-edge bench suite benchmarks/suites/machine.toml -o suite-results
      resemote-edge bench suite benchmarks/suites/machine.toml -o suite-results --data fer2013.zip
    """
    from resemote_edge.benchmarks.report.files import write_report
    from resemote_edge.benchmarks.suite.file import load_suite
    from resemote_edge.cli.views.bench import show_report
    from resemote_edge.errors import needs

    loaded = load_suite(file)
    with needs("export", "running a suite"):
        from resemote_edge.workflows.suite_exports import forecast_suite, run_suite

    if dry_run:
        forecast = forecast_suite(loaded, output, data=data, retry_failed=retry_failed)
        _show_forecast(forecast, as_json=as_json)
        return
    if loaded.suite.accuracy is not None and data is None:
        click.echo("accuracy is not measured: pass --data with the dataset", err=True)
    with suite_progress() as (notice, progress):
        outcome = run_suite(loaded, output, data=data, retry_failed=retry_failed, notice=notice, progress=progress)
    show_report(outcome.report, as_json=as_json)
    echo_written(write_report(outcome.report, output), ("page",))
    if outcome.interrupted is not None:
        click.echo("interrupted; finished rows are kept, and the same command continues with the others", err=True)
        sys.exit(128 + outcome.interrupted)
    sys.exit(1 if outcome.report.failed else 0)


def _show_forecast(forecast: "SuiteForecast", *, as_json: bool) -> None:
    import msgspec

    from resemote_edge.benchmarks.suite.clock import duration_text

    rows = [
        {
            "row": str(one.step),
            "state": one.state,
            "reason": one.why or None,
            "estimated_seconds": forecast.seconds.get(at),
        }
        for at, one in enumerate(forecast.planned)
    ]
    if as_json:
        echo_json(
            {
                "rows": rows,
                "exports": list(forecast.exports),
                "unmeasured": msgspec.to_builtins(forecast.unmeasured),
                "estimated_seconds": forecast.total_seconds,
            }
        )
        return
    for name in forecast.exports:
        click.echo(f"export    {name}")
    for row in rows:
        seconds = row["estimated_seconds"]
        takes = "" if seconds is None else f", about {duration_text(float(str(seconds)))}"
        reason = f" ({row['reason']})" if row["reason"] else ""
        click.echo(f"{row['state']:9} {row['row']}{takes}{reason}")
    for unmeasured in forecast.unmeasured:
        click.echo(f"{unmeasured.state:9} {unmeasured.artifact} in {unmeasured.runtime}: {unmeasured.reason}")
    todo = len(forecast.seconds)
    click.echo(f"{todo} of {len(rows)} rows to measure, about {duration_text(forecast.total_seconds)}")
