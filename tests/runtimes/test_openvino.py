"""What OpenVINO must not be asked to do on an old CPU."""

import shutil

import pytest

from resemote_edge.artifacts.artifact import Artifact
from resemote_edge.errors import DeviceUnavailableError
from resemote_edge.runtimes.cpu_features import int8_sums_saturate
from resemote_edge.runtimes.registry import open_session, why_unavailable
from resemote_edge.runtimes.session import SessionOptions


@pytest.mark.skipif(not int8_sums_saturate(), reason="this CPU has VNNI, or is no x86")
def test_int8_whose_sums_it_would_clip_is_refused_with_what_to_do(artifacts):
    artifact = artifacts("cpu-onnxruntime-int8")
    with pytest.raises(DeviceUnavailableError, match=r"no VNNI.*--recipe cpu-no-vnni-openvino-int8"):
        open_session(artifact, "openvino", SessionOptions(device="cpu"))
    assert why_unavailable("onnxruntime", artifact) is None


@pytest.mark.parametrize("recipe", ["cpu-no-vnni-openvino-int8", "cpu-no-vnni-onnxruntime-int8", "cpu-openvino-w8"])
def test_seven_bits_and_bare_weights_run_on_every_cpu(artifacts, recipe, tmp_path):
    shutil.copytree(artifacts(recipe).path, tmp_path / "copy")
    assert why_unavailable("openvino", Artifact.load(tmp_path / "copy")) is None
