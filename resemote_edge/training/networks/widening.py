"""Widening: a wider network that computes the same as a narrower one, as a start for training it further.

The method comes from Chen, Goodfellow, Shlens, "Net2Net: Accelerating Learning via Knowledge Transfer", ICLR 2016.
Channels are repeated, and each layer that reads a repeated channel divides its weight among the copies. The shares are
random, because with equal shares the copies would get equal gradients and never differ.
"""

import torch
from torch import Tensor

from resemote_edge.errors import InputError

__all__ = ["widen"]

#: Largest deviation from equal shares, as a fraction of them.
_SPREAD = 0.5

#: Channels of the input image; they are never repeated.
_FIRST = "conv1.weight"
_LAST = ("fc4.weight", "fc4.bias")


def widen(state: dict[str, Tensor], factor: int, generator: torch.Generator) -> dict[str, Tensor]:
    """Repeat every channel of a network.

    Args:
        state: Parameters and BatchNorm statistics of a ResEmoteNet by name, in either layout; not modified.
        factor: Factor by which the network becomes wider, from 1.
        generator: Generator that the shares are drawn from.

    Returns:
        State of a network `factor` times as wide, of the same dtypes; logits are equal up to rounding.

    Raises:
        InputError: The factor is below 1.
    """
    if factor < 1:
        raise InputError(f"a network is made 1 or more times as wide, got {factor}")
    return {key: _widened(key, value, factor, generator) for key, value in state.items()}


def _widened(key: str, value: Tensor, factor: int, generator: torch.Generator) -> Tensor:
    if value.ndim == 0:  # BatchNorm's count of batches
        return value.clone()
    rows = value if key in _LAST else value.repeat(factor, *[1] * (value.ndim - 1))
    if value.ndim == 1 or key == _FIRST:
        return rows.clone()
    shares = _shares((factor, *rows.shape[:2]), generator).to(value.dtype)
    # All taps of a kernel have the same shares.
    copies = [rows * share.reshape(*share.shape, *[1] * (value.ndim - 2)) for share in shares]
    return torch.cat(copies, dim=1)


def _shares(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Draw shares, which are positive and sum to 1 along the first axis."""
    drawn = 1.0 + _SPREAD * (2.0 * torch.rand(shape, generator=generator, dtype=torch.float64) - 1.0)
    return drawn / drawn.sum(dim=0)
