"""QuantizationPlan: all that the quantize stage knows before it decides which layers go into eight bits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from resemote_edge.artifacts.passport import CalibrationManifest, Quantization
from resemote_edge.data.calibration import CalibrationSet, choose_calibration
from resemote_edge.errors import InputError, TooFewImagesError
from resemote_edge.export.context import ExportContext
from resemote_edge.export.quantize.insert import layers_of, quantize
from resemote_edge.export.quantize.ranges import Ranges, observe_ranges
from resemote_edge.export.quantize.recorded import read_recorded
from resemote_edge.export.quantize.scheme import Scheme, find_scheme
from resemote_edge.export.recipe import QuantizeOptions
from resemote_edge.models.checkpoint import Checkpoint
from resemote_edge.models.graph import EvalGraph, build_eval_graph
from resemote_edge.vision.preprocessing import PreprocessSpec

__all__ = ["QuantizationPlan", "calibrate", "plan_quantization"]

_BATCH = 32

#: Function that is called with (done, total) images while ranges are observed.
Progress = Callable[[int, int], None]

_ACTIVATIONS = {"u8": "uint8", "s8": "int8", "none": "float"}


@dataclass(frozen=True, kw_only=True)
class QuantizationPlan:
    """A scheme with the ranges it needs.

    Attributes:
        scheme: Scheme of quantization.
        options: Quantization options of the recipe.
        ranges: Ranges of all tensors; empty where activations stay floating.
        origin: Origin of the ranges, in words.
        calibration: Images the ranges were observed on.
    """

    scheme: Scheme
    options: QuantizeOptions
    ranges: Ranges = field(repr=False)
    origin: str
    calibration: CalibrationManifest | None = field(default=None, repr=False)

    def apply(self, graph: EvalGraph, keep_float: Sequence[str] = ()) -> EvalGraph:
        """Quantize a graph, except for the recipe's floating layers and these."""
        kept = {*self.options.keep_float, *keep_float}
        return quantize(graph, self.ranges, self.scheme, kept, scale_dtype=self.scale_dtype)

    @property
    def scale_dtype(self) -> type[np.floating[Any]]:
        """Type that scales are rounded to: ONNX requires them in the type of the graph's floating remainder."""
        return np.float16 if self.options.remainder == "fp16" else np.float32

    def record(self, graph: EvalGraph, repaired: Sequence[str]) -> Quantization:
        """Record for the passport of what was done to a graph."""
        kept = (*self.options.keep_float, *repaired)
        return Quantization(
            scheme=self.scheme.name,
            weights="int8",
            activations=_ACTIVATIONS[self.scheme.activations],
            weight_levels=self.scheme.weight_levels,
            layers=tuple(layer for layer in layers_of(graph) if layer not in kept),
            float_layers=self.options.keep_float,
            repaired_layers=tuple(repaired),
            ranges=self.origin,
            calibration=self.calibration,
        )


def plan_quantization(
    checkpoint: Checkpoint,
    options: QuantizeOptions,
    data: Path | None,
    context: ExportContext,
    progress: Progress = lambda done, total: None,
) -> QuantizationPlan:
    """Find the ranges a scheme needs.

    Args:
        checkpoint: Weights to export.
        options: Quantization options of the recipe.
        data: Dataset whose training split is calibrated on. None to use the ranges recorded beside the checkpoint,
            which are used as well if the split has fewer images than the recipe asks for.
        context: Context of the run, which keeps what was observed.
        progress: Function called with the number of images done.

    Returns:
        The plan.

    Raises:
        InputError: Ranges are needed, and there is neither data nor a record.
        DatasetError: The data cannot be used.
        CheckpointError: The record is not valid, or belongs to other weights.
    """
    scheme = find_scheme(options.scheme)
    if scheme.activations == "none":
        return QuantizationPlan(scheme=scheme, options=options, ranges={}, origin="not needed: weights alone")
    chosen = None
    if data is not None:
        try:
            chosen = choose_calibration(
                data, options.calibration_images, options.seed, labels=checkpoint.labels, datasets=context.datasets
            )
        except TooFewImagesError:
            if read_recorded(checkpoint) is None:
                raise
    if chosen is not None:
        key = (checkpoint.sha256, chosen.manifest)
        return QuantizationPlan(
            scheme=scheme,
            options=options,
            ranges=dict(context.ranges.get(key, partial(calibrate, checkpoint, chosen, progress))),
            origin=f"observed on {len(chosen)} images of {chosen.manifest.dataset}",
            calibration=chosen.manifest,
        )
    recorded = read_recorded(checkpoint)
    if recorded is None:
        raise InputError(
            f"{checkpoint.path.name}: int8 needs activation ranges, and none are recorded beside the checkpoint",
            hint="pass "
            "--data with the dataset, record them once with resemote-edge calibrate, or export --precision w8, which "
            "needs none",
        )
    return QuantizationPlan(
        scheme=scheme,
        options=options,
        ranges=recorded.ranges,
        origin=f"recorded with the weights, on {recorded.calibration.count} images of {recorded.calibration.dataset}",
        calibration=recorded.calibration,
    )


def calibrate(
    checkpoint: Checkpoint, chosen: CalibrationSet, progress: Progress = lambda done, total: None
) -> dict[str, tuple[float, float]]:
    """Observe activation ranges of the original network, whose graph has every tensor that a rewritten one may read.

    Args:
        checkpoint: Weights of the network.
        chosen: Images to observe on.
        progress: Function called with (done, total).

    Returns:
        The range of every tensor, by name.
    """
    graph = build_eval_graph(checkpoint.build())
    spec = PreprocessSpec()

    def batches() -> Any:
        for start in range(0, len(chosen), _BATCH):
            yield spec(list(chosen.images[start : start + _BATCH]), "gray")

    return observe_ranges(graph, batches(), lambda done: progress(done, len(chosen)))
