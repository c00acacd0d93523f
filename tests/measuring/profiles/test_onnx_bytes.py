"""ONNX read and written without the onnx package, held against that package."""

import numpy as np
import onnx
import pytest

from resemote_edge.errors import ArtifactError
from resemote_edge.measuring.profiles.onnx_bytes import matrix_product_onnx, read_nodes
from resemote_edge.runtimes.telemetry import import_onnxruntime


@pytest.mark.parametrize("recipe", ["cpu-onnxruntime-fp32", "cpu-onnxruntime-int8", "cpu-onnxruntime-fp16"])
def test_nodes_are_those_the_package_reads(artifacts, recipe):
    raw = (artifacts(recipe).path / "model.onnx").read_bytes()
    graph = onnx.load_from_string(raw).graph
    expected = [(node.name, node.op_type, tuple(node.input), tuple(node.output)) for node in graph.node]
    assert len(expected) > 18
    assert [(node.name, node.operator, node.inputs, node.outputs) for node in read_nodes(raw)] == expected


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_truncated_model_is_refused(artifacts, share):
    raw = (artifacts("cpu-onnxruntime-fp32").path / "model.onnx").read_bytes()
    with pytest.raises(ArtifactError, match="not an ONNX model"):
        read_nodes(raw[: int(len(raw) * share)])


@pytest.mark.parametrize("junk", [b"hello", b"\x3a\xff\xff\xff\xff\x0f", b"\x00" * 40, b"\xff" * 40])
def test_other_bytes_are_refused(junk):
    with pytest.raises(ArtifactError, match="not an ONNX model"):
        read_nodes(junk)


@pytest.mark.parametrize("rows_type", ["float32", "uint8"])
def test_the_product_is_a_valid_model_and_computes_the_product(rows_type):
    rng = np.random.default_rng(0)
    if rows_type == "float32":
        rows, weights = (rng.standard_normal((200, 200)).astype(np.float32) for _ in range(2))
    else:
        rows, weights = rng.integers(0, 256, (200, 200), np.uint8), rng.integers(-63, 64, (200, 200), np.int8)
    model = matrix_product_onnx(rows_type, weights)
    onnx.checker.check_model(onnx.load_from_string(model), full_check=True)
    session = import_onnxruntime("a test").InferenceSession(model, providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"rows": rows})
    wide = np.float64 if rows_type == "float32" else np.int64
    np.testing.assert_allclose(found, rows.astype(wide) @ weights.astype(wide), rtol=1e-4, atol=1e-3)
