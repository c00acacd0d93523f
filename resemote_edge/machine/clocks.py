"""Clocks of the cores this process may use, and of a Jetson's GPU."""

import re
from collections.abc import Sequence
from pathlib import Path

from resemote_edge.artifacts.record import Strict
from resemote_edge.machine.sysfs import read_int, read_text

__all__ = ["ClockRange", "are_locked", "cpu_clocks", "cpuinfo_mhz", "governors", "gpu_clocks"]

_CPUFREQ = "sys/devices/system/cpu/cpu{}/cpufreq"
_DEVFREQ = ("sys/class/devfreq/*", "sys/devices/*/devfreq/*", "sys/devices/platform/*/devfreq/*")
# Parts of the names of Jetsons' GPUs, as other units have clocks too.
_GPUS = ("gpu", "gp10b", "gv11b", "ga10b", "gb10b")


class ClockRange(Strict, frozen=True, kw_only=True):
    """A clock, and the limits that are set for it.

    Attributes:
        now_mhz: Frequency at the moment of reading.
        lowest_mhz: Lowest frequency allowed.
        highest_mhz: Highest frequency allowed.
    """

    now_mhz: float | None
    lowest_mhz: float | None
    highest_mhz: float | None


def governors(root: Path, cores: Sequence[int]) -> tuple[str, ...]:
    """Frequency governors of some cores, each listed once."""
    texts = (read_text(root / _CPUFREQ.format(core) / "scaling_governor") for core in cores)
    return tuple(sorted({text for text in texts if text}))


def cpu_clocks(root: Path, cores: Sequence[int]) -> tuple[ClockRange, ...]:
    """Clocks of some cores; all values are None for a core whose clock the kernel does not scale."""
    return tuple(_range(root / _CPUFREQ.format(core), "scaling_{}_freq", 1000) for core in cores)


def cpuinfo_mhz(root: Path, cores: Sequence[int]) -> tuple[float, ...]:
    """Clocks of some cores, from /proc/cpuinfo: on x86 only, and in a virtual machine a fixed number."""
    text = read_text(root / "proc/cpuinfo") or ""
    found = re.findall(r"^processor\s*:\s*(\d+)$(?:\n.+)*?\ncpu MHz\s*:\s*([\d.]+)$", text, re.MULTILINE)
    return tuple(float(clock) for number, clock in found if int(number) in cores)


def gpu_clocks(root: Path) -> dict[str, ClockRange]:
    """Clocks of a Jetson's GPU, by device; a Thor has several."""
    folders = sorted(folder for pattern in _DEVFREQ for folder in root.glob(pattern))
    chosen = (folder for folder in folders if any(part in folder.name for part in _GPUS))
    return {folder.name: _range(folder, "{}_freq", 1_000_000) for folder in chosen}


def are_locked(clocks: Sequence[ClockRange]) -> bool | None:
    """Whether all clocks are fixed by equal limits, as after jetson_clocks; None if no limit can be read."""
    limits = [
        (clock.lowest_mhz, clock.highest_mhz) for clock in clocks if None not in (clock.lowest_mhz, clock.highest_mhz)
    ]
    return all(lowest == highest for lowest, highest in limits) if limits else None


def _range(folder: Path, pattern: str, per_mhz: int) -> ClockRange:
    now, lowest, highest = (read_int(folder / pattern.format(name)) for name in ("cur", "min", "max"))
    return ClockRange(
        now_mhz=None if now is None else now / per_mhz,
        lowest_mhz=None if lowest is None else lowest / per_mhz,
        highest_mhz=None if highest is None else highest / per_mhz,
    )
