import dataclasses
import json

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from resemote_edge.artifacts.output_format import softmax
from resemote_edge.errors import ExportError
from resemote_edge.export.onnx import MIN_OPSET, max_opset, to_onnx
from resemote_edge.models.graph import EvalGraph, build_eval_graph, with_output


@pytest.fixture(scope="module")
def graph(network):
    return build_eval_graph(network)


def run(proto, x):
    session = onnxruntime.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"input": x})[0]


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
@pytest.mark.parametrize("opset", range(MIN_OPSET, max_opset() + 1))
def test_every_opset_is_valid_and_computes_the_same(graph, network, opset, precision):
    model = to_onnx(graph, opset=opset, precision=precision, classes=7)
    onnx.checker.check_model(model, full_check=True)
    assert [entry.version for entry in model.opset_import] == [opset]
    x = np.random.default_rng(0).standard_normal((3, 3, 64, 64)).astype(np.float32)
    with torch.inference_mode():
        want = network(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(run(model, x), want, rtol=0, atol=1e-4 if precision == "fp32" else 0.1)


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_names_types_and_shapes(graph, precision):
    proto = to_onnx(graph, opset=17, precision=precision, classes=7)
    (source,), (result,) = proto.graph.input, proto.graph.output
    assert (source.name, result.name) == ("input", "logits")
    for value, shape in ((source, ["batch", 3, 64, 64]), (result, ["batch", 7])):
        assert value.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
        dims = value.type.tensor_type.shape.dim
        assert [dim.dim_param or dim.dim_value for dim in dims] == shape
    types = {tensor.data_type for tensor in proto.graph.initializer}
    assert types == {onnx.TensorProto.FLOAT16 if precision == "fp16" else onnx.TensorProto.FLOAT}


def test_the_graph_is_clean(graph):
    proto = to_onnx(graph, opset=17, precision="fp32", classes=7)
    operations = {node.op_type for node in proto.graph.node}
    allowed = {"Conv", "Relu", "MaxPool", "GlobalAveragePool", "Sigmoid", "Mul", "Add", "Flatten", "Gemm"}
    assert operations <= allowed
    names = {node.name for node in proto.graph.node}
    assert {"conv1", "res_block1.conv2", "res_block3.shortcut", "fc3"} <= names


def test_a_typed_graph_casts_at_its_ends_only(graph):
    proto = to_onnx(graph, opset=17, precision="fp16", classes=7)
    casts = [index for index, node in enumerate(proto.graph.node) if node.op_type == "Cast"]
    assert casts == [0, len(proto.graph.node) - 1]


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
@pytest.mark.parametrize("opset", [MIN_OPSET, 17, max_opset()])
def test_softmax_is_computed_in_float32_from_the_same_logits(graph, opset, precision):
    x = np.random.default_rng(0).standard_normal((3, 3, 64, 64)).astype(np.float32)
    logits = to_onnx(graph, opset=opset, precision=precision, classes=7)
    model = to_onnx(with_output(graph, "probabilities"), opset=opset, precision=precision, classes=7)
    last = model.graph.node[-1]
    assert (last.op_type, last.name, list(last.input)) == ("Softmax", "probabilities", ["logits"])
    assert [result.name for result in model.graph.output] == ["probabilities"]
    inferred = onnx.shape_inference.infer_shapes(model)
    types = {value.name: value.type.tensor_type.elem_type for value in inferred.graph.value_info}
    assert types["logits"] == onnx.TensorProto.FLOAT
    np.testing.assert_allclose(run(model, x), softmax(run(logits, x)), rtol=0, atol=1e-6)


@pytest.mark.parametrize("opset", [12, 999])
def test_opsets_out_of_range_are_refused(graph, opset):
    with pytest.raises(ExportError, match=f"opset {opset}.*13 to {max_opset()}"):
        to_onnx(graph, opset=opset, precision="fp32", classes=7)


def test_a_weight_that_does_not_fit_into_fp16_is_refused(graph):
    nodes = list(graph.nodes)
    params = {**nodes[0].params, "bias": nodes[0].params["bias"] * 0 + 1e5}
    nodes[0] = dataclasses.replace(nodes[0], params=params)
    with pytest.raises(ExportError, match=r"conv1.bias holds 1e\+05.*--precision fp32"):
        to_onnx(EvalGraph(tuple(nodes)), opset=17, precision="fp16", classes=7)


def test_the_passport_s_facts_travel_inside(artifacts):
    artifact = artifacts("cpu-onnxruntime-fp32")
    proto = onnx.load(artifact.path / "model.onnx")
    facts = {entry.key: entry.value for entry in proto.metadata_props}
    assert json.loads(facts["resemote_edge.labels"]) == list(artifact.passport.labels)
    assert facts["resemote_edge.precision"] == "fp32"
    lineage = json.loads(facts["resemote_edge.lineage"])
    assert lineage["checkpoint_sha256"] == artifact.passport.lineage.checkpoint_sha256
