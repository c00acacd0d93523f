from contextlib import suppress

import numpy as np
import onnx
import pytest
from google.protobuf.internal import encoder
from onnx import TensorProto, helper, numpy_helper

from resemote_edge.artifacts.onnx_file import onnx_metadata, refuse_external_data
from resemote_edge.errors import ArtifactError

#: Marker of ONNX Runtime for data that lies at an address of the process.
IN_MEMORY = "*/_ORT_MEM_ADDR_/*"


def external(location="elsewhere.bin", *, entries=True):
    tensor = TensorProto(name="weight", data_type=TensorProto.FLOAT, dims=[4], data_location=TensorProto.EXTERNAL)
    if entries:
        for key, value in (("location", location), ("offset", "140000000000000"), ("length", "16")):
            tensor.external_data.add(key=key, value=value)
    return tensor


def whole():
    return numpy_helper.from_array(np.arange(4, dtype=np.float32), "weight")


def graph(nodes=(), initializers=(), sparse=()):
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [4]) for name in ("x", "y")]
    add = helper.make_node("Add", ["x", "weight"], ["y"])
    return helper.make_graph(
        [add, *nodes], "graph", values[:1], values[1:], list(initializers), sparse_initializer=list(sparse)
    )


def model(*args, **kwargs):
    return helper.make_model(graph(*args, **kwargs))


def constant(tensor):
    return helper.make_node("Constant", [], ["c"], value=tensor)


def in_a_branch(tensor):
    return helper.make_node("If", ["x"], ["z"], then_branch=graph([constant(tensor)]), else_branch=graph())


def in_a_function(tensor):
    made = model(initializers=[whole()])
    made.functions.append(
        helper.make_function("d", "F", ["a"], ["b"], [constant(tensor)], [helper.make_opsetid("", 17)])
    )
    return made


def in_the_training(tensor):
    made = model(initializers=[whole()])
    made.training_info.add().algorithm.CopyFrom(graph(initializers=[tensor]))
    return made


def sparse(tensor):
    values = helper.make_sparse_tensor(tensor, numpy_helper.from_array(np.arange(4), "indices"), [4])
    return model(sparse=[values])


@pytest.mark.parametrize("location", ["elsewhere.bin", "../../etc/passwd", "/dev/zero", IN_MEMORY])
@pytest.mark.parametrize(
    "made",
    [
        lambda tensor: model(initializers=[tensor]),
        lambda tensor: model([constant(tensor)], [whole()]),
        lambda tensor: model([helper.make_node("X", [], ["c"], values=[tensor])], [whole()]),
        lambda tensor: model([in_a_branch(tensor)], [whole()]),
        lambda tensor: model([in_a_branch(whole()), in_a_branch(tensor)], [whole()]),
        in_a_function,
        in_the_training,
        sparse,
    ],
    ids=["initializer", "constant", "list", "branch", "second-branch", "function", "training", "sparse"],
)
def test_data_outside_the_file_is_found_wherever_it_stands(tmp_path, made, location):
    path = tmp_path / "model.onnx"
    path.write_bytes(made(external(location)).SerializeToString())
    with pytest.raises(ArtifactError, match="lies outside the file"):
        refuse_external_data(path)
    path.write_bytes(made(whole()).SerializeToString())
    refuse_external_data(path)


def test_either_mark_alone_is_enough(tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(model(initializers=[external(entries=False)]).SerializeToString())
    with pytest.raises(ArtifactError, match="lies outside"):
        refuse_external_data(path)
    unmarked = external()
    unmarked.ClearField("data_location")
    path.write_bytes(model(initializers=[unmarked]).SerializeToString())
    with pytest.raises(ArtifactError, match="lies outside"):
        refuse_external_data(path)


def test_a_number_that_readers_would_cut_off_is_no_way_around(tmp_path):
    """Field 13 of a tensor, spelt with bits above the 32 that protocol buffers keep of a key."""
    key = ((1 << 35) | (13 << 3) | 2).to_bytes(8, "little")
    varint = bytearray()
    rest = int.from_bytes(key, "little")
    while rest >= 0x80:
        varint.append(rest & 0x7F | 0x80)
        rest >>= 7
    varint.append(rest)
    tensor = bytes(varint) + b"\x00"
    graph_ = b"\x2a" + bytes([len(tensor)]) + tensor
    path = tmp_path / "model.onnx"
    path.write_bytes(b"\x3a" + bytes([len(graph_)]) + graph_)
    with pytest.raises(ArtifactError, match="damaged, or not ONNX"):
        refuse_external_data(path)


@pytest.mark.parametrize(
    "content", [b"", b"\x3a\xff\xff\xff\x7f", b"\xff" * 64, b"\x0b\x0c", b"version https://git-lfs"]
)
def test_what_is_no_onnx_is_refused(tmp_path, content):
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(ArtifactError, match="not ONNX"):
        refuse_external_data(path)


def test_graphs_within_graphs_end(tmp_path):
    """Written by hand, as protocol buffers refuse to write it."""
    content = b""
    for field in [6, 5, 1] * 40 + [7]:  # attribute.g within node.attribute within graph.node, in model.graph
        content = encoder.TagBytes(field, 2) + encoder._VarintBytes(len(content)) + content
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(ArtifactError, match="without end"):
        refuse_external_data(path)


def test_a_cut_off_model_is_refused_or_walked_never_worse(tmp_path):
    raw = model([in_a_branch(whole())], [whole()]).SerializeToString()
    path = tmp_path / "model.onnx"
    for end in range(1, len(raw)):
        path.write_bytes(raw[:end])
        with suppress(ArtifactError):
            refuse_external_data(path)


def test_our_exports_keep_everything_inside(artifacts):
    for recipe in ("cpu-onnxruntime-fp32", "cpu-onnxruntime-w8"):
        path = artifacts(recipe).path / "model.onnx"
        refuse_external_data(path)
        assert not any(tensor.external_data for tensor in onnx.load(path).graph.initializer)


def test_metadata_is_read_as_onnx_writes_it(tmp_path):
    path = tmp_path / "model.onnx"
    model = helper.make_model(helper.make_graph([], "empty", [], []))
    helper.set_model_props(model, {"labels": '["müde", "wach"]', "empty": ""})
    onnx.save(model, path)
    assert onnx_metadata(path) == {"labels": '["müde", "wach"]', "empty": ""}
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(ArtifactError, match="damaged, or not ONNX"):
        onnx_metadata(path)
