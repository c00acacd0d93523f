"""AccuracyGate: compares the exported model with the fp32 network on the validation split; it fails closed.

The verify stage shows that an engine computes what was exported. This gate shows that the exported model is still as
good as the trained one.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resemote_edge.artifacts.artifact import Artifact
from resemote_edge.artifacts.output_format import PROBABILITIES, log_probabilities
from resemote_edge.artifacts.passport import GateResult, RepairStep
from resemote_edge.data.dataset import Dataset
from resemote_edge.errors import DatasetError
from resemote_edge.evaluation.paired import compare_paired, paired_interval
from resemote_edge.export.context import ExportContext
from resemote_edge.export.golden import reference_of
from resemote_edge.export.recipe import GateOptions
from resemote_edge.export.tracing import Traced
from resemote_edge.export.verify import open_for_verification, run_all
from resemote_edge.models.checkpoint import Checkpoint

__all__ = ["AccuracyGate", "make_gate", "upper_drop"]


@dataclass(frozen=True)
class AccuracyGate:
    """The reference's logits on the validation split, and the loss that is allowed against them.

    Attributes:
        dataset: Validation split.
        feeds: Images of the split in the exported graph's input format.
        truth: True classes, int64 (N,), in the order of the labels.
        reference: Logits of the reference, float32 (N, classes).
        options: Limits of the gate.
    """

    dataset: Dataset
    feeds: NDArray[Any] = field(repr=False)
    truth: NDArray[np.int64] = field(repr=False)
    reference: NDArray[np.float32] = field(repr=False)
    options: GateOptions

    def judge(self, artifact: Artifact, runtime: str, repairs: tuple[RepairStep, ...] = ()) -> GateResult:
        """Run a staged artifact over the split.

        Args:
            artifact: Artifact with a draft passport.
            runtime: Runtime of the target.
            repairs: Attempts before this one, for the record.

        Returns:
            The comparison; `status` is ``passed`` or ``failed``.
        """
        session, _ = open_for_verification(artifact, runtime)
        with session:
            outputs = run_all(session, self.feeds)
            name, file = session.runtime, session.file.path
        logits = log_probabilities(outputs) if artifact.passport.output == PROBABILITIES else outputs
        comparison = compare_paired(self.reference, logits, self.truth, artifact.passport.labels)
        passed = comparison.drop_interval_95[1] <= self.options.max_drop_points
        return GateResult(
            status="passed" if passed else "failed",
            max_drop_points=self.options.max_drop_points,
            data=f"{self.dataset.name}, {len(self.dataset)} images",
            data_sha256=self.dataset.sha256(),
            runtime=name,
            file=file,
            comparison=comparison,
            repairs=repairs,
        )


def make_gate(
    checkpoint: Checkpoint, traced: Traced, data: Path, options: GateOptions, context: ExportContext
) -> AccuracyGate:
    """Compute the reference's logits, once in a run for the same weights, images and input.

    Args:
        checkpoint: Weights that are exported.
        traced: Network built from them, and the input spec of the exported graph.
        data: Dataset with the validation split.
        options: Limits of the gate.
        context: Context of the run.

    Returns:
        The gate.

    Raises:
        DatasetError: The validation split cannot be read, or is too small to show what is asked.
    """
    dataset = context.datasets.load(data, ("validation",))["validation"]
    _refuse_too_few(dataset, options)
    spec = traced.preprocessing
    feeds = spec(list(dataset.images), "gray")
    # The rewritten graph is proved equal to the network, and computes thousands of images in a quarter of its time.
    key = (checkpoint.sha256, dataset.sha256(), spec.input)
    reference = context.references.get(key, lambda: reference_of(traced, traced.graph)(feeds))
    return AccuracyGate(dataset, feeds, dataset.targets_in(checkpoint.labels), reference, options)


def _refuse_too_few(dataset: Dataset, options: GateOptions) -> None:
    """Refuse too few images: even an unchanged model has an interval, and if that is too wide, no export could pass."""
    _, least = paired_interval(0, 0, len(dataset))
    if least > options.max_drop_points:
        raise DatasetError(
            f"{dataset.name}: {len(dataset)} images cannot show that less than {options.max_drop_points:g} points of "
            f"accuracy are lost: with no image changed at all, the drop's 95 % interval would reach {least:.2f}",
            hint="pass more images, a larger --max-drop, or no --data to leave the gate out",
        )


def upper_drop(result: GateResult) -> float:
    """Upper bound of a result's accuracy drop, percentage points."""
    assert result.comparison is not None  # a gate that ran has compared
    return result.comparison.drop_interval_95[1]
