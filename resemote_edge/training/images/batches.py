"""TrainingImages: the training split in memory, in shuffled batches; every process takes its rows of them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from resemote_edge.data.dataset import Dataset
from resemote_edge.errors import InputError
from resemote_edge.labels import RESEMOTENET
from resemote_edge.training.config import TrainingConfig
from resemote_edge.training.images.augment import augment, mix, normalize
from resemote_edge.training.images.randomness import RowDraws, generator_at, seed_at
from resemote_edge.training.run.processes import Processes
from resemote_edge.training.schedule import side_at
from resemote_edge.vision.preprocessing import PreprocessSpec

__all__ = ["Batch", "TrainingImages", "label_order", "target_distribution"]


@dataclass(frozen=True)
class Batch:
    """One process's rows of a batch.

    Attributes:
        step: Number of the step in the epoch, from 0.
        images: Images, float32 (N, 3, side, side), normalised, channels-last; the side is that of the epoch.
        targets: Targets, float32 (N, classes), rows that sum to 1.
        dropout: Seed of dropout's masks.
    """

    step: int
    images: Tensor
    targets: Tensor
    dropout: int


def label_order(train: Dataset) -> tuple[str, ...]:
    """Order of the logits: the published one for the seven expressions, the dataset's own for anything else."""
    return RESEMOTENET if set(train.labels) == set(RESEMOTENET) else train.labels


def target_distribution(dataset: Dataset, labels: tuple[str, ...]) -> Tensor:
    """Targets of a split in a label order: the taggers' votes where it has them, one-hot otherwise.

    Args:
        dataset: Split of a dataset.
        labels: Order of the columns; must have all of the dataset's labels.

    Returns:
        float32 (N, classes), rows that sum to 1.
    """
    if dataset.soft_targets is None:
        return F.one_hot(torch.from_numpy(dataset.targets_in(labels)), len(labels)).float()
    columns = [dataset.labels.index(label) for label in labels]
    return torch.from_numpy(np.ascontiguousarray(dataset.soft_targets[:, columns], dtype=np.float32))


class TrainingImages:
    """Makes shuffled, mixed, augmented and normalised batches, which depend on seed, epoch and step alone.

    Args:
        dataset: Training split; its pixels are kept as uint8 on the device.
        labels: Order of the targets.
        config: Recipe of the run.
        spec: Input spec of the network.
        processes: Processes that share each batch; batches are made on this one's device.

    Raises:
        InputError: The batch cannot be shared equally, or the split is smaller than a batch.
    """

    def __init__(
        self,
        dataset: Dataset,
        labels: tuple[str, ...],
        config: TrainingConfig,
        spec: PreprocessSpec,
        processes: Processes,
    ) -> None:
        world, device = processes.world, processes.device
        if config.batch_size % world:
            raise InputError(
                f"a batch of {config.batch_size} cannot be shared equally by {world} processes",
                hint=f"set batch_size to a multiple of {world}",
            )
        if len(dataset) < config.batch_size:
            raise InputError(
                f"{dataset.name}: {len(dataset)} training images are fewer than one batch of {config.batch_size}",
                hint="set a smaller batch_size",
            )
        self._pixels = torch.from_numpy(np.ascontiguousarray(dataset.images)).to(device)
        #: Targets of the whole split, float32 (N, classes).
        self.targets = target_distribution(dataset, labels).to(device)
        self._config = config
        self._spec = spec
        self._device = device
        share = config.batch_size // world
        #: This process's rows of every batch.
        self.rows = slice(processes.rank * share, (processes.rank + 1) * share)
        #: Number of images per step over all processes.
        self.batch_size = config.batch_size
        #: Number of steps of one epoch; each epoch leaves out other images.
        self.steps = len(dataset) // config.batch_size

    def epoch(self, epoch: int, first: int = 0) -> Iterator[Batch]:
        """Yield the batches of an epoch, in its order.

        Args:
            epoch: Number of the epoch, from 0.
            first: Step to begin with, after an interruption.

        Yields:
            This process's rows of every batch.
        """
        config = self._config
        order = torch.randperm(len(self._pixels), generator=generator_at(config.seed, "order", epoch)).to(self._device)
        side = side_at(config, epoch, self._spec.height)
        mixed = epoch < config.augmentation.mixing_stop * config.epochs
        for step in range(first, self.steps):
            chosen = order[step * config.batch_size : (step + 1) * config.batch_size]
            images, targets = self._take(chosen[self.rows])
            if mixed:
                mixing = generator_at(config.seed, "mixing", epoch, step)
                # Partners are the batch in reverse order, so that each process can look up its own.
                partners = self._take(chosen.flip(0)[self.rows])
                images, targets = mix(images, targets, partners, mixing, config.augmentation)
            draws = self.draws(generator_at(config.seed, "augmentation", epoch, step))
            augmented = augment(images, draws, config.augmentation, side)
            dropout = seed_at(config.seed, "dropout", epoch, step)
            yield Batch(step, normalize(augmented, self._spec), targets, dropout)

    def _take(self, indices: Tensor) -> tuple[Tensor, Tensor]:
        return self._pixels[indices][:, None].float(), self.targets[indices]

    def draws(self, generator: torch.Generator) -> RowDraws:
        """Draws for a batch, of which this process takes its rows."""
        return RowDraws(generator, self._config.batch_size, self.rows, self._device)
