"""Exact compaction: the same function in less than half the weights.

At 64x64 input, ``res_block3`` turns a 2x2 map into a 1x1 map. In its first 3x3 convolution (stride 2, padding 1), only
the taps ``[1:, 1:]`` ever read a pixel, and in its second (padding 1, on 1x1) only the centre tap does. All others read
only padding and cannot affect the output. 44,040,192 of the paper's 80,238,599 parameters are of that kind. `compact`
finds such taps by arithmetic on shapes, not by name, and drops them. It also drops a global mean over a 1x1 map, which
is the identity. No sum changes, because only products with zero are left out.

The result is exact for 64x64 input only, and `infer_shapes` refuses any other.
"""

import dataclasses

import torch
from torch import Tensor

from resemote_edge.models.graph import EvalGraph, Node
from resemote_edge.models.shapes import SIDE, Shape, infer_shapes, output_side

__all__ = ["COMPACT_TAPS", "compact", "compact_state", "expand"]

#: Key to the spatial size in the compact layout, and the place of those taps in the published 3x3 kernel.
COMPACT_TAPS: dict[str, tuple[tuple[int, int], tuple[slice, slice]]] = {
    "res_block3.conv1.weight": ((2, 2), (slice(1, 3), slice(1, 3))),
    "res_block3.conv2.weight": ((1, 1), (slice(1, 2), slice(1, 2))),
}


def compact(graph: EvalGraph, side: int = SIDE) -> EvalGraph:
    """Drop what cannot affect the output at 64x64.

    Args:
        graph: Graph from `build_eval_graph`; not modified.
        side: Rows and columns of the input; the result is exact for 64 only.

    Returns:
        The same function with fewer weights. Trimmed weights are copies, so that the full ones can be freed; all others
        share memory with the original.

    Raises:
        ExportError: The side is not 64.
    """
    shapes = infer_shapes(graph, side)
    nodes: list[Node] = []
    renamed: dict[str, str] = {}
    for original in graph.nodes:
        node = dataclasses.replace(original, inputs=tuple(renamed.get(name, name) for name in original.inputs))
        source = shapes[node.inputs[0]]
        if node.op == "global_mean" and source[1:] == (1, 1):
            renamed[node.name] = node.inputs[0]
            continue
        nodes.append(_trim(node, source) if node.op == "conv" else node)
    return EvalGraph(tuple(nodes))


def _trim(node: Node, source: Shape) -> Node:
    """Make a convolution without the taps that only read padding."""
    weight, stride, padding = node.params["weight"], node.attributes["stride"], node.attributes["padding"]
    rows, columns = (
        _live_taps(side, kernel, stride, padding) for side, kernel in zip(source[1:], weight.shape[2:], strict=True)
    )
    if rows != columns or (rows.start, rows.stop) == (0, weight.shape[2]):
        return node
    # Taps cut off in front replace padding there, and the shorter kernel needs less padding behind.
    params = {**node.params, "weight": weight[:, :, rows, columns].copy()}
    trimmed = dataclasses.replace(node, params=params, attributes={**node.attributes, "padding": padding - rows.start})
    kernel = rows.stop - rows.start
    same = output_side(source[1], kernel, stride, padding - rows.start) == output_side(
        source[1], weight.shape[2], stride, padding
    )
    return trimmed if same else node


def _live_taps(side: int, kernel: int, stride: int, padding: int) -> slice:
    """Range of the taps along one axis that read a pixel at some position."""
    positions = range(output_side(side, kernel, stride, padding))
    live = [tap for tap in range(kernel) if any(0 <= at * stride - padding + tap < side for at in positions)]
    return slice(min(live), max(live) + 1)


def compact_state(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Bring a state dict to the compact layout; `expand` does the reverse.

    Args:
        state: Parameters by name; not modified.

    Returns:
        The same parameters with only those taps of ``res_block3`` that can affect the output. Trimmed tensors are
        copies; all others, and those that are compact already, are passed through.
    """
    trimmed = dict(state)
    for key, (_, taps) in COMPACT_TAPS.items():
        weight = state.get(key)
        if weight is not None and tuple(weight.shape[2:]) == (3, 3):
            trimmed[key] = weight[(..., *taps)].contiguous()
    return trimmed


def expand(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Bring a compact state dict to the published layout.

    Args:
        state: Parameters by name; not modified.

    Returns:
        The same parameters with ``res_block3`` in 3x3 kernels, zero at the taps that cannot affect the output. Tensors
        already in the published layout are passed through, not copied.
    """
    expanded = dict(state)
    for key, (size, taps) in COMPACT_TAPS.items():
        weight = state.get(key)
        if weight is not None and tuple(weight.shape[2:]) == size:
            full = torch.zeros((*weight.shape[:2], 3, 3), dtype=weight.dtype)
            full[(..., *taps)] = weight
            expanded[key] = full
    return expanded
