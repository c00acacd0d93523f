"""Pinning: which cores a measurement runs on."""

import os
from pathlib import Path

from resemote_edge.errors import InputError

__all__ = ["allowed_cores", "choose_cores"]


def allowed_cores() -> tuple[int, ...]:
    """Cores this process may use, in order; all of them where the system cannot tell."""
    if hasattr(os, "sched_getaffinity"):
        return tuple(sorted(os.sched_getaffinity(0)))
    return tuple(range(os.cpu_count() or 1))


def choose_cores(threads: int, allowed: tuple[int, ...] | None = None, root: Path = Path("/")) -> tuple[int, ...]:
    """Cores for a number of threads.

    One thread per physical core first; the second hardware thread of a core only when there are no others left. From
    the highest number down, since the first cores serve most interrupts.

    Args:
        threads: To find room for.
        allowed: Cores to choose from; None for those of this process.
        root: Of the file system that holds ``sys``.

    Returns:
        In ascending order; all that are allowed when there are more threads than cores.

    Raises:
        InputError: No thread, or no core.
    """
    cores = allowed_cores() if allowed is None else allowed
    if threads < 1 or not cores:
        raise InputError(f"cannot choose cores for {threads} threads among {len(cores)} cores; both start at 1")
    rank: dict[int, int] = {}
    seen: dict[str, int] = {}
    for core in sorted(cores):
        siblings = _siblings(core, root)
        rank[core] = seen.get(siblings, 0)
        seen[siblings] = rank[core] + 1
    return tuple(sorted(sorted(cores, key=lambda core: (rank[core], -core))[:threads]))


def _siblings(core: int, root: Path) -> str:
    """What the hardware threads of one core have in common; the core itself where the kernel does not say."""
    path = root / f"sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list"
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return str(core)
