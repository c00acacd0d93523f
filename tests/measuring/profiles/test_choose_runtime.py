"""Which runtime is profiled."""

import pytest

from resemote_edge.errors import ArtifactMismatchError, DeviceUnavailableError, InputError
from resemote_edge.measuring.profiles import PROFILERS, choose_runtime
from resemote_edge.runtimes.registry import why_unavailable
from resemote_edge.runtimes.session import SessionOptions

CPU = SessionOptions(device="cpu", threads=1)


def test_auto_takes_the_first_that_can_run_it(artifacts):
    assert list(PROFILERS) == ["openvino", "onnxruntime"]
    assert choose_runtime(artifacts("cpu-onnxruntime-fp32"), "auto", CPU) == "openvino"
    assert choose_runtime(artifacts("cpu-onnxruntime-fp32"), "onnxruntime", CPU) == "onnxruntime"


def test_auto_passes_over_one_that_refuses(artifacts):
    artifact = artifacts("cpu-onnxruntime-int8")
    expected = (
        "onnxruntime" if why_unavailable("openvino", artifact, CPU) else "openvino"
    )  # OpenVINO refuses it on CPUs without VNNI
    assert choose_runtime(artifact, "auto", CPU) == expected


def test_auto_says_why_nobody_can(artifacts):
    with pytest.raises(DeviceUnavailableError, match=r"none of openvino, onnxruntime, which give profiles.*its format"):
        choose_runtime(artifacts("any-pytorch-fp32"), "auto", CPU)


def test_a_runtime_without_a_profile_is_refused(artifacts):
    with pytest.raises(InputError, match="runtime pytorch gives no profile; choose one of openvino, onnxruntime"):
        choose_runtime(artifacts("any-pytorch-fp32"), "pytorch", CPU)


def test_a_runtime_that_cannot_load_it_says_so(artifacts):
    with pytest.raises(ArtifactMismatchError, match="runtime onnxruntime loads onnx"):
        choose_runtime(artifacts("cpu-openvino-fp32"), "onnxruntime", CPU)


def test_a_hint_is_not_ignored(artifacts):
    hinted = SessionOptions(device="cpu", threads=1, precision_hint="bf16")
    with pytest.raises(InputError, match="runtime onnxruntime knows no precision hint"):
        choose_runtime(artifacts("cpu-onnxruntime-fp32"), "onnxruntime", hinted)
