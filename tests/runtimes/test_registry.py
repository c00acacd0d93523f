import pytest

from resemote_edge.errors import DeviceUnavailableError, InputError
from resemote_edge.runtimes.registry import RUNTIMES, get_runtime, open_session, probe_all, runtimes_for
from resemote_edge.runtimes.session import SessionOptions


def test_every_runtime_answers_and_gives_a_cure():
    for name, found in probe_all().items():
        assert get_runtime(name).name == name
        if found.available:
            assert found.version
            assert found.devices
        else:
            assert found.reason
            assert found.hint


def test_unknown_runtimes_are_refused_with_the_known_ones():
    with pytest.raises(InputError, match=", ".join(sorted(RUNTIMES))):
        get_runtime("tensorflow")


def test_which_runtime_runs_what(artifacts):
    assert runtimes_for(artifacts("cpu-onnxruntime-fp32")) == ["openvino", "onnxruntime", "native"]
    assert runtimes_for(artifacts("cpu-openvino-fp32")) == ["openvino", "native"]
    assert runtimes_for(artifacts("any-pytorch-fp32")) == ["pytorch"]
    assert runtimes_for(artifacts("rtx-tensorrt-fp16")) == ["tensorrt"]


def test_auto_never_runs_the_onnx_in_the_engine_s_place(artifacts):
    if get_runtime("tensorrt").probe().available:
        pytest.skip("this machine has a GPU, so the engine itself runs")
    with pytest.raises(DeviceUnavailableError, match="tensorrt"):
        open_session(artifacts("rtx-tensorrt-fp16"))


def test_asked_for_by_name_the_onnx_beside_an_engine_runs(artifacts):
    with open_session(artifacts("rtx-tensorrt-fp16"), "onnxruntime") as session:
        assert session.file.path == "model.onnx"


def test_threads_start_at_one():
    with pytest.raises(InputError, match="threads"):
        SessionOptions(threads=0)
