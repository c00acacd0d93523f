"""NVMLSensor: energy of NVIDIA GPUs, counted by the cards themselves or sampled."""

from pathlib import Path

from resemote_edge.errors import DeviceUnavailableError
from resemote_edge.machine.energy.nvml import LIBRARY, NVML
from resemote_edge.machine.energy.result import NotMeasured
from resemote_edge.machine.energy.sensor import EnergySensor, Rail
from resemote_edge.machine.sysfs import is_this_machine

__all__ = ["NVMLSensor"]


class NVMLSensor(EnergySensor):
    """All GPUs that NVML shows, as whole cards with their memory; the total is their sum.

    Work that other users do on a card is included. The counters, and power before Ampere, are renewed some ten times a
    second.

    Args:
        nvml: Library to read; the sensor closes it.

    Raises:
        DeviceUnavailableError: There is no GPU, or one that tells neither energy nor power.
    """

    name = "nvml"
    covers = "gpu"

    def __init__(self, nvml: NVML) -> None:
        self._nvml = nvml
        self._devices = [nvml.device(index) for index in range(nvml.device_count())]
        names = [f"GPU {index} {nvml.device_name(device)}" for index, device in enumerate(self._devices)]
        if not names:
            raise DeviceUnavailableError("NVIDIA's driver is here, and shows this process no GPU")
        counted = all(nvml.total_energy_mj(device) is not None for device in self._devices)
        self._read = nvml.total_energy_mj if counted else nvml.power_mw
        self.gives = "joules" if counted else "watts"
        self.interval_s = 10.0 if counted else 0.02
        self.min_seconds = 1.0
        self.rails = tuple(Rail(name=name, in_total=True) for name in names)
        self.read()

    @classmethod
    def find(cls, root: Path, library: str = LIBRARY) -> "NVMLSensor | NotMeasured":
        """Load the library; a recorded machine has no such sensor, since there is no file to read."""
        if not is_this_machine(root):
            return NotMeasured(f"NVML tells of this machine's GPUs, not of the one recorded in {root}")
        nvml = None
        try:
            nvml = NVML(library)
            return cls(nvml)
        except DeviceUnavailableError as error:
            if nvml is not None:
                nvml.close()
            return NotMeasured(str(error))

    def read(self) -> tuple[float, ...]:
        """Read the joules or watts of every GPU; NVML gives both in thousandths."""
        values = [self._read(device) for device in self._devices]
        silent = [rail.name for rail, value in zip(self.rails, values, strict=True) if value is None]
        if silent:
            raise DeviceUnavailableError(f"{', '.join(silent)} tells neither its energy nor its power")
        return tuple(value / 1e3 for value in values if value is not None)

    def close(self) -> None:
        """Release the library."""
        self._nvml.close()
