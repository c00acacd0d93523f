"""What of the TensorRT runtime can be tested without a GPU: its refusals."""

import ctypes
import dataclasses
import sys
import types

import msgspec
import pytest

from resemote_edge.artifacts.artifact import Artifact
from resemote_edge.artifacts.passport_base import EngineInfo
from resemote_edge.errors import ArtifactMismatchError, DeviceUnavailableError, MissingDependencyError
from resemote_edge.runtimes import tensorrt
from resemote_edge.runtimes.cuda_memory import compute_capability, find_provider, gpu_count, installed_provider
from resemote_edge.runtimes.registry import get_runtime
from resemote_edge.runtimes.session import Session, SessionOptions, model_file
from resemote_edge.runtimes.tensorrt import check_engine, require_engine

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


class Unopened(Session):
    """A session of an artifact that no engine was opened for."""

    def __init__(self, artifact):
        runtime = get_runtime("tensorrt")
        super().__init__(runtime.name, "cuda:0", artifact, model_file(runtime, artifact))

    def _run(self, feeds):
        raise AssertionError

    def _close(self):
        pass


class ParsedEngine:
    """Answers like an engine, from the network that TensorRT's own parser reads, since engines open on GPUs alone."""

    def __init__(self, trt, artifact, batches):
        self.logger = trt.Logger(trt.Logger.ERROR)
        self.builder = trt.Builder(self.logger)
        self.network = self.builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
        parser = trt.OnnxParser(self.network, self.logger)
        assert parser.parse((artifact.path / "model.onnx").read_bytes())
        network, mode = self.network, trt.TensorIOMode
        inputs = [(network.get_input(index), mode.INPUT) for index in range(network.num_inputs)]
        outputs = [(network.get_output(index), mode.OUTPUT) for index in range(network.num_outputs)]
        self.tensors = {tensor.name: (tensor, kind) for tensor, kind in inputs + outputs}
        self.num_io_tensors = len(self.tensors)
        self.batches = batches

    def get_tensor_name(self, index):
        return list(self.tensors)[index]

    def get_tensor_shape(self, name):
        return self.tensors[name][0].shape

    def get_tensor_dtype(self, name):
        return self.tensors[name][0].dtype

    def get_tensor_mode(self, name):
        return self.tensors[name][1]

    def get_tensor_profile_shape(self, name, profile):
        return [(batch, *self.tensors[name][0].shape[1:]) for batch in self.batches]


def with_passport(artifact, **changes):
    return dataclasses.replace(artifact, passport=msgspec.structs.replace(artifact.passport, **changes))


def with_tensor(kind, **changes):
    def change(artifact):
        (spec,) = getattr(artifact.passport, kind)
        return with_passport(artifact, **{kind: (dataclasses.replace(spec, **changes),)})

    return change


def with_batch(artifact):
    return with_passport(artifact, batch=dataclasses.replace(artifact.passport.batch, max=64))


PROMISES = {
    "input's name": (with_tensor("inputs", name="face"), r"the passport promises face .*, the model has input \("),
    "input's shape": (with_tensor("inputs", shape=("batch", 3, 48, 48)), r"promises input .*48, 48\), the model has"),
    "input's dtype": (with_tensor("inputs", dtype="uint8"), "promises input as uint8, the engine has float32"),
    "output's name": (with_tensor("outputs", name="scores"), "promises scores .*, the model has logits"),
    "output's width": (with_tensor("outputs", shape=("batch", 8)), r"promises logits \('batch', 8\), the model has"),
    "an input as output": (with_tensor("outputs", name="input"), "promises input .*, the model has logits"),
    "batches": (with_batch, "promises batches of 1 to 64, the engine takes 1 to 32"),
    "labels": (
        lambda artifact: with_passport(artifact, labels=artifact.passport.labels[::-1]),
        r"the model's labels are \[\"happy\".*, the passport's \[\"neutral\"",
    ),
}


@pytest.mark.parametrize("case", PROMISES)
def test_a_passport_that_promises_another_engine_is_refused(case, artifacts):
    trt = pytest.importorskip("tensorrt_rtx")
    artifact = artifacts("rtx-tensorrt-fp16")
    engine = ParsedEngine(trt, artifact, (1, 8, 32))
    require_engine(Unopened(artifact), engine, trt)
    change, words = PROMISES[case]
    with pytest.raises(ArtifactMismatchError, match=words):
        require_engine(Unopened(change(artifact)), engine, trt)
