"""Energy of a run, measured by sensors. A new sensor is a module and a row of `ENERGY_SENSORS`.

A sensor that cannot be used on a machine is no error: it is listed with the reason and with what would help.
"""

from pathlib import Path
from pkgutil import resolve_name
from typing import NamedTuple

from resemote_edge.machine.energy.meter import EnergyMeter, Measurement
from resemote_edge.machine.energy.result import Energy, NotMeasured, RailEnergy
from resemote_edge.machine.energy.sensor import EnergySensor

__all__ = [
    "ENERGY_SENSORS",
    "Energy",
    "EnergyMeter",
    "EnergySensor",
    "FoundSensors",
    "Measurement",
    "NotMeasured",
    "RailEnergy",
    "find_energy_sensors",
]

#: Name to ``module:Class``, in the order in which they are reported.
ENERGY_SENSORS: dict[str, str] = {
    "ina3221": "resemote_edge.machine.energy.ina3221:INA3221Sensor",
    "rapl": "resemote_edge.machine.energy.rapl:RAPLSensor",
    "nvml": "resemote_edge.machine.energy.nvml:NVMLSensor",
}


class FoundSensors(NamedTuple):
    """Sensors found on a machine.

    Attributes:
        sensors: Sensors ready to be read; they go to `EnergyMeter`.
        missing: By name of each other sensor, the reason why it cannot be used, and what would help.
    """

    sensors: tuple[EnergySensor, ...]
    missing: dict[str, str]


def find_energy_sensors(root: Path = Path("/")) -> FoundSensors:
    """Look for every sensor of `ENERGY_SENSORS`; reads only.

    Args:
        root: Folder that holds ``sys``; another folder for a recorded machine.
    """
    sensors: list[EnergySensor] = []
    missing: dict[str, str] = {}
    for name, target in ENERGY_SENSORS.items():
        kind: type[EnergySensor] = resolve_name(target)
        found = kind.find(root)
        if isinstance(found, NotMeasured):
            missing[name] = found.reason
        else:
            sensors.append(found)
    return FoundSensors(tuple(sensors), missing)
