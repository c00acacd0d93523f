"""Sensitivity: the damage that each layer does when it alone is quantized.

The logits of the floating graph are the signal, and their change is the noise. They are computed with PyTorch on the
quantized graph itself, so this states the cost of eight bits, whatever engine will run them.
"""

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray

from resemote_edge.export.quantize.insert import layers_of
from resemote_edge.export.quantize.quantization import QuantizationPlan
from resemote_edge.models.graph import INPUT, LOGITS, EvalGraph, Node
from resemote_edge.runtimes.graph_operations import bind_operation

__all__ = ["LayerSensitivity", "rank_layers"]

_BATCH = 32


class LayerSensitivity(msgspec.Struct, frozen=True, kw_only=True):
    """Damage of quantizing one layer alone.

    Attributes:
        layer: Name of the layer.
        weights: Number of weights it holds.
        signal_to_noise_db: Signal-to-noise ratio of the logits; less is worse.
        flip_rate: Fraction of the inputs that change their top class.
        max_abs_logit_diff: Largest change of a logit.
    """

    layer: str
    weights: int
    signal_to_noise_db: float
    flip_rate: float
    max_abs_logit_diff: float


def rank_layers(
    graph: EvalGraph,
    plan: QuantizationPlan,
    feeds: NDArray[Any],
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[LayerSensitivity]:
    """Quantize one layer at a time and compare the logits.

    Args:
        graph: Floating graph.
        plan: Plan with the scheme and ranges.
        feeds: Inputs of the graph; some hundred, not from a split that anything is measured on.
        progress: Function called with (done, total) batches.

    Returns:
        Every layer, worst first by signal-to-noise ratio.
    """
    layers = layers_of(graph)
    original = {node.name: node for node in graph.nodes}
    variants = {
        layer: plan.apply(graph, [other for other in layers if other != layer])
        for layer in layers
        if layer not in plan.options.keep_float
    }
    base = _bind(graph.nodes)
    changed = {
        layer: _bind([node for node in variant.nodes if original.get(node.name) is not node])
        for layer, variant in variants.items()
    }
    reference: list[NDArray[Any]] = []
    found: dict[str, list[NDArray[Any]]] = {layer: [] for layer in variants}
    batches = [feeds[start : start + _BATCH] for start in range(0, len(feeds), _BATCH)]
    with torch.inference_mode():
        for done, batch in enumerate(batches, start=1):
            tensors = {INPUT: torch.from_numpy(np.ascontiguousarray(batch, dtype=np.float32))}
            for node in graph.nodes:
                tensors[node.name] = base[node.name](*(tensors[name] for name in node.inputs))
            reference.append(tensors[LOGITS].numpy())
            for layer, variant in variants.items():
                found[layer].append(_logits_of(variant, tensors, base, changed[layer]))
            progress(done, len(batches))
    want = np.concatenate(reference)
    ranked = [
        _measure(layer, int(original[layer].params["weight"].size), want, np.concatenate(found[layer]))
        for layer in variants
    ]
    return sorted(ranked, key=lambda entry: entry.signal_to_noise_db)


def _bind(nodes: Any) -> dict[str, Callable[..., Any]]:
    return {
        node.name: bind_operation(
            torch, node.op, {key: torch.from_numpy(array) for key, array in node.params.items()}, node.attributes
        )
        for node in nodes
    }


def _logits_of(
    variant: EvalGraph,
    known: dict[str, torch.Tensor],
    base: dict[str, Callable[..., Any]],
    changed: dict[str, Callable[..., Any]],
) -> NDArray[Any]:
    """Logits of a graph that differs in some nodes; the results before them are taken from `known`."""
    fresh: dict[str, torch.Tensor] = {}

    def is_stale(node: Node) -> bool:
        return node.name in changed or any(name in fresh for name in node.inputs)

    for node in filter(is_stale, variant.nodes):
        operation = changed.get(node.name) or base[node.name]
        fresh[node.name] = operation(*(fresh.get(name, known.get(name)) for name in node.inputs))
    logits: NDArray[Any] = fresh[LOGITS].numpy()
    return logits


def _measure(layer: str, weights: int, want: NDArray[Any], got: NDArray[Any]) -> LayerSensitivity:
    noise = float(np.square(got - want, dtype=np.float64).sum())
    signal = float(np.square(want - want.mean(axis=1, keepdims=True), dtype=np.float64).sum())
    ratio = 10.0 * np.log10(signal / noise) if noise > 0.0 else float("inf")
    return LayerSensitivity(
        layer=layer,
        weights=weights,
        signal_to_noise_db=float(ratio),
        flip_rate=float((want.argmax(axis=1) != got.argmax(axis=1)).mean()),
        max_abs_logit_diff=float(np.abs(got - want).max()),
    )
