"""Tenancy: how much others use the machine, and whether this is a container."""

import re
from pathlib import Path

from resemote_edge.artifacts.record import Strict
from resemote_edge.machine.sysfs import read_text

__all__ = ["CPUTicks", "Tenancy", "capture_tenancy", "container_hint", "cpu_ticks", "load_averages", "meminfo_bytes"]

# Files that container engines leave.
_MARKS = {"run/.containerenv": "podman", ".dockerenv": "docker"}
# Words in the paths of the groups of a container's first process.
_GROUPS = re.compile(r"docker|kubepods|containerd|crio|libpod|lxc")
_STEAL = 7  # Index of stolen time in /proc/stat; user time already includes the guest times after it.


class CPUTicks(Strict, frozen=True, kw_only=True):
    """Time of all CPUs since boot, in ticks of the kernel.

    Attributes:
        total: Ticks, idle or not.
        stolen: Ticks for which this virtual machine had work but the host gave it no time.
    """

    total: int
    stolen: int


class Tenancy(Strict, frozen=True, kw_only=True):
    """Load of the machine, and use of its swap space.

    Attributes:
        load_average_5m: Number of processes that run or wait to run, mean over 5 minutes.
        load_average_15m: The same over 15 minutes.
        runnable_processes: The same at this moment, including this process; in a container perhaps of the whole host.
        processes: Number of all processes, threads included.
        steal_share: Part of all CPU time since boot that the host gave to others, 0 to 1.
        swap_total_bytes: Swap space of the machine.
        swap_used_bytes: Swap space in use.
    """

    load_average_5m: float | None
    load_average_15m: float | None
    runnable_processes: int | None
    processes: int | None
    steal_share: float | None
    swap_total_bytes: int | None
    swap_used_bytes: int | None


def capture_tenancy(root: Path) -> Tenancy:
    """Read the tenancy from procfs."""
    loads = load_averages(root)
    entities = re.search(r"\s(\d+)/(\d+)\s", read_text(root / "proc/loadavg") or "")
    ticks = cpu_ticks(root)
    swap, free = meminfo_bytes(root, "SwapTotal"), meminfo_bytes(root, "SwapFree")
    return Tenancy(
        load_average_5m=loads[1] if loads else None,
        load_average_15m=loads[2] if loads else None,
        runnable_processes=int(entities[1]) if entities else None,
        processes=int(entities[2]) if entities else None,
        steal_share=ticks.stolen / ticks.total if ticks and ticks.total else None,
        swap_total_bytes=swap,
        swap_used_bytes=None if swap is None or free is None else swap - free,
    )


def load_averages(root: Path) -> tuple[float, float, float] | None:
    """Load averages over 1, 5 and 15 minutes; None if they cannot be read."""
    found = re.match(r"([\d.]+) ([\d.]+) ([\d.]+)", read_text(root / "proc/loadavg") or "")
    return (float(found[1]), float(found[2]), float(found[3])) if found else None


def cpu_ticks(root: Path) -> CPUTicks | None:
    """Time of all CPUs since boot; None if it cannot be read."""
    first, *times = (read_text(root / "proc/stat") or "cpu").splitlines()[0].split()
    if first != "cpu" or len(times) <= _STEAL or not all(time.isdigit() for time in times):
        return None
    counted = [int(time) for time in times[: _STEAL + 1]]
    return CPUTicks(total=sum(counted), stolen=counted[_STEAL])


def meminfo_bytes(root: Path, key: str) -> int | None:
    """Value of a line of /proc/meminfo, in bytes; None if it is not there."""
    found = re.search(rf"^{key}:\s*(\d+) kB$", read_text(root / "proc/meminfo") or "", re.MULTILINE)
    return int(found[1]) * 2**10 if found else None


def container_hint(root: Path) -> str | None:
    """Kind of container this seems to be; None if there is no sign of one, which proves nothing."""
    marked = next((kind for mark, kind in _MARKS.items() if (root / mark).exists()), None)
    if marked is not None:
        return marked
    found = _GROUPS.search(read_text(root / "proc/1/cgroup") or "")
    return found[0] if found else None
