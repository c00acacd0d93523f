"""Runtime ``pytorch``: runs the eval graph of a ``model.safetensors`` with PyTorch's operators.

It is the reference that the other runtimes are compared with, and the way to run on any device PyTorch supports. It
knows nothing of the network's Python class: all operations and weights are in the file, and no code is loaded from it.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import msgspec
from numpy.typing import NDArray

from resemote_edge.artifacts.artifact import BaseArtifact
from resemote_edge.errors import (
    ArtifactError,
    ArtifactMismatchError,
    DeviceUnavailableError,
    InputError,
    MissingDependencyError,
    NotEnoughMemoryError,
    needs,
)
from resemote_edge.runtimes.agreement import require_labels
from resemote_edge.runtimes.cpu_features import why_no_bf16
from resemote_edge.runtimes.cuda_memory import compute_capability
from resemote_edge.runtimes.graph_operations import bind_operation
from resemote_edge.runtimes.session import (
    Availability,
    Session,
    SessionOptions,
    check_portable,
    model_file,
    refuse_precision_hint,
)
from resemote_edge.runtimes.stored_graph import StoredNode, decode_graph

__all__ = ["PyTorchRuntime", "float32_products"]

#: Number of batch sizes whose CUDA graphs a session keeps; the one that was used longest ago goes first.
_MOST_GRAPHS = 8

# Calls before a recording: in the first calls, libraries choose their kernels and take their memory.
_CALLS_BEFORE_RECORDING = 3


def _import_torch(purpose: str) -> Any:
    with needs("pytorch", purpose):
        import safetensors  # noqa: F401
        import torch
    return torch


class PyTorchRuntime:
    """PyTorch on the CPU or a CUDA device."""

    name = "pytorch"
    formats: tuple[str, ...] = ("graph",)

    def probe(self) -> Availability:
        """List the devices: ``cpu`` always, one ``cuda:N`` per GPU."""
        try:
            torch = _import_torch("it")
        except (DeviceUnavailableError, MissingDependencyError, NotEnoughMemoryError) as error:
            return Availability.refused(error)
        gpus = tuple(f"cuda:{index}" for index in range(torch.cuda.device_count()))
        return Availability(available=True, version=str(torch.__version__), devices=(*gpus, "cpu"))

    def check(self, artifact: BaseArtifact, options: SessionOptions) -> str:
        """Return the device; needs the packages, a device that can do what the options ask, and a file it can load."""
        refuse_precision_hint(self.name, options, known=("bf16", "tf32"))
        _import_torch("runtime pytorch")
        device = check_portable(self, artifact, options)
        if options.precision_hint is not None:
            _check_hint(artifact, device, options.precision_hint)
        if options.cuda_graph and not device.startswith("cuda"):
            raise DeviceUnavailableError(
                f"runtime pytorch: a CUDA graph needs an NVIDIA GPU, not {device}", hint="leave it out"
            )
        return device

    def create_session(self, artifact: BaseArtifact, options: SessionOptions) -> Session:
        """Load the graph onto a device.

        `SessionOptions.threads` sets PyTorch's thread count for the whole process: PyTorch has no other.
        """
        device = self.check(artifact, options)
        import torch

        if options.threads is not None:
            torch.set_num_threads(options.threads)
        return _PyTorchSession(artifact, device, options, self)


def _check_hint(artifact: BaseArtifact, device: str, hint: str) -> None:
    """Refuse a hint that the artifact or the device has no use for."""
    precision = artifact.passport.precision
    if precision in ("int8", "w8") or (hint == "tf32" and precision != "fp32"):
        wanted = "fp32" if hint == "tf32" else "fp32 or fp16"
        raise InputError(
            f"{artifact.path}: the precision hint {hint!r} is for artifacts in {wanted}, not {precision}",
            hint="leave it out",
        )
    if device.startswith("cuda:"):
        capability = compute_capability(int(device.removeprefix("cuda:")))
        # Both came with compute capability 8.0; on older devices they are emulated, or computed in fp32.
        missing = None if int(capability.partition(".")[0]) >= 8 else f"compute capability {capability} is below 8.0"
    elif hint == "tf32":
        missing = "tf32 is a precision of NVIDIA GPUs"
    else:
        missing = why_no_bf16()
    if missing is not None:
        raise DeviceUnavailableError(
            f"runtime pytorch: {device} has no {hint} ({missing})",
            hint="leave the precision hint out, or pass another --device",
        )


class _PyTorchSession(Session):
    def __init__(self, artifact: BaseArtifact, device: str, options: SessionOptions, runtime: PyTorchRuntime) -> None:
        import torch
        from safetensors import SafetensorError, safe_open

        file = model_file(runtime, artifact)
        super().__init__(runtime.name, device, artifact, file)
        self._torch = torch
        self._tf32 = options.precision_hint == "tf32"
        path = artifact.file(file)
        try:
            with safe_open(path, framework="pt", device=device) as stream:
                metadata = stream.metadata() or {}
                weights = {key: stream.get_tensor(key) for key in stream.keys()}  # noqa: SIM118
            require_labels(self, metadata.get("resemote_edge.labels"))
            nodes = decode_graph(metadata.get("graph", ""), feeds=self._specs, weights=weights)
            if options.precision_hint == "bf16":
                weights = {
                    key: value.bfloat16() if value.is_floating_point() else value for key, value in weights.items()
                }
            self._steps = [self._bind(node, weights) for node in nodes]
        except (SafetensorError, ValueError, KeyError, RuntimeError) as error:
            raise ArtifactError(f"{path}: PyTorch cannot load it: {error}", hint="export the artifact again") from error
        missing = {spec.name for spec in self.outputs} - {node.name for node in nodes}
        if missing:
            raise ArtifactMismatchError(f"{path}: no step makes {missing.pop()}", hint="export the artifact again")
        self._dtype = next((value.dtype for value in weights.values() if value.is_floating_point()), torch.float32)
        self._graphs = _CudaGraphs(torch, device, self._forward) if options.cuda_graph else None

    def _run(self, feeds: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        torch = self._torch
        with torch.inference_mode(), float32_products(torch, tf32=self._tf32):
            # torch wraps writable memory only; a read-only feed is copied, never written.
            writable = {name: feed if feed.flags.writeable else feed.copy() for name, feed in feeds.items()}
            hosts = {name: torch.from_numpy(feed) for name, feed in writable.items()}
            if self._graphs is None:
                outputs = self._forward({name: host.to(self.device) for name, host in hosts.items()})
            else:
                outputs = self._graphs.replay(hosts)
            # numpy() shares memory with a tensor that ends here, so the array is the caller's alone. A graph's outputs
            # stay where they are for its next replay; they are on the GPU, so this makes a copy of them.
            return {name: output.to("cpu", torch.float32).numpy() for name, output in outputs.items()}

    def _close(self) -> None:
        self._steps = []
        self._graphs = None

    def _forward(self, feeds: Mapping[str, Any]) -> dict[str, Any]:
        """Compute the output tensors from the input tensors, all on the device.

        Feeds are converted to their type here, and not on the way to the device: there PyTorch would convert them on
        the CPU.
        """
        tensors = {name: feed.to(self._dtype) for name, feed in feeds.items()}
        for name, inputs, operation in self._steps:
            tensors[name] = operation(*(tensors[source] for source in inputs))
        for spec in self.outputs:
            if tuple(tensors[spec.name].shape[1:]) != spec.shape[1:]:
                raise ArtifactMismatchError(
                    f"{self.artifact.file(self.file)}: the passport promises {spec.name} {spec.shape}, the model gives "
                    f"{tuple(tensors[spec.name].shape)}",
                    hint="export the artifact again",
                )
        return {spec.name: tensors[spec.name] for spec in self.outputs}

    def _bind(self, node: StoredNode, weights: dict[str, Any]) -> tuple[str, tuple[str, ...], Callable[..., Any]]:
        """Bind one step: the tensor it makes, the tensors it reads, and the operation with its weights bound."""
        params = {key: weights[f"{node.name}.{key}"] for key in node.params}
        return (
            node.name,
            node.inputs,
            bind_operation(self._torch, node.op, params, msgspec.to_builtins(node.attributes)),
        )


@contextmanager
def float32_products(torch: Any, *, tf32: bool) -> Iterator[None]:
    """Compute products of float32 numbers in float32, or in TF32; all other settings stay, and are restored afterwards.

    By default, cuDNN computes convolutions in TF32, with 11 bits of mantissa: fp32 would not be fp32.

    Args:
        torch: The PyTorch module.
        tf32: Whether factors are rounded to TF32 on a GPU that has it.
    """
    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    # PyTorch 2.9 has a setting for each operation, and refuses to read the one for all where they differ.
    new = hasattr(cudnn, "conv")
    places = [(cudnn.conv, "fp32_precision"), (matmul, "fp32_precision")] if new else []
    places = places or [(cudnn, "allow_tf32"), (matmul, "allow_tf32")]
    before = [getattr(place, name) for place, name in places]
    wanted = ("tf32" if tf32 else "ieee") if new else tf32
    try:
        for place, name in places:
            setattr(place, name, wanted)
        yield
    finally:
        for (place, name), value in zip(places, before, strict=True):
            setattr(place, name, value)


class _CudaGraphs:
    """A forward pass, recorded once for each shape of its feeds and then replayed.

    The recordings share their memory, so only the last replay's outputs exist.

    Args:
        torch: The PyTorch module.
        device: Name of the device, ``cuda:N``.
        forward: Function from tensors on the device to tensors on the device; it reads no value back to the host.
    """

    def __init__(self, torch: Any, device: str, forward: Callable[[Mapping[str, Any]], dict[str, Any]]) -> None:
        self._torch, self._device, self._forward = torch, device, forward
        self._pool = torch.cuda.graph_pool_handle()
        # Graph, inputs and outputs by shape; the shape used last is at the end.
        self._recorded: dict[tuple[tuple[int, ...], ...], tuple[Any, dict[str, Any], dict[str, Any]]] = {}

    def replay(self, hosts: Mapping[str, Any]) -> dict[str, Any]:
        """Return the outputs on the device, to be read before the next replay.

        Args:
            hosts: Tensors on the CPU, by name.
        """
        key = tuple(tuple(host.shape) for host in hosts.values())
        with self._torch.cuda.device(self._device):
            recorded = self._recorded.pop(key, None) or self._record(hosts)
            self._recorded[key] = recorded
            graph, inputs, outputs = recorded
            for name, host in hosts.items():
                inputs[name].copy_(host)
            graph.replay()
            return outputs

    def _record(self, hosts: Mapping[str, Any]) -> tuple[Any, dict[str, Any], dict[str, Any]]:
        cuda = self._torch.cuda
        if len(self._recorded) >= _MOST_GRAPHS:
            del self._recorded[next(iter(self._recorded))]
        inputs = {name: host.to(self._device) for name, host in hosts.items()}
        aside = cuda.Stream()
        aside.wait_stream(cuda.current_stream())
        with cuda.stream(aside):
            for _ in range(_CALLS_BEFORE_RECORDING):
                self._forward(inputs)
        cuda.current_stream().wait_stream(aside)
        graph = cuda.CUDAGraph()
        # Thread-local: CUDA calls of other threads meanwhile neither fail nor spoil the recording.
        with cuda.graph(graph, pool=self._pool, capture_error_mode="thread_local"):
            outputs = self._forward(inputs)
        return graph, inputs, outputs
