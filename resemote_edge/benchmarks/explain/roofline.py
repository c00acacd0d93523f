"""Roofline: every layer's operations a second over its operations per byte, below the machine's limits.

The model is that of Williams, Waterman and Patterson, "Roofline: an insightful visual performance model for multicore
architectures", Communications of the ACM 52(4), 2009. An operation is a multiplication or an addition, so a
multiply-add counts two. Bytes are the weights to read and the activations read and written
(`LayerTime.operations_per_byte`). The slanted roof is memory bandwidth, a level one the peak of a precision.
"""

import io
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from resemote_edge.artifacts.files import write_file, write_picture
from resemote_edge.benchmarks.explain.conclusion import conclude
from resemote_edge.benchmarks.explain.explanation import Explanation, LayerTime
from resemote_edge.benchmarks.explain.label_places import place_labels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Annotation
    from matplotlib.transforms import Bbox

__all__ = ["roofline_svg", "write_roofline"]

#: Smallest share of the time from which a layer is labelled.
_LABELLED = 0.02

#: Area of a point in square points of print: the smallest, and that of a point with the whole time.
_LEAST_AREA, _WHOLE_AREA = 16.0, 2600.0

_MARKERS = {"fp32": "o", "bf16": "D", "fp16": "^", "int8": "s"}


#: Elements that have a colour: the colour on white, and in a page, whose style sheet may decide. Precisions differ in
#: the form of their points as well, and people who confuse red and green can tell the colours apart.
_COLOURS = {
    "ink": ("#1f2328", "currentColor"),
    "faint": ("#d0d7de", "var(--roofline-faint, #8885)"),
    "memory": ("#57606a", "var(--roofline-memory, #7d8590)"),
    "fp32": ("#0072b2", "var(--roofline-fp32, #2f81c7)"),
    "bf16": ("#009e73", "var(--roofline-bf16, #1a9c78)"),
    "fp16": ("#aa4499", "var(--roofline-fp16, #b860a8)"),
    "int8": ("#d55e00", "var(--roofline-int8, #dd6b20)"),
    "other": ("#57606a", "var(--roofline-other, #7d8590)"),
}


class _Palette:
    """Colours of the elements, as ``#rrggbb``."""

    def __init__(self, colours: Mapping[str, str]) -> None:
        self.ink, self.faint, self.memory = colours["ink"], colours["faint"], colours["memory"]
        self._colours = colours

    def of(self, precision: str | None) -> str:
        return self._colours[precision if precision in _MARKERS else "other"]


_LIGHT = _Palette({name: light for name, (light, _) in _COLOURS.items()})

# matplotlib writes these, and the page's style sheet replaces them; each occurs nowhere else.
_STAND_INS = {name: f"#0102{number:02x}" for number, name in enumerate(_COLOURS, start=3)}

_CSS_COLOURS = {_STAND_INS[name]: css for name, (_, css) in _COLOURS.items()}

# :root is the drawing where it is opened or shown by itself, and the page where it was pasted into one.
_CSS = (
    "svg.roofline{max-width:100%;height:auto}"
    "svg.roofline:root{background:#fff;color:#1f2328}"
    "@media(prefers-color-scheme:dark){svg.roofline:root{background:#0d1117;color:#e6edf3}}"
)


def write_roofline(explanation: Explanation, picture: Path, vector: Path) -> None:
    """Draw the roofline as a picture on white, and as a drawing whose colours follow the page it is pasted into.

    Args:
        explanation: Explanation to draw; layers whose bytes or time the engine did not tell are left out.
        picture: File (PNG) to write.
        vector: File (SVG) to write.

    Raises:
        ImportError: matplotlib is not installed; nothing was written.
    """
    write_picture(_draw(explanation, _LIGHT), picture)
    write_file(vector, roofline_svg(explanation))


def roofline_svg(explanation: Explanation) -> str:
    """The roofline as an ``svg`` element of class ``roofline``.

    Text takes the page's colour; the other colours are CSS variables ``--roofline-faint``, ``-memory``, ``-fp32``,
    ``-bf16``, ``-fp16``, ``-int8`` and ``-other``, with defaults that can be seen on light and on dark.

    Args:
        explanation: Explanation to draw.

    Raises:
        ImportError: matplotlib is not installed.
    """
    import matplotlib as mpl

    buffer = io.StringIO()
    salt = f"{explanation.artifact} {explanation.runtime} {explanation.batch} {explanation.precision_hint}"
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": salt}):
        figure = _draw(explanation, _Palette(_STAND_INS))
        figure.patch.set_alpha(0.0)
        figure.axes[0].patch.set_alpha(0.0)
        figure.savefig(buffer, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    drawing = buffer.getvalue()
    drawing = drawing[drawing.index("<svg ") :].replace("<svg ", '<svg class="roofline" ', 1)
    drawing = drawing.replace("*{stroke-linejoin", "svg.roofline *{stroke-linejoin", 1)  # not the whole page's
    drawing = drawing.replace(">", f"><style>{_CSS}</style>", 1)
    return re.sub("#0102[0-9a-f]{2}", lambda match: _CSS_COLOURS[match[0]], drawing)


def _draw(explanation: Explanation, palette: _Palette) -> "Figure":
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.5, 6.4), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    layers = [layer for layer in explanation.layers if layer.operations_per_byte and layer.goperations_per_s]
    _set_up(axes, explanation, layers, palette)
    names = _draw_roofs(axes, explanation, palette)
    circles = [_draw_point(axes, layer, explanation.time_us, palette) for layer in layers]
    _draw_legend(axes, layers, palette)
    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # From here on, labels are placed by pixels.
    _spread(names)
    _name_memory_roof(axes, explanation, palette)
    legend = axes.get_legend()
    taken = _roof_boxes(axes, explanation) + ([] if legend is None else [legend.get_window_extent()])
    _draw_labels(axes, explanation, layers, circles, taken=taken, palette=palette)
    return figure


def _set_up(axes: "Axes", explanation: Explanation, layers: Sequence[LayerTime], palette: _Palette) -> None:
    axes.set_xscale("log", base=2)
    axes.set_yscale("log", base=10)
    machine = explanation.machine
    peaks = [2 * peak.gmac_per_s for peak in machine.peaks if peak.gmac_per_s is not None]
    across = [layer.operations_per_byte or 1.0 for layer in layers]
    across += [peak / machine.memory_gb_per_s / margin for peak in peaks for margin in (1, 12)]  # where the roofs meet
    up = [layer.goperations_per_s or 1.0 for layer in layers] + peaks
    left = _below(min(across, default=0.5), 2)
    axes.set_xlim(left, _above(max(across, default=64.0) * 1.2, 2))
    axes.set_ylim(min([*up, left * machine.memory_gb_per_s]) / 2, max(up, default=100.0) * 2.2)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.set_xlabel("operations per byte of weights and activations (a multiply-add is two)", color=palette.ink)
    axes.set_ylabel("G operations/s", color=palette.ink)
    what = f"{explanation.artifact}, {explanation.ran_in}"
    axes.set_title(f"{what}\n{_wrapped(conclude(explanation).sentence)}", color=palette.ink, fontsize=9.5, loc="left")
    axes.grid(visible=True, color=palette.faint, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(which="both", color=palette.ink, labelcolor=palette.ink)
    for spine in axes.spines.values():
        spine.set_color(palette.ink)


def _below(value: float, base: int) -> float:
    return float(base ** math.floor(math.log(value, base)))


def _above(value: float, base: int) -> float:
    return float(base ** math.ceil(math.log(value, base)))


def _wrapped(sentence: str) -> str:
    import textwrap

    return "\n".join(textwrap.wrap(sentence, 126))


def _draw_roofs(axes: "Axes", explanation: Explanation, palette: _Palette) -> "list[Annotation]":
    """Draw the roofs; return the names of the level ones, which stand beside the axes, from the highest down."""
    machine = explanation.machine
    peaks = [(2 * peak.gmac_per_s, peak.precision) for peak in machine.peaks if peak.gmac_per_s is not None]
    bandwidth, (left, right) = machine.memory_gb_per_s, axes.get_xlim()
    highest = max(peaks)[0] if peaks else axes.get_ylim()[1]
    axes.plot([left, highest / bandwidth], [left * bandwidth, highest], color=palette.memory, linewidth=1.6, zorder=1.5)
    names = []
    for peak, precision in sorted(peaks, reverse=True):
        color = palette.of(precision)
        axes.plot([peak / bandwidth, right], [peak, peak], color=color, linewidth=1.6, zorder=1.5)
        names.append(
            axes.annotate(
                f"{precision}\n{peak:.0f} G/s",
                (right, peak),
                xytext=(6, 0),
                textcoords="offset points",
                va="center",
                fontsize=8.5,
                color=color,
                annotation_clip=False,
            )
        )
    return names


def _name_memory_roof(axes: "Axes", explanation: Explanation, palette: _Palette) -> None:
    """Write along the slanted roof; its slope is known when the axes have their final size."""
    bandwidth, left = explanation.machine.memory_gb_per_s, axes.get_xlim()[0]
    (x0, y0), (x1, y1) = axes.transData.transform([(left, left * bandwidth), (2 * left, 2 * left * bandwidth)])
    slope = math.atan2(y1 - y0, x1 - x0)
    along, away = 12.0, 4.0
    axes.annotate(
        f"memory {bandwidth:.1f} GB/s",
        (left, left * bandwidth),
        xytext=(
            along * math.cos(slope) - away * math.sin(slope),
            along * math.sin(slope) + away * math.cos(slope),
        ),
        textcoords="offset points",
        rotation=math.degrees(slope),
        rotation_mode="anchor",
        fontsize=8.5,
        color=palette.memory,
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
    """What the roofs cover, in pixels: the slanted one, with its name above it, in steps."""
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


def _area(layer: LayerTime, time_us: float) -> float:
    return _LEAST_AREA + _WHOLE_AREA * layer.time_us / time_us


def _draw_point(axes: "Axes", layer: LayerTime, time_us: float, palette: _Palette) -> tuple[float, float, float]:
    x, y, area = layer.operations_per_byte or 0.0, layer.goperations_per_s or 0.0, _area(layer, time_us)
    axes.scatter(
        [x],
        [y],
        s=area,
        marker=_MARKERS.get(layer.precision or "", "P"),
        color=palette.of(layer.precision),
        edgecolors=palette.ink,
        linewidths=1.8 if layer.deviates else 0.5,
        alpha=0.75,
        zorder=3,
        gid="roofline-" + re.sub(r"[^\w.-]", "_", layer.name),
    )
    return x, y, math.sqrt(area) / 2


def _draw_legend(axes: "Axes", layers: Sequence[LayerTime], palette: _Palette) -> None:
    for precision in dict.fromkeys(layer.precision for layer in layers):
        label = f"ran in {precision or 'a precision the engine does not tell'}"
        marker, color = _MARKERS.get(precision or "", "P"), palette.of(precision)
        axes.scatter([], [], s=40, marker=marker, color=color, edgecolors=palette.ink, linewidths=0.5, label=label)
    if any(layer.deviates for layer in layers):
        axes.scatter(
            [], [], s=40, marker="o", facecolors="none", edgecolors=palette.ink, linewidths=1.8, label="not as promised"
        )
    if layers:
        title = "area: share of the time"
        legend = axes.legend(loc="lower right", fontsize=8.5, title=title, title_fontsize=8.5, labelcolor=palette.ink)
        legend.get_title().set_color(palette.ink)
        legend.get_frame().set(facecolor="none", edgecolor=palette.faint)


def _draw_labels(
    axes: "Axes",
    explanation: Explanation,
    layers: Sequence[LayerTime],
    circles: list[tuple[float, float, float]],
    *,
    taken: "list[Bbox]",
    palette: _Palette,
) -> None:
    shares = [layer.time_us / explanation.time_us for layer in layers]
    order = sorted(range(len(layers)), key=lambda index: -shares[index])
    labels = [
        (f"{layers[index].name} {shares[index] * 100:.0f} %", circles[index][0], circles[index][1])
        for index in order
        if shares[index] >= _LABELLED
    ]
    place_labels(axes, labels, circles, taken, palette.ink)
