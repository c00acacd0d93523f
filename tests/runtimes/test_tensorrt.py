"""What of the TensorRT runtime can be tested without a GPU: its refusals."""

import dataclasses
import sys

import msgspec
import pytest

from resemote_edge.artifacts.artifact import Artifact
from resemote_edge.artifacts.passport import EngineInfo
from resemote_edge.errors import (
    ArtifactMismatchError,
    DeviceUnavailableError,
    MissingDependencyError,
    ResEmoteEdgeError,
)
from resemote_edge.runtimes.cuda_memory import compute_capability, find_provider, gpu_count, installed_provider
from resemote_edge.runtimes.registry import get_runtime
from resemote_edge.runtimes.session import SessionOptions
from resemote_edge.runtimes.tensorrt import check_engine

ENGINE = EngineInfo(builder="tensorrt", version="10.3.0", compute_capabilities=("8.7",), typing="strong")


def test_a_fitting_engine_passes():
    check_engine(ENGINE, "x", version="10.3.0", compute_capability="8.7")


def test_another_version_is_refused_with_both():
    with pytest.raises(ArtifactMismatchError, match=r"10\.3\.0, installed is 10\.4\.0.*tensorrt==10\.3\.0"):
        check_engine(ENGINE, "x", version="10.4.0")


def test_another_gpu_is_refused_with_both():
    with pytest.raises(ArtifactMismatchError, match=r"8\.7, this GPU has 8\.6"):
        check_engine(ENGINE, "x", compute_capability="8.6")


def edited(artifact: Artifact, **changes) -> Artifact:
    engine = msgspec.structs.replace(artifact.passport.engine, **changes)
    return dataclasses.replace(artifact, passport=msgspec.structs.replace(artifact.passport, engine=engine))


def test_the_version_is_checked_before_the_gpu(artifacts):
    pytest.importorskip("tensorrt_rtx")
    artifact = edited(artifacts("rtx-tensorrt-fp16"), version="0.0.1")
    with pytest.raises(ArtifactMismatchError, match=r"built by tensorrt-rtx 0\.0\.1"):
        get_runtime("tensorrt").create_session(artifact, SessionOptions())


def test_the_builder_s_package_is_named_when_it_is_missing(artifacts, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorrt", None)
    artifact = edited(artifacts("rtx-tensorrt-fp16"), builder="tensorrt")
    with pytest.raises(MissingDependencyError, match=r"resemote-edge\[tensorrt\]"):
        get_runtime("tensorrt").create_session(artifact, SessionOptions())


def test_a_device_that_is_no_gpu_is_refused(artifacts):
    pytest.importorskip("tensorrt_rtx")
    with pytest.raises(DeviceUnavailableError, match="--device cuda:0"):
        get_runtime("tensorrt").create_session(artifacts("rtx-tensorrt-fp16"), SessionOptions(device="cpu"))


def test_the_seam_says_why_cuda_cannot_be_used():
    if get_runtime("tensorrt").probe().available:
        assert find_provider().name in ("cuda-python", "pycuda")
        return
    with pytest.raises((DeviceUnavailableError, MissingDependencyError), match=r"GPU|cuda-python"):
        find_provider()


def test_the_seam_knows_which_package_would_serve(monkeypatch):
    monkeypatch.setitem(sys.modules, "cuda", None)
    monkeypatch.setitem(sys.modules, "pycuda", None)
    assert installed_provider() is None


def test_looking_for_gpus_has_no_side_effect_and_needs_no_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "cuda", None)
    monkeypatch.setitem(sys.modules, "pycuda", None)
    count = gpu_count()
    assert count >= 0
    with pytest.raises(DeviceUnavailableError, match=f"finds {count} GPUs"):
        compute_capability(count)


def test_the_seam_copies_there_and_back():
    numpy = pytest.importorskip("numpy")
    try:
        provider = find_provider()
    except ResEmoteEdgeError as error:
        pytest.skip(f"needs a GPU: {error}")
    sent = numpy.arange(1000, dtype=numpy.float32)
    got = numpy.zeros_like(sent)
    with provider.current():
        stream, pointer = provider.stream_create(), provider.allocate(sent.nbytes)
        provider.copy_to_device(pointer, sent, stream)
        provider.copy_to_host(got, pointer, stream)
        provider.stream_synchronize(stream)
        provider.free(pointer)
        provider.stream_destroy(stream)
    assert numpy.array_equal(got, sent)
