"""Profile of ONNX Runtime on the CPU: the events it records, and the graph it was given."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resemote_edge.artifacts.artifact import Artifact
from resemote_edge.artifacts.partial import scratch_folder
from resemote_edge.measuring.profiles.base import NodeProfile
from resemote_edge.measuring.profiles.onnx_bytes import OnnxNode, read_nodes
from resemote_edge.measuring.profiles.precisions import precision_of_kernel, precision_of_type
from resemote_edge.runtimes.onnxruntime import DISABLED_OPTIMIZERS, engine_options
from resemote_edge.runtimes.registry import get_runtime
from resemote_edge.runtimes.session import SessionOptions, model_file
from resemote_edge.runtimes.telemetry import import_onnxruntime

__all__ = ["kernel_events", "layers_of_nodes", "profile"]

_WARMUP = 10
_RUNS = 60

_SUFFIX = "_kernel_time"

#: Operators with weights, before and after the engine's optimizations; nothing else computes a layer.
_LAYER_OPERATOR = re.compile(r"Conv(?!ert)|Gemm|MatMul")


def profile(artifact: Artifact, feeds: NDArray[Any], options: SessionOptions) -> tuple[NodeProfile, ...]:
    """Profile as `profile_nodes` describes; every node's time is the median of sixty calls."""
    path = artifact.file(model_file(get_runtime("onnxruntime"), artifact))
    graph = read_nodes(path.read_bytes())
    layers = layers_of_nodes(graph, [work.name for work in artifact.passport.layers])
    names = {artifact.passport.inputs[0].name: feeds}
    events = kernel_events(str(path), engine_options(artifact, options), names, range(_WARMUP + _RUNS))
    return tuple(_described(name, found[_WARMUP:], layers) for name, found in events.items())


def kernel_events(
    model: str | bytes, settings: Any, feeds: dict[str, NDArray[Any]], runs: Iterable[int]
) -> dict[str, list[dict[str, Any]]]:
    """Run a model and return the events of its kernels.

    Args:
        model: Path or contents of the ONNX.
        settings: Session options, an ``onnxruntime.SessionOptions``; profiling is switched on in it.
        feeds: Inputs by name.
        runs: Iterable that sets the number of calls: one per item.

    Returns:
        One event per call, by the engine's name of the node: ``dur`` in microseconds, and ``args`` with ``op_name``,
        types and sizes.
    """
    onnxruntime = import_onnxruntime("explaining an artifact")
    with scratch_folder("explain") as folder:
        settings.enable_profiling = True
        settings.profile_file_prefix = str(Path(folder, "profile"))
        session = onnxruntime.InferenceSession(
            model, settings, providers=["CPUExecutionProvider"], disabled_optimizers=DISABLED_OPTIMIZERS
        )
        for _ in runs:
            session.run(None, feeds)
        recorded = json.loads(Path(session.end_profiling()).read_bytes())
    events: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for event in recorded:
        if event.get("cat") == "Node" and event["name"].endswith(_SUFFIX):
            events[event["name"].removesuffix(_SUFFIX)].append(event)
    return dict(events)


def layers_of_nodes(graph: tuple[OnnxNode, ...], layers: list[str]) -> dict[str, str]:
    """Map nodes of the given graph to the layer they belong to, if the engine runs a product under that node's name.

    The engine names a fused product after the last node that it fused. So a node that follows a layer is mapped to that
    layer as well, as long as its first input comes from it.

    Args:
        graph: Graph as exported.
        layers: Layers in order of execution. A layer without a node of its name is paired with the products that bear
            no layer's name, in order. (In a typed graph, the last layer's name is that of the cast behind it.)

    Returns:
        Layer by name of node.
    """
    products = [node for node in graph if _LAYER_OPERATOR.search(node.operator)]
    named = {node.name for node in products} & set(layers)
    unnamed = [node.name for node in products if node.name not in named]
    left = [layer for layer in layers if layer not in named]
    found = {name: name for name in named}
    if len(unnamed) == len(left):
        found |= dict(zip(unnamed, left, strict=True))
    makers = {output: node.name for node in graph for output in node.outputs}
    for node in graph:  # in topological order, as ONNX demands
        if node.name not in found and not _LAYER_OPERATOR.search(node.operator) and node.inputs:
            source = found.get(makers.get(node.inputs[0], ""))
            if source is not None:
                found[node.name] = source
    return found


def _described(name: str, events: list[dict[str, Any]], layers: dict[str, str]) -> NodeProfile:
    told = events[-1]["args"]
    kernel = str(told["op_name"])
    return NodeProfile(
        layer=layers.get(_source_name(name)) if _LAYER_OPERATOR.search(kernel) else None,
        time_us=float(np.median([event["dur"] for event in events])),
        kernel=kernel,
        precision=precision_of_kernel(kernel) or _input_precision(told),
        activation_bytes=int(told["activation_size"]) + int(told["output_size"]) if "output_size" in told else None,
    )


def _source_name(name: str) -> str:
    """Name that a node has in the given graph, without what the engine adds: ``fused fc1``, ``conv1.relu_nchwc``."""
    return re.sub(r"^fused |^InsertedPrecisionFreeCast_|_token_\d+|_nchwc$", "", name)


def _input_precision(told: dict[str, Any]) -> str | None:
    """Precision of the first input, which decides a product's kernel: ``[{"float": [2, 128]}, ...]``."""
    types = [name for tensor in told.get("input_type_shape", ()) for name in tensor]
    return precision_of_type(types[0]) if types else None
