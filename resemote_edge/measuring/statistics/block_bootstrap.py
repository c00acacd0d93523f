"""Block bootstrap: how the percentiles of a run would vary from run to run, estimated from its own samples."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["resampled_percentiles"]


def resampled_percentiles(
    samples: NDArray[np.int64], shares: Sequence[float], *, resamples: int, seed: int
) -> NDArray[np.float64]:
    """Draw many runs from one, and return their percentiles.

    Consecutive calls resemble each other (a busy neighbour, a clock that falls). So blocks of them are drawn with
    replacement, not single calls: about as many blocks as calls in a block (Künsch, 1989).

    Args:
        samples: Samples, int64 (runs,), in the order they were taken; at least one.
        shares: Shares of the samples below each percentile, in (0, 1).
        resamples: Number of runs to draw.
        seed: Seed of the drawing; the same samples and seed give the same percentiles.

    Returns:
        float64 (resamples, shares), in the unit of the samples.
    """
    count = len(samples)
    block = math.isqrt(count)
    blocks = -(-count // block)
    order = np.argsort(samples, kind="stable")
    ordered, block_of = samples[order].astype(np.float64), order // block
    drawn = np.random.default_rng(seed).multinomial(blocks, np.full(blocks, 1.0 / blocks), size=resamples)
    found = np.empty((resamples, len(shares)))
    wanted = np.asarray(shares, dtype=np.float64)
    for row, times in enumerate(drawn):
        # Count the resampled values at or below each value, without making the resample.
        below = np.cumsum(times[block_of])
        found[row] = ordered[np.searchsorted(below, wanted * below[-1])]
    return found
