"""Runtime ``onnxruntime``: ONNX on the CPU or a CUDA device."""

from typing import Any

from numpy.typing import NDArray

from resemote_edge.artifacts.artifact import BaseArtifact
from resemote_edge.errors import (
    ArtifactError,
    DeviceUnavailableError,
    InputError,
    MissingDependencyError,
    NotEnoughMemoryError,
)
from resemote_edge.runtimes.agreement import require_labels, require_tensors
from resemote_edge.runtimes.cuda_memory import gpu_count
from resemote_edge.runtimes.session import (
    Availability,
    Session,
    SessionOptions,
    check_portable,
    model_file,
    refuse_cuda_graph,
    refuse_precision_hint,
)
from resemote_edge.runtimes.telemetry import import_onnxruntime

__all__ = ["DISABLED_OPTIMIZERS", "ONNXRuntimeRuntime", "engine_options"]

_CUDA, _CPU = "CUDAExecutionProvider", "CPUExecutionProvider"

#: In graphs whose integer layers have floating biases (which TensorRT asks for), this optimizer turns the biases to
#: int32 and changes the logits by as much as quantization itself did: seen in 1.32, against the same graph without
#: optimization.
DISABLED_OPTIMIZERS = ["WeightBiasQuantization"]

_LOG_FATAL = 4


class ONNXRuntimeRuntime:
    """ONNX Runtime, with one execution provider and no fallback to another."""

    name = "onnxruntime"
    formats: tuple[str, ...] = ("onnx",)

    def probe(self) -> Availability:
        """List each ``cuda:N``, if the build has the CUDA provider and the driver finds GPUs, and then ``cpu``."""
        try:
            onnxruntime = import_onnxruntime("it")
        except (DeviceUnavailableError, MissingDependencyError, NotEnoughMemoryError) as error:
            return Availability.refused(error)
        gpus = gpu_count() if _CUDA in onnxruntime.get_available_providers() else 0
        devices = (*(f"cuda:{index}" for index in range(gpus)), "cpu")
        return Availability(available=True, version=onnxruntime.__version__, devices=devices)

    def check(self, artifact: BaseArtifact, options: SessionOptions) -> str:
        """Return the device; needs the package, the device and a file it can load."""
        refuse_precision_hint(self.name, options)
        refuse_cuda_graph(self.name, options)
        import_onnxruntime("runtime onnxruntime")
        return check_portable(self, artifact, options)

    def create_session(self, artifact: BaseArtifact, options: SessionOptions) -> Session:
        """Load the ONNX."""
        device = self.check(artifact, options)
        return _ONNXRuntimeSession(artifact, device, options, self)


def engine_options(artifact: BaseArtifact, options: SessionOptions) -> Any:
    """Options to open an artifact with: an ``onnxruntime.SessionOptions``; `DISABLED_OPTIMIZERS` belong to it."""
    settings = import_onnxruntime("runtime onnxruntime").SessionOptions()
    if artifact.passport.precision == "w8":
        # Weights are turned back to floating once, at load; by default this would happen at every call.
        settings.add_session_config_entry("session.disable_quant_qdq", "1")
    # Its default kernels clip sums of large products on x86 CPUs without VNNI. This option selects other kernels there,
    # and changes nothing elsewhere.
    settings.add_session_config_entry("session.x64quantprecision", "1")
    settings.log_severity_level = _LOG_FATAL  # We raise the errors ourselves, in our words.
    settings.inter_op_num_threads = 1
    if options.threads is not None:
        settings.intra_op_num_threads = options.threads
    return settings


def _sides(shape: list[int | str | None]) -> tuple[int | None, ...]:
    return tuple(side if isinstance(side, int) else None for side in shape)


class _ONNXRuntimeSession(Session):
    def __init__(
        self, artifact: BaseArtifact, device: str, options: SessionOptions, runtime: ONNXRuntimeRuntime
    ) -> None:
        file = model_file(runtime, artifact)
        super().__init__(runtime.name, device, artifact, file)
        onnxruntime = import_onnxruntime("runtime onnxruntime")
        settings = engine_options(artifact, options)
        provider, choice = (
            (_CPU, {}) if device == "cpu" else (_CUDA, {"device_id": device.partition(":")[2], "use_tf32": "0"})
        )
        path = str(artifact.file(file))
        if any("\ud800" <= char <= "\udfff" for char in path):  # so Python keeps bytes of names that are no UTF-8
            raise InputError(f"{path}: ONNX Runtime opens no path that is not UTF-8", hint="rename the folder")
        try:
            self._session = onnxruntime.InferenceSession(
                path,
                settings,
                providers=[(provider, choice)],
                enable_fallback=0,
                disabled_optimizers=DISABLED_OPTIMIZERS,
            )
        except Exception as error:  # The pybind errors share no base class.
            raise ArtifactError(f"{artifact.file(file)}: ONNX Runtime cannot load it: {error}") from error
        if self._session.get_providers()[0] != provider:
            raise DeviceUnavailableError(
                f"runtime onnxruntime: asked for {device}, got {self._session.get_providers()[0]}",
                hint="install the CUDA and cuDNN versions this onnxruntime was built for, or pass --device cpu",
            )
        for tensors, specs in ((self._session.get_inputs(), self.inputs), (self._session.get_outputs(), self.outputs)):
            require_tensors(self, {one.name: _sides(one.shape) for one in tensors}, specs)
        require_labels(self, self._session.get_modelmeta().custom_metadata_map.get("resemote_edge.labels"))
        self._names = [spec.name for spec in self.outputs]

    def _run(self, feeds: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        return dict(zip(self._names, self._session.run(self._names, feeds), strict=True))

    def _close(self) -> None:
        self._session = None
