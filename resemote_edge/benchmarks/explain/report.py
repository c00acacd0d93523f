"""Reports of an explanation: the table in Markdown, and the files with the picture."""

from collections.abc import Callable
from pathlib import Path

from resemote_edge.artifacts.files import write_file
from resemote_edge.benchmarks.explain.conclusion import conclude, deviations
from resemote_edge.benchmarks.explain.explanation import Explanation, LayerTime
from resemote_edge.benchmarks.explain.roofline import write_roofline
from resemote_edge.benchmarks.report.columns import NOT_MEASURED
from resemote_edge.benchmarks.report.table import table_text
from resemote_edge.errors import where_installed
from resemote_edge.measuring.probes import MachineProbe, Peak

__all__ = [
    "EXPLANATION_FILES",
    "TEXT_COLUMNS",
    "capitalized",
    "layer_cells",
    "layer_markdown",
    "machine_lines",
    "markdown_explanation",
    "sentences",
    "write_explanation",
]

#: Names of the files that `write_explanation` writes.
EXPLANATION_FILES = ("explanation.json", "explanation.md", "roofline.png", "roofline.svg")

#: Columns of words; the others hold figures.
TEXT_COLUMNS = {"layer", "precision", "kernel"}


_Column = Callable[[Explanation, LayerTime], str]


def _precision(_: Explanation, layer: LayerTime) -> str:
    return f"{layer.precision} (not {layer.promised})" if layer.deviates else layer.precision or ""


#: Header and cell of every column.
_COLUMNS: dict[str, _Column] = {
    "layer": lambda _, layer: layer.name,
    "time us": lambda _, layer: f"{layer.time_us:.0f}",
    "share": lambda explanation, layer: f"{layer.time_us / explanation.time_us * 100:.0f} %",
    "floor us": lambda _, layer: f"{layer.floor_us:.0f}" if layer.floor_us else "",
    "times floor": lambda _, layer: f"{layer.time_us / layer.floor_us:.1f}" if layer.floor_us and layer.time_us else "",
    "weights MB": lambda _, layer: f"{layer.weight_bytes / 1e6:.2f}" if layer.weight_bytes else "",
    "activations MB": lambda _, layer: "" if layer.activation_bytes is None else f"{layer.activation_bytes / 1e6:.2f}",
    "M multiply-adds": lambda _, layer: f"{layer.multiply_adds / 1e6:.1f}" if layer.multiply_adds else "",
    "operations per byte": lambda _, layer: (
        "" if layer.operations_per_byte is None else f"{layer.operations_per_byte:.1f}"
    ),
    "precision": _precision,
    "kernel": lambda _, layer: layer.kernel,
}


def layer_cells(explanation: Explanation) -> dict[str, list[str]]:
    """Cells of every layer, by column; a column that was recorded for no layer is left out."""
    found = {header: [cell(explanation, layer) for layer in explanation.layers] for header, cell in _COLUMNS.items()}
    return {header: cells for header, cells in found.items() if any(cells)}


def sentences(explanation: Explanation) -> list[str]:
    """Sentences on what bounds it, on its distance from the floor and on other precisions; without full stops."""
    floor = (
        f"layer by layer the floor is {explanation.floor_us / 1e3:.2f} ms, the engine needs "
        f"{explanation.time_us / 1e3:.2f} ms, {explanation.time_us / explanation.floor_us:.2f} times as long"
    )
    deviating = deviations(explanation)
    # "precision:" comes first because a sentence cannot begin with the name of a layer.
    return [conclude(explanation).sentence, floor, *([] if deviating is None else [f"precision: {deviating}"])]


def capitalized(sentence: str) -> str:
    """Write the sentence so that it can stand alone."""
    return sentence[0].upper() + sentence[1:] + "."


def machine_lines(machine: MachineProbe) -> list[str]:
    """List what the machine can do at best, a line for memory and for each precision."""
    method = f", {machine.memory_method}" if machine.memory_method else ""
    return [f"memory: {machine.memory_gb_per_s:.1f} GB/s{method}", *(_peak_line(peak) for peak in machine.peaks)]


def _peak_line(peak: Peak) -> str:
    if peak.gmac_per_s is None:
        return f"{peak.precision}: {NOT_MEASURED}" + (f" ({peak.note})" if peak.note else "")
    kernel = f", {peak.kernel} of {peak.engine}" if peak.kernel and peak.engine else ""
    note = f"; {peak.note}" if peak.note else ""
    return f"{peak.precision}: {peak.gmac_per_s:.0f} G multiply-adds/s{kernel}{note}"


def layer_markdown(explanation: Explanation) -> str:
    """The explanation's sentences and its table in Markdown."""
    first, *others = sentences(explanation)
    head = f"{explanation.artifact} (width {explanation.width}), {explanation.ran_in}: {first}."
    text = " ".join([head, *(capitalized(sentence) for sentence in others)])
    found = layer_cells(explanation)
    return text + "\n\n" + table_text(list(found), zip(*found.values(), strict=True), words=TEXT_COLUMNS)


def markdown_explanation(explanation: Explanation, picture: str | None = None) -> str:
    """The whole report in Markdown.

    Args:
        explanation: Explanation to write.
        picture: File name of the roofline beside it, if there is one.
    """
    environment = explanation.environment
    when = "" if explanation.created_utc is None else f" {explanation.created_utc}"
    lines = [
        f"# Where the time of {explanation.artifact} goes",
        "",
        f"Measured{when} on {environment['cpu_model']}, {environment['cores_allowed']} cores "
        f"({', '.join(environment['cpu_features'])}), {environment['os']}, kernel {environment['kernel']}; load "
        f"average before: {environment['load_average_1m']:.2f}. What this machine can do at best:",
        "",
        *(f"- {line}" for line in machine_lines(explanation.machine)),
        "",
        layer_markdown(explanation),
    ]
    if picture is not None:
        lines += [f"![operations a second over operations per byte, and the roofs]({picture})", ""]
    return "\n".join(lines)


def write_explanation(explanation: Explanation, folder: Path) -> dict[str, Path]:
    """Write ``explanation.json``, ``explanation.md`` and, where matplotlib is installed, the roofline.

    Args:
        explanation: Explanation to write.
        folder: Folder to write to; created if need be.

    Returns:
        The paths written, by kind (``json``, ``markdown``, ``picture``, ``vector picture``).
    """
    data, text, picture, vector = (folder / name for name in EXPLANATION_FILES)
    write_file(data, explanation.to_json())
    written = {"json": data, "markdown": text}
    for path in (picture, vector):
        path.unlink(missing_ok=True)  # Old ones would show other figures.
    with where_installed("matplotlib"):
        write_roofline(explanation, picture, vector)
        written |= {"picture": picture, "vector picture": vector}
    write_file(text, markdown_explanation(explanation, picture.name if "picture" in written else None))
    return written
