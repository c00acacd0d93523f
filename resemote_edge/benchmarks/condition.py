"""Condition: one combination that is measured, and how; `measure_speed` and `measure_accuracy` measure it."""

from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from resemote_edge.artifact import Artifact, file_sha256
from resemote_edge.benchmarks.accuracy import AccuracyReport
from resemote_edge.benchmarks.job_process import run_job
from resemote_edge.benchmarks.pinning import choose_cores
from resemote_edge.benchmarks.results import AccuracyJob, AccuracyResult, BenchRow, SpeedJob, SpeedResult
from resemote_edge.benchmarks.scenarios import ScenarioSettings
from resemote_edge.errors import InputError
from resemote_edge.passport import PASSPORT_NAME
from resemote_edge.runtimes.session import PrecisionHint, SessionOptions

__all__ = ["SAMPLES_FOLDER", "Condition", "Manner", "measure_accuracy", "measure_speed", "refuse_batch"]

#: Beside a report: a file per row that keeps every sample.
SAMPLES_FOLDER = "samples"


@dataclass(frozen=True, kw_only=True)
class Manner:
    """How everything is measured.

    Attributes:
        settings: How long and how fast.
        device: Device, or ``auto``.
        data: Dataset for accuracy, or None.
        split: Split for accuracy.
        reference: Artifact that accuracy is compared with, image by image, run by its own best runtime; None for none.
        crop_side: Rows and columns of the crops that decisions are timed from.
        precision_hint: As in `SessionOptions`.
        slow_to_ms: Every inference is delayed to take at least this long; 0 for no delay.
        timeout_s: For one process; it is ended then.
        folder: Of the report, where samples are kept; None for nowhere.
    """

    settings: ScenarioSettings = field(default_factory=ScenarioSettings)
    device: str = "auto"
    data: Path | None = None
    split: str = "test"
    reference: Path | None = None
    crop_side: int = 48
    precision_hint: PrecisionHint | None = None
    slow_to_ms: float = 0.0
    timeout_s: float = 1800.0
    folder: Path | None = None

    @property
    def session_options(self) -> SessionOptions:
        """What decides whether a session can be opened at all."""
        return SessionOptions(device=self.device, precision_hint=self.precision_hint)


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One combination.

    Attributes:
        artifact: What is measured.
        runtime: That runs it.
        scenario: Name in `SCENARIOS`.
        batch: Crops per call, or faces per frame.
        threads: CPU threads over all streams.
        streams: Sessions side by side.
        fps: Frames a second, in place of the settings'; None for those.
    """

    artifact: Artifact
    runtime: str
    scenario: str
    batch: int
    threads: int
    streams: int = 1
    fps: float | None = None

    @property
    def stem(self) -> str:
        """Name for files about it, the same every time and different for every combination of one report."""
        parts = [self.artifact.passport.name, self.runtime, self.scenario]
        parts += [f"b{self.batch}", f"t{self.threads}", *([f"s{self.streams}"] if self.streams > 1 else [])]
        parts += [f"{self.fps:g}fps"] if self.fps is not None else []
        return "-".join(parts)

    def __str__(self) -> str:
        return f"{self.artifact.passport.name} · {self.runtime} · {self.scenario} · batch {self.batch}"


def refuse_batch(artifact: Artifact, batch: int) -> None:
    """Refuse a batch size that the artifact was not made for.

    Raises:
        InputError: It is beyond the artifact's largest.
    """
    largest = artifact.passport.batch.max
    if largest is not None and batch > largest:
        raise InputError(f"{artifact.path}: its largest batch is {largest}, asked for {batch}; see --batch")


def measure_speed(condition: Condition, manner: Manner) -> BenchRow:
    """Measure one combination, without accuracy.

    Raises:
        ResEmoteEdgeError: The measurement failed, died or took too long; the message says how.
    """
    artifact = condition.artifact
    samples = None if manner.folder is None else f"{SAMPLES_FOLDER}/{condition.stem}.npz"
    settings = manner.settings
    if condition.fps is not None:
        settings = msgspec.structs.replace(settings, fps=condition.fps)
    job = SpeedJob(
        artifact=str(artifact.path),
        runtime=condition.runtime,
        device=manner.device,
        scenario=condition.scenario,
        settings=settings,
        threads=condition.threads,
        cores=choose_cores(condition.threads),
        batch=condition.batch,
        streams=condition.streams,
        crop_side=manner.crop_side,
        precision_hint=manner.precision_hint,
        slow_to_ms=manner.slow_to_ms,
        samples=None if manner.folder is None or samples is None else str((manner.folder / samples).resolve()),
    )
    speed = run_job(job, timeout_s=manner.timeout_s)
    assert isinstance(speed, SpeedResult)
    passport = artifact.passport
    read = [entry for entry in passport.files if entry.path == speed.file]
    if read[0].role == "model":
        read += [entry for entry in passport.files if entry.role == "weights"]
    return BenchRow(
        artifact=passport.name,
        passport_sha256=file_sha256(artifact.path / PASSPORT_NAME),
        target=passport.target,
        precision=passport.precision,
        width=passport.lineage.width,
        runtime=condition.runtime,
        scenario=condition.scenario,
        batch=condition.batch,
        threads=condition.threads,
        streams=condition.streams,
        slow_to_ms=manner.slow_to_ms,
        model_size_bytes=sum(entry.size_bytes for entry in read),
        speed=speed,
        precision_hint=manner.precision_hint,
        samples=samples,
    )


def measure_accuracy(condition: Condition, manner: Manner, file_hash: str) -> AccuracyReport:
    """Accuracy of the artifact in the runtime of a condition; its scenario and batch do not matter.

    Args:
        condition: Of which artifact, runtime and threads are used.
        manner: With `data`.
        file_hash: sha256 of the file that was timed.

    Raises:
        InputError: The file has changed since.
        ResEmoteEdgeError: The measurement failed.
    """
    job = AccuracyJob(
        artifact=str(condition.artifact.path),
        runtime=condition.runtime,
        device=manner.device,
        threads=condition.threads,
        data=str(manner.data),
        split=manner.split,
        reference=None if manner.reference is None else str(manner.reference),
        precision_hint=manner.precision_hint,
    )
    answer = run_job(job, timeout_s=manner.timeout_s)
    assert isinstance(answer, AccuracyResult)
    if answer.file_sha256 != file_hash:
        raise InputError(f"{condition.artifact.path}: the file changed while it was measured; run the benchmark again")
    return answer.report
