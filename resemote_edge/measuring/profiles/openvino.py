"""Profile of OpenVINO on the CPU: its counters, and the graph it made of the model."""

import math
import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resemote_edge.artifacts.artifact import Artifact
from resemote_edge.measuring.profiles.base import NodeProfile
from resemote_edge.measuring.profiles.precisions import precision_of_kernel, precision_of_type
from resemote_edge.runtimes.openvino import compile_settings
from resemote_edge.runtimes.registry import get_runtime
from resemote_edge.runtimes.session import SessionOptions, model_file
from resemote_edge.runtimes.telemetry import import_openvino

__all__ = ["node_totals_us", "profile", "runtime_information"]

# The counters keep averages in whole microseconds over all calls since the model was compiled, the first and slow ones
# included, and cannot be reset. So the first calls are subtracted, and the model is compiled several times.
_BLOCKS = 5
_WARMUP = 5
_RUNS = 12

#: Operations with weights, in the engine's graph.
_PRODUCT = re.compile(r"Conv(?!ert)|FullyConnected|MatMul|Gemm")


def profile(artifact: Artifact, feeds: NDArray[Any], options: SessionOptions) -> tuple[NodeProfile, ...]:
    """Profile as `profile_nodes` describes; every node's time is the median of five means of twelve calls."""
    openvino = import_openvino("explaining an artifact")
    core = openvino.Core()
    model = core.read_model(str(artifact.file(model_file(get_runtime("openvino"), artifact))))
    settings = compile_settings(artifact, "cpu", options) | {"PERF_COUNT": True}
    times: dict[str, list[float]] = defaultdict(list)
    for _ in range(_BLOCKS):
        compiled = core.compile_model(model, "CPU", settings)
        for name, taken in _block_us(compiled.create_infer_request(), feeds).items():
            times[name].append(taken)
    layers = {work.name for work in artifact.passport.layers}
    nodes = {node.get_friendly_name(): node for node in compiled.get_runtime_model().get_ops()}
    found = [_described(nodes.get(name), name, float(np.median(taken)), layers) for name, taken in times.items()]
    return tuple(node for node in found if node.layer is not None or node.time_us > 0)


def _block_us(request: Any, feeds: NDArray[Any]) -> dict[str, float]:
    for _ in range(_WARMUP):
        request.infer([feeds], share_inputs=True)
    before = node_totals_us(request, _WARMUP)
    for _ in range(_RUNS):
        request.infer([feeds], share_inputs=True)
    after = node_totals_us(request, _WARMUP + _RUNS)
    return {name: max(0.0, total - before.get(name, 0.0)) / _RUNS for name, total in after.items()}


def node_totals_us(request: Any, runs: int) -> dict[str, float]:
    """Total time of every node since its model was compiled.

    Args:
        request: Only request of the compiled model, with ``PERF_COUNT``.
        runs: Number of calls it has made; totals are exact to as many microseconds.
    """
    return {node.node_name: node.real_time.total_seconds() * 1e6 * runs for node in request.profiling_info}


def runtime_information(node: Any, key: str) -> str:
    """What the engine notes about a node of its own graph under a key such as ``primitiveType``; empty if nothing."""
    information = node.get_rt_info()
    return str(information[key].astype(str)) if key in information else ""


def _described(node: Any, name: str, time_us: float, layers: set[str]) -> NodeProfile:
    if node is None:
        return NodeProfile(layer=None, time_us=time_us, kernel="", precision=None, activation_bytes=None)
    kernel = runtime_information(node, "primitiveType")
    merged = runtime_information(node, "originalLayersNames").split(",")
    # A node that only moves a layer's result may have the layer's name too.
    computes = _PRODUCT.search(runtime_information(node, "layerType")) is not None
    return NodeProfile(
        layer=_layer_of([name, *merged], layers) if computes else None,
        time_us=time_us,
        kernel=kernel,
        precision=precision_of_kernel(kernel) or precision_of_type(runtime_information(node, "runtimePrecision")),
        activation_bytes=_activation_bytes(node),
    )


def _layer_of(names: Iterable[str], layers: set[str]) -> str | None:
    """The layer among the names of merged nodes, some of which have a suffix: ``fc1/WithoutBiases``."""
    stems = (re.sub(r"/(WithoutBiases|DequantizationMultiply).*", "", name) for name in names)
    return next((stem for stem in stems if stem in layers), None)


def _activation_bytes(node: Any) -> int | None:
    """Bytes of all non-constant inputs and of all outputs; None while their shapes are dynamic."""
    read = [port.get_source_output() for port in node.inputs()]
    ports = [port for port in read if runtime_information(port.get_node(), "layerType") != "Const"]
    total = 0
    for port in (*ports, *node.outputs()):
        if port.get_partial_shape().is_dynamic:
            return None
        total += math.prod(port.get_shape()) * int(port.get_element_type().size)
    return total
