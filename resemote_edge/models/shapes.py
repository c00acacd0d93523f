"""Shapes of every tensor of an eval graph at the network's one input size."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from resemote_edge.errors import ExportError
from resemote_edge.models.graph import INPUT, EvalGraph, Node

__all__ = ["SIDE", "Shape", "infer_shapes", "output_side"]

#: Rows and columns of the network's input.
SIDE = 64

#: Shape without the batch: (C, H, W) for maps, (P, C) for tokens, (K,) for vectors.
Shape = tuple[int, ...]


def output_side(side: int, kernel: int, stride: int, padding: int) -> int:
    """Number of rows (or columns) of a convolution's output."""
    return (side + 2 * padding - kernel) // stride + 1


def infer_shapes(graph: EvalGraph, side: int = SIDE) -> dict[str, Shape]:
    """Shape of every tensor without the batch, by name.

    Args:
        graph: Graph whose shapes are inferred.
        side: Rows and columns of the input; anything but 64 is refused, because rewritten graphs are exact there only.

    Raises:
        ExportError: The side is another, or the graph's shapes do not fit together.
    """
    if side != SIDE:
        raise ExportError(f"graphs are rewritten exactly for {SIDE}x{SIDE} input only, not for {side}x{side}")
    first = graph.nodes[0]
    takes_pixels = first.op == "from_nhwc"
    shapes: dict[str, Shape] = {INPUT: (side, side, first.attributes["channels"]) if takes_pixels else (3, side, side)}
    for node in graph.nodes:
        try:
            shape = _RULES[node.op](node, [shapes[name] for name in node.inputs])
        except (KeyError, ValueError, IndexError) as error:
            raise ExportError(f"{node.name} ({node.op}): no shape can be told from its inputs ({error})") from None
        if min(shape) < 1:
            raise ExportError(f"{node.name}: its output would be empty, of shape {shape}")
        shapes[node.name] = shape
    return shapes


def _conv(node: Node, inputs: list[Shape]) -> Shape:
    _, height, width = inputs[0]
    out, _, kernel_rows, kernel_columns = node.params["weight"].shape
    stride, padding = node.attributes["stride"], node.attributes["padding"]
    return (out, output_side(height, kernel_rows, stride, padding), output_side(width, kernel_columns, stride, padding))


def _max_pool(node: Node, inputs: list[Shape]) -> Shape:
    channels, height, width = inputs[0]
    return channels, height // node.attributes["size"], width // node.attributes["size"]


def _to_tokens(node: Node, inputs: list[Shape]) -> Shape:
    channels, height, width = inputs[0]
    return height * width, channels


def _same(node: Node, inputs: list[Shape]) -> Shape:
    return max(inputs, key=lambda shape: shape[1:])


_RULES: Mapping[str, Callable[[Node, list[Shape]], Any]] = {
    "from_nhwc": lambda node, inputs: (inputs[0][2], *inputs[0][:2]),
    "luma": lambda node, inputs: (1, *inputs[0][1:]),
    "conv": _conv,
    "max_pool": _max_pool,
    "to_tokens": _to_tokens,
    "flatten": lambda node, inputs: (math.prod(inputs[0]),),
    "quantize": _same,
    "dequantize": _same,
    "relu": _same,
    "sigmoid": _same,
    "softmax": _same,
    "multiply": _same,
    "add": _same,
    "global_mean": lambda node, inputs: (inputs[0][0], 1, 1),
    "pad_token": lambda node, inputs: (inputs[0][0] + 1, inputs[0][1]),
    "gather": lambda node, inputs: (len(node.params["indices"]), inputs[0][1]),
    "reshape": lambda node, inputs: tuple(node.attributes["shape"][1:]),
    "linear": lambda node, inputs: (*inputs[0][:-1], node.params["weight"].shape[0]),
}
