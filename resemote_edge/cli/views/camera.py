"""View of a camera run: what became of its frames."""

from typing import TYPE_CHECKING, Any

from rich.table import Table

from resemote_edge.cli.views.facts import facts_table

if TYPE_CHECKING:
    from resemote_edge.camera.devices import CameraDiagnosis
    from resemote_edge.camera.summary import CameraSummary

__all__ = ["cameras_table", "summary_table"]


def cameras_table(diagnosis: "CameraDiagnosis") -> Table:
    """The cameras of this machine, and what reads them."""
    facts: dict[str, Any] = {}
    for device in diagnosis.devices:
        state = device.problem or ", ".join(device.formats) or "no formats"
        held = f"; held by {', '.join(device.holders)}" if device.holders else ""
        facts[f"{device.path} {device.name}"] = f"{state}{held}"
    if not diagnosis.devices:
        facts["cameras"] = "none found"
    gstreamer = "with" if diagnosis.gstreamer else "without"
    facts["OpenCV"] = f"{diagnosis.opencv}, {gstreamer} GStreamer" if diagnosis.opencv else "not installed"
    if diagnosis.jetson_daemon is not None:
        facts["daemon of CSI cameras"] = "running" if diagnosis.jetson_daemon else "not running"
    return facts_table("Cameras", facts)


def summary_table(summary: "CameraSummary") -> Table:
    """What became of all frames of a run, as a table for people."""
    table = Table(title=f"{summary.source}, {summary.seconds:.1f} s", show_header=False, title_justify="left")
    table.add_column(style="bold")
    table.add_column()
    rate = f", {summary.fps:.1f} a second" if summary.fps else ""
    table.add_row("frames", f"{summary.captured} came, {summary.decided} were decided{rate}")
    table.add_row("dropped", _counts(summary.dropped) or "none")
    table.add_row("faces", f"{summary.faces} followed, detected in every {_ordinal(summary.detect_every)} frame")
    if (age := summary.decision_age) is not None:
        figures = f"p50 {age.p50_ms:.1f} ms, p95 {age.p95_ms:.1f} ms, p99 {age.p99_ms:.1f} ms, max {age.max_ms:.1f} ms"
        table.add_row("decision age", figures)
    if summary.restarts or summary.lost:
        lost = ", and had not come back at the end" if summary.lost else ""
        table.add_row("source", f"came back {summary.restarts} {'time' if summary.restarts == 1 else 'times'}{lost}")
    for sink in summary.sinks:
        lost = f"; lost {_counts(sink.lost)}" if sink.lost else ""
        table.add_row(sink.sink, f"{sink.written} written{lost}")
    return table


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {reason}" for reason, count in counts.items())


def _ordinal(number: int) -> str:
    return {1: "single", 2: "2nd", 3: "3rd"}.get(number, f"{number}th")
