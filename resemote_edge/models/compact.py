"""The compact layout of ``res_block3``, and its expansion back to the published layout.

At 64x64 input ``res_block3`` sees a 2x2 map and makes a 1x1 map. Of its first 3x3 convolution (stride 2, padding 1)
only the taps ``[1:, 1:]`` ever meet a pixel, of its second (padding 1, on 1x1) only the centre tap; all others meet
padding alone. A checkpoint that stores just the live taps holds the same function in fewer bytes.
"""

import torch
from torch import Tensor

__all__ = ["COMPACT_TAPS", "expand"]

#: Key to (spatial size in the compact layout, where those taps stand in the published 3x3 kernel).
COMPACT_TAPS: dict[str, tuple[tuple[int, int], tuple[slice, slice]]] = {
    "res_block3.conv1.weight": ((2, 2), (slice(1, 3), slice(1, 3))),
    "res_block3.conv2.weight": ((1, 1), (slice(1, 2), slice(1, 2))),
}


def expand(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Bring a compact state dict to the published layout.

    Args:
        state: Parameters by name; not modified.

    Returns:
        The same parameters with ``res_block3`` in 3x3 kernels, zero at the taps that cannot reach the output. Tensors
        already in the published layout are passed through, not copied.
    """
    expanded = dict(state)
    for key, (size, taps) in COMPACT_TAPS.items():
        weight = state.get(key)
        if weight is not None and tuple(weight.shape[2:]) == size:
            full = torch.zeros((*weight.shape[:2], 3, 3), dtype=weight.dtype)
            full[(..., *taps)] = weight
            expanded[key] = full
    return expanded
