"""HeldOut: a split that is never trained on, as pixels ready for the network."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from resemote_edge.data.dataset import Dataset
from resemote_edge.training.images.augment import normalize, resized
from resemote_edge.training.images.batches import target_distribution
from resemote_edge.training.run.processes import Processes
from resemote_edge.vision.preprocessing import PreprocessSpec

__all__ = ["HeldOut", "Scores"]

_BATCH = 256


@dataclass(frozen=True)
class Scores:
    """Scores of a network on a split.

    Attributes:
        loss: Mean cross-entropy.
        accuracy: Fraction of images classified right, in [0, 1].
    """

    loss: float
    accuracy: float


class HeldOut:
    """A preprocessed split, divided among the processes.

    Args:
        dataset: Split to score on.
        labels: Order of the logits.
        spec: Input spec of the network.
        processes: Processes that share the work.
    """

    def __init__(self, dataset: Dataset, labels: tuple[str, ...], spec: PreprocessSpec, processes: Processes) -> None:
        mine = slice(processes.rank, None, processes.world)
        self._pixels = torch.from_numpy(spec.pixels(dataset.images[mine], "gray")).to(processes.device)
        self._targets = target_distribution(dataset, labels)[mine].argmax(dim=1).to(processes.device)
        self._spec, self._processes = spec, processes

    @torch.no_grad()
    def logits(
        self,
        network: Callable[[Tensor], Tensor],
        dtype: torch.dtype | None = None,
        *,
        flipped: bool = False,
        side: int | None = None,
    ) -> Tensor:
        """Logits of this process's rows.

        Args:
            network: Network in eval mode, on the device, or a teacher.
            dtype: Data type of autocast; None for fp32.
            flipped: Whether the images are mirrored first.
            side: Rows and columns of the images; None for the full size.

        Returns:
            Logits, float32 (rows, classes).
        """
        out = []
        for start in range(0, len(self._pixels), _BATCH):
            pixels = self._pixels[start : start + _BATCH, None].float()
            images = normalize(pixels.flip(-1) if flipped else pixels, self._spec)
            images = resized(images, side or self._spec.height)
            with torch.autocast(images.device.type, dtype or torch.bfloat16, enabled=dtype is not None):
                out.append(network(images).float())
        return torch.cat(out)

    def score(
        self, network: Callable[[Tensor], Tensor], dtype: torch.dtype | None = None, side: int | None = None
    ) -> Scores:
        """Loss and accuracy over the whole split, the same on every process; for the arguments see `logits`."""
        logits = self.logits(network, dtype, side=side)
        loss = float(F.cross_entropy(logits, self._targets, reduction="sum"))
        right = float((logits.argmax(dim=1) == self._targets).sum())
        loss, right, images = self._processes.total(loss, right, float(len(logits)))
        return Scores(loss / images, right / images)
