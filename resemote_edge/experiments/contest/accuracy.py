"""Accuracy of a contest's rows: the same images go through every row with trained weights; pairs are compared.

Images and logits travel as files, so that a row's process needs neither the dataset nor what decodes it.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from resemote_edge.data.dataset import Dataset
from resemote_edge.evaluation.accuracy import summarize, train_copies
from resemote_edge.evaluation.paired import compare_paired
from resemote_edge.experiments.contest.file import RatioSpec
from resemote_edge.experiments.contest.results import AccuracyDifference, RowAccuracy
from resemote_edge.labels import index_mapping
from resemote_edge.measuring.processes.contestant import Contestant
from resemote_edge.measuring.processes.worker_process import run_apart

__all__ = ["Predictor", "judge_rows"]

#: Function from the file of images and the file to write to what `run_apart` opens; see `contest.openers`.
Predictor: TypeAlias = Callable[[Path, Path], Contestant]

#: A split has some thousand images; an hour means that it hangs.
_TIMEOUT_S = 3600.0


def judge_rows(
    predictors: Mapping[str, Predictor],
    pairs: Sequence[RatioSpec],
    *,
    test: Dataset,
    train: Dataset,
    folder: Path,
    notice: Callable[[str], None] = lambda text: None,
) -> tuple[tuple[RowAccuracy, ...], tuple[AccuracyDifference, ...]]:
    """Measure the accuracy of rows, and compare pairs of them image by image.

    Args:
        predictors: Predictors by name of the row.
        pairs: Rows to compare; pairs with a row that is not among the predictors are passed over.
        test: Split to judge on.
        train: Training split, to also state the accuracy without its copies.
        folder: Folder for intermediate files.
        notice: Function called with the row whose turn it is.

    Returns:
        The accuracies, all in the dataset's label order, and the differences.

    Raises:
        InputError: A row has other classes than the dataset.
        ResEmoteEdgeError: A row failed.
    """
    images = folder / "images.npy"
    np.save(images, test.images)
    copies = train_copies(test, train)
    logits = {}
    accuracies = []
    for name, predictor in predictors.items():
        notice(f"accuracy of {name}")
        logits[name] = _logits(predictor, images, folder / f"logits-{name}.npy", test.labels)
        accuracies.append(RowAccuracy(row=name, report=summarize(logits[name], test, test.labels, copies=copies)))
    differences = [
        AccuracyDifference(
            name=pair.name,
            ours=pair.ours,
            against=pair.against,
            paired=compare_paired(logits[pair.against], logits[pair.ours], test.targets, test.labels),
        )
        for pair in pairs
        if pair.ours in logits and pair.against in logits
    ]
    return tuple(accuracies), tuple(differences)


def _logits(predictor: Predictor, images: Path, outputs: Path, labels: tuple[str, ...]) -> NDArray[np.float32]:
    """Logits of a row, with its columns brought into the order of the labels by name."""
    facts = run_apart(predictor(images, outputs), timeout_s=_TIMEOUT_S)
    given: NDArray[np.float32] = np.load(outputs)
    return given[:, list(index_mapping(labels, facts["labels"]))]
