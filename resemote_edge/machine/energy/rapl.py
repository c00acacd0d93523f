"""RAPL: the energy counters of Intel's and AMD's processors, as Linux's powercap shows them.

``/sys/class/powercap/intel-rapl:0`` is a package, ``intel-rapl:0:1`` a zone inside it; AMD's processors appear under
the same name. The kernel's Documentation/power/powercap and Intel's manual, volume 3, "Power and Thermal Management",
say what the zones contain. Core and uncore are parts of the package, memory is not, and psys includes all of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from resemote_edge.errors import DeviceUnavailableError
from resemote_edge.machine.energy.result import NotMeasured
from resemote_edge.machine.energy.sensor import EnergySensor, Rail
from resemote_edge.machine.sysfs import read_int, read_text, required_int

__all__ = ["RAPLSensor"]

_FOLDER = "sys/class/powercap"
# This leaves out intel-rapl-mmio:*, a second way to read the same package.
_ZONES = "intel-rapl:*"

# Beginnings of the names of zones that are summed; the first row whose first name is present applies.
_TOTALS = (("package", "dram"), ("psys",))

_MICRO = 1e-6


@dataclass(frozen=True)
class _Zone:
    path: Path
    name: str


class RAPLSensor(EnergySensor):
    """All zones; the total is all packages and their memory.

    Where a machine has psys and no package zone, psys is the total. Counters advance about once a millisecond.
    """

    name = "rapl"
    covers = "cpu"

    def __init__(self, zones: Sequence[_Zone], total: tuple[str, ...]) -> None:
        self.gives = "joules"
        self.interval_s = 10.0  # The smallest range seen, 65 kJ, lasts two minutes at 500 W.
        self.min_seconds = 0.1
        self.rails = tuple(
            Rail(name=zone.name, in_total=_kind(zone).startswith(total), wraps_at=_range(zone)) for zone in zones
        )
        self._files = [zone.path / "energy_uj" for zone in zones]

    @classmethod
    def find(cls, root: Path) -> "RAPLSensor | NotMeasured":
        """Look for zones; all of them must be readable, because nobody would notice a zone missing from the total."""
        folder = root / _FOLDER
        zones = _zones(folder)
        if not zones:
            return NotMeasured(
                f"there is no {folder / _ZONES}: this processor has no RAPL counters, or the kernel does not show "
                "them; virtual machines hardly ever have them, on hardware sudo modprobe intel_rapl_msr may help"
            )
        kinds = {_kind(zone) for zone in zones}
        total = next((row for row in _TOTALS if any(kind.startswith(row[0]) for kind in kinds)), None)
        if total is None:
            return NotMeasured(
                f"{folder} has the zones {', '.join(sorted(kinds))} and neither a package nor psys, so that nothing "
                "stands for the whole processor"
            )
        sensor = cls(zones, total)
        try:
            sensor.read()
        except DeviceUnavailableError as error:
            return NotMeasured(str(error))
        return sensor

    def read(self) -> tuple[float, ...]:
        """Joules of every zone's counter."""
        return tuple(required_int(path, path.parent.with_name(_ZONES) / path.name) * _MICRO for path in self._files)


def _zones(folder: Path) -> list[_Zone]:
    """Zones in the order of their numbers; the name of one inside a package begins with the package's."""
    names: dict[str, str] = {}
    paths: dict[str, Path] = {}
    for path in sorted(folder.glob(_ZONES), key=lambda path: [int(n) for n in path.name.split(":")[1:] if n.isdigit()]):
        name = read_text(path / "name")
        if name is None:
            continue
        parent = names.get(path.name.rpartition(":")[0])
        names[path.name] = f"{parent}/{name}" if parent else name
        paths[path.name] = path
    return [_Zone(paths[key], names[key]) for key in paths]


def _kind(zone: _Zone) -> str:
    return zone.name.rpartition("/")[2]


def _range(zone: _Zone) -> float | None:
    largest = read_int(zone.path / "max_energy_range_uj")
    return None if largest is None else largest * _MICRO
