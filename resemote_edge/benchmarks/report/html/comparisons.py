"""Comparisons over the whole report: the headline's figures, accuracy against latency, throughput against batch."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from resemote_edge.benchmarks.report.html.pictures.gallery import Exhibit, show
from resemote_edge.benchmarks.report.html.pictures.lines import Line, LinePanel, LineStyle, lines
from resemote_edge.benchmarks.report.html.pictures.tradeoff import Point, TradeoffPanel, front_of, tradeoff
from resemote_edge.benchmarks.report.html.series import Panel, Series, SeriesIndex, panels_of
from resemote_edge.measuring.results import BenchRow
from resemote_edge.measuring.scenarios import SCENARIOS, Offline

__all__ = ["Best", "Front", "accuracy_exhibit", "bests", "scenario_order", "throughput_exhibit"]


@dataclass(frozen=True)
class Best:
    """A figure of the headline.

    Attributes:
        name: Name of the figure.
        value: Figure with its unit.
        where: Row that has it.
    """

    name: str
    value: str
    where: str


@dataclass(frozen=True)
class Front:
    """Points on the front of one panel, fastest first.

    Attributes:
        title: Title of the panel.
        points: Series and description of each point.
    """

    title: str
    points: tuple[tuple[Series, str], ...]


def scenario_order(rows: Sequence[BenchRow]) -> list[str]:
    """Scenarios of a report: those known here in their order, then the others."""
    found = dict.fromkeys(row.scenario for row in rows)
    return [name for name in SCENARIOS if name in found] + [name for name in found if name not in SCENARIOS]


def bests(rows: Sequence[BenchRow], series: SeriesIndex) -> list[Best]:
    """Lowest p50 of the first scenario at its smallest batch, highest throughput, highest accuracy.

    Args:
        rows: Rows of the report, one or more.
        series: Series of the report.
    """
    first = _first_scenario(rows)
    smallest = min(row.batch for row in first)
    fastest = min((row for row in first if row.batch == smallest), key=lambda row: row.speed.model.p50_ms)
    most = max([row for row in rows if row.scenario == "offline"] or first, key=_throughput)
    found = [
        Best(
            f"lowest p50 of one call, batch {smallest}, {fastest.scenario}",
            f"{fastest.speed.model.p50_ms:.2f} ms",
            series.of(fastest).label,
        ),
        Best(
            "most crops a second",
            f"{_throughput(most):,.0f}",
            f"{series.of(most).label}, batch {most.batch}, {most.scenario}",
        ),
    ]
    judged = [row for row in rows if row.accuracy is not None]
    if judged:
        top = max(judged, key=_accuracy)
        equal = dict.fromkeys(series.of(row).label for row in judged if _accuracy(row) == _accuracy(top))
        others = f" and {len(equal) - 1} more" if len(equal) > 1 else ""
        found.append(Best("highest accuracy", f"{_accuracy(top) * 100:.2f} %", next(iter(equal)) + others))
    return found


def accuracy_exhibit(rows: Sequence[BenchRow], series: SeriesIndex) -> tuple[Exhibit, list[Front]] | None:
    """Accuracy against p50 in the first scenario at its smallest batch; None if accuracy was not measured."""
    judged = [row for row in _first_scenario(rows) if row.accuracy is not None]
    if not judged:
        return None
    smallest = min(row.batch for row in judged)
    chosen = panels_of(row for row in judged if row.batch == smallest)
    panels = [TradeoffPanel(title=panel.title, points=_points(panel, series)) for panel in chosen]
    caption = (
        f"Accuracy against p50 of one call, {judged[0].scenario}; vertical lines are 95 % intervals of accuracy. The "
        "dashed steps are the Pareto front, its points numbered from the fastest."
    )
    exhibit = show("accuracy-latency", "Accuracy against latency", caption, tradeoff(panels), _legend(judged, series))
    fronts = [Front(panel.title, tuple((point.series, point.text) for point in front_of(panel))) for panel in panels]
    return exhibit, fronts


def _points(panel: Panel, series: SeriesIndex) -> tuple[Point, ...]:
    made = []
    for row in panel.rows:
        assert row.accuracy is not None
        low, high = row.accuracy.accuracy_interval_95
        made.append(
            Point(
                series=series.of(row),
                latency_ms=row.speed.model.p50_ms,
                accuracy=row.accuracy.accuracy * 100,
                interval=(low * 100, high * 100),
            )
        )
    return tuple(made)


def throughput_exhibit(rows: Sequence[BenchRow], series: SeriesIndex) -> Exhibit | None:
    """Crops a second against batch, in the scenario made for it if measured; None with one batch only."""
    for name in dict.fromkeys(("offline", *scenario_order(rows))):
        chosen = [row for row in rows if row.scenario == name]
        if len({row.batch for row in chosen}) > 1:
            return _throughput_lines(name, chosen, series)
    return None


def _throughput_lines(name: str, rows: Sequence[BenchRow], series: SeriesIndex) -> Exhibit:
    grouped: dict[tuple[int, int], dict[int, list[BenchRow]]] = {}
    for row in rows:
        grouped.setdefault((row.threads, row.streams), {}).setdefault(series.of(row).order, []).append(row)
    panels = []
    for (threads, streams), found in sorted(grouped.items()):
        title = f"{threads} thread{'s' * (threads > 1)}, {streams} stream{'s' * (streams > 1)}"
        panels.append(LinePanel(title=title, lines=tuple(_throughput_line(of, series) for of in found.values())))
    ticks = {str(batch): float(batch) for batch in sorted({row.batch for row in rows})}
    style = LineStyle(x_label="batch", y_label="crops a second", x_ticks=ticks, x_scale="log2", y_scale="zero")
    caption = f"Crops a second against batch, the session alone, {name}."
    return show("throughput", "Throughput against batch", caption, lines(panels, style), _legend(rows, series))


def _throughput_line(rows: Sequence[BenchRow], series: SeriesIndex) -> Line:
    ordered = sorted(rows, key=lambda row: row.batch)
    marks = tuple(
        (float(row.batch), _throughput(row), f"batch {row.batch}, {_throughput(row):,.0f} crops/s") for row in ordered
    )
    x, y = (np.asarray([mark[at] for mark in marks], dtype=np.float64) for at in (0, 1))
    return Line(series=series.of(rows[0]), x=x, y=y, marks=marks)


def _first_scenario(rows: Sequence[BenchRow]) -> list[BenchRow]:
    name = scenario_order(rows)[0]
    return [row for row in rows if row.scenario == name]


def _throughput(row: BenchRow) -> float:
    """Throughput of all sessions that worked side by side."""
    outcome = row.speed.outcome
    return outcome.model_samples_per_s if isinstance(outcome, Offline) else row.speed.throughput_samples_per_s


def _accuracy(row: BenchRow) -> float:
    return 0.0 if row.accuracy is None else row.accuracy.accuracy


def _legend(rows: Sequence[BenchRow], series: SeriesIndex) -> tuple[Series, ...]:
    found = {series.of(row).order: series.of(row) for row in rows}
    return tuple(found[order] for order in sorted(found))
