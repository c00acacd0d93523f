"""CUDA memory, streams and copies for TensorRT: one interface, two providers.

``cuda-python`` has wheels for x86-64 and aarch64; ``pycuda`` is what JetPack users already have. Whichever is installed
is used, cuda-python first. Nothing else in this package talks to CUDA.
"""

import ctypes
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resemote_edge.errors import DeviceUnavailableError, MissingDependencyError, needs, where_installed

__all__ = ["CudaProvider", "compute_capability", "find_provider", "gpu_count", "installed_provider"]

# Attributes of a device in the driver API.
_CAPABILITY_MAJOR, _CAPABILITY_MINOR = 75, 76


class CudaProvider(ABC):
    """The part of CUDA that TensorRT needs, on one device.

    Pointers and streams are integers, as TensorRT takes them. The caller that allocates also frees. CUDA's current
    device belongs to a thread. So every use, TensorRT's calls included, stands inside ``with provider.current():``,
    which leaves the calling thread as it found it.

    Attributes:
        name: Name of the package: ``cuda-python`` or ``pycuda``.
        index: CUDA device index.
    """

    name: str

    def __init__(self, index: int) -> None:
        self.index = index

    @abstractmethod
    def current(self) -> AbstractContextManager[None]:
        """Make the device current in the calling thread, and restore what was current on leaving."""

    @abstractmethod
    def stream_create(self) -> int:
        """Make a new stream; `stream_destroy` it."""

    @abstractmethod
    def stream_destroy(self, stream: int) -> None:
        """Destroy a stream."""

    @abstractmethod
    def stream_synchronize(self, stream: int) -> None:
        """Block until everything in the stream is done."""

    @abstractmethod
    def allocate(self, size_bytes: int) -> int:
        """Allocate device memory; `free` it."""

    @abstractmethod
    def free(self, pointer: int) -> None:
        """Free device memory."""

    @abstractmethod
    def copy_to_device(self, pointer: int, host: NDArray[Any], stream: int) -> None:
        """Enqueue a copy of a contiguous host array; the array must live until the stream is synchronised."""

    @abstractmethod
    def copy_to_host(self, host: NDArray[Any], pointer: int, stream: int) -> None:
        """Enqueue a copy into a contiguous host array."""


class _CudaPython(CudaProvider):
    """Provider over NVIDIA's ``cuda-python`` (runtime API)."""

    name = "cuda-python"

    def __init__(self, index: int) -> None:
        super().__init__(index)
        self._cudart: Any = None
        with where_installed("cuda"):
            self._cudart = import_module("cuda.bindings.runtime")
        self._cudart = self._cudart or import_module("cuda.cudart")  # name before cuda-python 12.6
        self._call("cudaGetDeviceCount")  # Called so that an unusable driver is reported here and not later.

    @contextmanager
    def current(self) -> Iterator[None]:
        before = self._call("cudaGetDevice")
        self._call("cudaSetDevice", self.index)
        try:
            yield
        finally:
            self._call("cudaSetDevice", before)

    def stream_create(self) -> int:
        return int(self._call("cudaStreamCreate"))

    def stream_destroy(self, stream: int) -> None:
        self._call("cudaStreamDestroy", stream)

    def stream_synchronize(self, stream: int) -> None:
        self._call("cudaStreamSynchronize", stream)

    def allocate(self, size_bytes: int) -> int:
        return int(self._call("cudaMalloc", size_bytes))

    def free(self, pointer: int) -> None:
        self._call("cudaFree", pointer)

    def copy_to_device(self, pointer: int, host: NDArray[Any], stream: int) -> None:
        kind = self._cudart.cudaMemcpyKind.cudaMemcpyHostToDevice
        self._call("cudaMemcpyAsync", pointer, host.ctypes.data, host.nbytes, kind, stream)

    def copy_to_host(self, host: NDArray[Any], pointer: int, stream: int) -> None:
        kind = self._cudart.cudaMemcpyKind.cudaMemcpyDeviceToHost
        self._call("cudaMemcpyAsync", host.ctypes.data, pointer, host.nbytes, kind, stream)

    def _call(self, function: str, *arguments: Any) -> Any:
        """Call a runtime API function; its status comes first in the tuple it returns."""
        try:
            status, *results = getattr(self._cudart, function)(*arguments)
        except RuntimeError as error:  # The CUDA libraries themselves are missing.
            raise DeviceUnavailableError(f"CUDA cannot be used: {error}", hint="install NVIDIA's driver") from None
        if int(status) != 0:
            _, text = self._cudart.cudaGetErrorString(status)
            readable = text.decode() if isinstance(text, bytes) else str(text)
            if status.name == "cudaErrorInsufficientDriver":
                raise DeviceUnavailableError(
                    f"NVIDIA's driver is too old for the installed cuda-python, or absent (CUDA says: {readable})",
                    hint="update the driver, or install an older one: pip install 'cuda-python<13'",
                )
            raise DeviceUnavailableError(f"{function} failed: {readable} ({status.name})", hint="look at nvidia-smi")
        return results[0] if results else None


class _PyCuda(CudaProvider):
    """Provider over ``pycuda`` (driver API), in the device's primary context, which TensorRT uses too."""

    name = "pycuda"

    def __init__(self, index: int) -> None:
        super().__init__(index)
        self._driver = import_module("pycuda.driver")
        self._streams: dict[int, Any] = {}
        self._blocks: dict[int, Any] = {}
        try:
            self._driver.init()
            # Not pushed here: a context left on a thread's stack makes pycuda abort the process at exit.
            self._context = self._driver.Device(index).retain_primary_context()
        except self._driver.Error as error:
            raise DeviceUnavailableError(f"CUDA cannot be used: {error}", hint="check NVIDIA's driver") from None

    @contextmanager
    def current(self) -> Iterator[None]:
        self._context.push()
        try:
            yield
        finally:
            self._context.pop()

    def stream_create(self) -> int:
        stream = self._driver.Stream()
        self._streams[int(stream.handle)] = stream
        return int(stream.handle)

    def stream_destroy(self, stream: int) -> None:
        del self._streams[stream]

    def stream_synchronize(self, stream: int) -> None:
        self._streams[stream].synchronize()

    def allocate(self, size_bytes: int) -> int:
        block = self._driver.mem_alloc(size_bytes)
        self._blocks[int(block)] = block
        return int(block)

    def free(self, pointer: int) -> None:
        self._blocks.pop(pointer).free()

    def copy_to_device(self, pointer: int, host: NDArray[Any], stream: int) -> None:
        self._driver.memcpy_htod_async(pointer, np.ascontiguousarray(host), self._streams[stream])

    def copy_to_host(self, host: NDArray[Any], pointer: int, stream: int) -> None:
        self._driver.memcpy_dtoh_async(host, pointer, self._streams[stream])


#: Import name to provider, in the order in which they are tried.
_PROVIDERS: dict[str, type[CudaProvider]] = {"cuda": _CudaPython, "pycuda": _PyCuda}


def installed_provider() -> str | None:
    """Name of the provider that would be used, found without importing it; None when neither package is installed."""
    return next((cls.name for package, cls in _PROVIDERS.items() if _is_installed(package)), None)


def _is_installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ValueError:  # The module was made unimportable by hand.
        return False


def find_provider(index: int = 0) -> CudaProvider:
    """The first installed provider that can be imported, on a device that exists.

    Args:
        index: CUDA device index.

    Returns:
        A provider bound to that device.

    Raises:
        MissingDependencyError: Neither package is installed.
        DeviceUnavailableError: There is no driver, or no such GPU, or the package cannot be loaded.
    """
    if gpu_count() <= index:
        raise _absent(index)
    for package, provider in _PROVIDERS.items():
        with needs("tensorrt", "CUDA"), where_installed(package):
            return provider(index)
    raise MissingDependencyError(
        "CUDA needs the package 'cuda-python' or 'pycuda', and neither is installed",
        hint="run: pip install 'resemote-edge[tensorrt]' (or [pycuda] on JetPack)",
    )


def gpu_count() -> int:
    """GPUs the NVIDIA driver finds, asked through its own library; 0 where there is no driver. No side effect."""
    driver = _driver()
    count = ctypes.c_int(0)
    if driver is None or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
        return 0
    return count.value


def compute_capability(index: int = 0) -> str:
    """Compute capability of a GPU, such as ``"8.6"``, asked through the driver; needs no context and no provider.

    Args:
        index: CUDA device index.

    Raises:
        DeviceUnavailableError: There is no such GPU.
    """
    driver = _driver()
    device, value = ctypes.c_int(0), ctypes.c_int(0)
    parts = []
    for attribute in (_CAPABILITY_MAJOR, _CAPABILITY_MINOR):
        if (
            driver is None
            or driver.cuDeviceGet(ctypes.byref(device), index) != 0
            or driver.cuDeviceGetAttribute(ctypes.byref(value), attribute, device) != 0
        ):
            raise _absent(index)
        parts.append(str(value.value))
    return ".".join(parts)


def _absent(index: int) -> DeviceUnavailableError:
    return DeviceUnavailableError(
        f"cuda:{index} was not found, NVIDIA's driver finds {gpu_count()} GPUs here", hint="look at nvidia-smi"
    )


def _driver() -> Any:
    """The driver's library, initialised; None where it is absent or refuses."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return None
    return driver if driver.cuInit(0) == 0 else None
