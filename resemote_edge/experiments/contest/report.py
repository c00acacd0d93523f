"""Reports of a contest: tables for documents, ``report.md`` and the picture of the ratios."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from resemote_edge.artifacts.files import write_file, write_picture
from resemote_edge.benchmarks.report.columns import NOT_MEASURED
from resemote_edge.benchmarks.report.table import table_text
from resemote_edge.errors import where_installed
from resemote_edge.experiments.contest.results import ContestReport, RatioResult

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

__all__ = [
    "CONTEST_FILES",
    "difference_table",
    "latency_table",
    "markdown_contest",
    "measured_line",
    "ratio_table",
    "row_accuracy_table",
    "write_contest_report",
]

#: Names of the files that `write_contest_report` writes.
CONTEST_FILES = ("report.json", "report.md", "ratios.png")


def measured_line(report: ContestReport) -> str:
    """Say in a sentence when and on what it was measured."""
    environment = report.environment
    width = "" if report.contest.width is None else f", width {report.contest.width}"
    return (
        f"Measured {report.created_utc[:10]} on {environment['cpu_model']} "
        f"({', '.join(environment['cpu_features'])}){width}."
    )


def latency_table(report: ContestReport, threads: int | None = None) -> str:
    """Write latency (training: throughput), size, and accuracy if measured, of every row in Markdown.

    Args:
        report: Report of the contest.
        threads: Number of CPU threads; None for the most that were measured.
    """
    threads = threads or max(report.contest.threads)
    batches = sorted(report.contest.batches)
    trains = all(row.training is not None for row in report.contest.rows)
    quantity = "images/s" if trains else "p50 ms"
    p50 = [f"{quantity}, batch {batch}, {_threads(threads)}" for batch in batches]
    cells = {(cell.row, cell.batch): cell for cell in report.cells if cell.threads == threads}
    accuracy = {entry.row: f"{entry.report.accuracy * 100:.2f} %" for entry in report.accuracy}
    rows = []
    for row in report.contest.rows:
        found = [cells[row.name, batch] for batch in batches if (row.name, batch) in cells]
        if not found:
            rows.append([row.label, row.runtime or "-", *[NOT_MEASURED] * len(batches), "-", NOT_MEASURED])
            continue
        latencies = [
            f"{cell.batch / cell.latency_p50_ms * 1000:.0f}" if trains else f"{cell.latency_p50_ms:.2f}"
            for cell in found
        ]
        size = f"{found[0].model_size_bytes / 1e6:.1f}"
        rows.append([row.label, found[0].runtime, *latencies, size, accuracy.get(row.name, NOT_MEASURED)])
    headers = ["who", "runtime", *p50, "trained parameters, MB" if trains else "model MB", "accuracy"]
    if not accuracy:  # The column would be empty, as it is for random weights.
        headers, rows = headers[:-1], [row[:-1] for row in rows]
    return table_text(headers, rows, words=headers[:2])


def ratio_table(report: ContestReport) -> str:
    """Write every comparison with its interval, in Markdown."""
    rows = [
        [
            result.name,
            str(result.threads),
            str(result.batch),
            f"{result.ratio:.2f}",
            f"{result.interval_95[0]:.2f} to {result.interval_95[1]:.2f}",
        ]
        for result in report.ratios
    ]
    headers = ["times faster", "threads", "batch", "ratio of p50", "95 % interval"]
    return table_text(headers, rows, words=headers[:1])


def row_accuracy_table(report: ContestReport) -> str:
    """Write the accuracy of every row it was measured for, in Markdown."""
    labels = {row.name: row.label for row in report.contest.rows}
    runtimes = {cell.row: cell.runtime for cell in report.cells}
    rows = []
    for entry in report.accuracy:
        found, low, high = entry.report.accuracy, *entry.report.accuracy_interval_95
        without, ece = entry.report.accuracy_without_train_duplicates, entry.report.ece
        rows.append(
            [
                labels[entry.row],
                runtimes[entry.row],
                f"{found * 100:.2f} %",
                f"{low * 100:.2f} to {high * 100:.2f}",
                NOT_MEASURED if without is None else f"{without * 100:.2f} %",
                NOT_MEASURED if ece is None else f"{ece:.3f}",
            ]
        )
    headers = ["who", "runtime", "accuracy", "95 % interval", "without training copies", "calibration error"]
    return table_text(headers, rows, words=headers[:2])


def difference_table(report: ContestReport) -> str:
    """Write every comparison of accuracy, in Markdown: points by which ours is above the other."""
    rows = []
    for entry in report.differences:
        # Not negated, because that would print no drop as -0.00.
        gain, high, low = (0.0 - points for points in (entry.paired.drop_points, *entry.paired.drop_interval_95))
        rows.append([entry.name, f"{gain:+.2f}", f"{low:+.2f} to {high:+.2f}"])
    return table_text(["more accurate", "points", "95 % interval, paired"], rows, words=["more accurate"])


def markdown_contest(report: ContestReport, picture: str | None = None) -> str:
    """Write the whole report in Markdown.

    Args:
        report: Report of the contest.
        picture: File name of the chart beside it, if there is one.
    """
    contest, environment = report.contest, report.environment
    fewest = min(cell.rounds for cell in report.cells)
    lines = [
        f"# Contest {contest.name}",
        "",
        contest.description,
        "",
        f"Measured {report.created_utc} on {environment['cpu_model']}, {environment['cores_allowed']} cores "
        f"({', '.join(environment['cpu_features'])}), {environment['os']}, kernel {environment['kernel']}; "
        f"load average before: {environment['load_average_1m']:.2f}.",
        "",
        *_networks(report),
        f"- Tools: {', '.join(f'{name} {version}' for name, version in report.tools.items())}",
        f"- Commit: {environment['git_commit'] or 'not a checkout'}",
        f"- Timed on: {report.inputs}",
        f"- Every row in a process of its own, in turn; at least {fewest} rounds per cell; untimed calls of each turn: "
        f"{contest.warmup_runs}, timed calls: {contest.runs_per_turn}; nothing clipped",
        "",
    ]
    for threads in sorted(contest.threads):
        lines += [f"## {_threads(threads)}".capitalize(), "", latency_table(report, threads)]
    if report.ratios:
        lines += ["## Ratios", "", "p50 of the other over p50 of ours; the interval is a bootstrap over rounds.", ""]
        lines += [ratio_table(report)]
    if report.accuracy:
        judged = report.accuracy[0].report
        lines += ["## Accuracy", "", f"On {judged.dataset}, {judged.samples:,} images.", "", row_accuracy_table(report)]
    if report.differences:
        lines += ["Ours less the other, on the same images:", "", difference_table(report)]
    if picture:
        lines += [f"![ratios with intervals]({picture})", ""]
    if report.skipped:
        lines += ["Not measured here:", "", *[f"- {row.row}: {row.reason}" for row in report.skipped], ""]
    return "\n".join(lines)


def write_contest_report(report: ContestReport, folder: Path) -> dict[str, Path]:
    """Write ``report.json``, ``report.md`` and, where there are ratios and matplotlib, ``ratios.png``.

    Args:
        report: Report of the contest.
        folder: Folder to write to; created if need be.

    Returns:
        The paths written, by kind (``json``, ``markdown``, ``picture``).
    """
    data, text, picture = (folder / name for name in CONTEST_FILES)
    write_file(data, report.to_json())
    written = {"json": data, "markdown": text}
    picture.unlink(missing_ok=True)  # An old one would show other figures.
    if report.ratios:
        with where_installed("matplotlib"):
            _draw_ratios(report, picture)
            written["picture"] = picture
    write_file(text, markdown_contest(report, picture.name if "picture" in written else None))
    return written


def _networks(report: ContestReport) -> list[str]:
    """List the networks that the rows run."""
    contest = report.contest
    lines = []
    if contest.width is not None:
        lines.append(f"- Network: width {contest.width}, random weights (seed {contest.seed}), the same for every row")
    variants = dict.fromkeys(row.checkpoint for row in contest.rows if row.checkpoint is not None)
    if variants:
        lines.append(f"- Network of ours: embedded trained weights, {', '.join(variants)}")
    if any(row.network == "own" for row in contest.rows):
        lines.append("- Other networks: as the peers bring them")
    return lines


def _threads(count: int) -> str:
    return f"{count} thread{'s' if count > 1 else ''}"


def _draw_ratios(report: ContestReport, path: Path) -> None:
    from matplotlib.figure import Figure

    names = list(dict.fromkeys(result.name for result in report.ratios))
    threads = sorted({result.threads for result in report.ratios})
    batches = sorted({result.batch for result in report.ratios})
    size = (4.2 + 4.2 * len(threads), 1.6 + 0.32 * len(names) * len(batches))
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(1, len(threads), sharey=True, sharex=True, squeeze=False)[0]
    height = 0.8 / len(batches)
    for axes, count in zip(panels, threads, strict=True):
        for offset, batch in enumerate(batches):
            results = [result for result in report.ratios if (result.threads, result.batch) == (count, batch)]
            places = [names.index(result.name) + offset * height for result in results]
            _draw_bars(axes, results, places, height, f"batch {batch}")
        axes.axvline(1.0, color="0.4", linewidth=1)
        axes.margins(x=0.25)  # room for the numbers
        axes.set_title(_threads(count))
        axes.set_xlabel("times faster (ratio of p50); whisker: 95 % interval")
    axes = panels[0]
    axes.set_yticks([place + 0.4 - height / 2 for place in range(len(names))], names, fontsize=9)
    axes.invert_yaxis()
    figure.legend(*_legend(panels), loc="outside upper right", ncols=len(batches) + 1)
    write_picture(figure, path)


def _draw_bars(axes: "Axes", results: list[RatioResult], places: list[float], height: float, label: str) -> None:
    ratios = [result.ratio for result in results]
    # From few rounds, the interval may not contain the ratio, but a whisker cannot be negative.
    low = [max(0.0, result.ratio - result.interval_95[0]) for result in results]
    high = [max(0.0, result.interval_95[1] - result.ratio) for result in results]
    axes.barh(places, ratios, height * 0.9, label=label, xerr=[low, high], capsize=2)
    for result, place in zip(results, places, strict=True):
        right = max(result.ratio, result.interval_95[1])
        axes.text(right, place, f"  {result.ratio:.2f}", va="center", fontsize=8)


def _legend(panels: "Iterable[Axes]") -> "tuple[list[Artist], list[str]]":
    """Handles and labels of all panels, each label once."""
    found: dict[str, Artist] = {}
    for axes in panels:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    return list(found.values()), list(found)
