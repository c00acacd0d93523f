"""judge_rows: accuracy of a contest's rows with trained weights on the same images, and comparisons of pairs.

Images and logits are passed in files, so that a row's process needs neither the dataset nor packages that decode it.
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

#: Function that takes the file of images and the file of logits to write, and returns what `run_apart` opens.
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
        pairs: Pairs of rows to compare, if both have predictors.
        test: Split to judge on.
        train: Training split, to also state the accuracy without its copies.
        folder: Folder for intermediate files.
        notice: Function called with what happens, one line at a time.

    Returns:
        The accuracies, all in the dataset's label order, and the differences.

    Raises:
        InputError: A row has other classes than the dataset.
        ResEmoteEdgeError: A row failed.
    """
    images = folder / "images.npy"
    np.save(images, test.images)
    copies = train_copies(test, train)
    logits: dict[str, NDArray[np.float32]] = {}
    accuracies = []
    for name, predictor in predictors.items():
        notice(f"accuracy of {name}")
        outputs = folder / f"logits-{name}.npy"
        facts = run_apart(predictor(images, outputs), timeout_s=_TIMEOUT_S)
        columns = list(index_mapping(test.labels, facts["labels"]))  # in the order of the dataset's labels
        logits[name] = np.load(outputs)[:, columns]
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
