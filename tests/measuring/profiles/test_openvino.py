"""OpenVINO's counters, and what its profile makes of them."""

import numpy as np
import pytest

from resemote_edge.measuring.profiles import profile_nodes
from resemote_edge.measuring.profiles.openvino import node_totals_us
from resemote_edge.runtimes.session import SessionOptions
from resemote_edge.runtimes.telemetry import import_openvino

CPU = SessionOptions(device="cpu", threads=1)


def test_its_counters_are_averages_over_all_calls():
    # The profile relies on this: a mean times the number of calls is a sum, and a difference removes the first calls.
    openvino = import_openvino("a test")
    from openvino import opset13 as ops

    rows = ops.parameter([-1, 512], np.float32)
    weights = ops.constant(np.ones((512, 512), dtype=np.float32))
    model = openvino.Model([ops.matmul(rows, weights, False, True)], [rows])

    def first_and_average():
        request = openvino.Core().compile_model(model, "CPU", {"PERF_COUNT": True}).create_infer_request()
        request.infer([np.ones((8192, 512), dtype=np.float32)])
        first = max(node_totals_us(request, 1).values())
        for _ in range(3):
            request.infer([np.ones((1, 512), dtype=np.float32)])
        return first, max(node_totals_us(request, 1).values())

    # A quarter of the first, large call, and little else. Other work on the machine can slow down a small call, but not
    # all of them, so the smallest of several tries counts.
    shares = [average / first for first, average in (first_and_average() for _ in range(5))]
    assert min(shares) == pytest.approx(0.25, rel=0.3)


@pytest.mark.parametrize("lowering", ["matmul", "conv"])
@pytest.mark.parametrize(
    ("recipe", "layer_precisions"),
    [
        ("cpu-openvino-fp32", {"fp32"}),
        ("cpu-no-vnni-openvino-int8", {"int8"}),
        ("cpu-openvino-w8", {"fp32"}),
        ("cpu-no-vnni-onnxruntime-int8", {"int8"}),
    ],
)
def test_every_layer_is_found_once_with_its_precision_and_traffic(artifacts, recipe, lowering, layer_precisions):
    artifact = artifacts(recipe, lowering=lowering)
    feeds = np.zeros((2, 3, 64, 64), dtype=np.float32)
    nodes = [node for node in profile_nodes(artifact, "openvino", feeds, CPU) if node.layer is not None]
    assert sorted(node.layer for node in nodes) == sorted(work.name for work in artifact.passport.layers)
    assert {node.precision for node in nodes if not node.layer.startswith("se.")} == layer_precisions
    assert {node.precision for node in nodes if node.layer.startswith("se.")} == {"fp32"}
    moved = {node.layer: node.activation_bytes for node in nodes}
    size = 1 if layer_precisions == {"int8"} else 4
    assert moved["conv1"] >= 2 * 64 * 64 * (3 + 4) * size
    assert moved["conv1"] < 2 * 64 * 64 * (3 + 4) * size * 1.1  # biases, at most


def test_nodes_that_are_no_layer_are_told_apart(artifacts):
    feeds = np.zeros((1, 3, 64, 64), dtype=np.float32)
    nodes = profile_nodes(artifacts("cpu-openvino-fp32"), "openvino", feeds, CPU)
    others = [node for node in nodes if node.layer is None]
    assert others
    assert all(node.time_us > 0 for node in others)  # a layer may take less than the microsecond that is counted
