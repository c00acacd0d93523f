"""A report of ``bench`` as a table."""

import click
from rich.table import Table

from resemote_edge.benchmarks.report.columns import COLUMNS, TEXT_COLUMNS, TOO_FEW, common_beginning
from resemote_edge.benchmarks.report.markdown import validity_table
from resemote_edge.cli.terminal import open_console
from resemote_edge.machine.throttling import throttling_text
from resemote_edge.measuring.results import BenchReport

__all__ = ["rich_table", "show_report"]

#: Columns that a terminal of 80 has room for, with headers to match; the files have every column.
_SCREEN_COLUMNS: dict[str, str] = {
    "runtime": "runtime",
    "batch": "batch",
    "p50 ms": "p50\nms",
    "p90 ms": "p90\nms",
    "p99 ms": "p99\nms",
    "crop to decision p50 ms": "crop*\nms",
    "samples/s": "per s",
    "peak MiB": "peak\nMiB",
    "model MB": "model\nMB",
}


def show_report(report: BenchReport, *, as_json: bool) -> None:
    """Print a report on stdout: its rows, its checks of the timer, and what was not measured."""
    if as_json:
        click.echo(report.to_json().decode(), nl=False)
        return
    console = open_console()
    if report.rows:
        console.print(rich_table(report))
    if report.validity:
        click.echo(validity_table(report))
    for row in report.unmeasured:
        at = " ".join(part for part in (row.scenario, row.batch and f"batch {row.batch}") if part)
        text = f"not measured: {row.artifact} in {row.runtime}{at and f', {at}'}: {row.reason}"
        console.print(text, style="yellow", markup=False)
    if report.suite is not None and report.suite.missing:
        console.print(f"{report.suite.missing} of {report.suite.planned} rows are missing", style="yellow")


def rich_table(report: BenchReport) -> Table:
    """The table for the screen."""
    prefix = common_beginning([row.artifact for row in report.rows])
    devices = ", ".join(sorted({row.speed.device for row in report.rows}))
    threads = sorted({row.threads for row in report.rows})
    columns = _screen_columns(report)
    table = Table(
        title=f"{prefix + '…, ' if prefix else ''}{', '.join(map(str, threads))} threads, {devices}",
        caption="p50, p90, p99: latency of one call; few: too few samples; crop*: p50 from crops to decisions; "
        f"acc. -: not measured; throttled: {throttling_text([row.speed.did_throttle for row in report.rows])}",
        title_justify="left",
        caption_justify="left",
        box=None,
        padding=(0, 1, 0, 0),
        pad_edge=False,
        header_style="bold",
    )
    table.add_column("artifact", overflow="fold")
    for name, header in columns.items():
        table.add_column(header, justify="left" if name in TEXT_COLUMNS else "right")
    table.add_column("acc.\n%", justify="right")
    shown = ""
    for row in report.rows:
        cells = [COLUMNS[name](row).replace(TOO_FEW, "few") for name in columns]
        accuracy = "-" if row.accuracy is None else f"{row.accuracy.accuracy * 100:.2f}"
        name = "" if row.artifact == shown else row.artifact.removeprefix(prefix)
        table.add_row(name, *cells, accuracy)
        shown = row.artifact
    return table


def _screen_columns(report: BenchReport) -> dict[str, str]:
    """Columns, those that tell rows apart first; scenario and threads only where there are several."""
    varied = {name for name in ("scenario", "threads") if len({getattr(row, name) for row in report.rows}) > 1}
    columns = dict(_SCREEN_COLUMNS)
    first = {"runtime": columns.pop("runtime")}
    for name in ("p90 ms", "peak MiB", "model MB") if "scenario" in varied else ():
        del columns[name]  # to make room
    return first | {name: name for name in ("scenario", "threads") if name in varied} | columns
