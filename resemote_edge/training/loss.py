"""Loss: cross-entropy against soft targets, with the treatment of rare classes and of a teacher."""

import torch
import torch.nn.functional as F
from torch import Tensor

from resemote_edge.training.config import TrainingConfig

__all__ = ["Loss", "class_priors"]


def class_priors(targets: Tensor) -> Tensor:
    """Share of every class, float32 (classes,), of targets (N, classes)."""
    return targets.mean(dim=0).float()


class Loss:
    """The loss of one recipe on one training split.

    Args:
        config: Recipe of the run.
        priors: Share of every class in the training split, float32 (classes,).
    """

    def __init__(self, config: TrainingConfig, priors: Tensor) -> None:
        self._config = config
        strength = config.imbalance_strength
        self._shift = strength * priors.clamp_min(1e-8).log() if config.imbalance == "logits" else None
        weights = priors.clamp_min(1e-8) ** -strength
        # Scaled to a mean weight of 1 over the training images, so that the learning rate keeps its meaning.
        self._weights = weights / (weights * priors).sum() if config.imbalance == "weights" else None

    def __call__(self, logits: Tensor, targets: Tensor, teacher: Tensor | None = None) -> Tensor:
        """Mean loss of a batch.

        Args:
            logits: Logits of the network, (N, classes).
            targets: Targets, float32 (N, classes), rows that sum to 1, not yet smoothed.
            teacher: Logits of the teacher for the same images, or None.

        Returns:
            The loss, a scalar, float32.
        """
        logits = logits.float()
        smoothing = self._config.label_smoothing
        smoothed = targets * (1.0 - smoothing) + smoothing / targets.shape[1]
        shifted = logits if self._shift is None else logits + self._shift
        each = -(smoothed * F.log_softmax(shifted, dim=1)).sum(dim=1)
        if self._weights is not None:
            each = each * (targets @ self._weights)
        loss = each.mean()
        if teacher is None:
            return loss
        settings = self._config.distillation
        # Gradients shrink with the square of the temperature; the factor keeps both parts comparable.
        distance = F.kl_div(
            F.log_softmax(logits / settings.temperature, dim=1),
            torch.softmax(teacher.float() / settings.temperature, dim=1),
            reduction="batchmean",
        )
        return (1.0 - settings.weight) * loss + settings.weight * settings.temperature**2 * distance
