"""Runtime ``native``: the C library libresemote, which runs artifacts through an engine's own C API."""

import ctypes
import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resemote_edge.artifacts.artifact import BaseArtifact
from resemote_edge.artifacts.tensor_spec import TensorSpec
from resemote_edge.errors import MissingDependencyError, NativeError
from resemote_edge.runtimes.native import structs
from resemote_edge.runtimes.native.library import load_library
from resemote_edge.runtimes.session import (
    Availability,
    Session,
    SessionOptions,
    refuse_cuda_graph,
    refuse_precision_hint,
)

__all__ = ["NativeRuntime"]

_DTYPES = {"float32": 0, "uint8": 1}


class NativeRuntime:
    """The library libresemote, with whichever of its backends loads the artifact here."""

    name = "native"
    formats: tuple[str, ...] = ("openvino-ir", "onnx", "tensorrt-engine")

    def probe(self) -> Availability:
        """List the devices of all its backends; it is available where the library and one engine are found."""
        try:
            library = load_library()
        except (MissingDependencyError, NativeError) as error:
            return Availability.refused(error)
        found = {backend: library.probe(backend) for backend in library.backends()}
        devices: dict[str, None] = {}
        for info in found.values():
            if info.available:
                devices.update(dict.fromkeys(info.devices.decode().split()))
        if not devices:
            reasons = "; ".join(f"backend {name}: {info.reason.decode()}" for name, info in found.items())
            return Availability(available=False, version=library.version, reason=reasons, hint="install one of them")
        return Availability(available=True, version=library.version, devices=tuple(devices))

    def check(self, artifact: BaseArtifact, options: SessionOptions) -> str:
        """Return the device; needs the library, and a backend that loads the artifact and has the device."""
        _refuse_hints(options)
        return str(load_library().choose(artifact.path, options.device).device.decode())

    def create_session(self, artifact: BaseArtifact, options: SessionOptions) -> Session:
        """Load the artifact in the backend that the library chooses."""
        _refuse_hints(options)
        return _NativeSession(artifact, options)


def _refuse_hints(options: SessionOptions) -> None:
    refuse_precision_hint(NativeRuntime.name, options)
    refuse_cuda_graph(NativeRuntime.name, options)


class _NativeSession(Session):
    def __init__(self, artifact: BaseArtifact, options: SessionOptions) -> None:
        self._library = load_library()
        self._handle = ctypes.c_void_p()
        self._library.check(
            self._library.functions.resemote_session_create(
                os.fsencode(artifact.path), self._library.session_options(options.device, options.threads), self._handle
            )
        )
        info = self._library.session_info(self._handle)
        self.backend = info.backend.decode()
        file = next(entry for entry in artifact.passport.files if entry.path == info.file.decode())
        super().__init__(NativeRuntime.name, info.device.decode(), artifact, file)
        self._run_c = self._library.functions.resemote_session_run
        self._inputs = _tensors(self.inputs)
        self._outputs = _tensors(self.outputs)

    def _run(self, feeds: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        batch = len(next(iter(feeds.values())))
        for tensor, spec in zip(self._inputs, self.inputs, strict=True):
            _point(tensor, feeds[spec.name])
        outputs = {spec.name: np.empty(spec.sides(batch), spec.numpy_dtype) for spec in self.outputs}
        for tensor, array in zip(self._outputs, outputs.values(), strict=True):
            _point(tensor, array)
        status = self._run_c(self._handle, self._inputs, len(self._inputs), self._outputs, len(self._outputs))
        if status:
            self._library.check(status)
        return outputs

    def self_test(self) -> Any:
        """Let the library itself rerun the golden crops.

        Returns:
            A `structs.SelfTestResult`.

        Raises:
            ArtifactMismatchError: The outputs are not those of the export.
        """
        result = structs.sized(structs.SelfTestResult)
        self._library.check(self._library.functions.resemote_session_self_test(self._handle, result))
        return result

    def _close(self) -> None:
        self._library.check(self._library.functions.resemote_session_destroy(self._handle))


def _tensors(specs: tuple[TensorSpec, ...]) -> Any:
    """The C structs of some tensors, complete except for their data pointers and batch size."""
    tensors = (structs.Tensor * len(specs))()
    for tensor, spec in zip(tensors, specs, strict=True):
        tensor.name = spec.name.encode()
        tensor.dtype = _DTYPES[spec.dtype]
        tensor.rank = len(spec.shape)
        tensor.dims[1 : tensor.rank] = list(spec.sides(1)[1:])
    return tensors


def _point(tensor: Any, array: NDArray[Any]) -> None:
    tensor.data = array.__array_interface__["data"][0]
    tensor.size_bytes = array.nbytes
    tensor.dims[0] = array.shape[0]
