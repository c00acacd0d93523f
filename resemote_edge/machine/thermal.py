"""Thermal: temperatures, cooling devices, and how often the machine had to slow down."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from resemote_edge.machine.sysfs import read_int, read_text

__all__ = ["cooling_states", "largest", "temperatures_c", "throttle_counts"]

_ZONES = "sys/class/thermal"
_CHIPS = "sys/class/hwmon"
_CPUS = "sys/devices/system/cpu"
# Drivers of processors whose temperature may not appear as a thermal zone.
_PROCESSORS = ("k10temp", "coretemp", "zenpower")
# Zones that are switched off report -256 degrees.
_COLDEST_C = -100.0

_Number = TypeVar("_Number", int, float)


def temperatures_c(root: Path) -> dict[str, float]:
    """Degrees Celsius by thermal zone, or by processor chip if there is no zone; of equal names, the hottest."""
    zones = ((read_text(zone / "type"), zone / "temp") for zone in sorted((root / _ZONES).glob("thermal_zone*")))
    return largest(_celsius(zones)) or largest(_celsius(_processor_inputs(root)))


def cooling_states(root: Path) -> dict[str, int]:
    """State of each cooling device by its type: 0 if it is idle. Slowing a clock down counts as cooling."""
    devices = sorted((root / _ZONES).glob("cooling_device*"))
    states = ((read_text(device / "type"), read_int(device / "cur_state")) for device in devices)
    return largest((name, state) for name, state in states if name and state is not None)


def throttle_counts(root: Path) -> dict[str, int]:
    """Count throttling events since boot.

    Returns:
        On x86 ``core`` and ``package``, summed over the machine; on Jetson Orin and later ``oc1`` (under-voltage),
        ``oc2`` and ``oc3`` (over-current, mean and peak). Empty where the kernel does not count.
    """
    events = sorted((root / _CHIPS).glob("hwmon*/oc[0-9]*_event_cnt"))
    counts = {path.name.partition("_")[0]: count for path in events if (count := read_int(path)) is not None}
    for kind, place in (("core", ("physical_package_id", "core_id")), ("package", ("physical_package_id",))):
        # Every CPU of a core or package shows the same event, which is counted once.
        once = largest(_cpu_counts(root, kind, place))
        if once:
            counts[kind] = sum(once.values())
    return counts


def _cpu_counts(root: Path, kind: str, place: tuple[str, ...]) -> Iterator[tuple[str, int]]:
    for cpu in (root / _CPUS).glob("cpu[0-9]*"):
        count = read_int(cpu / f"thermal_throttle/{kind}_throttle_count")
        if count is not None:
            yield "/".join(str(read_int(cpu / "topology" / name)) for name in place), count


def _processor_inputs(root: Path) -> Iterator[tuple[str | None, Path]]:
    for chip in sorted((root / _CHIPS).glob("hwmon*")):
        name = read_text(chip / "name")
        if name in _PROCESSORS:
            yield from ((name, path) for path in sorted(chip.glob("temp*_input")))


def _celsius(sources: Iterable[tuple[str | None, Path]]) -> Iterator[tuple[str, float]]:
    for name, path in sources:
        value = read_int(path)
        if name and value is not None and value / 1e3 > _COLDEST_C:
            yield name, value / 1e3


def largest(readings: Iterable[tuple[str, _Number]]) -> dict[str, _Number]:
    """The largest value of each name."""
    found: dict[str, _Number] = {}
    for name, value in readings:
        found[name] = max(value, found.get(name, value))
    return found
