"""layer_work: weights and multiply-adds of each layer of a graph."""

import math

from resemote_edge.artifacts.passport import LayerWork
from resemote_edge.models.graph import EvalGraph, Node
from resemote_edge.models.shapes import Shape, infer_shapes

__all__ = ["layer_work"]


def layer_work(graph: EvalGraph, float_bits: int) -> tuple[LayerWork, ...]:
    """Count weights and multiply-adds of every layer that has weights.

    Multiply-adds are those that an engine carries out, including those with zero padding.

    Args:
        graph: Graph as it is exported.
        float_bits: Number of bits in which a floating weight is stored.

    Returns:
        One record per convolution and linear layer, in order of execution; multiply-adds for one image.
    """
    shapes = infer_shapes(graph)
    values: dict[str, int] = {"input": math.prod(shapes["input"])}
    work = []
    for node in graph.nodes:
        values[node.name] = _values(node, values, shapes)
        if node.op in ("conv", "linear"):
            weight = node.params["weight"]
            outputs = values[node.name]
            work.append(
                LayerWork(
                    name=node.name,
                    weights=int(weight.size),
                    weight_bits=8 if weight.dtype.kind == "i" else float_bits,
                    multiply_adds=outputs * int(weight[0].size),
                )
            )
    return tuple(work)


def _values(node: Node, values: dict[str, int], shapes: dict[str, Shape]) -> int:
    """Number of values per image that a node makes.

    Shapes leave the batch out and are not enough, because the rows of a matrix product are images times positions.
    """
    read = max(values[name] for name in node.inputs)
    if node.op == "linear":
        outputs, inputs = node.params["weight"].shape
        return read // int(inputs) * int(outputs)
    if node.op in ("conv", "max_pool", "global_mean", "luma", "gather", "pad_token"):
        return math.prod(shapes[node.name])
    return read
