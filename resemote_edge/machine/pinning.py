"""Pinning: the cores that a measurement runs on."""

from pathlib import Path

from resemote_edge.errors import InputError
from resemote_edge.machine.topology import allowed_cores, thread_siblings

__all__ = ["choose_cores"]


def choose_cores(threads: int, allowed: tuple[int, ...] | None = None, root: Path = Path("/")) -> tuple[int, ...]:
    """Choose cores for a number of threads.

    Each physical core gets one thread before any gets a second one on its other hardware thread. Cores are taken from
    the highest number down, because the first cores serve most interrupts.

    Args:
        threads: Number of threads.
        allowed: Cores to choose from; None for those of this process.
        root: Root of the file system that holds ``sys``.

    Returns:
        Cores in ascending order; all allowed cores when there are more threads than cores.

    Raises:
        InputError: There is no thread, or no core.
    """
    cores = allowed_cores() if allowed is None else allowed
    if threads < 1 or not cores:
        raise InputError(f"cannot choose cores for {threads} threads among {len(cores)} cores: both start at 1")
    rank: dict[int, int] = {}
    seen: dict[tuple[int, ...], int] = {}
    for core in sorted(cores):
        siblings = thread_siblings(root, core) or (core,)
        rank[core] = seen.get(siblings, 0)
        seen[siblings] = rank[core] + 1
    return tuple(sorted(sorted(cores, key=lambda core: (rank[core], -core))[:threads]))
