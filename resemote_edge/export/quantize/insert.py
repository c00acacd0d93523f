"""quantize: turns a floating eval graph into one in eight bits, by a scheme and observed ranges.

``quantize`` and ``dequantize`` nodes stand around every layer, like ONNX's QuantizeLinear and DequantizeLinear. Weights
become int8 arrays with a scale per output channel. Engines that know the pattern compute the layer between them in
integers; any other engine still computes the same numbers.
"""

import dataclasses
from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resemote_edge.errors import ExportError
from resemote_edge.export.quantize.ranges import Ranges
from resemote_edge.export.quantize.scheme import Scheme
from resemote_edge.models.embedding import WITH_CONSTANT, WITH_CONSTANT_RANGE
from resemote_edge.models.graph import EvalGraph, Node

__all__ = ["layers_of", "quantize", "quantize_weight"]

# Operations that only move values: eight bits stay eight bits. A maximum picks one of them, so it belongs here too.
_MOVES = ("max_pool", "to_tokens", "pad_token", "gather", "reshape", "flatten")

# The attention's two layers work on one position and hold a thousandth of the weights, so nothing is gained there. And
# the convolution that makes the channel of ones is two constants.
_ALWAYS_FLOAT = ("se.", "input.")

_INT32_MAX = 2**31 - 1


def layers_of(graph: EvalGraph) -> tuple[str, ...]:
    """Names of the layers that quantization may touch, in order of execution."""
    return tuple(
        node.name for node in graph.nodes if node.op in ("conv", "linear") and not node.name.startswith(_ALWAYS_FLOAT)
    )


def quantize(
    graph: EvalGraph,
    ranges: Ranges,
    scheme: Scheme,
    keep_float: Collection[str] = (),
    *,
    scale_dtype: type[np.floating[Any]] = np.float32,
) -> EvalGraph:
    """Quantize a graph.

    Args:
        graph: Floating graph; not modified.
        ranges: Ranges, by name, of the tensors that layers read; not needed where activations stay floating.
        scheme: Scheme of quantization.
        keep_float: Layers to leave as they are.
        scale_dtype: Type that scales must be representable in.

    Returns:
        The quantized graph; weights and biases that stay floating share memory with the original.

    Raises:
        ExportError: A range is missing, or a layer to keep does not exist.
    """
    unknown = sorted(set(keep_float) - set(layers_of(graph)))
    if unknown:
        raise ExportError(f"no layer is called {unknown[0]}", hint=f"layers are {', '.join(layers_of(graph))}")
    writer = _Quantizer(graph, {**ranges, WITH_CONSTANT: WITH_CONSTANT_RANGE}, scheme, scale_dtype)
    chosen = set(layers_of(graph)) - set(keep_float)
    for node in graph.nodes:
        writer.add(node, quantized=node.name in chosen)
    return _without_unused(EvalGraph(tuple(writer.nodes)))


class _Quantizer:
    """Collects nodes, and remembers which tensors exist in eight bits and with which scale."""

    def __init__(self, graph: EvalGraph, ranges: Ranges, scheme: Scheme, scale_dtype: type[np.floating[Any]]) -> None:
        self.producers = {node.name: node for node in graph.nodes}
        self.ranges = ranges
        self.scheme = scheme
        self.scale_dtype = scale_dtype
        self.nodes: list[Node] = []
        self.scales: dict[str, dict[str, NDArray[Any]]] = {}
        self.quantized_layers: set[str] = set()

    def add(self, node: Node, *, quantized: bool) -> None:
        """Write one node of the floating graph."""
        if quantized:
            self.quantized_layers.add(node.name)
            self.nodes.append(self._layer(node))
        elif any(map(self._follows_a_convolution, node.inputs)):
            inputs = tuple(
                self._rounded(name, at=node.name) if self._follows_a_convolution(name) else name for name in node.inputs
            )
            self.nodes.append(dataclasses.replace(node, inputs=inputs))
        elif self.scheme.shortcuts and node.op == "add":
            first, second = node.inputs
            self.nodes.append(dataclasses.replace(node, inputs=(first, self._rounded(second, at=second))))
        else:
            self.nodes.append(node)

    def _layer(self, node: Node) -> Node:
        equal = node.params["weight"].shape[1] - 1 if node.inputs[0] == WITH_CONSTANT else 1
        weight, scale = quantize_weight(node.params["weight"], self.scheme.weight_levels, self.scale_dtype, equal)
        params = {**node.params, "weight": weight, "weight_scale": scale}
        if self.scheme.activations == "none":
            return dataclasses.replace(node, params=params)
        source = self._rounded(node.inputs[0], at=node.name)
        if self.scheme.biases == "int32" and "bias" in params:
            bias_scale = scale.astype(np.float64) * float(self.scales[source]["scale"])
            whole = np.clip(np.rint(params["bias"] / bias_scale), -_INT32_MAX, _INT32_MAX)
            params |= {"bias": whole.astype(np.int32), "bias_scale": bias_scale.astype(np.float32)}
        return dataclasses.replace(node, inputs=(source,), params=params)

    def _follows_a_convolution(self, name: str) -> bool:
        """Whether a tensor comes from a quantized convolution, after its ReLU and maybe pooled.

        ONNX Runtime's integer convolution writes eight bits or does not apply. So such a tensor is rounded even where
        its reader, the attention branch, computes in floating point.
        """
        node = self.producers.get(name)
        if self.scheme.activations == "none" or not self.scheme.early or node is None:
            return False
        if node.op == "max_pool":
            return self._follows_a_convolution(node.inputs[0])
        source = self.producers.get(node.inputs[0])
        is_convolution = source is not None and source.op == "conv" and source.name in self.quantized_layers
        return node.op == "relu" and is_convolution

    def _rounded(self, name: str, *, at: str) -> str:
        """Convert the tensor to eight bits and back; `at` names the layer that reads it."""
        eight_bits = self._in_eight_bits(name)
        result = f"{eight_bits}.dequantized"
        if result not in self.scales:
            self.scales[result] = self.scales[eight_bits]
            self.nodes.append(Node(result, "dequantize", (eight_bits,), self.scales[eight_bits]))
        return result

    def _in_eight_bits(self, name: str) -> str:
        """Return the tensor in eight bits, written once."""
        producer = self.producers.get(name)
        if producer is not None and producer.op in _MOVES and self.scheme.early:
            return self._moved(producer)
        result = f"{name}.quantized"
        if result not in self.scales:
            self.scales[result] = self._scale(name)
            self.nodes.append(Node(result, "quantize", (name,), self.scales[result]))
        return result

    def _moved(self, node: Node) -> str:
        """Write a node that only moves values, done on eight bits."""
        source = self._in_eight_bits(node.inputs[0])
        result = f"{node.name}.quantized"
        if result not in self.scales:
            self.scales[result] = self.scales[source]
            if node.op == "pad_token" and int(self.scales[source]["zero_point"]) != 0:
                raise ExportError(f"{node.name}: a zero token cannot be written where zero is not the integer 0")
            self.nodes.append(dataclasses.replace(node, name=result, inputs=(source,)))
        return result

    def _scale(self, name: str) -> dict[str, NDArray[Any]]:
        low, high = self._range(name)
        zero_point: np.integer[Any]
        if self.scheme.activations == "s8":
            scale, zero_point = max(-low / 128.0, high / 127.0), np.int8(0)
        elif low >= 0.0:
            scale, zero_point = high / 255.0, np.uint8(0)
        else:
            scale = (max(high, 0.0) - low) / 255.0
            zero_point = np.uint8(np.clip(np.rint(-low / scale), 0, 255))
        # A tensor that is zero throughout has no scale; any scale will do.
        rounded = _round_up(np.asarray(scale or 1.0), self.scale_dtype)
        return {"scale": rounded, "zero_point": np.asarray(zero_point)}

    def _range(self, name: str) -> tuple[float, float]:
        """Range observed where the tensor was made: moving values changes no range, and neither does a zero token."""
        source = name
        while source not in self.ranges and source in self.producers and self.producers[source].op in _MOVES:
            source = self.producers[source].inputs[0]
        if source not in self.ranges:
            raise ExportError(f"no activation range is known for {source}", hint="calibrate with --data")
        return self.ranges[source]


def quantize_weight(
    weight: NDArray[Any], levels: int = 127, scale_dtype: type[np.floating[Any]] = np.float32, equal_inputs: int = 1
) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Round a weight to symmetric int8, one scale per output channel.

    Args:
        weight: Weight (out, ...), floating.
        levels: Largest integer magnitude.
        scale_dtype: Type that scales must be representable in.
        equal_inputs: Number of first input channels that always carry the same values. Each passes its rounding error
            on to the next, so that the sum of their weights is rounded once.

    Returns:
        Integers, int8 of the same shape, and scales, float32 (out,). ``integer * scale`` approximates the weight to
        half a scale, and where inputs are equal, their sum.
    """
    flat = weight.reshape(len(weight), -1)
    scale = _round_up(np.abs(flat).max(axis=1) / levels, scale_dtype)
    scale[scale == 0.0] = 1.0
    steps = weight.astype(np.float64) / scale.reshape(-1, *[1] * (weight.ndim - 1))
    whole = np.clip(np.rint(steps), -levels, levels)
    for channel in range(1, equal_inputs):
        error = (steps[:, :channel] - whole[:, :channel]).sum(axis=1)
        whole[:, channel] = np.clip(np.rint(steps[:, channel] + error), -levels, levels)
    return whole.astype(np.int8), scale


def _round_up(scale: NDArray[Any], dtype: type[np.floating[Any]]) -> NDArray[np.float32]:
    """Scales as float32, each the smallest value of `dtype` that is not below it, so that nothing is clipped."""
    rounded = scale.astype(dtype)
    return np.where(rounded.astype(np.float64) < scale, np.nextafter(rounded, dtype(np.inf)), rounded).astype(
        np.float32
    )


def _without_unused(graph: EvalGraph) -> EvalGraph:
    """Remove the nodes whose floating result is no longer read."""
    kept: list[Node] = []
    wanted = {graph.nodes[-1].name}
    for node in reversed(graph.nodes):
        if node.name in wanted:
            kept.append(node)
            wanted.update(node.inputs)
    return EvalGraph(tuple(reversed(kept)))
