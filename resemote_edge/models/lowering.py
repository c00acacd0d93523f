"""Exact lowering: convolutions on small maps as gather and matrix product over tokens.

On maps of up to 8x8, engines' convolution kernels read every weight again for each image and position. Over tokens (N,
positions, channels), a 3x3 convolution has two steps. The nine taps of every output position are gathered side by side,
with a zero token as padding. Then they are multiplied by one matrix of (9 * in) x out. The sums are the same, term by
term, but each weight is read once per batch, and matrix products are what engines do best.
"""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from resemote_edge.models.graph import EvalGraph, Node
from resemote_edge.models.shapes import SIDE, Shape, infer_shapes, output_side

__all__ = ["SMALL_SIDE", "lower"]

#: Convolutions whose input map has at most this many rows are lowered.
SMALL_SIDE = 8


def lower(graph: EvalGraph, side: int = SIDE) -> EvalGraph:
    """Rewrite the residual blocks over tokens.

    Args:
        graph: Graph, compact or not; not modified.
        side: Rows and columns of the input; the result is exact for 64 only.

    Returns:
        The same function; every convolution of the residual blocks, whose maps have at most `SMALL_SIDE` rows, is a
        ``linear``.

    Raises:
        ExportError: The side is not 64.
    """
    writer = _Lowering(infer_shapes(graph, side))
    for node in graph.nodes:
        writer.add(node)
    return EvalGraph(tuple(writer.nodes))


class _Lowering:
    """Collects nodes, and remembers which tensors are rows (N * positions, channels) instead of maps."""

    def __init__(self, shapes: dict[str, Shape]) -> None:
        self.shapes = shapes
        self.nodes: list[Node] = []
        self.rows: set[str] = set()
        self.tokens: dict[str, str] = {}

    def add(self, node: Node) -> None:
        """Write one node of the original graph."""
        if node.op == "conv" and self._is_small(node):
            self._lower_conv(node)
        elif any(name in self.rows for name in node.inputs):
            self._keep_on_rows(node)
        else:
            self.nodes.append(node)

    def _is_small(self, node: Node) -> bool:
        _, height, width = self.shapes[node.inputs[0]]
        # A single position (the attention branch) may stay a map, unless its input is a row already.
        return height <= SMALL_SIDE and (height * width > 1 or node.inputs[0] in self.rows)

    def _keep_on_rows(self, node: Node) -> None:
        if node.op in ("flatten", "global_mean"):
            channels, height, width = self.shapes[node.inputs[0]]
            assert (height, width) == (1, 1), f"{node.name}: rows hold positions apart; only one position is one row"
            node = Node(node.name, "reshape", node.inputs, attributes={"shape": (-1, channels)})
        else:
            assert node.op in ("linear", "relu", "add"), f"{node.name}: {node.op} does not work on rows"
        self.nodes.append(node)
        self.rows.add(node.name)

    def _lower_conv(self, node: Node) -> None:
        channels, height, width = self.shapes[node.inputs[0]]
        weight = node.params["weight"]
        out, _, kernel_rows, kernel_columns = weight.shape
        indices = _tap_indices((height, width), (kernel_rows, kernel_columns), node)
        source = self._as_tokens(node.inputs[0])
        if indices.max() == height * width:  # some taps read padding
            source = self._zero_token(source)
        if not np.array_equal(indices.ravel(), np.arange(height * width)):
            name = f"{node.name}.taps"
            self.nodes.append(Node(name, "gather", (source,), {"indices": indices.ravel()}))
            source = name
        width_of_row = indices.shape[1] * channels
        self.nodes.append(Node(f"{node.name}.rows", "reshape", (source,), attributes={"shape": (-1, width_of_row)}))
        # A row holds tap after tap, and each tap its channels.
        params = {**node.params, "weight": np.ascontiguousarray(weight.transpose(0, 2, 3, 1)).reshape(out, -1)}
        self.nodes.append(
            dataclasses.replace(node, op="linear", inputs=(f"{node.name}.rows",), params=params, attributes={})
        )
        self.rows.add(node.name)

    def _as_tokens(self, name: str) -> str:
        """The tensor as (N, positions, channels), written once."""
        if name not in self.tokens:
            channels, height, width = self.shapes[name]
            tokens = f"{name}.tokens"
            if name in self.rows:
                shape = (-1, height * width, channels)
                self.nodes.append(Node(tokens, "reshape", (name,), attributes={"shape": shape}))
            else:
                self.nodes.append(Node(tokens, "to_tokens", (name,)))
            self.tokens[name] = tokens
        return self.tokens[name]

    def _zero_token(self, tokens: str) -> str:
        padded = f"{tokens}.padded"
        if padded not in self.rows:
            self.nodes.append(Node(padded, "pad_token", (tokens,)))
            self.rows.add(padded)
        return padded


def _tap_indices(side: tuple[int, int], kernel: tuple[int, int], node: Node) -> NDArray[np.int64]:
    """Token that each tap of each output position reads, int64 (positions, taps); the token count means padding."""
    stride, padding = node.attributes["stride"], node.attributes["padding"]
    height, width = side
    rows = [output_side(length, taps, stride, padding) for length, taps in zip(side, kernel, strict=True)]
    indices = np.full((rows[0] * rows[1], kernel[0] * kernel[1]), height * width, dtype=np.int64)
    for position, (y, x) in enumerate(np.ndindex(*rows)):
        for tap, (ky, kx) in enumerate(np.ndindex(*kernel)):
            row, column = y * stride - padding + ky, x * stride - padding + kx
            if 0 <= row < height and 0 <= column < width:
                indices[position, tap] = row * width + column
    return indices
