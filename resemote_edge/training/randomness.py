"""Randomness: every draw of a run is a function of the seed and of where the run is, never of what was drawn before.

So a run goes on after an interruption bit for bit without saving the state of any generator, and processes that share
a batch draw the same numbers for it and take their own rows.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

__all__ = ["RowDraws", "generator_at"]

#: What a draw is for; each use has a stream of its own.
_PURPOSES = ("order", "augmentation", "mixing", "dropout", "weights", "widening")


def generator_at(seed: int, purpose: str, *where: int) -> torch.Generator:
    """A generator for one purpose at one place of the run.

    Args:
        seed: Of the run.
        purpose: One of ``order``, ``augmentation``, ``mixing``, ``dropout``, ``weights``, ``widening``.
        where: Epoch, step, as far as they matter.

    Returns:
        A CPU generator, freshly seeded.
    """
    sequence = np.random.SeedSequence([seed, _PURPOSES.index(purpose), *where])
    return torch.Generator().manual_seed(int(sequence.generate_state(1, np.uint64)[0] >> np.uint64(1)))


class RowDraws:
    """Draws for a whole batch, of which this process takes its rows.

    Args:
        generator: The same on every process.
        batch: Images in the whole batch.
        rows: Of this process.
        device: Where results are wanted.
    """

    def __init__(self, generator: torch.Generator, batch: int, rows: slice, device: torch.device) -> None:
        self._generator = generator
        self._batch = batch
        self._rows = rows
        self._device = device

    def uniform(self, shape: Sequence[int] = (), low: float = 0.0, high: float = 1.0) -> Tensor:
        """float32 (rows, *shape), uniform in [low, high)."""
        drawn = torch.rand((self._batch, *shape), generator=self._generator)[self._rows]
        return (low + (high - low) * drawn).to(self._device)

    def normal(self, shape: Sequence[int] = ()) -> Tensor:
        """float32 (rows, *shape), standard normal."""
        return torch.randn((self._batch, *shape), generator=self._generator)[self._rows].to(self._device)
