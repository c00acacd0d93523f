"""Topology: sockets, cores, threads, caches and memory nodes of the processor.

It is read from sysfs, because small systems lack lscpu, which also says less (docs/decisions/0015-topology.md).
"""

import os
import re
from pathlib import Path

from resemote_edge.artifacts.record import Strict
from resemote_edge.machine.sysfs import core_list, is_this_machine, read_int, read_text

__all__ = ["CPUCache", "CPUTopology", "allowed_cores", "capture_topology", "thread_siblings"]

_CPUS = "sys/devices/system/cpu"
_UNITS = {"K": 2**10, "M": 2**20, "G": 2**30}


class CPUCache(Strict, frozen=True, kw_only=True):
    """One cache, as the first allowed core sees it.

    Attributes:
        name: Name of the cache: ``L1d``, ``L2``, ``L3``.
        size_bytes: Size of this cache; the machine may have several.
        shared_by: Number of logical CPUs that use it; None if the kernel does not say.
    """

    name: str
    size_bytes: int
    shared_by: int | None


class CPUTopology(Strict, frozen=True, kw_only=True):
    """Layout of the processor by the kernel; in a virtual machine, the host may have made it up.

    Attributes:
        logical_cpus: Number of logical CPUs online.
        sockets: Number of packages; Jetsons with two clusters of cores may show each as one.
        cores: Number of physical cores, of all sockets.
        threads_per_core: Threads of the core that has most.
        smt: Whether threads that share a core are on; None if it cannot be told.
        caches: Caches from small to large, without those of instructions.
        numa_nodes: Number of memory nodes; None if the kernel has none.
    """

    logical_cpus: int
    sockets: int | None
    cores: int | None
    threads_per_core: int | None
    smt: bool | None
    caches: tuple[CPUCache, ...]
    numa_nodes: int | None


def allowed_cores(root: Path = Path("/")) -> tuple[int, ...]:
    """Cores this process may use, in order; all if the system cannot tell. A recorded machine has its own."""
    if is_this_machine(root):
        if hasattr(os, "sched_getaffinity"):
            return tuple(sorted(os.sched_getaffinity(0)))
        return tuple(range(os.cpu_count() or 1))
    status = read_text(root / "proc/self/status") or ""
    found = re.search(r"^Cpus_allowed_list:\s*(\S+)$", status, re.MULTILINE)
    return core_list(found[1] if found else read_text(root / _CPUS / "online"))


def capture_topology(root: Path, cores: tuple[int, ...]) -> CPUTopology:
    """Read the topology.

    Args:
        root: Folder that holds ``sys``.
        cores: Cores that are allowed; the caches are those of the first one.
    """
    online = _online(root)
    cpus = [root / _CPUS / f"cpu{number}" for number in online]
    packages = {number for cpu in cpus if (number := read_int(cpu / "topology/physical_package_id")) is not None}
    siblings = {found for number in online if (found := thread_siblings(root, number))}
    threads = max((len(found) for found in siblings), default=0) or None
    return CPUTopology(
        logical_cpus=len(cpus),
        sockets=len(packages) or None,
        cores=len(siblings) or None,
        threads_per_core=threads,
        smt=_smt(root, threads),
        caches=_caches(root / _CPUS / f"cpu{cores[0]}/cache") if cores else (),
        numa_nodes=len(list((root / "sys/devices/system/node").glob("node[0-9]*"))) or None,
    )


def _online(root: Path) -> tuple[int, ...]:
    listed = core_list(read_text(root / _CPUS / "online"))
    return listed or tuple(sorted(int(path.name[3:]) for path in (root / _CPUS).glob("cpu[0-9]*")))


def thread_siblings(root: Path, core: int) -> tuple[int, ...]:
    """Hardware threads of the core that a logical CPU belongs to; empty if the kernel does not say."""
    folder = root / _CPUS / f"cpu{core}/topology"
    # Kernels before 5.3 have the second name.
    return core_list(read_text(folder / "core_cpus_list") or read_text(folder / "thread_siblings_list"))


def _smt(root: Path, threads: int | None) -> bool | None:
    active = read_int(root / _CPUS / "smt/active")
    if active is not None:
        return active == 1
    return None if threads is None else threads > 1


def _caches(folder: Path) -> tuple[CPUCache, ...]:
    caches = []
    for index in sorted(folder.glob("index[0-9]*")):
        kind, level, size = read_text(index / "type"), read_int(index / "level"), _bytes(read_text(index / "size"))
        if level is None or size is None or kind == "Instruction":
            continue
        shared = core_list(read_text(index / "shared_cpu_list"))
        name = f"L{level}{'d' if kind == 'Data' else ''}"
        caches.append(CPUCache(name=name, size_bytes=size, shared_by=len(shared) or None))
    return tuple(sorted(caches, key=lambda cache: cache.name))


def _bytes(text: str | None) -> int | None:
    """Bytes of a size such as ``512K``."""
    found = re.fullmatch(r"(\d+)([KMG]?)", text or "")
    return int(found[1]) * _UNITS.get(found[2], 1) if found else None
