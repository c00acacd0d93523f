"""run_eval: the accuracy of one artifact, as ``resemote-edge eval`` reports it."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from resemote_edge.artifacts.files import write_file
from resemote_edge.artifacts.record import json_bytes
from resemote_edge.classifier import load
from resemote_edge.data.findings import findings
from resemote_edge.data.registry import load_dataset
from resemote_edge.errors import MissingDependencyError
from resemote_edge.evaluation.accuracy import AccuracyReport, measure_accuracy
from resemote_edge.evaluation.confusion import draw_confusion
from resemote_edge.machine.environment import capture_environment
from resemote_edge.runtimes.session import PrecisionHint

__all__ = ["EVAL_FILES", "EvalRequest", "EvalResult", "run_eval", "write_eval"]


#: Names of the files that `write_eval` writes.
EVAL_FILES = ("eval.json", "confusion.png")


@dataclass(frozen=True, kw_only=True)
class EvalRequest:
    """A request for an evaluation.

    Attributes:
        artifact: Folder of the artifact.
        data: Dataset that holds the split.
        split: Split to run over.
        runtime: Name of the runtime, or ``auto``.
        device: Name of the device, or ``auto``.
        threads: CPU threads; None for the runtime's choice.
        reference: Artifact to measure agreement with; the best runtime for it runs it.
        precision_hint: Precision hint, as in `SessionOptions`; not passed on to the reference.
    """

    artifact: Path
    data: Path
    split: str = "test"
    runtime: str = "auto"
    device: str = "auto"
    threads: int | None = None
    reference: Path | None = None
    precision_hint: PrecisionHint | None = None


@dataclass(frozen=True)
class EvalResult:
    """The measurement, and what it was made on.

    Attributes:
        artifact: Name of the artifact.
        runtime: Runtime that ran.
        device: Device it ran on.
        file_sha256: Hash of the file that ran.
        precision_hint: Precision hint that it ran with.
        accuracy: Accuracy that was measured.
        environment: Record of the machine, from `capture_environment`.
        notes: What was found in the data, from `findings`.
    """

    artifact: str
    runtime: str
    device: str
    file_sha256: str
    precision_hint: PrecisionHint | None
    accuracy: AccuracyReport
    environment: dict[str, Any]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """The result as plain JSON types."""
        # The report's own `accuracy`, a fraction, replaces the report.
        return {**vars(self), **self.accuracy.to_dict(), "notes": list(self.notes)}


def run_eval(request: EvalRequest, progress: Callable[[int, int], None] | None = None) -> EvalResult:
    """Evaluate an artifact.

    Args:
        request: Evaluation to run.
        progress: Function called with the number of images done, and of all.

    Raises:
        ResEmoteEdgeError: The artifact, the dataset, the runtime or the reference cannot be used.
    """
    with ExitStack() as stack:
        classifier = stack.enter_context(
            load(
                request.artifact,
                runtime=request.runtime,
                device=request.device,
                threads=request.threads,
                precision_hint=request.precision_hint,
            )
        )
        reference = None
        if request.reference is not None:
            reference = stack.enter_context(load(request.reference, threads=request.threads))
        # The training split is read to tell which images of another split are copies of training images.
        wanted = ("train",) if request.split == "train" else ("train", request.split)
        splits = load_dataset(request.data, splits=wanted)
        accuracy = measure_accuracy(
            classifier,
            splits[request.split],
            train=None if request.split == "train" else splits["train"],
            reference=reference,
            progress=progress,
        )
        return EvalResult(
            artifact=classifier.passport.name,
            runtime=classifier.session.runtime,
            device=classifier.session.device,
            file_sha256=classifier.session.file.sha256,
            precision_hint=request.precision_hint,
            accuracy=accuracy,
            environment=capture_environment().to_dict(),
            notes=findings(splits.values()),
        )


def write_eval(result: EvalResult, folder: Path) -> list[Path]:
    """Write ``eval.json`` and, where matplotlib is installed, ``confusion.png``; returns the paths written."""
    data, picture = (folder / name for name in EVAL_FILES)
    write_file(data, json_bytes(result.to_dict()))
    try:
        draw_confusion(result.accuracy, picture)
    except MissingDependencyError:
        picture.unlink(missing_ok=True)  # An old one would show other figures.
        return [data]
    return [data, picture]
