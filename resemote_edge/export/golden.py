"""Golden crops: the self-test data that every artifact carries."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from resemote_edge.models.resemotenet import ResEmoteNet
from resemote_edge.vision.drawn import drawn_faces, noise_crops
from resemote_edge.vision.preprocessing import PreprocessSpec

__all__ = ["CROPS_NAME", "LOGITS_NAME", "Golden", "in_batches", "make_golden", "reference_logits"]

CROPS_NAME = "golden_crops.npy"
LOGITS_NAME = "golden_logits.npy"

# The seed is fixed, so that two exports of the same weights carry the same self-test.
_SEED = 20240
_DRAWN = 24
_NOISE = 8


@dataclass(frozen=True)
class Golden:
    """Self-test data.

    Attributes:
        crops: Drawn faces and noise, uint8 (32, 48, 48, 3), RGB. They are in colour and not 64x64, so that a self-test
            also covers colour order and resize.
        logits: Logits that the model must give for them, float32 (32, classes).
    """

    crops: NDArray[np.uint8] = field(repr=False)
    logits: NDArray[np.float32] = field(repr=False)

    def save(self, folder: Path) -> None:
        """Write both arrays as ``.npy``, which C reads with a dozen lines."""
        np.save(folder / CROPS_NAME, self.crops, allow_pickle=False)
        np.save(folder / LOGITS_NAME, self.logits, allow_pickle=False)


def make_golden(reference: Callable[[NDArray[Any]], NDArray[np.float32]], preprocessing: PreprocessSpec) -> Golden:
    """Draw the crops and compute the logits that the model must give for them.

    Args:
        reference: Function from feeds to logits.
        preprocessing: Function from crops to feeds.
    """
    crops = np.concatenate([drawn_faces(_DRAWN, seed=_SEED), noise_crops(_NOISE, seed=_SEED)])
    return Golden(crops, reference(preprocessing(list(crops), "rgb")))


def reference_logits(model: ResEmoteNet, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
    """Compute the logits of the PyTorch network itself.

    Args:
        model: Network in eval mode, on the CPU.
        inputs: Inputs, float32 (N, 3, 64, 64).

    Returns:
        Logits, float32 (N, classes).
    """
    # oneDNN computes in this layout. The network is the caller's, so its own layout is restored.
    _lay_out(model, torch.channels_last)
    try:
        with torch.inference_mode():
            return in_batches(lambda batch: model(torch.from_numpy(batch)).numpy(), inputs)
    finally:
        _lay_out(model, torch.contiguous_format)


def _lay_out(model: ResEmoteNet, order: torch.memory_format) -> None:
    for parameter in model.parameters():
        if parameter.dim() == 4:
            parameter.data = parameter.data.contiguous(memory_format=order)


def in_batches(
    function: Callable[[NDArray[Any]], NDArray[np.float32]], inputs: NDArray[Any], batch: int = 32
) -> NDArray[np.float32]:
    """Apply a function to batches, which bounds the memory, and join the results."""
    return np.concatenate([function(inputs[at : at + batch]) for at in range(0, len(inputs), batch)])
