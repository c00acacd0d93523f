"""Schedules of learning rate, dropout and image size; they depend on progress alone, for runs that are resumed."""

import math

from resemote_edge.training.config import TrainingConfig

__all__ = ["dropout_at", "learning_rate_at", "side_at"]


def learning_rate_at(config: TrainingConfig, epoch: float) -> float:
    """Learning rate by linear warm-up, then a half cosine (Loshchilov and Hutter, 2017).

    Args:
        config: Recipe of the run.
        epoch: Number of epochs done, with the fraction of the present one.

    Returns:
        The learning rate of the next step.
    """
    warmup = min(config.warmup_epochs, config.epochs / 2)
    if epoch < warmup:
        # The rise starts at a hundredth, not at zero, so that the first step already moves the weights.
        return config.learning_rate * max(epoch / warmup, 0.01)
    done = min((epoch - warmup) / max(config.epochs - warmup, 1e-9), 1.0)
    low = config.final_learning_rate
    return config.learning_rate * (low + (1.0 - low) * 0.5 * (1.0 + math.cos(math.pi * done)))


def dropout_at(config: TrainingConfig, epoch: float) -> tuple[float, float]:
    """Dropout after the pooled convolutions and in the head, raised linearly from zero.

    If the three dropouts of the head are on from the first step, they keep the network at chance for epochs.

    Args:
        config: Recipe of the run.
        epoch: Number of epochs done, with the fraction of the present one.

    Returns:
        The two probabilities.
    """
    done = epoch / config.epochs
    span = config.dropout_full - config.dropout_start
    part = (
        float(done >= config.dropout_full) if span <= 0.0 else min(max((done - config.dropout_start) / span, 0.0), 1.0)
    )
    return config.map_dropout * part, config.head_dropout * part


def side_at(config: TrainingConfig, epoch: int, full: int) -> int:
    """Rows and columns of an epoch's images: `first_side`, later the full size, which the last epoch always has.

    Args:
        config: Recipe of the run.
        epoch: Number of the epoch, from 0.
        full: Full size.
    """
    begins = min(config.full_side_from * config.epochs, config.epochs - 1)
    return full if epoch >= begins else min(config.first_side, full)
