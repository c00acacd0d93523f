"""The reference that an artifact must match, and golden crops: the self-test data that every artifact carries."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from resemote_edge.export.tracing import Traced
from resemote_edge.models.graph import EvalGraph
from resemote_edge.models.proof import evaluate_graph
from resemote_edge.models.resemotenet import ResEmoteNet
from resemote_edge.vision.drawn import drawn_faces, noise_crops
from resemote_edge.vision.preprocessing import PreprocessSpec

__all__ = ["CROPS_NAME", "LOGITS_NAME", "Reference", "reference_of", "write_golden"]

CROPS_NAME = "golden_crops.npy"
LOGITS_NAME = "golden_logits.npy"

# The seed is fixed, so that two exports of the same weights carry the same self-test.
_SEED = 20240
_DRAWN = 24
_NOISE = 8

_BATCH = 32


#: Function of feeds that gives logits, float32 (N, classes).
Reference = Callable[[NDArray[Any]], NDArray[np.float32]]


def reference_of(traced: Traced, graph: EvalGraph | None) -> Reference:
    """Function that an engine must compute: that of a graph, such as one in eight bits, or of the original network."""
    if graph is None:
        return lambda feeds: _network_logits(traced.model, traced.preprocessing.tensor(feeds))
    return lambda feeds: _in_batches(lambda batch: evaluate_graph(graph, batch), feeds)


def write_golden(reference: Reference, preprocessing: PreprocessSpec, folder: Path) -> int:
    """Draw the crops, compute the logits that the model must give for them, and write both.

    The crops are drawn faces and noise, uint8 (32, 48, 48, 3), RGB: in colour and not 64x64, so that a self-test also
    covers colour order and resize. The logits are float32 (32, classes). C reads ``.npy`` with a dozen lines.

    Args:
        reference: Function that the model must compute.
        preprocessing: Function from crops to feeds.
        folder: Folder of the artifact.

    Returns:
        Number of crops.
    """
    crops = np.concatenate([drawn_faces(_DRAWN, seed=_SEED), noise_crops(_NOISE, seed=_SEED)])
    np.save(folder / CROPS_NAME, crops, allow_pickle=False)
    np.save(folder / LOGITS_NAME, reference(preprocessing(list(crops), "rgb")), allow_pickle=False)
    return len(crops)


def _network_logits(model: ResEmoteNet, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
    """Logits of the PyTorch network itself, which is in eval mode, on the CPU."""
    # oneDNN computes in this layout. The network is the caller's, so its own layout is restored.
    _lay_out(model, torch.channels_last)
    try:
        with torch.inference_mode():
            return _in_batches(lambda batch: model(torch.from_numpy(batch)).numpy(), inputs)
    finally:
        _lay_out(model, torch.contiguous_format)


def _lay_out(model: ResEmoteNet, order: torch.memory_format) -> None:
    for parameter in model.parameters():
        if parameter.dim() == 4:
            parameter.data = parameter.data.contiguous(memory_format=order)


def _in_batches(function: Reference, inputs: NDArray[Any]) -> NDArray[np.float32]:
    """Apply a function to batches, which bounds the memory, and join the results."""
    return np.concatenate([function(inputs[at : at + _BATCH]) for at in range(0, len(inputs), _BATCH)])
