"""Roofline: every layer's operations a second over its operations per byte, below the machine's limits.

The model is that of Williams, Waterman and Patterson, "Roofline: an insightful visual performance model for multicore
architectures", Communications of the ACM 52(4), 2009. An operation is a multiplication or an addition, so a
multiply-add counts two. Bytes are the weights to read and the activations read and written
(`LayerTime.operations_per_byte`). The slanted roof is memory bandwidth, a level one the peak of a precision.
"""

import io
import math
import re
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from resemote_edge.artifacts.files import write_file, write_picture
from resemote_edge.benchmarks.explain.conclusion import conclude
from resemote_edge.benchmarks.explain.explanation import Explanation, LayerTime
from resemote_edge.benchmarks.explain.label_places import place_labels
from resemote_edge.benchmarks.report.html.pictures.svg import INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Annotation
    from matplotlib.transforms import Bbox

__all__ = ["write_roofline"]

#: Smallest share of the time from which a layer is labelled.
_LABELLED = 0.02

#: Area of a point in square points of print: the smallest, and that of a point with the whole time.
_LEAST_AREA, _WHOLE_AREA = 16.0, 2600.0

_MARKERS = {"fp32": "o", "bf16": "D", "fp16": "^", "int8": "s"}


#: Colours of the precisions. They are legible on white and on the page's dark background, and can be told apart by
#: people who confuse red and green; the markers differ too.
_COLOURS = {"fp32": "#0072b2", "bf16": "#009e73", "fp16": "#aa4499", "int8": "#d55e00"}

#: Translucent ink for the grid and the legend's frame, and for the memory roof.
_FAINT, _MEMORY = (INK, 0.18), (INK, 0.7)


def write_roofline(explanation: Explanation, picture: Path, vector: Path) -> None:
    """Draw the roofline on white, as a picture and as SVG, which a report's page shows in its own colours.

    Args:
        explanation: Explanation to draw; layers whose bytes or time the engine did not tell are left out.
        picture: File (PNG) to write.
        vector: File (SVG) to write.

    Raises:
        ImportError: matplotlib is not installed; nothing was written.
    """
    from matplotlib import rc_context

    figure = _draw(explanation)
    buffer = io.BytesIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "resemote-edge"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    write_picture(figure, picture)
    write_file(vector, buffer.getvalue())


def _colour(precision: str | None) -> str:
    return _COLOURS.get(precision or "", "#6e7781")


def _draw(explanation: Explanation) -> "Figure":
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.5, 6.4), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    layers = [layer for layer in explanation.layers if layer.operations_per_byte and layer.goperations_per_s]
    _set_up(axes, explanation, layers)
    names = _draw_roofs(axes, explanation)
    circles = [_draw_point(axes, layer, explanation.time_us) for layer in layers]
    _draw_legend(axes, layers)
    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # From here on, labels are placed by pixels.
    _spread(names)
    _name_memory_roof(axes, explanation)
    legend = axes.get_legend()
    taken = _roof_boxes(axes, explanation) + ([] if legend is None else [legend.get_window_extent()])
    _draw_labels(axes, explanation, layers, circles, taken=taken)
    return figure


def _set_up(axes: "Axes", explanation: Explanation, layers: Sequence[LayerTime]) -> None:
    axes.set_xscale("log", base=2)
    axes.set_yscale("log", base=10)
    machine = explanation.machine
    peaks = [2 * peak.gmac_per_s for peak in machine.peaks if peak.gmac_per_s is not None]
    across = [layer.operations_per_byte or 1.0 for layer in layers]
    across += [peak / machine.memory_gb_per_s / margin for peak in peaks for margin in (1, 12)]  # where the roofs meet
    up = [layer.goperations_per_s or 1.0 for layer in layers] + peaks
    left = 2.0 ** math.floor(math.log2(min(across, default=0.5)))
    axes.set_xlim(left, 2.0 ** math.ceil(math.log2(max(across, default=64.0) * 1.2)))
    axes.set_ylim(min([*up, left * machine.memory_gb_per_s]) / 2, max(up, default=100.0) * 2.2)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.set_xlabel("operations per byte of weights and activations (a multiply-add is two)", color=INK)
    axes.set_ylabel("G operations/s", color=INK)
    what = f"{explanation.artifact}, {explanation.ran_in}"
    axes.set_title(f"{what}\n{textwrap.fill(conclude(explanation).sentence, 126)}", color=INK, fontsize=9.5, loc="left")
    axes.grid(visible=True, color=_FAINT, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(which="both", color=INK, labelcolor=INK)
    for spine in axes.spines.values():
        spine.set_color(INK)


def _draw_roofs(axes: "Axes", explanation: Explanation) -> "list[Annotation]":
    """Draw the roofs; return the names of the level ones, which stand beside the axes, from the highest down."""
    machine = explanation.machine
    peaks = [(2 * peak.gmac_per_s, peak.precision) for peak in machine.peaks if peak.gmac_per_s is not None]
    bandwidth, (left, right) = machine.memory_gb_per_s, axes.get_xlim()
    highest = max(peaks)[0] if peaks else axes.get_ylim()[1]
    axes.plot([left, highest / bandwidth], [left * bandwidth, highest], color=_MEMORY, linewidth=1.6, zorder=1.5)
    names = []
    for peak, precision in sorted(peaks, reverse=True):
        axes.plot([peak / bandwidth, right], [peak, peak], color=_colour(precision), linewidth=1.6, zorder=1.5)
        names.append(
            axes.annotate(
                f"{precision}\n{peak:.0f} G/s",
                (right, peak),
                xytext=(6, 0),
                textcoords="offset points",
                va="center",
                fontsize=8.5,
                color=INK,
                annotation_clip=False,
            )
        )
    return names


def _name_memory_roof(axes: "Axes", explanation: Explanation) -> None:
    """Write along the slanted roof; its slope is known when the axes have their final size."""
    bandwidth, left = explanation.machine.memory_gb_per_s, axes.get_xlim()[0]
    (x0, y0), (x1, y1) = axes.transData.transform([(left, left * bandwidth), (2 * left, 2 * left * bandwidth)])
    slope = math.atan2(y1 - y0, x1 - x0)
    along, away = 12.0, 4.0
    axes.annotate(
        f"memory {bandwidth:.1f} GB/s",
        (left, left * bandwidth),
        xytext=(along * math.cos(slope) - away * math.sin(slope), along * math.sin(slope) + away * math.cos(slope)),
        textcoords="offset points",
        rotation=math.degrees(slope),
        rotation_mode="anchor",
        fontsize=8.5,
        color=_MEMORY,
    ).set_in_layout(False)


def _spread(names: "list[Annotation]") -> None:
    """Move names down that would overlap the one above."""
    lowest = math.inf
    for name in names:
        box = name.get_window_extent()
        if box.y1 > lowest:
            across, up = name.xyann
            scale = 72 / name.figure.dpi
            name.xyann = (across, up - (box.y1 - lowest) * scale)
            box = name.get_window_extent()
        lowest = box.y0 - 2


def _roof_boxes(axes: "Axes", explanation: Explanation) -> "list[Bbox]":
    """Boxes that the roofs cover, in pixels; many small ones for the slanted roof, which has its name above it."""
    from matplotlib.transforms import Bbox

    machine, (left, right) = explanation.machine, axes.get_xlim()
    peaks = [2 * peak.gmac_per_s for peak in machine.peaks if peak.gmac_per_s is not None]
    highest = max(peaks, default=axes.get_ylim()[1])
    place = axes.transData.transform
    boxes = []
    for peak in peaks:
        (x0, y), (x1, _) = place((peak / machine.memory_gb_per_s, peak)), place((right, peak))
        boxes.append(Bbox.from_extents(x0, y - 2, x1, y + 2))
    ridge, steps = highest / machine.memory_gb_per_s, 40
    for step in range(steps):
        x = left * (ridge / left) ** (step / steps)
        across, up = place((x, x * machine.memory_gb_per_s))
        boxes.append(Bbox.from_extents(across - 3, up - 3, across + 3, up + 16))
    return boxes


def _draw_point(axes: "Axes", layer: LayerTime, time_us: float) -> tuple[float, float, float]:
    x, y = layer.operations_per_byte or 0.0, layer.goperations_per_s or 0.0
    area = _LEAST_AREA + _WHOLE_AREA * layer.time_us / time_us
    axes.scatter(
        [x],
        [y],
        s=area,
        marker=_MARKERS.get(layer.precision or "", "P"),
        color=_colour(layer.precision),
        edgecolors=INK,
        linewidths=1.8 if layer.deviates else 0.5,
        alpha=0.75,
        zorder=3,
        gid="roofline-" + re.sub(r"[^\w.-]", "_", layer.name),
    )
    return x, y, math.sqrt(area) / 2


def _draw_legend(axes: "Axes", layers: Sequence[LayerTime]) -> None:
    for precision in dict.fromkeys(layer.precision for layer in layers):
        label = f"ran in {precision or 'a precision the engine does not tell'}"
        marker, color = _MARKERS.get(precision or "", "P"), _colour(precision)
        axes.scatter([], [], s=40, marker=marker, color=color, edgecolors=INK, linewidths=0.5, label=label)
    if any(layer.deviates for layer in layers):
        axes.scatter(
            [], [], s=40, marker="o", facecolors="none", edgecolors=INK, linewidths=1.8, label="not as promised"
        )
    if layers:
        title = "area: share of the time"
        legend = axes.legend(loc="lower right", fontsize=8.5, title=title, title_fontsize=8.5, labelcolor=INK)
        legend.get_title().set_color(INK)
        legend.get_frame().set(facecolor="none", edgecolor=_FAINT, alpha=None)


def _draw_labels(
    axes: "Axes",
    explanation: Explanation,
    layers: Sequence[LayerTime],
    circles: list[tuple[float, float, float]],
    *,
    taken: "list[Bbox]",
) -> None:
    shares = [layer.time_us / explanation.time_us for layer in layers]
    ranked = sorted(zip(shares, layers, circles, strict=True), key=lambda one: -one[0])
    labels = [(f"{layer.name} {share * 100:.0f} %", x, y) for share, layer, (x, y, _) in ranked if share >= _LABELLED]
    place_labels(axes, labels, circles, taken, INK)
