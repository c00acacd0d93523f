"""FinalEvaluation: the test split, read once, after validation has chosen the weights."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from resemote_edge.data.dataset import Dataset
from resemote_edge.evaluation.accuracy import AccuracyReport, summarize, train_copies
from resemote_edge.training.images.validation import HeldOut
from resemote_edge.training.run.processes import Processes
from resemote_edge.vision.preprocessing import PreprocessSpec

__all__ = ["FinalEvaluation", "evaluate_finally"]


@dataclass(frozen=True)
class FinalEvaluation:
    """Accuracy of the chosen weights in float32.

    Attributes:
        validation: Report on the split that chose them, which is therefore optimistic.
        test: Report on the test split, from a single view.
        test_flip: Report on the test split, from the mean of the logits of the image and of its mirror image.
    """

    validation: AccuracyReport
    test: AccuracyReport
    test_flip: AccuracyReport


def evaluate_finally(
    network: nn.Module, splits: dict[str, Dataset], labels: tuple[str, ...], spec: PreprocessSpec, device: torch.device
) -> FinalEvaluation:
    """Evaluate on one process.

    Args:
        network: Network in eval mode, on the device.
        splits: Splits, all three.
        labels: Order of the logits.
        spec: Input spec of the network.
        device: Device to compute on.

    Returns:
        The reports, each also with the accuracy without the images that occur in the training split.
    """
    alone = Processes(0, 1, device)
    reports = {}
    for split in ("validation", "test"):
        dataset = splits[split]
        held_out = HeldOut(dataset, labels, spec, alone)
        copies = train_copies(dataset, splits["train"])
        single = held_out.logits(network).cpu().numpy()
        reports[split] = summarize(single, dataset, labels, copies=copies)
        if split == "test":
            flipped = held_out.logits(network, flipped=True).cpu().numpy()
            both = ((single + flipped) / np.float32(2.0)).astype(np.float32)
            reports["test_flip"] = summarize(both, dataset, labels, copies=copies)
    return FinalEvaluation(**reports)
