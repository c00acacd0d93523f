"""PairedComparison: two classifiers on the same images, one of them the reference.

The comparison is paired because an exported network and its reference are right and wrong on almost the same images.
That makes the interval of their difference many times narrower than one from two separate intervals.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resemote_edge.artifacts.output_format import softmax
from resemote_edge.artifacts.record import Strict

__all__ = ["Z_95", "PairedComparison", "compare_paired", "expected_calibration_error", "paired_interval"]

#: Quantile of the normal distribution for 95 % intervals.
Z_95 = 1.959964
_ECE_BINS = 15


class PairedComparison(Strict, frozen=True, kw_only=True):
    """Changes from the reference. Accuracies are fractions in [0, 1]; changes are percentage points.

    Attributes:
        samples: Number of images that both saw.
        reference_accuracy: Accuracy of the reference.
        accuracy: Accuracy of the other classifier.
        drop_points: Accuracy lost; negative if accuracy was gained.
        drop_interval_95: 95 % interval of the drop: paired, adjusted Wald (Agresti and Min, 2005).
        flip_rate: Fraction of the images that changed their top class.
        recall_change_points: Recall of the other minus that of the reference, per class; 0 where the class is absent.
        reference_ece: Expected calibration error of the reference's probabilities, 15 bins, as a fraction.
        ece: Expected calibration error of the other's probabilities.
    """

    samples: int
    reference_accuracy: float
    accuracy: float
    drop_points: float
    drop_interval_95: tuple[float, float]
    flip_rate: float
    recall_change_points: dict[str, float]
    reference_ece: float
    ece: float


def compare_paired(
    reference: NDArray[Any], logits: NDArray[Any], truth: NDArray[np.int64], labels: Sequence[str]
) -> PairedComparison:
    """Compare two sets of logits for the same images.

    Args:
        reference: Logits of the reference, (N, classes).
        logits: Logits of the other, (N, classes); log-probabilities serve as well.
        truth: True classes, int64 (N,), in the order of the labels.
        labels: Class names in the order of the columns.
    """
    was, now = reference.argmax(axis=1), logits.argmax(axis=1)
    right_before, right_now = was == truth, now == truth
    lost, won = int((right_before & ~right_now).sum()), int((~right_before & right_now).sum())
    recall = {}
    for index, label in enumerate(labels):
        of_class = truth == index
        change = (right_now[of_class].mean() - right_before[of_class].mean()) if of_class.any() else 0.0
        recall[label] = float(change) * 100.0
    return PairedComparison(
        samples=len(truth),
        reference_accuracy=float(right_before.mean()),
        accuracy=float(right_now.mean()),
        drop_points=(lost - won) / len(truth) * 100.0,
        drop_interval_95=paired_interval(lost, won, len(truth)),
        flip_rate=float((was != now).mean()),
        recall_change_points=recall,
        reference_ece=expected_calibration_error(reference, truth),
        ece=expected_calibration_error(logits, truth),
    )


def expected_calibration_error(logits: NDArray[Any], truth: NDArray[np.int64]) -> float:
    """Distance of confidence from accuracy, averaged over bins of equal width (Naeini et al., 2015; 15 bins).

    Args:
        logits: Logits, (N, classes).
        truth: True classes, int64 (N,).

    Returns:
        A fraction in [0, 1].
    """
    probabilities = softmax(logits)
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == truth
    bins = np.minimum((confidence * _ECE_BINS).astype(np.int64), _ECE_BINS - 1)
    gap = np.bincount(bins, weights=confidence - right, minlength=_ECE_BINS)
    return float(np.abs(gap).sum() / len(truth))


def paired_interval(lost: int, won: int, total: int) -> tuple[float, float]:
    """95 % interval of an accuracy drop: adjusted Wald for paired proportions (Agresti and Min, 2005).

    Half a pair is added to each of the four cells. Without it, an unchanged classifier would get an interval of width
    zero, however few images it saw.

    Args:
        lost: Number of images that were right and are wrong.
        won: Number of images that were wrong and are right.
        total: Number of all images.

    Returns:
        Lower and upper end of the interval, percentage points.
    """
    total_adjusted = total + 2.0
    difference = (lost - won) / total_adjusted
    variance = ((lost + won + 1.0) / total_adjusted - difference**2) / total_adjusted
    margin = Z_95 * float(np.sqrt(variance))
    return (difference - margin) * 100.0, (difference + margin) * 100.0
