"""CUDA memory, streams and copies for TensorRT: one seam, two providers.

``cuda-python`` has wheels for x86-64 and aarch64; ``pycuda`` is what JetPack users already have. Whichever is
installed serves, cuda-python first. Nothing else in this package talks to CUDA.
"""

import ctypes
from abc import ABC, abstractmethod
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resemote_edge.errors import DeviceUnavailableError, MissingDependencyError

__all__ = ["CudaProvider", "current_compute_capability", "find_provider", "gpu_count"]


class CudaProvider(ABC):
    """What TensorRT needs of CUDA, on one device.

    Pointers and streams are integers, as TensorRT takes them. Whoever allocates, frees.

    Attributes:
        name: ``cuda-python`` or ``pycuda``.
        index: CUDA device index.
    """

    name: str

    def __init__(self, index: int = 0) -> None:
        self.index = index

    @abstractmethod
    def device_count(self) -> int:
        """GPUs this process sees."""

    @abstractmethod
    def compute_capability(self) -> str:
        """Of the device, such as ``"8.6"``."""

    @abstractmethod
    def device_name(self) -> str:
        """Marketing name of the device."""

    @abstractmethod
    def stream_create(self) -> int:
        """A new stream; `stream_destroy` it."""

    @abstractmethod
    def stream_destroy(self, stream: int) -> None:
        """Destroy a stream."""

    @abstractmethod
    def stream_synchronize(self, stream: int) -> None:
        """Block until everything in the stream is done."""

    @abstractmethod
    def allocate(self, size_bytes: int) -> int:
        """Device memory; `free` it."""

    @abstractmethod
    def free(self, pointer: int) -> None:
        """Free device memory."""

    @abstractmethod
    def copy_to_device(self, pointer: int, host: NDArray[Any], stream: int) -> None:
        """Enqueue a copy of a contiguous host array; the array must live until the stream is synchronised."""

    @abstractmethod
    def copy_to_host(self, host: NDArray[Any], pointer: int, stream: int) -> None:
        """Enqueue a copy into a contiguous host array."""


class CudaPythonProvider(CudaProvider):
    """Over NVIDIA's ``cuda-python`` (runtime API)."""

    name = "cuda-python"

    def __init__(self, index: int = 0) -> None:
        super().__init__(index)
        try:
            self._cudart = import_module("cuda.bindings.runtime")
        except ModuleNotFoundError:
            self._cudart = import_module("cuda.cudart")  # before cuda-python 12.6
        if self.device_count() > index:
            self._call("cudaSetDevice", index)

    def device_count(self) -> int:
        """GPUs this process sees."""
        return int(self._call("cudaGetDeviceCount"))

    def compute_capability(self) -> str:
        """Of the device."""
        properties = self._call("cudaGetDeviceProperties", self.index)
        return f"{properties.major}.{properties.minor}"

    def device_name(self) -> str:
        """Marketing name of the device."""
        name = self._call("cudaGetDeviceProperties", self.index).name
        return name.split(b"\0")[0].decode() if isinstance(name, bytes) else str(name)

    def stream_create(self) -> int:
        """A new stream."""
        return int(self._call("cudaStreamCreate"))

    def stream_destroy(self, stream: int) -> None:
        """Destroy a stream."""
        self._call("cudaStreamDestroy", stream)

    def stream_synchronize(self, stream: int) -> None:
        """Block until everything in the stream is done."""
        self._call("cudaStreamSynchronize", stream)

    def allocate(self, size_bytes: int) -> int:
        """Device memory."""
        return int(self._call("cudaMalloc", size_bytes))

    def free(self, pointer: int) -> None:
        """Free device memory."""
        self._call("cudaFree", pointer)

    def copy_to_device(self, pointer: int, host: NDArray[Any], stream: int) -> None:
        """Enqueue a copy to the device."""
        kind = self._cudart.cudaMemcpyKind.cudaMemcpyHostToDevice
        self._call("cudaMemcpyAsync", pointer, host.ctypes.data, host.nbytes, kind, stream)

    def copy_to_host(self, host: NDArray[Any], pointer: int, stream: int) -> None:
        """Enqueue a copy to the host."""
        kind = self._cudart.cudaMemcpyKind.cudaMemcpyDeviceToHost
        self._call("cudaMemcpyAsync", host.ctypes.data, pointer, host.nbytes, kind, stream)

    def _call(self, function: str, *arguments: Any) -> Any:
        """Call a runtime API function; its status comes first in the tuple it returns."""
        try:
            status, *results = getattr(self._cudart, function)(*arguments)
        except RuntimeError as error:  # the CUDA libraries themselves are missing
            raise DeviceUnavailableError(f"CUDA cannot be used: {error}; install NVIDIA's driver") from None
        if int(status) != 0:
            _, text = self._cudart.cudaGetErrorString(status)
            readable = text.decode() if isinstance(text, bytes) else str(text)
            if status.name in ("cudaErrorInsufficientDriver", "cudaErrorNoDevice"):
                raise DeviceUnavailableError(
                    f"no NVIDIA GPU with a working driver was found (CUDA says: {readable}); "
                    "use a machine with one, and look at nvidia-smi there"
                )
            raise DeviceUnavailableError(f"{function} failed: {readable} ({status.name}); look at nvidia-smi")
        return results[0] if results else None


class PyCudaProvider(CudaProvider):
    """Over ``pycuda`` (driver API), in the device's primary context, which TensorRT uses too."""

    name = "pycuda"

    def __init__(self, index: int = 0) -> None:
        super().__init__(index)
        self._driver = import_module("pycuda.driver")
        self._streams: dict[int, Any] = {}
        self._blocks: dict[int, Any] = {}
        try:
            self._driver.init()
            self._device = self._driver.Device(index)
            self._context = self._device.retain_primary_context()
            self._context.push()
        except self._driver.Error as error:
            raise DeviceUnavailableError(f"CUDA cannot be used: {error}; check NVIDIA's driver") from None

    def device_count(self) -> int:
        """GPUs this process sees."""
        return int(self._driver.Device.count())

    def compute_capability(self) -> str:
        """Of the device."""
        major, minor = self._device.compute_capability()
        return f"{major}.{minor}"

    def device_name(self) -> str:
        """Marketing name of the device."""
        return str(self._device.name())

    def stream_create(self) -> int:
        """A new stream."""
        stream = self._driver.Stream()
        self._streams[int(stream.handle)] = stream
        return int(stream.handle)

    def stream_destroy(self, stream: int) -> None:
        """Destroy a stream."""
        del self._streams[stream]

    def stream_synchronize(self, stream: int) -> None:
        """Block until everything in the stream is done."""
        self._streams[stream].synchronize()

    def allocate(self, size_bytes: int) -> int:
        """Device memory."""
        block = self._driver.mem_alloc(size_bytes)
        self._blocks[int(block)] = block
        return int(block)

    def free(self, pointer: int) -> None:
        """Free device memory."""
        self._blocks.pop(pointer).free()

    def copy_to_device(self, pointer: int, host: NDArray[Any], stream: int) -> None:
        """Enqueue a copy to the device."""
        self._driver.memcpy_htod_async(pointer, np.ascontiguousarray(host), self._streams[stream])

    def copy_to_host(self, host: NDArray[Any], pointer: int, stream: int) -> None:
        """Enqueue a copy to the host."""
        self._driver.memcpy_dtoh_async(host, pointer, self._streams[stream])


#: Import name to provider, in the order they are tried.
_PROVIDERS: dict[str, type[CudaProvider]] = {"cuda": CudaPythonProvider, "pycuda": PyCudaProvider}


def find_provider(index: int = 0) -> CudaProvider:
    """The first installed provider, on a device that exists.

    Args:
        index: CUDA device index.

    Returns:
        A provider bound to that device.

    Raises:
        MissingDependencyError: Neither package is installed.
        DeviceUnavailableError: No driver, or no such GPU.
    """
    for provider in _PROVIDERS.values():
        try:
            found = provider(index)
        except ImportError:
            continue
        count = found.device_count()
        if count <= index:
            raise DeviceUnavailableError(f"cuda:{index} was not found; this machine has {count} CUDA devices")
        return found
    raise MissingDependencyError(
        "CUDA needs the package 'cuda-python' or 'pycuda', and neither is installed; "
        "run: pip install 'resemote-edge[tensorrt]' (or [pycuda] on JetPack)"
    )


def gpu_count() -> int:
    """GPUs the NVIDIA driver finds, asked through its own library; 0 where there is no driver. Needs no provider."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return 0
    count = ctypes.c_int(0)
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
        return 0
    return count.value


def current_compute_capability() -> str:
    """Compute capability of the first GPU, such as ``"8.6"``.

    Raises:
        MissingDependencyError: No provider is installed.
        DeviceUnavailableError: No GPU.
    """
    return find_provider().compute_capability()
