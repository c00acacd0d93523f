"""Runtime ``tensorrt``: engines of TensorRT and of TensorRT for RTX, whose Python APIs agree.

An engine only runs under the version that built it, on the compute capability it was built for. Both are checked
against the passport before the engine is touched, so that a refusal is a sentence and not a deserialiser's code.
"""

from contextlib import ExitStack
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resemote_edge.artifacts.artifact import BaseArtifact
from resemote_edge.artifacts.onnx_file import onnx_metadata
from resemote_edge.artifacts.passport_base import EngineInfo
from resemote_edge.artifacts.tensor_spec import BATCH
from resemote_edge.errors import (
    ArtifactMismatchError,
    DeviceUnavailableError,
    InputError,
    MissingDependencyError,
    needs,
    where_installed,
)
from resemote_edge.runtimes.agreement import require_labels, require_tensors
from resemote_edge.runtimes.cuda_memory import (
    CudaProvider,
    compute_capability,
    find_provider,
    gpu_count,
    installed_provider,
)
from resemote_edge.runtimes.session import (
    Availability,
    Session,
    SessionOptions,
    model_file,
    refuse_cuda_graph,
    refuse_precision_hint,
    require_device,
)

__all__ = ["TensorRTRuntime", "check_engine", "require_engine"]

#: Builder named in the passport to the import name of the package that runs its engines.
_MODULES = {"tensorrt": "tensorrt", "tensorrt-rtx": "tensorrt_rtx"}


class TensorRTRuntime:
    """TensorRT on a CUDA device."""

    name = "tensorrt"
    formats: tuple[str, ...] = ("tensorrt-engine", "tensorrt-rtx-engine")

    def probe(self) -> Availability:
        """Probe the machine; available when one of the two packages is installed and CUDA finds a GPU."""
        try:
            versions = [f"{name} {module.__version__}" for name in _MODULES if (module := _import(name)) is not None]
        except DeviceUnavailableError as error:
            return Availability.refused(error)
        version = ", ".join(versions) or None
        if version is None:
            return Availability(
                available=False,
                version=None,
                reason="neither package 'tensorrt' nor 'tensorrt-rtx' is installed",
                hint="run: pip install 'resemote-edge[tensorrt]' or 'resemote-edge[tensorrt-rtx]'",
            )
        count = gpu_count()
        if not count:
            return Availability(
                available=False,
                version=version,
                reason="no NVIDIA GPU with a working driver was found",
                hint="use a machine with one, and look at nvidia-smi there",
            )
        if installed_provider() is None:
            return Availability(
                available=False,
                version=version,
                reason="neither package 'cuda-python' nor 'pycuda' is installed",
                hint="run: pip install 'resemote-edge[tensorrt]' or 'resemote-edge[pycuda]'",
            )
        return Availability(available=True, version=version, devices=tuple(f"cuda:{index}" for index in range(count)))

    def check(self, artifact: BaseArtifact, options: SessionOptions) -> str:
        """Return the device; needs the builder's package in the builder's version, and a GPU the engine fits."""
        refuse_precision_hint(self.name, options)
        refuse_cuda_graph(self.name, options)
        model_file(self, artifact)
        engine = artifact.passport.engine
        if engine is None:
            raise ArtifactMismatchError(f"{artifact.path}: its passport describes no engine", hint="export it again")
        module = _import(engine.builder)
        if module is None:
            raise MissingDependencyError(
                f"{artifact.path}: its engine runs under the package '{engine.builder}', which is not installed",
                hint=f"run: pip install 'resemote-edge[{engine.builder}]'",
            )
        check_engine(engine, str(artifact.path), version=str(module.__version__))
        device = "cuda:0" if options.device == "auto" else options.device
        index = _index(device)
        require_device(self.name, device, self.probe())
        check_engine(engine, str(artifact.path), compute_capability=compute_capability(index))
        return device

    def create_session(self, artifact: BaseArtifact, options: SessionOptions) -> Session:
        """Deserialise the engine on a GPU, once it is known to fit."""
        device = self.check(artifact, options)
        assert artifact.passport.engine is not None  # checked
        module = _import(artifact.passport.engine.builder)
        return _TensorRTSession(artifact, device, self, module, find_provider(_index(device)))


def check_engine(
    engine: EngineInfo, origin: str, *, version: str | None = None, compute_capability: str | None = None
) -> None:
    """Compare what an engine is tied to with this machine.

    Args:
        engine: Engine facts from the passport.
        origin: Name of the artifact, for the message.
        version: Version of the installed package; None to leave it unchecked.
        compute_capability: Compute capability of the GPU; None to leave it unchecked.

    Raises:
        ArtifactMismatchError: They differ.
    """
    if version is not None and version != engine.version:
        raise ArtifactMismatchError(
            f"{origin}: the engine was built by {engine.builder} {engine.version}, installed is {version}",
            hint=f"install {engine.builder}=={engine.version}, or export the artifact again here",
        )
    if compute_capability is not None and compute_capability not in engine.compute_capabilities:
        raise ArtifactMismatchError(
            f"{origin}: the engine was built for compute capability {', '.join(engine.compute_capabilities)}, this "
            f"GPU has {compute_capability}",
            hint="export again with it in tensorrt.compute_capabilities",
        )


def require_engine(session: Session, engine: Any, trt: Any) -> None:
    """Hold the passport against an engine: names, shapes, dtypes and the profile's batch sizes, and its ONNX's labels.

    Args:
        session: Session of the artifact; nothing of it but its passport is used.
        engine: The deserialised engine, or what answers like one.
        trt: Module of the engine's builder.

    Raises:
        ArtifactMismatchError: They differ. An engine itself has no labels; the ONNX beside it, from which it was
            built, has, if the artifact lists one.
    """
    path = session.artifact.file(session.file)
    names = [engine.get_tensor_name(index) for index in range(engine.num_io_tensors)]
    shapes = {name: _sides(engine.get_tensor_shape(name)) for name in names}
    inputs = {name for name in names if engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT}
    for specs, found in ((session.inputs, inputs), (session.outputs, set(names) - inputs)):
        require_tensors(session, {name: shapes[name] for name in names if name in found}, specs)
    for spec in (*session.inputs, *session.outputs):
        dtype = np.dtype(trt.nptype(engine.get_tensor_dtype(spec.name)))
        if dtype != np.dtype(spec.dtype):
            raise ArtifactMismatchError(
                f"{path}: the passport promises {spec.name} as {spec.dtype}, the engine has {dtype}",
                hint="export it again",
            )
    batch = session.artifact.passport.batch
    for spec in (spec for spec in session.inputs if spec.shape[0] == BATCH):
        smallest, _, largest = (tuple(shape) for shape in engine.get_tensor_profile_shape(spec.name, 0))
        if not smallest[0] <= batch.min <= (batch.max or 0) <= largest[0]:
            raise ArtifactMismatchError(
                f"{path}: the passport promises batches of {batch.min} to {batch.max}, the engine takes {smallest[0]} "
                f"to {largest[0]}",
                hint="export it again",
            )
    source = session.artifact.find(["onnx"], roles=["source"])
    if source is not None:
        require_labels(session, onnx_metadata(session.artifact.file(source)).get("resemote_edge.labels"))


def _sides(shape: Any) -> tuple[int | None, ...]:
    return tuple(None if side < 0 else int(side) for side in shape)


def _import(builder: str) -> Any:
    """Package that runs a builder's engines; None where it is not installed."""
    if builder in _MODULES:
        with needs(builder, "it"), where_installed(_MODULES[builder]):
            return import_module(_MODULES[builder])
    return None


def _index(device: str) -> int:
    kind, _, index = device.partition(":")
    if kind != "cuda" or not index.isdigit():
        raise DeviceUnavailableError(f"runtime tensorrt runs on cuda:N, not on {device!r}", hint="pass --device cuda:0")
    return int(index)


class _TensorRTSession(Session):
    """One execution context with its own stream; device buffers for the largest batch are allocated once."""

    def __init__(
        self, artifact: BaseArtifact, device: str, runtime: TensorRTRuntime, trt: Any, provider: CudaProvider
    ) -> None:
        file = model_file(runtime, artifact)
        super().__init__(runtime.name, device, artifact, file)
        self._provider = provider
        self._buffers: dict[str, int] = {}
        self._stream = 0
        self._context: Any = None
        self._engine: Any = None
        self._runtime: Any = None
        largest = artifact.passport.batch.max
        if largest is None:
            raise ArtifactMismatchError(f"{artifact.path}: its passport names no largest batch", hint="export it again")
        self._logger = trt.Logger(trt.Logger.ERROR)
        try:
            with provider.current():
                self._open(trt, largest)
        except BaseException:
            self._close()
            raise

    def _open(self, trt: Any, largest: int) -> None:
        path = self.artifact.file(self.file)
        self._runtime = trt.Runtime(self._logger)
        self._engine = self._runtime.deserialize_cuda_engine(path.read_bytes())
        if self._engine is None:
            raise ArtifactMismatchError(f"{path}: the engine cannot be deserialised", hint="export it again")
        require_engine(self, self._engine, trt)
        self._context = self._engine.create_execution_context()
        if self._context is None:
            raise DeviceUnavailableError(
                f"{path}: no execution context on {self.device}", hint="look at nvidia-smi, its memory may be full"
            )
        self._stream = self._provider.stream_create()
        for spec in (*self.inputs, *self.outputs):
            size = int(np.prod([largest if isinstance(dim, str) else dim for dim in spec.shape]))
            self._buffers[spec.name] = self._provider.allocate(size * np.dtype(spec.dtype).itemsize)
            if not self._context.set_tensor_address(spec.name, self._buffers[spec.name]):
                raise ArtifactMismatchError(f"{path}: the engine has no tensor '{spec.name}'", hint="export it again")

    def _run(self, feeds: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        with self._provider.current():
            try:
                return self._enqueue(feeds)
            finally:
                # Even after a failure, no copy may still be reading a feed that the caller is about to free.
                self._provider.stream_synchronize(self._stream)

    def _enqueue(self, feeds: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        for name, feed in feeds.items():
            if not self._context.set_input_shape(name, feed.shape):
                raise InputError(f"input '{name}': the engine refuses shape {feed.shape}")
            self._provider.copy_to_device(self._buffers[name], feed, self._stream)
        if not self._context.execute_async_v3(self._stream):
            raise DeviceUnavailableError(f"{self.artifact.path}: the engine failed to execute on {self.device}")
        results = {}
        for spec in self.outputs:
            host = np.empty(tuple(self._context.get_tensor_shape(spec.name)), dtype=spec.dtype)
            self._provider.copy_to_host(host, self._buffers[spec.name], self._stream)
            results[spec.name] = host
        return results

    def _close(self) -> None:
        buffers, self._buffers = self._buffers, {}
        stream, self._stream = self._stream, 0
        # Every release is tried even if one before it fails; the context goes first, because it uses the rest.
        with self._provider.current(), ExitStack() as releases:
            if stream:
                releases.callback(self._provider.stream_destroy, stream)
            for pointer in buffers.values():
                releases.callback(self._provider.free, pointer)
            self._context = self._engine = self._runtime = None
