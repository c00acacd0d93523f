"""The C library runs detectors: the same outputs as Python's runtimes, and their self-test."""

import hashlib
import json
import shutil

import numpy as np
import pytest
from portrait_frames import crowd

from resemote_edge.artifacts.artifact import DetectorArtifact
from resemote_edge.artifacts.prebuilt import PREBUILT_DETECTORS, prebuilt_detector_path
from resemote_edge.errors import ArtifactError, ArtifactMismatchError
from resemote_edge.faces.detectors import open_detector
from resemote_edge.faces.detectors.base import DetectorOptions
from resemote_edge.runtimes.native import classifier as native_classifier
from resemote_edge.runtimes.native.classifier import NativeClassifier
from resemote_edge.runtimes.registry import get_runtime, open_session
from resemote_edge.runtimes.session import SessionOptions
from resemote_edge.vision.frame import Frame


@pytest.fixture(autouse=True)
def _available():
    found = get_runtime("native").probe()
    if not found.available:
        pytest.skip(f"runtime native: {found.reason}; {found.hint}")


@pytest.fixture(params=PREBUILT_DETECTORS, ids=lambda row: "-".join(map(str, row)))
def artifact(request):
    return DetectorArtifact.load(prebuilt_detector_path(*request.param))


@pytest.fixture
def copied(tmp_path):
    shutil.copytree(prebuilt_detector_path("yunet", 320, 192), tmp_path / "detector")
    return tmp_path / "detector"


def test_all_outputs_are_those_of_the_same_engine_in_python(artifact):
    passport = artifact.passport
    shape = (passport.height, passport.width, 3)
    feeds = {"input": passport.feed(np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8))}
    with open_session(artifact, "native", SessionOptions(threads=1)) as native:
        got = native.run(feeds)
        with open_session(artifact, native.backend, SessionOptions(threads=1)) as python:
            want = python.run(feeds)
    assert list(got) == [spec.name for spec in passport.outputs]
    for name, values in want.items():
        assert got[name].shape == values.shape
        np.testing.assert_allclose(got[name], values, rtol=0, atol=1e-5)


def test_faces_are_found_through_the_library():
    frame = Frame(crowd(), "rgb")
    options = [DetectorOptions(runtime=runtime, threads=1) for runtime in ("native", "onnxruntime")]
    with open_detector("yunet", options[0]) as native, open_detector("yunet", options[1]) as python:
        got, want = native.detect(frame), python.detect(frame)
    assert len(want) == 4
    assert [face.box for face in got] == [pytest.approx(face.box, abs=0.01) for face in want]


def test_the_self_test_compares_all_outputs(artifact):
    with open_session(artifact, "native") as session:
        result = session.self_test()
    assert result.crops == artifact.passport.golden.count
    assert 0 <= result.max_abs_diff <= result.limit == artifact.passport.golden.max_abs_diff
    assert result.top1_agreement == 1.0


def changed_outputs(folder, change):
    """Change the golden outputs, and what the passport says of their file."""
    passport = json.loads((folder / "passport.json").read_text())
    path = folder / passport["golden"]["outputs"]
    np.save(path, change(np.load(path)))
    for entry in passport["files"]:
        if entry["path"] == path.name:
            entry["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
            entry["size_bytes"] = path.stat().st_size
    (folder / "passport.json").write_text(json.dumps(passport))


def test_the_self_test_fails_on_one_value_that_differs(copied):
    def change(outputs):
        outputs[0, -1] += 1.0
        return outputs

    changed_outputs(copied, change)
    with (
        open_session(DetectorArtifact.load(copied), "native") as session,
        pytest.raises(ArtifactMismatchError, match=r"outputs differ by 1\.00"),
    ):
        session.self_test()


def test_the_self_test_refuses_outputs_of_another_size(copied):
    changed_outputs(copied, lambda outputs: outputs[:, :-1])
    with (
        open_session(DetectorArtifact.load(copied), "native") as session,
        pytest.raises(ArtifactError, match="do not fit the passport"),
    ):
        session.self_test()


def test_a_detector_is_no_classifier(copied, artifacts, monkeypatch):
    # Python refuses it before the library is asked; here the library is asked.
    monkeypatch.setattr(native_classifier.Artifact, "load", lambda _: DetectorArtifact.load(copied))
    with pytest.raises(ArtifactError, match="a detector of faces, not a classifier"):
        NativeClassifier(copied)
