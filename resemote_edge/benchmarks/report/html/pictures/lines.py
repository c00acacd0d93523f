"""Lines: one for each series, in panels with the same axes and at most eight lines each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from resemote_edge.benchmarks.report.html.pictures.axes import Grid, number, set_log_ticks, tidy
from resemote_edge.benchmarks.report.html.pictures.svg import MUTED, PAPER, Canvas, Drawing, series_colour
from resemote_edge.benchmarks.report.html.series import COLOURS, MARKERS, Series

__all__ = ["Guide", "Line", "LinePanel", "LineStyle", "lines"]

_PANELS_ACROSS = 2
_LEFT, _GAP = 62.0, 64.0


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line.

    Attributes:
        series: Series that it belongs to.
        x: Values on the x axis, float64 (points,).
        y: Values on the y axis, float64 (points,).
        marks: Points that have a marker: place in `x` and `y`, and what is shown when the pointer rests on it.
    """

    series: Series
    x: NDArray[np.float64] = field(repr=False)
    y: NDArray[np.float64] = field(repr=False)
    marks: tuple[tuple[float, float, str], ...] = ()


@dataclass(frozen=True)
class Guide:
    """A level to compare with."""

    y: float
    label: str


@dataclass(frozen=True, kw_only=True)
class LinePanel:
    """Lines that share axes."""

    title: str
    lines: tuple[Line, ...]
    guide: Guide | None = None


@dataclass(frozen=True, kw_only=True)
class LineStyle:
    """Style of the axes.

    Attributes:
        x_label: Name of the x axis.
        y_label: Name of the y axis.
        x_ticks: Ticks on the x axis, text to place; empty for matplotlib's choice.
        x_scale: Scale of the x axis: ``log2`` for powers of two.
        y_scale: Scale of the y axis: ``log`` for ratios, ``zero`` for a linear axis from 0.
    """

    x_label: str
    y_label: str
    x_ticks: Mapping[str, float] = field(default_factory=dict)
    x_scale: Literal["linear", "log2"] = "linear"
    y_scale: Literal["log", "zero"] = "log"


def lines(panels: Sequence[LinePanel], style: LineStyle) -> Drawing:
    """Draw lines; a panel of more than eight is split, those with the lowest ends first."""
    split = [part for panel in panels for part in _split(panel)]
    return Drawing(height=lambda narrow: _grid(split, narrow).height, draw=partial(_draw, split, style))


def _split(panel: LinePanel) -> list[LinePanel]:
    if len(panel.lines) <= COLOURS:
        return [panel]
    ordered = sorted(panel.lines, key=lambda line: float(np.median(line.y)))
    parts = [tuple(ordered[at : at + COLOURS]) for at in range(0, len(ordered), COLOURS)]
    return [
        replace(panel, title=f"{panel.title} ({at} of {len(parts)})", lines=part) for at, part in enumerate(parts, 1)
    ]


def _grid(panels: Sequence[LinePanel], narrow: bool) -> Grid:
    return Grid.of(len(panels), narrow, _PANELS_ACROSS, left=_LEFT, gap=_GAP, plot=190.0 if narrow else 220.0)


def _draw(panels: Sequence[LinePanel], style: LineStyle, canvas: Canvas) -> None:
    grid = _grid(panels, canvas.narrow)
    all_axes = grid.axes(canvas, share_x=True, share_y=True)
    values = np.concatenate([line.y for panel in panels for line in panel.lines])
    levels = [*values.tolist(), *(panel.guide.y for panel in panels if panel.guide)]
    for axes, panel in zip(all_axes, panels, strict=True):
        tidy(axes, panel.title)
        _set_scales(axes, style, min(levels), max(levels))
        for line in panel.lines:
            _draw_line(canvas, axes, line)
        if panel.guide is not None:
            _draw_guide(axes, panel.guide)
        axes.set_xlabel(style.x_label)
    for axes in grid.first_column(all_axes):
        axes.set_ylabel(style.y_label)
    if style.y_scale == "zero":
        all_axes[0].set_ylim(bottom=0)


def _set_scales(axes: Any, style: LineStyle, low: float, high: float) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    if style.x_scale == "log2":
        axes.set_xscale("log", base=2)
    if style.x_ticks:
        axes.xaxis.set_major_locator(FixedLocator(list(style.x_ticks.values())))
        axes.xaxis.set_minor_locator(NullLocator())
        names = {round(place, 9): name for name, place in style.x_ticks.items()}
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: names.get(round(value, 9), "")))
    if style.y_scale == "log":
        axes.set_yscale("log")
        set_log_ticks(axes.yaxis, low, high)


def _draw_line(canvas: Canvas, axes: Any, line: Line) -> None:
    look = line.series.look
    colour = series_colour(look.colour)
    (drawn,) = axes.plot(line.x, line.y, color=colour, linewidth=1.7)
    canvas.explain(drawn, line.series.label)
    for x, y, tip in line.marks:
        (mark,) = axes.plot([x], [y], MARKERS[look.marker], color=colour, markersize=7, mec=PAPER, mew=1.0, zorder=3)
        canvas.explain(mark, f"{line.series.label}: {tip}")


def _draw_guide(axes: Any, guide: Guide) -> None:
    axes.axhline(guide.y, color=MUTED, linewidth=1.0, linestyle=(0, (4, 3)), zorder=1)
    axes.annotate(
        guide.label, (1, guide.y), xycoords=("axes fraction", "data"), xytext=(-2, 3), textcoords="offset points",
        ha="right", va="bottom", color=MUTED, fontsize=10,
    )  # fmt: skip
