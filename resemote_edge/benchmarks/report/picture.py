"""Picture of a report's latencies."""

from pathlib import Path

import numpy as np

from resemote_edge.artifacts.files import write_picture
from resemote_edge.measuring.results import BenchReport, BenchRow

__all__ = ["draw_latency"]

#: Space between groups of bars, in bars.
_GAP = 0.6


def draw_latency(report: BenchReport, path: Path) -> None:
    """Draw p50 and p99 of every row; needs matplotlib."""
    from matplotlib.figure import Figure

    varied = [
        name for name in ("scenario", "threads", "streams") if len({getattr(row, name) for row in report.rows}) > 1
    ]
    labels = [_label(row, varied) for row in report.rows]
    names = list(dict.fromkeys(labels))
    batches = sorted({row.batch for row in report.rows})
    # Bars stand below each other, with a gap before the next group.
    order = sorted(range(len(labels)), key=lambda at: names.index(labels[at]))
    places = {at: place + names.index(labels[at]) * _GAP for place, at in enumerate(order)}
    figure = Figure(figsize=(9, 1.2 + 0.3 * (len(places) + _GAP * len(names))), layout="constrained")
    axes = figure.add_subplot()
    for batch in batches:
        chosen = [(places[at], row.speed.model) for at, row in enumerate(report.rows) if row.batch == batch]
        p50 = [model.p50_ms / batch for _, model in chosen]
        # If there is no p99, there is no whisker.
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
    """Label of a bar: artifact, runtime, and whatever differs between rows."""
    words = {"scenario": row.scenario, "threads": f"{row.threads} threads", "streams": f"{row.streams} streams"}
    return "\n".join([row.artifact, ", ".join([row.runtime, *(words[name] for name in varied)])])
