"""Randomness: every draw of a run depends on the seed and on the place in the run, not on earlier draws.

So an interrupted run continues bit for bit without a saved generator, and processes that share a batch draw the same
numbers for it and take their own rows.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

__all__ = ["RowDraws", "generator_at", "seed_at", "without_waiting"]

#: Purpose of a draw; each use has a stream of its own.
_PURPOSES = ("order", "augmentation", "mixing", "dropout", "weights", "widening")


def generator_at(seed: int, purpose: str, *where: int) -> torch.Generator:
    """Make a freshly seeded generator for one purpose at one place of the run.

    It draws on the CPU, because a card would draw other numbers from the same seed.

    Args:
        seed: Seed of the run.
        purpose: Purpose, one of ``order``, ``augmentation``, ``mixing``, ``dropout``, ``weights``, ``widening``.
        where: Place in the run: epoch and step, as far as they matter.
    """
    return torch.Generator().manual_seed(seed_at(seed, purpose, *where))


def seed_at(seed: int, purpose: str, *where: int) -> int:
    """Return the seed that `generator_at` uses, for a generator that is reseeded at every step."""
    sequence = np.random.SeedSequence([seed, _PURPOSES.index(purpose), *where])
    return int(sequence.generate_state(1, np.uint64)[0] >> np.uint64(1))


def without_waiting(tensor: Tensor, device: torch.device) -> Tensor:
    """Move a tensor to a device without waiting for the work that the device still has to do.

    Args:
        tensor: Tensor to move; it may be on the device already.
        device: Destination. A copy to a card waits for all work before it, unless it is made from pinned memory.
    """
    if device.type != "cuda" or tensor.device.type != "cpu":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)


class RowDraws:
    """Draws for a whole batch, of which this process takes its rows.

    Args:
        generator: Generator in the same state on every process; it draws on its own device.
        batch: Number of images in the whole batch.
        rows: Rows of this process.
        device: Device on which results are wanted.
    """

    def __init__(self, generator: torch.Generator, batch: int, rows: slice, device: torch.device) -> None:
        self._generator = generator
        self._batch = batch
        self._rows = rows
        self._device = device

    def uniform(self, shape: Sequence[int] = (), low: float = 0.0, high: float = 1.0) -> Tensor:
        """Draw float32 (rows, *shape), uniform in [low, high)."""
        return self._moved(self._draw((self._batch, *shape))[self._rows], low, high)

    def shared(self, shape: Sequence[int], low: float = 0.0, high: float = 1.0) -> Tensor:
        """Draw float32 (1, *shape), uniform in [low, high): one draw for all images of the batch."""
        return self._moved(self._draw((1, *shape)), low, high)

    def _draw(self, shape: Sequence[int]) -> Tensor:
        return torch.rand(shape, generator=self._generator, device=self._generator.device)

    def _moved(self, drawn: Tensor, low: float, high: float) -> Tensor:
        return without_waiting(low + (high - low) * drawn, self._device)
