"""Tally: loss and accuracy of an epoch so far, summed on the device so that no step waits for it."""

import torch
from torch import Tensor

__all__ = ["Tally"]


class Tally:
    """Sums over the images of an epoch, on one process.

    Args:
        device: Device that losses come from.
        start: Sums of an epoch that was interrupted, from `sums`.
    """

    def __init__(self, device: torch.device, start: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> None:
        # float64, so that the sum does not depend on where the epoch was interrupted and saved.
        self._sums = torch.tensor(start[:2], dtype=torch.float64, device=device)
        self._images = start[2]

    def add(self, loss: Tensor, right: Tensor, images: int) -> None:
        """Count a step.

        Args:
            loss: Mean loss over its images, a scalar.
            right: Number of images classified right, a scalar.
            images: Number of images.
        """
        self._sums += torch.stack([loss.double() * images, right.double()])
        self._images += images

    @property
    def sums(self) -> tuple[float, float, float]:
        """Return the loss summed over images, images right, images; waits for the device."""
        loss, right = self._sums.tolist()
        return loss, right, self._images
