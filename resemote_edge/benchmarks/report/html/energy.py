"""Energy: its table and picture, or the reason why there is none."""

from collections.abc import Iterable, Sequence

from resemote_edge.benchmarks.report.columns import ENERGY_COLUMNS
from resemote_edge.benchmarks.report.html.cells import Table, make_table
from resemote_edge.benchmarks.report.html.pictures.gallery import Exhibit, show
from resemote_edge.benchmarks.report.html.pictures.lanes import Lane, LanePanel, lanes
from resemote_edge.benchmarks.report.html.series import SeriesIndex
from resemote_edge.machine.energy import Energy
from resemote_edge.measuring.results import BenchRow

__all__ = ["energy_exhibit", "energy_reasons", "energy_table", "has_energy"]


def has_energy(rows: Iterable[BenchRow]) -> bool:
    """Whether any row has a figure."""
    return any(isinstance(row.speed.energy, Energy) for row in rows)


def energy_reasons(rows: Iterable[BenchRow]) -> list[str]:
    """Reasons why rows have none, each once."""
    return list(dict.fromkeys(energy.reason for row in rows if not isinstance(energy := row.speed.energy, Energy)))


def energy_table(rows: Sequence[BenchRow], series: SeriesIndex) -> Table | None:
    """Table of all rows, if one of them has a figure."""
    return make_table(ENERGY_COLUMNS, rows, series) if has_energy(rows) else None


def energy_exhibit(rows: Sequence[BenchRow], series: SeriesIndex) -> Exhibit | None:
    """Joules an inference, by scenario and batch; None if no row has a figure."""
    panels: dict[str, list[Lane]] = {}
    for row in rows:
        energy = row.speed.energy
        if not isinstance(energy, Energy):
            continue
        joules = energy.joules_per_inference
        # Below zero, idle and run do not belong together, so there is no bar.
        shown = energy.joules_per_inference_with_idle if joules is None or joules < 0 else joules
        text = f"{shown:.3g}" + ("" if shown == joules else " with idle")
        lane = Lane(series=series.of(row), value=shown, text=text, tip=f"{series.of(row).label}: {text} J")
        panels.setdefault(f"{row.scenario}, batch {row.batch}", []).append(lane)
    if not panels:
        return None
    drawn = [LanePanel(title=title, lanes=tuple(found)) for title, found in panels.items()]
    caption = "Energy of one inference above what the machine draws when idle."
    return show("energy-bars", "Energy of one inference", caption, lanes(drawn, "J"))
