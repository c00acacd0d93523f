"""Gallery: the pictures that a scenario gets, and what they show."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from resemote_edge.benchmarks.report.columns import percentile_text
from resemote_edge.benchmarks.report.html.evidence import Evidence, measured_what
from resemote_edge.benchmarks.report.html.pictures.distribution import TICKS, nines, tail_of_report, tail_of_samples
from resemote_edge.benchmarks.report.html.pictures.lanes import Lane, LanePanel, are_bars, lanes
from resemote_edge.benchmarks.report.html.pictures.lines import Guide, Line, LinePanel, LineStyle, lines
from resemote_edge.benchmarks.report.html.pictures.svg import Drawing, Picture, draw_picture
from resemote_edge.benchmarks.report.html.series import Panel, Series, SeriesIndex, panels_of
from resemote_edge.measuring.latency import PERCENTILES
from resemote_edge.measuring.scenarios import Camera, MultiStream, Sustained
from resemote_edge.measuring.scenarios.sustained import Window

__all__ = ["Exhibit", "scenario_exhibits", "show"]


@dataclass(frozen=True)
class Exhibit:
    """A picture, or a sentence where a picture would show nothing.

    Attributes:
        picture: Picture; None if a sentence is enough.
        caption: Caption that says what is to be seen.
        legend: Legend of the series in it.
    """

    picture: Picture | None
    caption: str
    legend: tuple[Series, ...] = ()


@dataclass(frozen=True)
class _Scene:
    """Rows of one scenario, by panel."""

    name: str
    panels: tuple[Panel, ...]
    evidence: dict[int, Evidence]
    series: SeriesIndex

    def each(self, panel: Panel) -> list[tuple[Series, Evidence]]:
        return [(self.series.of(row), self.evidence[id(row)]) for row in panel.rows]

    @property
    def all(self) -> list[Evidence]:
        return [found for panel in self.panels for _, found in self.each(panel)]

    @property
    def legend(self) -> tuple[Series, ...]:
        found = {series.order: series for panel in self.panels for series, _ in self.each(panel)}
        return tuple(found[order] for order in sorted(found))


def scenario_exhibits(name: str, evidence: Sequence[Evidence], series: SeriesIndex) -> list[Exhibit]:
    """Make everything there is to see of one scenario.

    Args:
        name: Name of the scenario.
        evidence: Evidence of its rows, one or more.
        series: Series of the whole report.
    """
    scene = _Scene(name, panels_of(one.row for one in evidence), {id(one.row): one for one in evidence}, series)
    special: dict[str, list[Callable[[_Scene], Exhibit | None]]] = {
        "camera": [_dropped, _ages],
        "multi-stream": [_late],
        "sustained": [_windows, _memory],
    }
    made = [make(scene) for make in (_bars, _tails, *special.get(name, []))]
    return [exhibit for exhibit in made if exhibit is not None]


def show(name: str, title: str, caption: str, drawing: Drawing, legend: tuple[Series, ...] = ()) -> Exhibit:
    """Make a picture whose caption is its description too."""
    return Exhibit(draw_picture(name, title, caption, drawing), caption, legend)


def _bars(scene: _Scene) -> Exhibit:
    panels = []
    for panel in scene.panels:
        made = []
        for series, found in scene.each(panel):
            p50, p99 = found.latency.p50_ms, found.latency.p99_ms
            text = f"{p50:.2f}" if p99 is None else f"{p50:.2f} to {p99:.2f}"
            tip = f"{series.label}, {panel.title}: p50 {p50:.2f} ms, p99 {percentile_text(found.latency, 'p99')}"
            made.append(Lane(series=series, value=p50, reach=p99, text=text, tip=tip))
        panels.append(LanePanel(title=panel.title, lanes=tuple(made)))
    what = measured_what([one.row for one in scene.all])
    form = "bars are p50" if are_bars(panels) else "points are p50, on a logarithmic axis"
    caption = f"{what[0].upper()}{what[1:]}: {form}; thin lines lead to p99, where there are samples enough for one."
    return show(f"{scene.name}-bars", f"{scene.name}: p50 and p99", caption, lanes(panels, "ms"))


def _tails(scene: _Scene) -> Exhibit:
    kept = sum(one.nanoseconds is not None for one in scene.all)
    panels = [
        LinePanel(
            title=panel.title,
            lines=tuple(_tail(series, found) for series, found in scene.each(panel)),
            guide=_deadline([found for _, found in scene.each(panel)]),
        )
        for panel in scene.panels
    ]
    furthest = max(float(line.x[-1]) for panel in panels for line in panel.lines)
    ticks = {name: nines(share) for name, share in TICKS.items() if nines(share) <= furthest + 0.35}
    style = LineStyle(x_label="percentile", y_label="ms, logarithmic", x_ticks=ticks)
    caption = (
        "The same calls as a distribution. Above p90, a line shows the longest time of the fastest nine in ten calls; "
        "rarer calls are further right. A line ends where there are too few samples to go on. "
        + _source(kept, len(scene.all))
    )
    return show(
        f"{scene.name}-distribution", f"{scene.name}: distribution", caption, lines(panels, style), scene.legend
    )


def _source(kept: int, rows: int) -> str:
    """Source of the lines of `rows` rows, if samples of `kept` of them were found."""
    if kept == rows:
        return "From every sample."
    if not kept:
        return "Drawn from the percentiles in the report, because its samples are not beside it."
    return f"From every sample in {kept} of {rows} rows, from the report's percentiles in the others."


def _tail(series: Series, found: Evidence) -> Line:
    latency = found.latency
    x, y = tail_of_report(latency) if found.nanoseconds is None else tail_of_samples(found.nanoseconds)
    marks = []
    for name, share in PERCENTILES.items():
        value = latency.percentile_ms(name)
        if value is not None and name != "p95":
            marks.append((nines(share), value, f"{name.replace('_', '.')} {value:.2f} ms"))
    return Line(series=series, x=x, y=y, marks=tuple(marks))


def _deadline(found: Sequence[Evidence]) -> Guide | None:
    outcomes = [one.row.speed.outcome for one in found]
    deadlines = {outcome.deadline_ms for outcome in outcomes if isinstance(outcome, MultiStream)}
    if len(deadlines) != 1:
        return None
    (deadline,) = deadlines
    return Guide(deadline, f"deadline {deadline:.1f} ms")


def _shares(scene: _Scene, what: str, caption: str, share: Callable[[Evidence], float | None]) -> Exhibit | None:
    panels = []
    for panel in scene.panels:
        found = [(series, share(one)) for series, one in scene.each(panel)]
        made = [
            Lane(
                series=series, value=value * 100, text=f"{value * 100:.1f} %", tip=f"{series.label}: {value:.2%} {what}"
            )
            for series, value in found
            if value is not None
        ]
        if made:
            panels.append(LanePanel(title=panel.title, lanes=tuple(made)))
    if not panels:
        return None  # no outcome of this scenario was recorded
    if not any(lane.value for panel in panels for lane in panel.lanes):
        return Exhibit(None, f"No frame was {what}, in any row.")
    return show(
        f"{scene.name}-{what}", f"{scene.name}: frames {what}", caption, lanes(panels, "% of the frames", whole=100.0)
    )


def _dropped(scene: _Scene) -> Exhibit | None:
    def share(found: Evidence) -> float | None:
        outcome = found.row.speed.outcome
        return outcome.dropped_share if isinstance(outcome, Camera) else None

    caption = "Frames that a newer one pushed out of the queue before there was time for them."
    return _shares(scene, "dropped", caption, share)


def _late(scene: _Scene) -> Exhibit | None:
    def share(found: Evidence) -> float | None:
        outcome = found.row.speed.outcome
        return outcome.late_share if isinstance(outcome, MultiStream) else None

    return _shares(scene, "late", "Frames decided after the next one had come.", share)


def _ages(scene: _Scene) -> Exhibit | None:
    """Age over the run, if samples were kept: it shows whether the device falls behind."""
    panels = []
    for panel in scene.panels:
        made = []
        for series, found in scene.each(panel):
            if found.nanoseconds is not None and found.frames is not None:
                x, y = found.frames.astype(np.float64), found.nanoseconds / 1e6
                made.append(
                    Line(series=series, x=x, y=y, marks=((float(x[-1]), float(y[-1]), f"{y[-1]:.4g} ms at last"),))
                )
        if made:
            panels.append(LinePanel(title=panel.title, lines=tuple(made)))
    if not panels:
        return None
    caption = "Age of every decision over the run. A line that rises belongs to a device that falls behind."
    style = LineStyle(x_label="frame", y_label="age, ms, logarithmic")
    return show("camera-ages", "camera: ages over the run", caption, lines(panels, style), scene.legend)


def _over_time(scene: _Scene, value: Callable[[Window], float], unit: str) -> list[LinePanel]:
    panels = []
    for panel in scene.panels:
        made = []
        for series, found in scene.each(panel):
            outcome = found.row.speed.outcome
            if isinstance(outcome, Sustained):
                x = np.asarray([window.start_s for window in outcome.windows])
                y = np.asarray([value(window) for window in outcome.windows])
                # There is one marker, at the end: runs have different lengths, and the short ones would be all markers.
                marks = ((float(x[-1]), float(y[-1]), f"{y[0]:.4g} {unit} at first, {y[-1]:.4g} {unit} at last"),)
                made.append(Line(series=series, x=x, y=y, marks=marks))
        if made:
            panels.append(LinePanel(title=panel.title, lines=tuple(made)))
    return panels


def _windows(scene: _Scene) -> Exhibit | None:
    panels = _over_time(scene, lambda window: window.p50_ms, "ms")
    if not panels:
        return None
    caption = (
        "Median time from crop to decision in each window of the run. A line that rises is a device that slows down."
    )
    style = LineStyle(x_label="seconds into the run", y_label="ms, logarithmic")
    return show("sustained-windows", "sustained: windows over time", caption, lines(panels, style), scene.legend)


def _memory(scene: _Scene) -> Exhibit | None:
    panels = _over_time(scene, lambda window: window.resident_bytes / 2**20, "MiB")
    if not panels:
        return None
    caption = "Resident memory of the process at the end of each window. A line that keeps rising hints at a leak."
    style = LineStyle(x_label="seconds into the run", y_label="MiB", y_scale="zero")
    return show("sustained-memory", "sustained: memory over time", caption, lines(panels, style), scene.legend)
