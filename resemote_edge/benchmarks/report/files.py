"""Reports: one table, drawn on screen, in Markdown, as a picture and as a page, from a `BenchReport`."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from resemote_edge.artifacts.files import write_file, write_picture
from resemote_edge.benchmarks.report.columns import (
    ACCURACY_COLUMNS,
    COLUMNS,
    ENERGY_COLUMNS,
    NOT_MEASURED,
    OUTCOME_COLUMNS,
    TEXT_COLUMNS,
    TOO_FEW,
    VALIDITY_COLUMNS,
    common_beginning,
    markdown,
)
from resemote_edge.benchmarks.report.csv import csv_report
from resemote_edge.benchmarks.report.html.page import render_page
from resemote_edge.errors import missing_dependency
from resemote_edge.evaluation.accuracy import AccuracyReport
from resemote_edge.machine.energy import Energy, NotMeasured
from resemote_edge.measuring.results import BenchReport, BenchRow, Unmeasured

if TYPE_CHECKING:
    from rich.table import Table

__all__ = [
    "NOT_MEASURED",
    "REPORT_FILES",
    "VIEW_FILES",
    "accuracy_table",
    "draw_confusion",
    "markdown_report",
    "markdown_table",
    "outcome_table",
    "rich_table",
    "validity_table",
    "write_report",
    "write_views",
]

#: What `write_report` writes.
REPORT_FILES = ("report.json", "report.csv", "report.md", "latency.png", "report.html")

#: What `write_views` writes, from the first of them.
VIEW_FILES = REPORT_FILES[1:]

#: Between groups of bars, in bars.
_GAP = 0.6

#: What a terminal of 80 columns has room for, with headers to match; the files have every column.
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


def rich_table(report: BenchReport) -> "Table":
    """The table for the screen."""
    from rich.table import Table

    prefix = common_beginning([row.artifact for row in report.rows])
    devices = ", ".join(sorted({row.speed.device for row in report.rows}))
    threads = sorted({row.threads for row in report.rows})
    columns = _screen_columns(report)
    table = Table(
        title=f"{prefix + '…, ' if prefix else ''}{', '.join(map(str, threads))} threads, {devices}",
        caption="p50, p90, p99: latency of one call; few: too few samples; crop*: p50 from crops to decisions; "
        "acc. -: not measured",
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
    """Those that tell rows apart come first: scenario and threads only where there are several."""
    varied = {name for name in ("scenario", "threads") if len({getattr(row, name) for row in report.rows}) > 1}
    columns = dict(_SCREEN_COLUMNS)
    first = {"runtime": columns.pop("runtime")}
    for name in ("p90 ms", "peak MiB", "model MB") if "scenario" in varied else ():
        del columns[name]  # to make room
    return first | {name: name for name in ("scenario", "threads") if name in varied} | columns


def markdown_table(report: BenchReport) -> str:
    """The table in Markdown."""
    return markdown(COLUMNS, report.rows)


def accuracy_table(report: BenchReport) -> str:
    """Accuracy alone in Markdown: a line per artifact and runtime, whatever the batch size."""
    once = {(row.artifact, row.runtime): row for row in reversed(report.rows) if row.accuracy is not None}
    return markdown(ACCURACY_COLUMNS, reversed(once.values()))


def validity_table(report: BenchReport) -> str:
    """Checks of our timer in Markdown."""
    return markdown(VALIDITY_COLUMNS, report.validity)


def outcome_table(report: BenchReport, scenario: str) -> str:
    """What one scenario says beyond latency, in Markdown; empty where no row says anything."""
    rows = [row for row in report.rows if row.scenario == scenario and row.speed.outcome is not None]
    return markdown(OUTCOME_COLUMNS[scenario], rows) if rows else ""


def markdown_report(report: BenchReport, picture: str | None = None) -> str:
    """The whole report in Markdown.

    Args:
        report: What was measured.
        picture: File name of the chart beside it, if there is one.
    """
    environment = report.environment
    packages = ", ".join(f"{name} {version}" for name, version in environment["packages"].items())
    accuracy = report.accuracy_data or "not measured (no dataset was given)"
    lines = [
        "# Benchmark report",
        "",
        *_suite_lines(report),
        f"Measured {report.created_utc} on {environment['cpu_model']}, {environment['cores_allowed']} cores "
        f"({', '.join(environment['cpu_features'])}), {environment['os']}, kernel {environment['kernel']}; "
        f"load average before: {environment['load_average_1m']:.2f}.",
        "",
        f"- GPUs: {'; '.join(environment['gpus']) or 'none'}",
        f"- Packages: {packages}",
        f"- Commit: {environment['git_commit'] or 'not a checkout'}",
        f"- Timed on: {report.inputs}; every row in a process of its own, {_warm_up(report)}nothing clipped",
        *_harness_lines(report),
        f"- Accuracy: {accuracy}",
        "",
        markdown_table(report) if report.rows else "No row was measured.\n",
    ]
    if picture:
        lines += [f"![p50 latency per crop]({picture})", ""]
    for scenario in OUTCOME_COLUMNS:
        table = outcome_table(report, scenario)
        if table:
            lines += [f"## {scenario}", "", table]
    lines += _energy_lines(report)
    lines += _throttled_lines(report)
    if report.validity:
        lines += ["## Our timer against others", "", validity_table(report)]
    if report.unmeasured:
        lines += ["Not measured here:", ""]
        lines += [f"- {_who(row)} ({row.state}): {row.reason}" for row in report.unmeasured]
        lines.append("")
    return "\n".join(lines)


def _energy_lines(report: BenchReport) -> list[str]:
    measured = [row for row in report.rows if isinstance(row.speed.energy, Energy)]
    reasons = (row.speed.energy.reason for row in report.rows if isinstance(row.speed.energy, NotMeasured))
    lines = [f"- not measured: {reason}" for reason in dict.fromkeys(reasons)]
    if measured:
        lines = [markdown(ENERGY_COLUMNS, measured), *lines]
    return ["## Energy", "", *lines, ""] if lines else []


def _throttled_lines(report: BenchReport) -> list[str]:
    """Rows during which the machine was slowed down or heated."""
    lines = [
        f"- {row.artifact} in {row.runtime}, {row.scenario}, batch {row.batch}: {'; '.join(row.speed.throttled)}"
        for row in report.rows
        if row.speed.throttled
    ]
    return ["## The machine changed while it was measured", "", *lines, ""] if lines else []


def _who(row: Unmeasured) -> str:
    parts = [f"{row.artifact} in {row.runtime}", *([row.scenario] if row.scenario else [])]
    parts += [] if row.batch is None else [f"batch {row.batch}"]
    parts += [] if row.threads is None else [f"threads {row.threads}"]
    return ", ".join(parts)


def _suite_lines(report: BenchReport) -> list[str]:
    suite = report.suite
    if suite is None:
        return []
    lines = [f"Suite `{suite.name}`: {suite.description}", ""]
    if suite.missing:
        missing = f"{suite.missing} of {suite.planned} rows are missing"
        lines += [f"**Partial: {missing}; the command that made this report goes on with them.**", ""]
    return [*lines, *(line for note in suite.notes for line in (note, ""))]


def _warm_up(report: BenchReport) -> str:
    if not report.rows:
        return ""
    return f"after at least {min(row.speed.warm_up.runs for row in report.rows)} warm-up calls, "


def _harness_lines(report: BenchReport) -> list[str]:
    costs = [row.speed.harness_p50_us for row in report.rows if row.speed.harness_p50_us is not None]
    if not costs:
        return []
    fastest = min(row.speed.model.p50_ms for row in report.rows) * 1e3
    share = max(costs) / fastest * 100
    return [f"- The harness itself: {max(costs):.1f} us a call at most, {share:.2f} % of the fastest row"]


def write_report(report: BenchReport, folder: Path) -> dict[str, Path]:
    """Write ``report.json``, and what `write_views` makes of it.

    Args:
        report: What was measured.
        folder: Where; created if need be. Samples that the report names are looked for in it.

    Returns:
        The paths written, by kind (``json`` and those of `write_views`).

    Raises:
        InputError: Samples in the folder are not those that the report is of; all but the page is written.
    """
    data = folder / REPORT_FILES[0]
    write_file(data, report.to_json())
    return {"json": data, **write_views(report, folder, data=data)}


def write_views(
    report: BenchReport,
    folder: Path,
    *,
    data: Path,
    samples: Path | None = None,
    rooflines: Mapping[str, str] | None = None,
) -> dict[str, Path]:
    """Write ``report.csv``, ``report.md``, and what needs the extra ``report``.

    That is ``latency.png``, where there are rows, and ``report.html``. What cannot be drawn here is left out, and one
    of an earlier report is removed: it would not show these figures.

    Args:
        report: What was measured.
        folder: Where; created if need be.
        data: The report's JSON; the page links to it where it lies in `folder`.
        samples: Folder that names of samples are relative to; None for that of the JSON.
        rooflines: Title to SVG, for the page.

    Returns:
        The paths written, by kind (``csv``, ``markdown``, ``picture``, ``page``).

    Raises:
        InputError: Samples are not those that the report is of, or a roofline is no SVG; all but the page is written.
    """
    table, text, picture, page = (folder / name for name in VIEW_FILES)
    page.unlink(missing_ok=True)
    write_file(table, csv_report(report))
    written = {"csv": table, "markdown": text}
    try:
        if report.rows:
            _draw_latency(report, picture)
            written["picture"] = picture
    except ImportError:
        pass
    if "picture" not in written:
        picture.unlink(missing_ok=True)
    write_file(text, markdown_report(report, picture.name if "picture" in written else None))
    files = [path.name for path in (data, *written.values()) if path.parent == folder]
    try:
        write_file(page, render_page(report, folder=samples or data.parent, files=files, rooflines=rooflines))
        written["page"] = page
    except ImportError:
        pass
    return written


def _draw_latency(report: BenchReport, path: Path) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    varied = [
        name for name in ("scenario", "threads", "streams") if len({getattr(row, name) for row in report.rows}) > 1
    ]
    labels = [_label(row, varied) for row in report.rows]
    names = list(dict.fromkeys(labels))
    batches = sorted({row.batch for row in report.rows})
    # A bar below the other, with a gap before the next group.
    order = sorted(range(len(labels)), key=lambda at: names.index(labels[at]))
    places = {at: place + names.index(labels[at]) * _GAP for place, at in enumerate(order)}
    figure = Figure(figsize=(9, 1.2 + 0.3 * (len(places) + _GAP * len(names))), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for batch in batches:
        chosen = [(places[at], row.speed.model) for at, row in enumerate(report.rows) if row.batch == batch]
        p50 = [model.p50_ms / batch for _, model in chosen]
        # Where there is no p99, there is no whisker.
        tails = [(model.p99_ms or model.p50_ms) / batch - low for (_, model), low in zip(chosen, p50, strict=True)]
        errors = [[0.0] * len(tails), tails]
        bars = axes.barh([place for place, _ in chosen], p50, 0.9, label=f"batch {batch}", xerr=errors, capsize=2)
        axes.bar_label(bars, [f" {value:.2f}" for value in p50], label_type="center", fontsize=8, color="white")
    middles = [np.mean([places[at] for at, label in enumerate(labels) if label == name]) for name in names]
    axes.set_yticks(middles, names, fontsize=8)
    axes.invert_yaxis()
    axes.set_xlabel("ms per crop: bar p50, whisker p99")
    axes.legend()
    write_picture(figure, path)


def _label(row: BenchRow, varied: list[str]) -> str:
    """Who a bar is about: artifact, runtime, and whatever differs between rows."""
    words = {"scenario": row.scenario, "threads": f"{row.threads} threads", "streams": f"{row.streams} streams"}
    return "\n".join([row.artifact, ", ".join([row.runtime, *(words[name] for name in varied)])])


def draw_confusion(report: AccuracyReport, path: Path) -> None:
    """Draw the confusion matrix as a picture, each row in percent of its class.

    Args:
        report: From `measure_accuracy`.
        path: PNG to write.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise missing_dependency("matplotlib", "report", "drawing the confusion matrix") from None
    figure = Figure(figsize=(6.4, 5.6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    shares = [[count / max(sum(row), 1) * 100 for count in row] for row in report.confusion]
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=100)
    ticks = range(len(report.labels))
    axes.set_xticks(ticks, report.labels, rotation=30, ha="right")
    axes.set_yticks(ticks, report.labels)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    axes.set_title(f"{report.dataset}: {report.accuracy * 100:.2f} % of {report.samples}")
    for row in ticks:
        for column in ticks:
            share = shares[row][column]
            axes.text(column, row, f"{share:.0f}", ha="center", va="center", color="white" if share > 55 else "black")
    figure.colorbar(image, label="% of the true class", shrink=0.85)
    write_picture(figure, path)
