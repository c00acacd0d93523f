"""What of the TensorRT runtime can be tested without a GPU: its refusals."""

import ctypes
import dataclasses
import sys
import types

import msgspec
import pytest

from resemote_edge.artifacts.artifact import Artifact
from resemote_edge.artifacts.passport_base import EngineInfo
from resemote_edge.errors import (
    ArtifactMismatchError,
    DeviceUnavailableError,
    MissingDependencyError,
)
from resemote_edge.runtimes import tensorrt
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


def as_engine(artifact: Artifact) -> Artifact:
    """An artifact that says its model file is an engine of TensorRT for RTX."""
    engine = EngineInfo(
        builder="tensorrt-rtx", version="1.7.1", compute_capabilities=("8.6", "8.9", "12.0"), typing="strong"
    )
    files = tuple(
        msgspec.structs.replace(entry, format="tensorrt-rtx-engine") if entry.role == "model" else entry
        for entry in artifact.passport.files
    )
    passport = msgspec.structs.replace(artifact.passport, engine=engine, files=files, target="tensorrt")
    return dataclasses.replace(artifact, passport=passport)


@pytest.mark.parametrize("real_gpu", [False, True])
def test_the_gpu_is_checked_before_the_engine_is_loaded(artifacts, monkeypatch, real_gpu):
    # The stand-in has a version but cannot load an engine, so an attempt to load one would be another error.
    monkeypatch.setitem(sys.modules, "tensorrt_rtx", types.SimpleNamespace(__version__="1.7.1"))
    here = "9.0"
    if real_gpu:
        if not gpu_count() or installed_provider() is None:
            pytest.skip("needs an NVIDIA GPU and cuda-python or pycuda")
        here = compute_capability()
        if here in ("8.6", "8.9", "12.0"):
            pytest.skip(f"compute capability {here} is one of those that the engine says it was built for")
    else:
        monkeypatch.setattr(tensorrt, "gpu_count", lambda: 1)
        monkeypatch.setattr(tensorrt, "installed_provider", lambda: "cuda-python")
        monkeypatch.setattr(tensorrt, "compute_capability", lambda index: here)
    with pytest.raises(ArtifactMismatchError) as caught:
        get_runtime("tensorrt").create_session(as_engine(artifacts("any-pytorch-fp32")), SessionOptions())
    words = f"built for compute capability 8.6, 8.9, 12.0, this GPU has {here}; export again with it in"
    assert words in str(caught.value)
    print(caught.value)


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


def cuda_is_usable() -> bool:
    """Asked of the driver, not of our seam."""
    try:
        return ctypes.CDLL("libcuda.so.1").cuInit(0) == 0
    except OSError:
        return False


def test_the_seam_says_why_cuda_cannot_be_used():
    if cuda_is_usable() and installed_provider() is not None:
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
