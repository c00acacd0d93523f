"""Proofs: compare a rewritten graph with the original network, on the same inputs, in float64 and float32.

In float64, the two differ only by rounding, some 1e-14, while one tap too many or too few makes a difference of 1e-3 or
more. So the float64 figure proves the mathematics, and the float32 figure is the rounding of a deployed graph.
"""

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from resemote_edge.artifacts.passport import Rewrite
from resemote_edge.errors import GateError
from resemote_edge.models.graph import INPUT, LOGITS, EvalGraph, build_eval_graph
from resemote_edge.models.resemotenet import ResEmoteNet
from resemote_edge.runtimes.graph_operations import bind_operation
from resemote_edge.vision.preprocessing import PreprocessSpec

__all__ = ["FLOAT64_LIMIT", "evaluate_graph", "prove"]

#: Largest float64 logit difference a rewriting may show, relative to the largest logit (at least 1).
FLOAT64_LIMIT = 1e-11

#: Name of a rewriting, and the function that performs it.
Step = tuple[str, Callable[[EvalGraph], EvalGraph]]


def evaluate_graph(graph: EvalGraph, inputs: NDArray[Any]) -> NDArray[Any]:
    """Compute a graph's logits with PyTorch, in the dtype of its weights.

    Args:
        graph: Graph to compute.
        inputs: Inputs of the graph, converted to the graph's dtype.

    Returns:
        Logits, (N, classes) in the graph's dtype, even if its output is probabilities.
    """
    dtype = next(param.dtype for node in graph.nodes for param in node.params.values() if param.dtype.kind == "f")
    with torch.inference_mode():
        tensors = {INPUT: torch.from_numpy(np.ascontiguousarray(inputs, dtype=dtype))}
        for node in graph.nodes:
            params = {key: torch.from_numpy(array) for key, array in node.params.items()}
            operation = bind_operation(torch, node.op, params, node.attributes)
            tensors[node.name] = operation(*(tensors[name] for name in node.inputs))
        logits: NDArray[Any] = tensors[LOGITS].numpy()
    return logits


def prove(
    model: ResEmoteNet, steps: Sequence[Step], spec: PreprocessSpec, feeds: NDArray[Any], description: str
) -> tuple[EvalGraph, tuple[Rewrite, ...]]:
    """Rewrite a network's graph and prove every step against the network itself.

    Args:
        model: Network in float32, on the CPU, in eval mode; not modified.
        steps: Rewritings in order.
        spec: Input spec of the rewritten graph; steps before the one that embeds it get the tensors it describes.
        feeds: Inputs as `spec.feed_spec` says.
        description: Description of the feeds, for the passport.

    Returns:
        The rewritten float32 graph, and one `Rewrite` per step, folding BatchNorm first.

    Raises:
        GateError: A step changed the function, or the network itself gives NaN or Inf.
    """
    named: list[Step] = [("fold-batchnorm", lambda graph: graph), *steps]  # The first graph has it folded already.
    # The float64 graph is by far the larger, and is freed before the float32 graph is built.
    _, exact, scale = _rewrite(copy.deepcopy(model).double(), named, spec, feeds)
    for (name, _), (_, difference) in zip(named, exact, strict=True):
        if not difference <= FLOAT64_LIMIT * max(scale, 1.0):
            raise GateError(
                f"rewriting '{name}' changed the logits by {difference:.3g} in float64, so that nothing was exported"
            )
    graph, rounded, _ = _rewrite(model, named, spec, feeds)
    before = [sum(parameter.numel() for parameter in model.parameters()), *(count for count, _ in rounded)]
    rewrites = tuple(
        Rewrite(
            name=name,
            parameters_before=before[index],
            parameters_after=before[index + 1],
            max_abs_logit_diff_float64=exact[index][1],
            max_abs_logit_diff_float32=rounded[index][1],
            inputs=description,
        )
        for index, (name, _) in enumerate(named)
    )
    return graph, rewrites


def _rewrite(
    model: ResEmoteNet, steps: Sequence[Step], spec: PreprocessSpec, feeds: NDArray[Any]
) -> tuple[EvalGraph, list[tuple[int, float]], float]:
    """The rewritten graph in the model's dtype; parameters and largest logit difference after each step; the scale."""
    exact = model.conv1.weight.dtype == torch.float64
    tensors = spec.tensor(feeds, np.float64 if exact else np.float32)
    with torch.inference_mode():
        want = model(torch.from_numpy(tensors)).numpy()
    if not np.isfinite(want).all():
        raise GateError(f"the network itself gives NaN or Inf in {want.dtype}, so that it cannot be exported")
    graph = build_eval_graph(model)
    found = []
    for _, step in steps:
        graph = step(graph)
        given = feeds if graph.nodes[0].op == "from_nhwc" else tensors
        found.append((graph.parameters, float(np.abs(evaluate_graph(graph, given) - want).max())))
    return graph, found, float(np.abs(want).max())
