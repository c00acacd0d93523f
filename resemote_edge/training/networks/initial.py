"""Initial weights: a run may start from a trained checkpoint instead of drawn weights (fine-tuning)."""

from pathlib import Path

import torch
from torch import Tensor

from resemote_edge.errors import InputError
from resemote_edge.labels import index_mapping
from resemote_edge.models.checkpoint import load_checkpoint
from resemote_edge.models.compact import compact_state
from resemote_edge.models.resemotenet import WIDTHS
from resemote_edge.training.images.randomness import generator_at
from resemote_edge.training.networks.widening import widen

__all__ = ["initial_weights"]

#: Prefix of the last layer, which has a row for each class.
_LAST = "fc4."


def initial_weights(path: Path | None, labels: tuple[str, ...], width: int, seed: int = 0) -> dict[str, Tensor]:
    """Make the weights that a new run starts from.

    Args:
        path: Checkpoint that `load_checkpoint` can read; None for none.
        labels: Order of the logits of the run.
        width: Width of the run's network; a checkpoint whose width divides it is widened.
        seed: Seed of the run, for the draws of widening.

    Returns:
        Parameters and BatchNorm statistics by name, float32, compact layout; empty without a checkpoint. The last layer
        is in the run's label order, or missing if the checkpoint has other classes.

    Raises:
        InputError: The checkpoint cannot be brought to that width.
    """
    if path is None:
        return {}
    checkpoint = load_checkpoint(path)
    if width % checkpoint.width:
        named = {value: name for name, value in WIDTHS.items()}
        raise InputError(
            f"{path}: a network of width {checkpoint.width}, and the run's is {width}, no multiple of it",
            hint="pass "
            + (f"--variant {named[checkpoint.width]}" if checkpoint.width in named else "a recipe with that width"),
        )
    state = compact_state(checkpoint.state)
    if width > checkpoint.width:
        state = widen(state, width // checkpoint.width, generator_at(seed, "widening"))
    if set(checkpoint.labels) != set(labels):
        return {key: value for key, value in state.items() if not key.startswith(_LAST)}
    rows = torch.tensor(index_mapping(labels, checkpoint.labels))
    return {key: value[rows] if key.startswith(_LAST) else value for key, value in state.items()}
