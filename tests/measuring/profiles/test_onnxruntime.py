"""ONNX Runtime's events, and which layer an event belongs to."""

import numpy as np
import pytest

from resemote_edge.measuring.profiles import profile_nodes
from resemote_edge.measuring.profiles.onnx_bytes import OnnxNode, read_nodes
from resemote_edge.measuring.profiles.onnxruntime import layers_of_nodes
from resemote_edge.runtimes.session import SessionOptions

CPU = SessionOptions(device="cpu", threads=1)


@pytest.mark.parametrize("lowering", ["matmul", "conv"])
@pytest.mark.parametrize(
    ("recipe", "precision"),
    [
        ("cpu-onnxruntime-fp32", "fp32"),
        ("cpu-onnxruntime-fp16", "fp32"),  # ONNX Runtime has no half-precision kernels on CPUs, and casts
        ("cpu-onnxruntime-int8", "int8"),
        ("cpu-onnxruntime-w8", "fp32"),
    ],
)
def test_every_layer_is_found_once_with_its_precision_and_traffic(artifacts, recipe, precision, lowering):
    artifact = artifacts(recipe, lowering=lowering)
    feeds = np.zeros((2, 3, 64, 64), dtype=np.float32)
    nodes = [node for node in profile_nodes(artifact, "onnxruntime", feeds, CPU) if node.layer is not None]
    assert sorted(node.layer for node in nodes) == sorted(work.name for work in artifact.passport.layers)
    # Its eight-bit convolutions write eight bits. If the next layer needs more, it computes in fp32. On other CPUs, an
    # engine with half-precision kernels may use them.
    if recipe != "cpu-onnxruntime-fp16" and (precision, lowering) != ("int8", "conv"):
        assert {node.precision for node in nodes if not node.layer.startswith("se.")} == {precision}
    moved = {node.layer: node.activation_bytes for node in nodes}
    size = 1 if precision == "int8" else 4
    assert moved["fc1"] in (2 * (128 + 64) * size, 2 * (128 + 64 * 4) * size)


def test_what_is_fused_stands_for_its_layer_and_casts_do_not_take_its_name(artifacts):
    artifact = artifacts("cpu-onnxruntime-fp16")
    graph = read_nodes((artifact.path / "model.onnx").read_bytes())
    found = layers_of_nodes(graph, [work.name for work in artifact.passport.layers])
    assert found["conv1.relu"] == "conv1"
    assert found["se.fc.1"] == "se.fc.0"
    assert found["se.gate"] == "se.fc.2"
    assert found["fc4"] == "logits"  # in a typed graph, "logits" is the cast behind it
    assert next(node.operator for node in graph if node.name == "logits") == "Cast"


def test_unnamed_products_are_paired_in_order_or_not_at_all():
    def product(name, source):
        return OnnxNode(name=name, operator="Gemm", inputs=(source,), outputs=(f"{name}:0",))

    graph = (product("a", "input"), product("b", "a:0"), product("x", "b:0"))
    assert layers_of_nodes(graph, ["a", "b", "last"]) == {"a": "a", "b": "b", "x": "last"}
    assert layers_of_nodes(graph, ["a", "b"]) == {"a": "a", "b": "b"}
