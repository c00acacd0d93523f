"""Ranges: the smallest and largest value of every tensor, observed over a calibration set."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from resemote_edge.models.graph import INPUT, EvalGraph
from resemote_edge.runtimes.graph_operations import bind_operation

__all__ = ["Ranges", "observe_ranges"]

#: Tensor name to (smallest, largest) value.
Ranges = Mapping[str, tuple[float, float]]


def observe_ranges(
    graph: EvalGraph, batches: Iterable[NDArray[Any]], progress: Callable[[int], None] = lambda done: None
) -> dict[str, tuple[float, float]]:
    """Run a graph and note the extremes of every tensor (MinMax calibration).

    MinMax is used rather than a percentile or entropy: it clips nothing, has nothing to tune, and is two numbers per
    tensor.

    Args:
        graph: Floating graph, before lowering, so that tensors have the names of the paper's layers.
        batches: Inputs of the graph, in batches.
        progress: Function called with the number of inputs done.

    Returns:
        The range of every tensor, the input's among them.
    """
    ranges: dict[str, tuple[float, float]] = {}
    bound = [
        (
            node,
            bind_operation(torch, node.op, {k: torch.from_numpy(v) for k, v in node.params.items()}, node.attributes),
        )
        for node in graph.nodes
    ]
    done = 0
    with torch.inference_mode():
        for batch in batches:
            tensors = {INPUT: torch.from_numpy(np.ascontiguousarray(batch))}
            _note(ranges, INPUT, tensors[INPUT])
            for node, operation in bound:
                tensors[node.name] = operation(*(tensors[name] for name in node.inputs))
                _note(ranges, node.name, tensors[node.name])
            done += len(batch)
            progress(done)
    return ranges


def _note(ranges: dict[str, tuple[float, float]], name: str, tensor: torch.Tensor) -> None:
    low, high = (float(value) for value in torch.aminmax(tensor))
    before = ranges.get(name, (low, high))
    ranges[name] = (min(low, before[0]), max(high, before[1]))
