"""run_sensitivity: the ranking as ``resemote-edge sensitivity`` shows it, as JSON and a picture."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from resemote_edge.artifacts.files import write_file, write_picture
from resemote_edge.artifacts.record import json_bytes
from resemote_edge.data.calibration import choose_calibration
from resemote_edge.data.findings import Tell
from resemote_edge.data.registry import DatasetReader
from resemote_edge.errors import InputError, MissingDependencyError, needs
from resemote_edge.export.command import ExportOptions, load_weights, required_data, resolve_recipe
from resemote_edge.export.context import ExportContext
from resemote_edge.export.quantize.quantization import plan_quantization
from resemote_edge.export.quantize.sensitivity import LayerSensitivity, rank_layers
from resemote_edge.export.tracing import trace

__all__ = ["SENSITIVITY_FILES", "SensitivityReport", "run_sensitivity", "write_sensitivity"]

#: Names of the files that `write_sensitivity` writes.
SENSITIVITY_FILES = ("sensitivity.json", "sensitivity.png")

_SEED = 1


class SensitivityReport(msgspec.Struct, frozen=True, kw_only=True):
    """The ranking, and what it was made from.

    Attributes:
        checkpoint: File name of the checkpoint.
        checkpoint_sha256: Hash of the checkpoint.
        recipe: Name of the recipe.
        scheme: Quantization scheme.
        data: Description of the images compared on.
        layers: Layers, worst first.
    """

    checkpoint: str
    checkpoint_sha256: str
    recipe: str
    scheme: str
    data: str
    layers: list[LayerSensitivity]

    def to_dict(self) -> dict[str, Any]:
        """The report as plain JSON types; a layer that changes nothing has no ratio: None."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        for layer in plain["layers"]:
            if layer["signal_to_noise_db"] == float("inf"):
                layer["signal_to_noise_db"] = None
        return plain


def run_sensitivity(
    options: ExportOptions,
    images: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
    tell: Tell = lambda sentence: None,
) -> SensitivityReport:
    """Quantize one layer at a time, and rank the layers by the damage.

    Args:
        options: Checkpoint, recipe and data of an export; images of the training split are compared on.
        images: Number of images.
        progress: Function called with (done, total) batches.
        tell: Function called with what was found in the data, one sentence at a time.

    Returns:
        The ranking.

    Raises:
        InputError: There is no data, options contradict each other, or the recipe quantizes nothing.
        ResEmoteEdgeError: The checkpoint or the data cannot be used.
    """
    recipe = resolve_recipe(options)
    data = required_data(options.data)
    checkpoint = load_weights(options.checkpoint, options.labels)
    if recipe.quantize is None:
        raise InputError(f"recipe {recipe.name} quantizes nothing", hint="pass one of precision int8 or w8")
    context = ExportContext(datasets=DatasetReader(tell))
    traced, _ = trace(checkpoint, recipe, None, context)
    plan = plan_quantization(checkpoint, recipe.quantize, data, context)
    # The seed is not calibration's: on the images that set the scales, nothing is ever clipped.
    seed = recipe.quantize.seed + _SEED
    chosen = choose_calibration(data, images, seed, labels=checkpoint.labels, datasets=context.datasets)
    layers = rank_layers(traced.graph, plan, traced.preprocessing(list(chosen.images), "gray"), progress)
    return SensitivityReport(
        checkpoint=checkpoint.path.name,
        checkpoint_sha256=checkpoint.sha256,
        recipe=recipe.name,
        scheme=plan.scheme.name,
        data=f"{len(chosen)} images of {chosen.manifest.dataset}",
        layers=layers,
    )


def write_sensitivity(report: SensitivityReport, folder: Path) -> list[Path]:
    """Write ``sensitivity.json`` and, where matplotlib is installed, ``sensitivity.png``; return the paths written."""
    data, picture = (folder / name for name in SENSITIVITY_FILES)
    write_file(data, json_bytes(report.to_dict()))
    try:
        _draw(report, picture)
    except MissingDependencyError:
        picture.unlink(missing_ok=True)  # A picture left by an earlier ranking would not show these figures.
        return [data]
    return [data, picture]


def _draw(report: SensitivityReport, path: Path) -> None:
    with needs("report", "drawing the sensitivity of layers"):
        from matplotlib.figure import Figure
    names = [entry.layer for entry in report.layers]
    figure = Figure(figsize=(9, 1.6 + 0.32 * len(names)), layout="constrained")
    ratios, flips = figure.subplots(1, 2, sharey=True, width_ratios=[3, 2])
    finite = [entry.signal_to_noise_db for entry in report.layers if entry.signal_to_noise_db != float("inf")]
    ceiling = max(finite, default=0.0) + 5.0
    bars = ratios.barh(names, [min(entry.signal_to_noise_db, ceiling) for entry in report.layers], color="#3b6ea5")
    ratios.bar_label(bars, [f" {entry.signal_to_noise_db:.1f}" for entry in report.layers], fontsize=8)
    ratios.set_xlabel("signal to noise of the logits, dB (less is worse)")
    ratios.set_xlim(0, ceiling * 1.1)
    ratios.invert_yaxis()
    bars = flips.barh(names, [entry.flip_rate * 100 for entry in report.layers], color="#c2603d")
    flips.bar_label(bars, [f" {entry.flip_rate * 100:.2f}" for entry in report.layers], fontsize=8)
    flips.set_xlabel("inputs that change their class, %")
    flips.margins(x=0.15)
    figure.suptitle(f"{report.checkpoint}, scheme {report.scheme}: each layer alone in eight bits", fontsize=10)
    write_picture(figure, path)
