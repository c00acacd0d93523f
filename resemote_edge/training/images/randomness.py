"""Randomness: every draw of a run depends on the seed and on the place in the run, never on what was drawn before.

So a run continues after an interruption bit for bit without saving the state of any generator, and processes that share
a batch draw the same numbers for it and take their own rows.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

__all__ = ["RowDraws", "generator_at", "seed_at", "without_waiting"]

#: Purpose of a draw; each use has a stream of its own.
_PURPOSES = ("order", "augmentation", "mixing", "dropout", "weights", "widening")


_CPU = torch.device("cpu")


def generator_at(seed: int, purpose: str, *where: int, device: torch.device = _CPU) -> torch.Generator:
    """Make a generator for one purpose at one place of the run.

    Args:
        seed: Seed of the run.
        purpose: Purpose, one of ``order``, ``augmentation``, ``mixing``, ``dropout``, ``weights``, ``widening``.
        where: Place in the run: epoch and step, as far as they matter.
        device: Device that draws. A card draws other numbers than a CPU from the same seed, so every draw that decides
            which images a network sees is made by the CPU everywhere.

    Returns:
        A generator, freshly seeded.
    """
    return torch.Generator(device).manual_seed(seed_at(seed, purpose, *where))


def seed_at(seed: int, purpose: str, *where: int) -> int:
    """Return the seed of `generator_at`, for a generator that is seeded again and again."""
    sequence = np.random.SeedSequence([seed, _PURPOSES.index(purpose), *where])
    return int(sequence.generate_state(1, np.uint64)[0] >> np.uint64(1))


def without_waiting(tensor: Tensor, device: torch.device) -> Tensor:
    """Move a tensor to a device without waiting for the work that the device still has to do.

    Args:
        tensor: Tensor to move; it may be on the device already.
        device: Destination. From pageable memory, a copy to a card waits for everything before it; from pinned memory
            it does not.
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
