"""Kinds of artifacts: each is opened as what it is, and nothing takes one for the other."""

import json
import shutil

import msgspec
import numpy as np
import pytest

import resemote_edge
from resemote_edge.artifacts.artifact import Artifact, DetectorArtifact, load_artifact
from resemote_edge.artifacts.detector_passport import DetectorPassport
from resemote_edge.artifacts.detector_self_test import run_self_test
from resemote_edge.artifacts.passport import Passport
from resemote_edge.artifacts.passport_codec import decode_passport, encode_passport
from resemote_edge.artifacts.prebuilt import prebuilt_detector_path, prebuilt_path
from resemote_edge.errors import ArtifactError, ArtifactMismatchError
from resemote_edge.runtimes.registry import choose_runtime, open_session, runtimes_for

PATH = prebuilt_detector_path("yunet", 320, 192)


@pytest.fixture
def copied(tmp_path):
    """A copy of a detector that may be damaged, and a function that changes its passport."""
    folder = tmp_path / "detector"
    shutil.copytree(PATH, folder)

    def change(**fields):
        passport = json.loads((folder / "passport.json").read_text())
        for name, value in fields.items():
            *path, last = name.split("__")
            place = passport
            for key in path:
                place = place[int(key) if key.isdigit() else key]
            place[int(last) if last.isdigit() else last] = value
        (folder / "passport.json").write_text(json.dumps(passport))
        return folder

    return change


def test_each_kind_is_opened_as_what_it_is():
    assert isinstance(load_artifact(PATH), DetectorArtifact)
    assert isinstance(load_artifact(prebuilt_path()), Artifact)
    assert (load_artifact(PATH).passport.kind, load_artifact(prebuilt_path()).passport.kind) == (
        "detector",
        "classifier",
    )


def test_a_passport_is_the_same_after_a_round_trip():
    raw = (PATH / "passport.json").read_bytes()
    assert encode_passport(decode_passport(raw, "x")) == raw


def test_a_detector_where_a_classifier_is_needed_is_refused_in_words():
    expected = "is a face detector, and a classifier of faces is needed here; pass a detector as --detector"
    for opening in (lambda: Artifact.load(PATH), lambda: resemote_edge.load(PATH)):
        with pytest.raises(ArtifactError, match=expected):
            opening()


def test_a_classifier_where_a_detector_is_needed_is_refused_in_words():
    with pytest.raises(ArtifactError, match="is a classifier of faces, and a face detector is needed here"):
        DetectorArtifact.load(prebuilt_path())


def test_a_version_that_knew_classifiers_alone_refuses_a_detector():
    # It read every passport as a classifier's, and refused fields that it did not know.
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode((PATH / "passport.json").read_bytes(), type=Passport)


def test_a_classifier_needs_no_kind():
    assert "kind" not in json.loads((prebuilt_path() / "passport.json").read_text())


def test_an_unknown_kind_is_named(copied):
    with pytest.raises(ArtifactError, match="an artifact of the kind 'tracker', this version of resemote-edge reads"):
        load_artifact(copied(kind="tracker"))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"inputs__0__shape": [1, 320, 192, 3]}, "a frame becomes one input"),
        ({"inputs__0__dtype": "float32"}, "a frame becomes one input"),
        ({"input": "tensor"}, "a frame becomes one input"),
        ({"input": "rgb-u8"}, "Invalid enum value"),
        ({"outputs__0__shape": ["batch", 960, 1]}, "expected float32 for one frame"),
        ({"outputs__0__name": "cls_16"}, "two outputs have one name"),
        ({"batch__max": 4}, "takes one frame at a time"),
        ({"width": 100}, "multiple of 32"),
        ({"golden__repeat": 7}, "do not fill 320x192"),
        ({"golden__frames": "model.onnx"}, "not listed as a golden file"),
        ({"golden__outputs": "golden_frames.npy"}, "from one file"),
        ({"min_score": 1.5}, "<= 1.0"),
        ({"name": "../x"}, "cannot name a file"),
        ({"files__0__path": "../model.onnx"}, "points outside"),
        ({"labels": ["happy"]}, "unknown field `labels`"),
        ({"source__sha256": "abc"}, "source.sha256"),
        ({"framing": {"scale": "big"}}, "framing"),
    ],
)
def test_a_passport_that_contradicts_itself_is_refused(fields, message, copied):
    with pytest.raises(ArtifactError, match=message):
        DetectorArtifact.load(copied(**fields))


def test_every_file_is_checked(copied):
    folder = copied()
    (folder / "LICENSE").write_text("other words")
    with pytest.raises(ArtifactMismatchError, match="LICENSE: 11 bytes, the passport says"):
        DetectorArtifact.load(folder)


def test_golden_data_of_another_shape_is_refused(copied):
    folder = copied()
    artifact = DetectorArtifact.load(folder)
    np.save(folder / "golden_outputs.npy", np.zeros((1, 5), np.float32))
    with pytest.raises(ArtifactError, match=r"golden frames uint8.* and outputs float32\(1, 5\) do not fit"):
        artifact.golden()


def test_the_self_test_passes_and_fails_by_its_limit(copied):
    artifact = DetectorArtifact.load(PATH)
    with open_session(artifact, "onnxruntime") as session:
        result = run_self_test(artifact, session)
        assert result.passed
        assert result.line.startswith("1 golden picture, onnxruntime on cpu (model.onnx)")
        strict = DetectorArtifact.load(copied(golden__max_abs_diff=0.0))
        frames, outputs = strict.golden()
        np.save(strict.path / "golden_outputs.npy", outputs + np.float32(0.5))
        failed = run_self_test(strict, session)
    assert frames.shape == (1, 192, 320, 3)
    assert not failed.passed
    assert failed.max_abs_diff == pytest.approx(0.5, abs=1e-3)
    assert failed.to_dict()["passed"] is False


def test_runtimes_take_a_detector_as_they_take_a_classifier():
    artifact = DetectorArtifact.load(PATH)
    assert runtimes_for(artifact) == ["openvino", "onnxruntime", "native"]
    assert choose_runtime(artifact) in ("openvino", "onnxruntime")
    with open_session(artifact, "onnxruntime") as session:
        outputs = session.run({"input": np.zeros((1, 192, 320, 3), np.uint8)})
    assert {name: array.shape for name, array in outputs.items()} == {
        spec.name: spec.shape for spec in artifact.passport.outputs
    }


def test_a_frame_is_fed_as_the_network_takes_it():
    passport = DetectorArtifact.load(PATH).passport
    pixels = np.random.default_rng(0).integers(0, 256, (192, 320, 3), dtype=np.uint8)
    assert np.array_equal(passport.feed(pixels)[0], pixels)
    planes = msgspec.structs.replace(passport, input="tensor").feed(pixels)
    assert (planes.dtype, planes.shape) == (np.float32, (1, 3, 192, 320))
    assert np.array_equal(planes[0, 2], pixels[..., 2])
    assert isinstance(passport, DetectorPassport)
