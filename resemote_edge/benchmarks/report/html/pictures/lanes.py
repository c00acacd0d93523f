"""Lanes: a bar or a point for each series, with a line to a further value, panels side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from resemote_edge.benchmarks.report.html.pictures.axes import Grid, set_log_ticks, tidy
from resemote_edge.benchmarks.report.html.pictures.svg import INK, MUTED, PAPER, Canvas, Drawing, series_colour
from resemote_edge.benchmarks.report.html.series import MARKERS, Series

__all__ = ["Lane", "LanePanel", "are_bars", "lanes"]

_PANELS_ACROSS = 3
_LABEL_LENGTH = 36

#: Largest average width of a letter in a label's size, in CSS pixels.
_LETTER = 6.2

#: Space between a lane's end and its text.
_TEXT_GAP = 7

#: Up to this factor, values are drawn as bars; beyond it, as points on a logarithmic axis, which has no zero.
_LONGEST_BAR = 30.0


@dataclass(frozen=True, kw_only=True)
class Lane:
    """One bar, or point.

    Attributes:
        series: Series that it belongs to.
        value: Length of the bar, from 0.
        reach: Value that a thin line from its end leads to; None for none.
        text: Text at the end of both.
        tip: Text shown when the pointer rests on it.
    """

    series: Series
    value: float
    reach: float | None = None
    text: str
    tip: str

    @property
    def end(self) -> float:
        """Place where the text begins."""
        return self.value if self.reach is None else max(self.reach, self.value)


@dataclass(frozen=True, kw_only=True)
class LanePanel:
    """Lanes that share an axis; those of one series have the same height in all panels of a row."""

    title: str
    lanes: tuple[Lane, ...]


def are_bars(panels: Sequence[LanePanel]) -> bool:
    """Whether the shortest bar would still be visible beside the longest, in every panel."""
    for panel in panels:
        positive = [lane.value for lane in panel.lanes if lane.value > 0]
        if positive and min(positive) * _LONGEST_BAR < max(lane.end for lane in panel.lanes):
            return False
    return True


def lanes(panels: Sequence[LanePanel], axis_label: str, *, whole: float | None = None) -> Drawing:
    """Draw bars from zero, or points on a logarithmic axis where `are_bars` says no.

    Args:
        panels: Panels to draw.
        axis_label: Name of the values.
        whole: Largest possible value, such as 100 for percent: bars from zero in any case.
    """
    return Drawing(height=lambda narrow: _grid(panels, narrow).height, draw=partial(_draw, panels, axis_label, whole))


def _places(panels: Sequence[LanePanel]) -> dict[tuple[int, int], tuple[int, str]]:
    """Place and label of each lane, in the order of the series; a series has as many lanes as a panel needs."""
    found: dict[tuple[int, int], str] = {}
    for panel in panels:
        for key, lane in _keyed(panel):
            found[key] = _short(lane.series.label)
    return {key: (at, found[key]) for at, key in enumerate(sorted(found))}


def _keyed(panel: LanePanel) -> list[tuple[tuple[int, int], Lane]]:
    seen: dict[int, int] = {}
    keyed = []
    for lane in panel.lanes:
        count = seen.get(lane.series.order, 0)
        seen[lane.series.order] = count + 1
        keyed.append(((lane.series.order, count), lane))
    return keyed


def _grid(panels: Sequence[LanePanel], narrow: bool) -> Grid:
    places = _places(panels)
    left = 12.0 if narrow else max(len(label) for _, label in places.values()) * _LETTER + 12
    plot = len(places) * (32.0 if narrow else 20.0) + 6
    return Grid.of(len(panels), narrow, _PANELS_ACROSS, left=left, gap=18.0, plot=plot)


def _draw(panels: Sequence[LanePanel], axis_label: str, whole: float | None, canvas: Canvas) -> None:
    places = _places(panels)
    grid = _grid(panels, canvas.narrow)
    bars = whole is not None or are_bars(panels)
    all_axes = grid.axes(canvas)
    for axes, panel in zip(all_axes, panels, strict=True):
        tidy(axes, panel.title)
        axes.grid(visible=False, axis="y")
        axes.spines["bottom"].set_visible(False)
        room = _room(panel, grid.plot_width(canvas))
        foot = _set_linear(axes, panel, whole, room) if bars else _set_log(axes, panel, room)
        for key, lane in _keyed(panel):
            _draw_lane(canvas, axes, places[key][0], lane, foot)
        axes.set_ylim(len(places) - 0.4, -0.8 if canvas.narrow else -0.6)
        axes.set_yticks([])
        axes.set_xlabel(axis_label)
    if not canvas.narrow:
        for axes in grid.first_column(all_axes):
            axes.set_yticks(range(len(places)), [label for _, label in places.values()])
            axes.tick_params(axis="y", labelcolor=INK)


def _room(panel: LanePanel, width: float) -> float:
    """Room for a text right of the longest lane, over the rest of the width."""
    text = max(len(lane.text) for lane in panel.lanes) * _LETTER + _TEXT_GAP
    return text / max(width - text, width / 4)


def _set_linear(axes: Any, panel: LanePanel, whole: float | None, room: float) -> float:
    from matplotlib.ticker import MaxNLocator

    longest = whole or max(lane.end for lane in panel.lanes) or 1.0
    axes.set_xlim(0, longest * (1 + room))
    if whole is None:
        axes.xaxis.set_major_locator(MaxNLocator(4))
    else:
        axes.set_xticks([whole * share / 4 for share in range(5)])
    return 0.0


def _set_log(axes: Any, panel: LanePanel, room: float) -> float:
    """Set a logarithmic axis, and return its left end."""
    shortest = min(lane.value for lane in panel.lanes if lane.value > 0) / 1.5
    longest = max(lane.end for lane in panel.lanes)
    axes.set_xscale("log")
    axes.set_xlim(shortest, longest * (longest / shortest) ** room)
    set_log_ticks(axes.xaxis, shortest, longest, subs=(1.0,) if longest > 100 * shortest else (1.0, 3.0))
    return shortest


def _draw_lane(canvas: Canvas, axes: Any, place: int, lane: Lane, foot: float) -> None:
    colour = series_colour(lane.series.look.colour)
    if foot == 0.0:
        (drawn,) = axes.barh(place, lane.value, 0.38 if canvas.narrow else 0.56, color=colour, linewidth=0)
    else:
        marker = MARKERS[lane.series.look.marker]
        (drawn,) = axes.plot([lane.value], [place], marker, color=colour, markersize=8, mec=PAPER, mew=1.0, zorder=3)
    canvas.explain(drawn, lane.tip)
    if lane.reach is not None and lane.reach > lane.value:
        ends = [lane.value, lane.reach]
        (line,) = axes.plot(ends, [place, place], color=colour, linewidth=1.6, marker="|", markevery=[1])
        canvas.explain(line, lane.tip)
    inside = {"textcoords": "offset points", "va": "center", "annotation_clip": False}
    axes.annotate(lane.text, (lane.end, place), xytext=(_TEXT_GAP, 0), color=INK, fontsize=10, **inside)
    if canvas.narrow:
        axes.annotate(_short(lane.series.label), (foot, place), xytext=(1, 12), color=MUTED, fontsize=10, **inside)


def _short(label: str) -> str:
    """Shorten a label in its middle if it is long: names mostly differ at their ends."""
    if len(label) <= _LABEL_LENGTH:
        return label
    half = (_LABEL_LENGTH - 1) // 2
    return f"{label[:half]}…{label[-half:]}"
