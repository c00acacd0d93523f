"""Trade-off: accuracy against latency, and the Pareto front."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from resemote_edge.benchmarks.report.html.pictures.axes import Grid, set_log_ticks, tidy
from resemote_edge.benchmarks.report.html.pictures.svg import INK, MUTED, PAPER, Canvas, Drawing, series_colour
from resemote_edge.benchmarks.report.html.series import MARKERS, Series

__all__ = ["Point", "TradeoffPanel", "front_of", "tradeoff"]

_PANELS_ACROSS = 2


@dataclass(frozen=True, kw_only=True)
class Point:
    """One file in one runtime.

    Attributes:
        series: Series that it belongs to.
        latency_ms: Latency, p50.
        accuracy: Accuracy in percent.
        interval: Interval of the accuracy, 95 %, percent.
    """

    series: Series
    latency_ms: float
    accuracy: float
    interval: tuple[float, float]

    @property
    def text(self) -> str:
        """Describe the point in words."""
        low, high = self.interval
        return f"{self.latency_ms:.2f} ms, {self.accuracy:.2f} % ({low:.2f} to {high:.2f})"


@dataclass(frozen=True, kw_only=True)
class TradeoffPanel:
    """Points that share axes."""

    title: str
    points: tuple[Point, ...]


def front_of(panel: TradeoffPanel) -> list[Point]:
    """The Pareto front, fastest first, which the picture numbers from 1; equal points are all on it."""
    front = [point for point in panel.points if not any(_beats(other, point) for other in panel.points)]
    return sorted(front, key=lambda point: point.latency_ms)


def _beats(one: Point, other: Point) -> bool:
    """Whether one point is at least as fast and as accurate as another, and better in one of the two."""
    at_least = one.latency_ms <= other.latency_ms and one.accuracy >= other.accuracy
    return at_least and (one.latency_ms, one.accuracy) != (other.latency_ms, other.accuracy)


def tradeoff(panels: Sequence[TradeoffPanel]) -> Drawing:
    """Draw points with their intervals, and the front as steps."""
    return Drawing(height=lambda narrow: _grid(panels, narrow).height, draw=partial(_draw, panels))


def _grid(panels: Sequence[TradeoffPanel], narrow: bool) -> Grid:
    return Grid.of(len(panels), narrow, _PANELS_ACROSS, left=62.0, gap=64.0, plot=230.0 if narrow else 270.0)


def _draw(panels: Sequence[TradeoffPanel], canvas: Canvas) -> None:
    grid = _grid(panels, canvas.narrow)
    all_axes = grid.axes(canvas, share_y=True)
    for axes, panel in zip(all_axes, panels, strict=True):
        tidy(axes, panel.title)
        axes.set_xscale("log")
        latencies = [point.latency_ms for point in panel.points]
        set_log_ticks(axes.xaxis, min(latencies), max(latencies))
        axes.margins(x=0.08)
        for point in panel.points:
            _draw_point(canvas, axes, point)
        _draw_front(axes, front_of(panel))
        axes.set_xlabel("p50 of one call, ms")
    for axes in grid.first_column(all_axes):
        axes.set_ylabel("accuracy, %")


def _draw_point(canvas: Canvas, axes: Any, point: Point) -> None:
    colour, marker = series_colour(point.series.look.colour), MARKERS[point.series.look.marker]
    axes.plot([point.latency_ms] * 2, point.interval, color=colour, linewidth=1.2, alpha=0.45, zorder=2)
    (mark,) = axes.plot(
        [point.latency_ms], [point.accuracy], marker, color=colour, markersize=9, mec=PAPER, mew=1.0, zorder=4
    )
    canvas.explain(mark, f"{point.series.label}: {point.text}")


def _draw_front(axes: Any, front: Sequence[Point]) -> None:
    x = [point.latency_ms for point in front]
    y = [point.accuracy for point in front]
    axes.step(x, y, where="post", color=MUTED, linewidth=1.2, linestyle=(0, (4, 3)), zorder=3)
    for at, point in enumerate(front, 1):
        axes.annotate(
            str(at), (point.latency_ms, point.accuracy), xytext=(6, 5), textcoords="offset points", color=INK,
            fontsize=11, zorder=5,
        )  # fmt: skip
