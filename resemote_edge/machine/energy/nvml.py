"""NVMLSensor: energy of NVIDIA GPUs, counted by the cards themselves or sampled."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from resemote_edge.errors import DeviceUnavailableError, where_installed
from resemote_edge.machine.energy.result import NotMeasured
from resemote_edge.machine.energy.sensor import EnergySensor, Rail
from resemote_edge.machine.sysfs import is_this_machine

__all__ = ["NVMLSensor"]


class NVMLSensor(EnergySensor):
    """All GPUs that NVML shows, as whole cards with their memory; the total is their sum.

    Work that other users do on a card is included. The counters, and power before Ampere, are updated about ten times
    a second.

    Args:
        nvml: NVIDIA's module `pynvml`, initialised; the sensor shuts it down.

    Raises:
        DeviceUnavailableError: There is no GPU, or one that tells neither energy nor power.
    """

    name = "nvml"
    covers = "gpu"

    def __init__(self, nvml: Any) -> None:
        self._nvml = nvml
        self._open = True
        with self._readable_errors():
            self._devices = [nvml.nvmlDeviceGetHandleByIndex(index) for index in range(nvml.nvmlDeviceGetCount())]
            names = [f"GPU {index} {nvml.nvmlDeviceGetName(device)}" for index, device in enumerate(self._devices)]
        if not names:
            raise DeviceUnavailableError("NVIDIA's driver is here, and shows this process no GPU")
        self._function = nvml.nvmlDeviceGetTotalEnergyConsumption
        counted = None not in self._values()  # GPUs before Volta have no counter
        if not counted:
            self._function = nvml.nvmlDeviceGetPowerUsage
        self.gives = "joules" if counted else "watts"
        self.interval_s = 10.0 if counted else 0.02
        self.min_seconds = 1.0
        self.rails = tuple(Rail(name=name, in_total=True) for name in names)
        self.read()

    @classmethod
    def find(cls, root: Path) -> "NVMLSensor | NotMeasured":
        """Ask the driver. A recorded machine has no such sensor, because NVML reads no files."""
        if not is_this_machine(root):
            return NotMeasured(f"NVML tells of this machine's GPUs, not of the one recorded in {root}")
        pynvml: Any = None
        with where_installed("pynvml"):
            pynvml = import_module("pynvml")
        if pynvml is None:
            return NotMeasured("the package nvidia-ml-py is not installed; for a GPU, run: pip install nvidia-ml-py")
        try:
            pynvml.nvmlInit()
        except pynvml.NVMLError as error:
            return NotMeasured(f"NVML cannot be used: {error}; it comes with NVIDIA's driver, look at nvidia-smi")
        try:
            return cls(pynvml)
        except DeviceUnavailableError as error:
            pynvml.nvmlShutdown()
            return NotMeasured(str(error))

    def read(self) -> tuple[float, ...]:
        """Read the joules or watts of every GPU; NVML gives both in thousandths."""
        values = self._values()
        silent = [rail.name for rail, value in zip(self.rails, values, strict=True) if value is None]
        if silent:
            raise DeviceUnavailableError(f"{', '.join(silent)} tells neither its energy nor its power")
        return tuple(value / 1e3 for value in values if value is not None)

    def _values(self) -> list[int | None]:
        """Thousandths of every GPU; None for one that does not tell, or whose driver is older than the function."""
        with self._readable_errors():
            return [self._value(device) for device in self._devices]

    def _value(self, device: Any) -> int | None:
        try:
            return int(self._function(device))
        except (self._nvml.NVMLError_NotSupported, self._nvml.NVMLError_FunctionNotFound):
            return None

    @contextmanager
    def _readable_errors(self) -> Iterator[None]:
        try:
            yield
        except self._nvml.NVMLError as error:
            raise DeviceUnavailableError(f"NVML failed: {error}", hint="look at nvidia-smi") from None

    def close(self) -> None:
        """Shut NVML down."""
        if self._open:
            self._open = False
            self._nvml.nvmlShutdown()
