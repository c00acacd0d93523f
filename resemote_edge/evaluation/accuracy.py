"""Accuracy of an artifact on a dataset split."""

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from resemote_edge.classifier import EmotionClassifier
from resemote_edge.data.dataset import Dataset
from resemote_edge.errors import InputError
from resemote_edge.evaluation.paired import Z_95, PairedComparison, compare_paired, expected_calibration_error

__all__ = ["AccuracyReport", "measure_accuracy", "predict_logits", "summarize", "train_copies"]

_BATCH = 32


class AccuracyReport(msgspec.Struct, frozen=True, kw_only=True):
    """Accuracy on one split.

    Attributes:
        dataset: Name of the dataset and split.
        dataset_sha256: Hash of the split.
        samples: Number of images.
        accuracy: Fraction of images classified right, in [0, 1].
        accuracy_interval_95: Wilson score interval of the accuracy.
        recall: Fraction of each class's images found, in [0, 1], by class.
        labels: Class names in the order of the confusion matrix.
        confusion: Image counts: rows are true classes, columns predicted ones, in the order of `labels`.
        accuracy_without_train_duplicates: Accuracy over the images that are not pixel-identical to a training image;
            None if the training split was not available, or no such image is left.
        samples_without_train_duplicates: Number of those images.
        ece: Expected calibration error of the probabilities, 15 bins, as a fraction; None in reports of older versions.
        agreement: Fraction with the same top class as a reference artifact; None without one.
        reference: Name of that artifact.
        paired: Changes from the reference, image by image; None without a reference.
    """

    dataset: str
    dataset_sha256: str
    samples: int
    accuracy: float
    accuracy_interval_95: tuple[float, float]
    recall: dict[str, float]
    labels: tuple[str, ...]
    confusion: tuple[tuple[int, ...], ...]
    accuracy_without_train_duplicates: float | None = None
    samples_without_train_duplicates: int | None = None
    ece: float | None = None
    agreement: float | None = None
    reference: str | None = None
    paired: PairedComparison | None = None

    def to_dict(self) -> dict[str, Any]:
        """The report as plain JSON types."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return plain


def predict_logits(
    classifier: EmotionClassifier, dataset: Dataset, progress: Callable[[int, int], None] | None = None
) -> NDArray[np.float32]:
    """`EmotionClassifier.logits` for every image of a split, float32 (N, classes), in the artifact's label order."""
    out = np.empty((len(dataset), len(classifier.labels)), dtype=np.float32)
    for start in range(0, len(dataset), _BATCH):
        stop = min(start + _BATCH, len(dataset))
        out[start:stop] = classifier.logits(dataset.images[start:stop], color="gray")
        if progress:
            progress(stop, len(dataset))
    return out


def train_copies(test: Dataset, train: Dataset) -> NDArray[np.bool_]:
    """Mask (N,) of the images that also occur, pixel for pixel, in the training split."""
    known = set(train.pixel_digests())
    return np.array([digest in known for digest in test.pixel_digests()], dtype=np.bool_)


def summarize(
    logits: NDArray[np.float32],
    dataset: Dataset,
    labels: tuple[str, ...],
    *,
    copies: NDArray[np.bool_] | None = None,
    reference: tuple[str, NDArray[np.float32]] | None = None,
) -> AccuracyReport:
    """Turn logits into a report.

    Args:
        logits: Logits, float32 (N, classes), in the order of `labels`.
        dataset: Split that the logits are for; its labels are mapped by name.
        labels: The artifact's label order.
        copies: Mask from `train_copies`.
        reference: Name and logits, in the same label order, of an artifact to agree with.

    Raises:
        InputError: The dataset has a class that the labels do not name.
    """
    truth = dataset.targets_in(labels)
    predicted = logits.argmax(axis=1)
    right = predicted == truth
    confusion = np.zeros((len(labels), len(labels)), dtype=np.int64)
    np.add.at(confusion, (truth, predicted), 1)
    recall = np.diag(confusion) / np.maximum(confusion.sum(axis=1), 1)
    kept = None if copies is None or copies.all() else ~copies
    return AccuracyReport(
        dataset=dataset.name,
        dataset_sha256=dataset.sha256(),
        samples=len(dataset),
        accuracy=float(right.mean()),
        accuracy_interval_95=_wilson(int(right.sum()), len(right)),
        recall=dict(zip(labels, map(float, recall), strict=True)),
        labels=labels,
        confusion=tuple(tuple(map(int, row)) for row in confusion),
        accuracy_without_train_duplicates=None if kept is None else float(right[kept].mean()),
        samples_without_train_duplicates=None if kept is None else int(kept.sum()),
        ece=expected_calibration_error(logits, truth),
        agreement=None if reference is None else float((predicted == reference[1].argmax(axis=1)).mean()),
        reference=None if reference is None else reference[0],
        paired=None if reference is None else compare_paired(reference[1], logits, truth, labels),
    )


def measure_accuracy(
    classifier: EmotionClassifier,
    test: Dataset,
    *,
    train: Dataset | None = None,
    reference: EmotionClassifier | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> AccuracyReport:
    """Run a classifier over a split.

    Args:
        classifier: Classifier to judge.
        test: Split to run over.
        train: Training split, to also state the accuracy without its copies.
        reference: Classifier to agree with.
        progress: Function called with the number of images done, and of all.

    Raises:
        InputError: The data has other classes than the classifier, or the reference has another label order.
    """
    test.targets_in(classifier.labels)  # Refuses other classes before minutes of work.
    logits = predict_logits(classifier, test, progress)
    agree = None
    if reference is not None:
        if reference.labels != classifier.labels:
            raise InputError(
                f"the reference's label order is {', '.join(reference.labels)}, the artifact's "
                f"{', '.join(classifier.labels)}",
                hint="export both from the same checkpoint",
            )
        agree = (reference.passport.name, predict_logits(reference, test))
    copies = None if train is None else train_copies(test, train)
    return summarize(logits, test, classifier.labels, copies=copies, reference=agree)


def _wilson(right: int, total: int) -> tuple[float, float]:
    """95 % score interval of a fraction (Wilson, 1927)."""
    z, fraction = Z_95, right / total
    center = fraction + z * z / (2 * total)
    margin = z * float(np.sqrt(fraction * (1 - fraction) / total + z * z / (4 * total * total)))
    scale = 1 + z * z / total
    return (center - margin) / scale, (center + margin) / scale
