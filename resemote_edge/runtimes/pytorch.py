"""Runtime ``pytorch``: runs the eval graph of a ``model.safetensors`` with PyTorch's operators.

It is the reference the others are compared with, and the way to run on whatever PyTorch supports. It knows nothing of
the network's Python class: the operations and weights all stand in the file, and no code is loaded from it.
"""

import json
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

from numpy.typing import NDArray

from resemote_edge.artifacts.artifact import Artifact
from resemote_edge.errors import ArtifactError, missing_dependency
from resemote_edge.runtimes.graph_operations import bind_operation
from resemote_edge.runtimes.session import (
    Availability,
    Session,
    SessionOptions,
    check_portable,
    model_file,
    refuse_precision_hint,
)

__all__ = ["PyTorchRuntime"]


class PyTorchRuntime:
    """PyTorch on the CPU or a CUDA device."""

    name = "pytorch"
    formats: tuple[str, ...] = ("graph",)

    def probe(self) -> Availability:
        """Devices: ``cpu`` always, one ``cuda:N`` per GPU."""
        try:
            import safetensors  # noqa: F401
            import torch
        except ImportError as error:
            return Availability(
                available=False,
                version=None,
                reason=f"package '{error.name}' is not installed",
                hint="run: pip install 'resemote-edge[pytorch]'",
            )
        gpus = tuple(f"cuda:{index}" for index in range(torch.cuda.device_count()))
        return Availability(available=True, version=str(torch.__version__), devices=(*gpus, "cpu"))

    def check(self, artifact: Artifact, options: SessionOptions) -> str:
        """The device; needs the packages, the device and a file it can load."""
        refuse_precision_hint(self.name, options)
        for package in ("torch", "safetensors"):
            if find_spec(package) is None:
                raise missing_dependency(package, "pytorch", "runtime pytorch")
        return check_portable(self, artifact, options)

    def create_session(self, artifact: Artifact, options: SessionOptions) -> Session:
        """Load the graph onto a device.

        `SessionOptions.threads` sets PyTorch's thread count for the whole process: it has no other.
        """
        device = self.check(artifact, options)
        import torch

        if options.threads is not None:
            torch.set_num_threads(options.threads)
        return _PyTorchSession(artifact, device, self)


class _PyTorchSession(Session):
    def __init__(self, artifact: Artifact, device: str, runtime: PyTorchRuntime) -> None:
        import torch
        from safetensors import safe_open

        file = model_file(runtime, artifact)
        super().__init__(runtime.name, device, artifact, file)
        self._torch = torch
        with safe_open(artifact.file(file), framework="pt", device=device) as stream:
            metadata = stream.metadata() or {}
            weights = {key: stream.get_tensor(key) for key in stream.keys()}  # noqa: SIM118
        try:
            nodes = json.loads(metadata["graph"])
            self._steps = [self._bind(node, weights) for node in nodes]
        except KeyError as error:
            raise ArtifactError(f"{artifact.file(file)}: incomplete graph, {error} is missing; export again") from None
        self._dtype = next(value.dtype for value in weights.values() if value.is_floating_point())

    def _run(self, feeds: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        torch = self._torch
        # fp32 means fp32: left alone, cuDNN computes convolutions in TF32, with ten bits of mantissa.
        with torch.inference_mode(), torch.backends.cudnn.flags(allow_tf32=False):
            # torch wraps writable memory only; a read-only feed is copied, never written.
            writable = {name: feed if feed.flags.writeable else feed.copy() for name, feed in feeds.items()}
            tensors = {name: torch.from_numpy(feed).to(self.device, self._dtype) for name, feed in writable.items()}
            for name, inputs, operation in self._steps:
                tensors[name] = operation(*(tensors[source] for source in inputs))
            # numpy() shares memory with a tensor that dies here, so the array is the caller's alone.
            return {spec.name: tensors[spec.name].to("cpu", torch.float32).numpy() for spec in self.outputs}

    def _close(self) -> None:
        self._steps = []

    def _bind(self, node: dict[str, Any], weights: dict[str, Any]) -> tuple[str, list[str], Callable[..., Any]]:
        """One step: the tensor it makes, the tensors it reads, and the operation with its weights bound."""
        params = {key: weights[f"{node['name']}.{key}"] for key in node["params"]}
        return node["name"], node["inputs"], bind_operation(self._torch, node["op"], params, node["attributes"])
