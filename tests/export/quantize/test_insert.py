"""Quantization as a rewriting of the graph, and what engines make of it."""

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import numpy_helper

from resemote_edge.data.calibration import drawn_calibration
from resemote_edge.errors import ExportError
from resemote_edge.export.onnx import to_onnx
from resemote_edge.export.quantize.insert import layers_of, quantize, quantize_weight
from resemote_edge.export.quantize.quantization import calibrate
from resemote_edge.export.quantize.scheme import SCHEMES
from resemote_edge.models.compact import compact
from resemote_edge.models.embedding import embed_preprocessing
from resemote_edge.models.graph import build_eval_graph
from resemote_edge.models.lowering import lower
from resemote_edge.models.proof import evaluate_graph
from resemote_edge.runtimes.cpu_features import SAFE_WEIGHT_LEVELS, int8_sums_saturate
from resemote_edge.runtimes.onnxruntime import DISABLED_OPTIMIZERS
from resemote_edge.runtimes.telemetry import import_onnxruntime, import_openvino
from resemote_edge.vision.preprocessing import PreprocessSpec

WITH_ACTIVATIONS = [name for name, scheme in SCHEMES.items() if scheme.activations != "none"]


@pytest.fixture(scope="module")
def graphs(network):
    maps = compact(build_eval_graph(network))
    return {"conv": maps, "matmul": lower(maps)}


@pytest.fixture(scope="module")
def ranges(checkpoint):
    return calibrate(checkpoint, drawn_calibration(64))


@pytest.fixture(scope="module")
def inputs():
    return PreprocessSpec()(list(drawn_calibration(32, seed=9).images), "gray")


@given(
    out=st.integers(1, 5), fan_in=st.integers(1, 40), seed=st.integers(0, 99), levels=st.sampled_from([127, 63]),
    scale=st.floats(1e-6, 1e3), dtype=st.sampled_from([np.float32, np.float16]),
)  # fmt: skip
@settings(deadline=None)
def test_a_weight_is_kept_to_half_a_step_and_never_clipped(out, fan_in, seed, levels, scale, dtype):
    weight = np.random.default_rng(seed).standard_normal((out, fan_in)).astype(np.float32) * np.float32(scale)
    whole, steps = quantize_weight(weight, levels, dtype)
    assert whole.dtype == np.int8
    assert np.abs(whole.astype(int)).max() <= levels
    assert np.array_equal(steps.astype(dtype).astype(np.float32), steps)  # representable in the remainder's type
    assert (np.abs(whole * steps[:, None].astype(np.float64) - weight) <= 0.5001 * steps[:, None]).all()


def test_equal_inputs_share_their_rounding():
    pixel = np.random.default_rng(1).standard_normal((8, 1, 3, 3)).astype(np.float32)
    constant = 0.1 * np.ones((8, 1, 3, 3), dtype=np.float32)
    once, coarse = quantize_weight(np.concatenate([pixel, constant], axis=1))
    thrice, fine = quantize_weight(np.concatenate([pixel / 3] * 3 + [constant], axis=1), equal_inputs=3)
    single = np.abs(once[:, 0] * coarse[:, None, None] - pixel[:, 0])
    shared = np.abs(thrice[:, :3].sum(axis=1) * fine[:, None, None] - pixel[:, 0])
    assert (shared <= 0.5001 * fine[:, None, None] + 1e-7).all()  # clipping aside, one rounding for all three
    assert shared.mean() < 0.45 * single.mean()


def test_a_channel_of_zeros_has_a_scale():
    whole, steps = quantize_weight(np.zeros((2, 3), dtype=np.float32))
    assert (whole == 0).all()
    assert (steps == 1.0).all()


@pytest.mark.parametrize("form", ["conv", "matmul"])
@pytest.mark.parametrize("name", SCHEMES)
def test_every_scheme_stays_close_to_the_floating_graph(graphs, ranges, inputs, name, form):
    want = evaluate_graph(graphs[form], inputs)
    got = evaluate_graph(quantize(graphs[form], ranges, SCHEMES[name]), inputs)
    assert np.abs(got - want).max() > 0.0
    signal, noise = (want - want.mean()).std(), (got - want).std()
    assert signal / noise > (8 if SCHEMES[name].activations == "s8" or SCHEMES[name].weight_levels < 127 else 15)


def test_layers_to_keep_stay_what_they_are(graphs, ranges):
    graph = graphs["matmul"]
    kept = quantize(graph, ranges, SCHEMES["unsigned"], ["conv2", "fc1"])
    by_name = {node.name: node for node in kept.nodes}
    assert by_name["conv2"].params["weight"].dtype == np.float32
    # The output of conv1 was rounded already, for ONNX Runtime's integer convolution. conv2 itself is unchanged.
    assert by_name["conv2"].inputs == ("conv1.pool.quantized.dequantized",)
    assert by_name["conv3"].params["weight"].dtype == np.int8
    assert not any(np.dtype(array.dtype) == np.int8 for array in by_name["fc1"].params.values())
    everything = quantize(graph, ranges, SCHEMES["unsigned"], layers_of(graph))
    assert everything.nodes == graph.nodes


def test_an_unknown_layer_and_a_missing_range_are_named(graphs, ranges):
    with pytest.raises(ExportError, match=r"no layer is called conv9; layers are conv1, conv2"):
        quantize(graphs["conv"], ranges, SCHEMES["unsigned"], ["conv9"])
    lacking = {name: extremes for name, extremes in ranges.items() if name != "conv1.relu"}
    with pytest.raises(ExportError, match=r"no activation range is known for conv1\.relu"):
        quantize(graphs["conv"], lacking, SCHEMES["unsigned"])


def test_the_attention_branch_stays_floating(graphs, ranges):
    assert [layer for layer in layers_of(graphs["conv"]) if layer.startswith("se")] == []
    graph = quantize(graphs["conv"], ranges, SCHEMES["symmetric"])
    weights = {node.name: node.params["weight"].dtype for node in graph.nodes if "weight" in node.params}
    assert {name for name, dtype in weights.items() if dtype == np.float32} == {"se.fc.0", "se.fc.2"}


@pytest.mark.parametrize(("name", "dtype"), [("unsigned", np.uint8), ("symmetric", np.int8)])
def test_a_pixel_is_one_byte_exactly(graphs, ranges, name, dtype):
    graph = quantize(embed_preprocessing(PreprocessSpec(input="gray-u8"))(graphs["conv"]), ranges, SCHEMES[name])
    (node,) = [node for node in graph.nodes if node.name == "input.with_constant.quantized"]
    scale, zero_point = node.params["scale"], node.params["zero_point"]
    assert zero_point.dtype == dtype
    levels = (np.arange(256) - 128.0) / 255.0
    whole = np.rint(levels / scale) + int(zero_point)
    assert len(set(whole)) == 256  # no two gray levels are merged
    assert np.abs((whole - int(zero_point)) * scale - levels).max() < 1e-7


def initializers(proto):
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in proto.graph.initializer}


@pytest.mark.parametrize("remainder", ["fp32", "fp16"])
@pytest.mark.parametrize("name", ["symmetric", "symmetric-late"])
def test_what_tensorrt_asks_for(graphs, ranges, name, remainder):
    dtype = np.float16 if remainder == "fp16" else np.float32
    graph = quantize(graphs["conv"], ranges, SCHEMES[name], scale_dtype=dtype)
    opset = 19 if remainder == "fp16" else 13
    proto = to_onnx(graph, opset=opset, precision=remainder, classes=7)
    arrays = initializers(proto)
    zero_points = {key: array for key, array in arrays.items() if key.endswith("zero_point")}
    assert zero_points
    assert all(array.dtype == np.int8 and not array.any() for array in zero_points.values())
    assert not any(array.dtype == np.int32 for array in arrays.values())  # its parser refuses an int32 bias
    per_channel = [array for key, array in arrays.items() if key.endswith("weight.scale")]
    assert [array.ndim for array in per_channel] == [1] * 16
    assert all(array.dtype == dtype for key, array in arrays.items() if key.endswith(("scale", "bias")))
    adds = {node.name: list(node.input) for node in proto.graph.node if node.op_type == "Add"}
    quantized_shortcuts = [any(name.endswith("dequantized") for name in inputs) for inputs in adds.values()]
    assert quantized_shortcuts == [name == "symmetric-late"] * 3


def optimized_operators(proto, folder):
    ort = import_onnxruntime("a test")
    options = ort.SessionOptions()
    options.optimized_model_filepath = str(folder / "optimized.onnx")
    options.log_severity_level = 4
    ort.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])
    nodes = onnx.load(folder / "optimized.onnx").graph.node
    return [node.op_type for node in nodes]


def test_onnxruntime_computes_every_layer_in_integers(graphs, ranges, tmp_path):
    graph = quantize(graphs["matmul"], ranges, SCHEMES["unsigned-int32-bias"])
    operators = optimized_operators(to_onnx(graph, opset=17, precision="fp32", classes=7), tmp_path)
    assert operators.count("QLinearConv") == 3
    assert operators.count("QGemm") == 13
    assert operators.count("Gemm") == 0


def test_openvino_computes_every_layer_in_integers(graphs, ranges):
    openvino = import_openvino("a test")
    graph = quantize(graphs["matmul"], ranges, SCHEMES["unsigned"])
    model = openvino.Core().read_model(to_onnx(graph, opset=17, precision="fp32", classes=7).SerializeToString())
    compiled = openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    kinds = {"Convolution": [], "FullyConnected": []}
    for node in compiled.get_runtime_model().get_ops():
        facts = node.get_rt_info()
        kind = facts["layerType"].astype(str)
        name = "FullyConnected" if kind.startswith("FullyConnected") else kind
        if name in kinds:
            kinds[name].append("i8" in facts["primitiveType"].astype(str).lower())
    assert sum(kinds["FullyConnected"]) == len(kinds["FullyConnected"]) == 13
    assert sum(kinds["Convolution"]) == 3  # the two layers of the attention branch stay in floating point
    assert len(kinds["Convolution"]) == 5


@pytest.mark.parametrize("form", ["conv", "matmul"])
@pytest.mark.parametrize("name", WITH_ACTIVATIONS)
def test_engines_compute_what_the_quantized_graph_says(graphs, ranges, inputs, name, form):
    graph = quantize(graphs[form], ranges, SCHEMES[name])
    want = evaluate_graph(graph, inputs)
    floating = evaluate_graph(graphs[form], inputs)
    model = to_onnx(graph, opset=17, precision="fp32", classes=7).SerializeToString()
    ort, openvino = import_onnxruntime("a test"), import_openvino("a test")
    options = ort.SessionOptions()
    options.add_session_config_entry("session.x64quantprecision", "1")  # as the runtime does
    session = ort.InferenceSession(
        model, options, providers=["CPUExecutionProvider"], disabled_optimizers=DISABLED_OPTIMIZERS
    )
    given = [session.run(None, {"input": inputs})[0]]
    if SCHEMES[name].weight_levels <= SAFE_WEIGHT_LEVELS or not int8_sums_saturate():
        compiled = openvino.Core().compile_model(
            openvino.Core().read_model(model), "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
        )
        given.append(compiled([inputs])[0])
    for got in given:
        # A value between two integers may be rounded to either. That error is smaller than that of quantization.
        assert np.abs(got - want).mean() < 0.15 * np.abs(floating - want).mean()
        assert np.abs(got - want).max() < 0.6
