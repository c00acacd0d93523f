"""NVML: the few functions of NVIDIA's management library that energy needs, through ctypes.

nvidia-smi tells the same, but takes tens of milliseconds and a process for it. Functions and status codes are those of
nvml.h, which promises to keep them.
"""

import ctypes
from typing import Any

from resemote_edge.errors import DeviceUnavailableError

__all__ = ["LIBRARY", "NVML"]

#: Name under which the driver installs the library.
LIBRARY = "libnvidia-ml.so.1"

_SUCCESS = 0
_NOT_SUPPORTED = 3
_NAME_BYTES = 96  # NVML_DEVICE_NAME_V2_BUFFER_SIZE


class NVML:
    """The library, initialised; `close` it.

    Args:
        library: Name or path of the library.

    Raises:
        DeviceUnavailableError: There is no such library, or the driver does not answer.
    """

    def __init__(self, library: str = LIBRARY) -> None:
        try:
            self._library = ctypes.CDLL(library)
        except OSError as error:
            raise DeviceUnavailableError(
                f"{library} cannot be loaded ({error}); it comes with NVIDIA's driver"
            ) from None
        self._open = False
        self._require("nvmlInit_v2")
        self._open = True

    def device_count(self) -> int:
        """Number of GPUs that this process may see."""
        count = ctypes.c_uint()
        self._require("nvmlDeviceGetCount_v2", ctypes.byref(count))
        return count.value

    def device(self, index: int) -> Any:
        """Handle of a GPU, by its place on the bus, which need not be CUDA's order."""
        handle = ctypes.c_void_p()
        self._require("nvmlDeviceGetHandleByIndex_v2", ctypes.c_uint(index), ctypes.byref(handle))
        return handle

    def device_name(self, device: Any) -> str:
        """Name under which NVIDIA sells the GPU."""
        name = ctypes.create_string_buffer(_NAME_BYTES)
        self._require("nvmlDeviceGetName", device, name, ctypes.c_uint(_NAME_BYTES))
        return name.value.decode("utf-8", errors="replace")

    def total_energy_mj(self, device: Any) -> int | None:
        """Millijoules since the driver was loaded; None where the GPU (before Volta) or driver has no counter."""
        energy = ctypes.c_ulonglong()
        return energy.value if self._offered("nvmlDeviceGetTotalEnergyConsumption", device, energy) else None

    def power_mw(self, device: Any) -> int | None:
        """Power in milliwatts; None where the GPU does not tell. From Ampere on, a mean over the last second."""
        power = ctypes.c_uint()
        return power.value if self._offered("nvmlDeviceGetPowerUsage", device, power) else None

    def close(self) -> None:
        """Release the library; calling it again does nothing."""
        if self._open:
            self._open = False
            self._require("nvmlShutdown")

    def _offered(self, function: str, device: Any, result: Any) -> bool:
        if not hasattr(self._library, function):  # The driver is older than the function.
            return False
        status = self._call(function, device, ctypes.byref(result))
        if status not in (_SUCCESS, _NOT_SUPPORTED):
            raise self._error(function, status)
        return status == _SUCCESS

    def _require(self, function: str, *arguments: Any) -> None:
        status = self._call(function, *arguments)
        if status != _SUCCESS:
            raise self._error(function, status)

    def _call(self, function: str, *arguments: Any) -> int:
        try:
            entry = getattr(self._library, function)
        except AttributeError:
            raise DeviceUnavailableError(
                f"{function} is not in NVIDIA's management library; update the driver"
            ) from None
        entry.restype = ctypes.c_int
        return int(entry(*arguments))

    def _error(self, function: str, status: int) -> DeviceUnavailableError:
        try:
            text = self._library.nvmlErrorString
            text.restype = ctypes.c_char_p
            said = (text(ctypes.c_int(status)) or b"").decode("utf-8", errors="replace")
        except AttributeError:
            said = "unknown"
        return DeviceUnavailableError(f"{function} failed: {said} (status {status}); look at nvidia-smi")
