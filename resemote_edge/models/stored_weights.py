"""Stored weights: the forms in which a checkpoint file stores weights, in more or fewer bits.

A weight is a matrix or kernel: ``<layer>.weight`` with two dimensions or more. All but a thousandth of a network is
weights. Files hold them as float32, float16, or int8. An int8 weight has ``<key>.scale`` beside it, float32, one per
output channel; it stands for ``integer * scale``. Biases and BatchNorm stay float32 in each form.

In an int8 file the layers that hold few of the weights are float16. The first convolutions and the last linear layers
are 5 % of the weights, and caused nearly all of the error of the logits (docs/decisions/0008-stored-weights.md).

A channel's scale is its largest magnitude over 127, so nothing is clipped. An export to int8 or w8 folds BatchNorm,
which is a factor per output channel, and uses the same rule. So it gets the integers that are stored here.
"""

from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from resemote_edge.errors import CheckpointError

__all__ = ["STORAGES", "Storage", "is_weight", "pack_weights", "unpack_weights"]

Storage = Literal["int8", "float16", "float32"]

#: Every form, smallest first.
STORAGES: tuple[Storage, ...] = ("int8", "float16", "float32")

_LEVELS = 127
#: Layers with no more than this share of all weights are float16 in an int8 file.
_SMALL_SHARE = 0.02
_FLOAT16_MAX = 65504.0
_SCALE = ".scale"


def is_weight(key: str, value: Tensor) -> bool:
    """Whether this is a matrix or a kernel, which may be stored in fewer bits."""
    return key.endswith(".weight") and value.ndim >= 2


def pack_weights(state: dict[str, Tensor], storage: Storage) -> dict[str, Tensor]:
    """Convert parameters to the form in which they are stored.

    Args:
        state: Parameters and buffers by name, float32, either layout; not modified.
        storage: Form in which the weights are stored.

    Returns:
        Contents of a file, scales included. float16 turns values beyond its range into infinity.
    """
    packed: dict[str, Tensor] = {}
    weights = sum(value.numel() for key, value in state.items() if is_weight(key, value))
    for key, value in state.items():
        if not is_weight(key, value):
            packed[key] = value.to(torch.float32)
        elif storage == "int8" and not _is_small(value, weights):
            packed[key], packed[key + _SCALE] = _to_int8(value)
        else:
            packed[key] = value.to(torch.float32 if storage == "float32" else torch.float16)
    return packed


def _is_small(weight: Tensor, weights: int) -> bool:
    """Whether an int8 file stores this layer in float16: it is small, and float16 can hold its values."""
    return weight.numel() <= _SMALL_SHARE * weights and float(weight.abs().max()) <= _FLOAT16_MAX


def unpack_weights(state: dict[str, Tensor], path: Path) -> dict[str, Tensor]:
    """Turn int8 weights and their scales into floating weights.

    Args:
        state: Contents of a file; not modified.
        path: Path of the file, for messages.

    Returns:
        The state without scales, int8 weights as float32; everything else is passed through.

    Raises:
        CheckpointError: A scale is missing, has no int8 weight, is of the wrong type or shape, or is not a positive
            number; the message names the key.
    """
    unpacked: dict[str, Tensor] = {}
    for key, value in state.items():
        if key.endswith(f".weight{_SCALE}"):
            weight = key.removesuffix(_SCALE)
            found = "not there" if weight not in state else str(state[weight].dtype)
            if found != "torch.int8":
                raise CheckpointError(f"{path}: {key} is the scale of an int8 weight, and {weight} is {found}")
        elif value.dtype == torch.int8 and is_weight(key, value):
            scale = _checked_scale(state.get(key + _SCALE), key, len(value), path)
            unpacked[key] = value.to(torch.float32) * _per_channel(scale, value)
        else:
            unpacked[key] = value
    return unpacked


def _per_channel(scale: Tensor, weight: Tensor) -> Tensor:
    return scale.reshape(-1, *[1] * (weight.ndim - 1))


def _to_int8(weight: Tensor) -> tuple[Tensor, Tensor]:
    scale = weight.flatten(1).abs().amax(dim=1) / _LEVELS
    # A channel of zeros, or of values too small to divide, has no scale, and any will do.
    scale = torch.where(scale > 0.0, scale, torch.ones_like(scale))
    whole = (weight / _per_channel(scale, weight)).round_().clamp_(-_LEVELS, _LEVELS)
    return whole.to(torch.int8), scale


def _checked_scale(scale: Tensor | None, key: str, channels: int, path: Path) -> Tensor:
    name = key + _SCALE
    if scale is None:
        raise CheckpointError(
            f"{path}: {key} is stored as int8, and its {name} is missing", hint="pack the weights again"
        )
    if not scale.is_floating_point() or tuple(scale.shape) != (channels,):
        raise CheckpointError(
            f"{path}: {name} is {scale.dtype} of shape {tuple(scale.shape)}, expected a float per output channel: "
            f"({channels},)"
        )
    bad = ~(torch.isfinite(scale) & (scale > 0.0))
    if bad.any():
        at = int(bad.nonzero()[0])
        raise CheckpointError(
            f"{path}: {name} holds {float(scale[at])} for channel {at}, and scales are positive numbers",
            hint="pack the weights again",
        )
    return scale.to(torch.float32)
