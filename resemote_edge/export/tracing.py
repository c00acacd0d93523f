"""The graph stage: turns a checkpoint into an eval graph, rewritten exactly and proved."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray

from resemote_edge.artifacts.passport import Lineage, Rewrite
from resemote_edge.data.registry import DatasetReader
from resemote_edge.export.context import ExportContext
from resemote_edge.export.recipe import Recipe
from resemote_edge.models.checkpoint import Checkpoint
from resemote_edge.models.compact import compact
from resemote_edge.models.embedding import embed_preprocessing
from resemote_edge.models.graph import EvalGraph, with_output
from resemote_edge.models.lowering import lower
from resemote_edge.models.proof import Step, prove
from resemote_edge.models.resemotenet import ResEmoteNet
from resemote_edge.vision.drawn import drawn_faces, noise_crops
from resemote_edge.vision.preprocessing import PreprocessSpec

__all__ = ["Traced", "VerifyInputs", "trace"]

_INPUTS_SEED = 7

# Rewritings are proved on seeded random tensors and on the first inputs of the verify stage, in float64 and float32.
_PROOF_RANDOM = 8
_PROOF_INPUTS = 24

# Three copies and the constant make four channels, which int8 kernels take at a time.
_PIXEL_COPIES = 3


@dataclass(frozen=True)
class VerifyInputs:
    """Inputs of the comparison.

    Attributes:
        description: Description for the passport.
        feeds: Inputs of the exported graph, as `PreprocessSpec.feed_spec` says.
    """

    description: str
    feeds: NDArray[Any] = field(repr=False)


@dataclass(frozen=True)
class Traced:
    """Result of the graph stage.

    Attributes:
        model: Original network, float32, in eval mode.
        graph: Graph that will be exported, floating.
        rewrites: Rewritings of the graph, with proofs.
        lineage: Origin of the weights.
        preprocessing: Input spec of the graph.
    """

    model: ResEmoteNet = field(repr=False)
    graph: EvalGraph = field(repr=False)
    rewrites: tuple[Rewrite, ...]
    lineage: Lineage
    preprocessing: PreprocessSpec


def trace(
    checkpoint: Checkpoint, recipe: Recipe, data: Path | None, context: ExportContext
) -> tuple[Traced, VerifyInputs]:
    """Build and rewrite the graph as a recipe says; the same graph is proved once in a run.

    Args:
        checkpoint: Weights to export.
        recipe: Recipe, whose [graph] section decides.
        data: Dataset whose validation split the inputs are taken from; None for drawn faces and noise.
        context: Context of the run.

    Returns:
        The graph with its proofs, and the inputs of the verify stage; the rewritings are proved on the first of them.

    Raises:
        DatasetError: The data cannot be read.
        InputError: The data has other classes than the network.
        GateError: A rewriting changed the function.
    """
    spec = PreprocessSpec(input=recipe.graph.input)
    inputs = _choose_inputs(data, recipe.verify.samples, spec, checkpoint.labels, context.datasets)
    lineage = _lineage(checkpoint)
    feeds = np.concatenate([_random_feeds(spec), inputs.feeds[:_PROOF_INPUTS]])
    described = f"{_PROOF_RANDOM} seeded random inputs, and {len(feeds) - _PROOF_RANDOM} of {inputs.description}"
    quantized = recipe.quantize is not None
    key = (
        msgspec.json.encode((lineage, spec)),
        (recipe.graph.compact, recipe.graph.lowering, recipe.graph.output, quantized and spec.input != "tensor"),
        (described, hashlib.sha256(feeds.tobytes()).hexdigest()),
        # The weights themselves are compared, because the file they were read from may have changed.
        tuple(float(tensor.sum(dtype=torch.float64)) for tensor in checkpoint.state.values()),
    )

    def build() -> Traced:
        model = checkpoint.build()
        steps: list[Step] = []
        if recipe.graph.compact:
            steps.append(("compact", compact))
        if recipe.graph.lowering == "matmul":
            steps.append(("lower", lower))
        if spec.input != "tensor":
            steps.append((f"embed {spec.input}", embed_preprocessing(spec, _PIXEL_COPIES if quantized else 1)))
        graph, rewrites = prove(model, steps, spec, feeds, described)
        return Traced(model, with_output(graph, recipe.graph.output), rewrites, lineage, spec)

    return context.traced.get(key, build), inputs


def _choose_inputs(
    data: Path | None, count: int, preprocessing: PreprocessSpec, labels: Sequence[str], datasets: DatasetReader
) -> VerifyInputs:
    """Choose real faces of the validation split if data is given; otherwise drawn faces and noise, half each."""
    if data is not None:
        dataset = datasets.load(data, ("validation",))["validation"]
        dataset.targets_in(labels)  # This refuses other classes before any work.
        chosen = np.random.default_rng(_INPUTS_SEED).choice(len(dataset), min(count, len(dataset)), replace=False)
        feeds = preprocessing(list(dataset.images[np.sort(chosen)]), "gray")
        return VerifyInputs(f"{len(feeds)} faces of {dataset.name}", feeds)
    drawn = count // 2
    crops = [*drawn_faces(drawn, seed=_INPUTS_SEED), *noise_crops(count - drawn, seed=_INPUTS_SEED)]
    feeds = preprocessing(crops, "rgb")
    return VerifyInputs(f"{drawn} drawn faces and {count - drawn} noise crops", feeds)


def _lineage(checkpoint: Checkpoint) -> Lineage:
    card = checkpoint.card
    return Lineage(
        checkpoint=checkpoint.path.name,
        checkpoint_sha256=checkpoint.sha256,
        width=checkpoint.width,
        parameters=checkpoint.parameters,
        training_data=card.training_data,
        accuracy=card.accuracy,
    )


def _random_feeds(spec: PreprocessSpec) -> NDArray[Any]:
    """Seeded random feeds of the network's input format: normal numbers for tensors, any level for pixels."""
    rng = np.random.default_rng(_PROOF_RANDOM)
    shape = (_PROOF_RANDOM, *(int(side) for side in spec.feed_spec.shape[1:]))
    if spec.input == "tensor":
        return rng.standard_normal(shape).astype(np.float32)
    return rng.integers(0, 256, shape, dtype=np.uint8)
