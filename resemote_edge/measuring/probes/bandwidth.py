"""read_bandwidth: how fast memory can be read."""

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from resemote_edge.measuring.probes.product import tries

__all__ = ["read_bandwidth"]

# Far larger than any cache, so that the reads go to memory.
_BYTES = 256 * 2**20


def read_bandwidth(threads: int) -> tuple[float, str]:
    """Measure reading in order, which is how an engine reads weights.

    Args:
        threads: Number of CPU threads; each reads a part of its own.

    Returns:
        Bandwidth in 1e9 bytes a second, the best of several tries, and how it was measured, in words.
    """
    parts = np.array_split(np.ones(_BYTES // 8, dtype=np.int64), threads)
    best = float("inf")
    with ThreadPoolExecutor(threads) as pool:  # numpy's reductions release the interpreter lock
        for number in tries():
            start = time.perf_counter()
            list(pool.map(np.bitwise_or.reduce, parts))
            best, count = min(best, time.perf_counter() - start), number
    method = f"reading {_BYTES / 1e6:.0f} MB in order, {threads} thread{'s' if threads > 1 else ''} of numpy, "
    return _BYTES / best / 1e9, method + f"best of {count}"
