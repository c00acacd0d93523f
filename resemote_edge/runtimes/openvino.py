"""Runtime ``openvino``: IR or ONNX on Intel CPUs, GPUs and NPUs, and on ARM CPUs."""

from typing import Any

from numpy.typing import NDArray

from resemote_edge.artifacts.artifact import Artifact, BaseArtifact
from resemote_edge.errors import (
    ArtifactError,
    DeviceUnavailableError,
    MissingDependencyError,
    NotEnoughMemoryError,
    ResEmoteEdgeError,
    lack_of_memory,
)
from resemote_edge.runtimes.agreement import require_labels, require_tensors
from resemote_edge.runtimes.cpu_features import SAFE_WEIGHT_LEVELS, int8_sums_saturate
from resemote_edge.runtimes.session import (
    Availability,
    Session,
    SessionOptions,
    check_portable,
    model_file,
    refuse_cuda_graph,
    refuse_precision_hint,
)
from resemote_edge.runtimes.telemetry import import_openvino

__all__ = ["OpenVINORuntime", "compile_settings"]


class OpenVINORuntime:
    """OpenVINO on one device, tuned for the latency of one request."""

    name = "openvino"
    formats: tuple[str, ...] = ("openvino-ir", "onnx")

    def probe(self) -> Availability:
        """List the devices as OpenVINO does, in lower case."""
        try:
            openvino = import_openvino("it")
        except (DeviceUnavailableError, MissingDependencyError, NotEnoughMemoryError) as error:
            return Availability.refused(error)
        core = openvino.Core()
        # "GPU.1" is the second GPU; "cpu" stays first, as it is the device every machine has.
        devices = tuple(sorted(name.lower() for name in core.available_devices))
        version = openvino.__version__.split("-")[0]
        if not devices:
            refusal = _why_no_cpu(core)
            return Availability(available=False, version=version, reason=refusal.reason, hint=refusal.hint)
        return Availability(available=True, version=version, devices=devices)

    def check(self, artifact: BaseArtifact, options: SessionOptions) -> str:
        """Return the device; needs the package, the device and a file it can load."""
        openvino = import_openvino("runtime openvino")
        refuse_precision_hint(self.name, options, known=("bf16",))
        refuse_cuda_graph(self.name, options)
        device = check_portable(self, artifact, options)
        _refuse_saturation(artifact, device)
        if options.precision_hint == "bf16":
            capabilities = openvino.Core().get_property(device.upper(), "OPTIMIZATION_CAPABILITIES")
            if "BF16" not in capabilities:
                raise DeviceUnavailableError(
                    f"runtime openvino: {device} has no bf16, only {', '.join(capabilities)}",
                    hint="leave the precision hint out, or pass another --device",
                )
        return device

    def create_session(self, artifact: BaseArtifact, options: SessionOptions) -> Session:
        """Compile the model for a device."""
        device = self.check(artifact, options)
        return _OpenVINOSession(artifact, device, options, self)


def _why_no_cpu(core: Any) -> ResEmoteEdgeError:
    """Reason why OpenVINO lists no device, not even the CPU: it passes over plugins that it cannot load."""
    try:
        core.get_property("CPU", "FULL_DEVICE_NAME")
    except RuntimeError as error:
        told = str(error).strip().splitlines()[-1]
        return lack_of_memory(error) or DeviceUnavailableError(
            f"no device found ({told})", hint="reinstall the openvino package"
        )
    return DeviceUnavailableError("no device found", hint="reinstall the openvino package")


def _refuse_saturation(artifact: BaseArtifact, device: str) -> None:
    """Refuse artifacts whose sums OpenVINO's kernels for x86 CPUs without VNNI would silently clip."""
    quantization = artifact.passport.quantization if isinstance(artifact, Artifact) else None
    if quantization is None or quantization.activations == "float" or device != "cpu":
        return
    if quantization.weight_levels > SAFE_WEIGHT_LEVELS and int8_sums_saturate():
        raise DeviceUnavailableError(
            f"runtime openvino: this CPU has no VNNI, and OpenVINO's int8 sums of {artifact.path} would overflow",
            hint="export with --recipe cpu-no-vnni-openvino-int8, or run the ONNX of cpu-onnxruntime-int8 in "
            "onnxruntime",
        )


def compile_settings(artifact: BaseArtifact, device: str, options: SessionOptions) -> dict[str, Any]:
    """Settings to compile an artifact with for a device: OpenVINO's properties, by name."""
    settings: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY"}
    # By default, OpenVINO computes in bf16 on CPUs that have it and in f16 on GPUs. An fp32 artifact promises more
    # digits, and so does an fp16 one on a CPU, which has no f16 arithmetic. (An NPU has nothing but f16.)
    if options.precision_hint is not None:
        settings["INFERENCE_PRECISION_HINT"] = options.precision_hint
    elif device == "cpu" or (artifact.passport.precision == "fp32" and not device.startswith("npu")):
        settings["INFERENCE_PRECISION_HINT"] = "f32"
    if device == "cpu" and artifact.passport.precision == "w8":
        # By default, it rounds activations to eight bits on the way; w8 promises that weights alone are rounded.
        settings["DYNAMIC_QUANTIZATION_GROUP_SIZE"] = 0
    if device == "cpu" and options.threads is not None:
        settings["INFERENCE_NUM_THREADS"] = options.threads
    return settings


def _sides(port: Any) -> tuple[int | None, ...]:
    return tuple(side.get_length() if side.is_static else None for side in port.partial_shape)


def _written_labels(model: Any) -> str | None:
    """Labels in the file, as JSON: an IR's are among its runtime information, an ONNX's come from its metadata."""
    for path in (["resemote_edge", "labels"], ["framework", "resemote_edge.labels"]):
        if model.has_rt_info(path):
            return str(model.get_rt_info(path).astype(str))
    return None


class _OpenVINOSession(Session):
    def __init__(self, artifact: BaseArtifact, device: str, options: SessionOptions, runtime: OpenVINORuntime) -> None:
        file = model_file(runtime, artifact)
        super().__init__(runtime.name, device, artifact, file)
        openvino = import_openvino("runtime openvino")
        settings = compile_settings(artifact, device, options)
        core = openvino.Core()
        try:
            # Left to itself, OpenVINO takes whatever file of weights lies beside an IR.
            weights = artifact.find(["openvino-weights"], roles=["weights"]) if file.format == "openvino-ir" else None
            model = core.read_model(str(artifact.file(file)), *([str(artifact.file(weights))] if weights else []))
            for ports, specs in ((model.inputs, self.inputs), (model.outputs, self.outputs)):
                require_tensors(self, {name: _sides(port) for port in ports for name in port.names}, specs)
            require_labels(self, _written_labels(model))
            self._compiled = core.compile_model(model, device.upper(), settings)
        except ResEmoteEdgeError:
            raise
        except Exception as error:  # A message with bytes of a damaged file is a UnicodeDecodeError in Python.
            raise ArtifactError(f"{artifact.file(file)}: OpenVINO cannot load it on {device}: {error}") from error
        self._request = self._compiled.create_infer_request()
        self._new_tensor = openvino.Tensor
        self._buffers: dict[str, NDArray[Any]] = {}
        index = {name: place for place, port in enumerate(self._compiled.outputs) for name in port.names}
        self._places = [(spec.name, index[spec.name]) for spec in self.outputs]

    def _run(self, feeds: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        # `infer(feeds)` makes tensors of the feeds and a dictionary of the outputs at every call. Filling the request's
        # own tensors takes half of that time.
        for name, array in feeds.items():
            buffer = self._buffers.get(name)
            if buffer is None or buffer.shape != array.shape:
                tensor = self._new_tensor(array)
                self._request.set_tensor(name, tensor)
                self._buffers[name] = tensor.data
            else:
                buffer[...] = array
        self._request.start_async()
        self._request.wait()
        # The request reuses its output buffers, so the caller gets copies.
        return {name: self._request.get_output_tensor(place).data.copy() for name, place in self._places}

    def _close(self) -> None:
        self._buffers = {}
        self._request = None
        self._compiled = None
