"""BenchCase: one combination that is measured. MeasureOptions: how `measure_speed` and `measure_accuracy` do it."""

from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from resemote_edge.artifacts.artifact import Artifact, file_sha256
from resemote_edge.artifacts.passport import PASSPORT_NAME
from resemote_edge.errors import InputError
from resemote_edge.machine.pinning import choose_cores
from resemote_edge.measuring.processes.job import run_accuracy, run_speed
from resemote_edge.measuring.results import AccuracyJob, AccuracyResult, BenchRow, SpeedJob
from resemote_edge.measuring.scenarios import ScenarioSettings
from resemote_edge.runtimes.session import PrecisionHint

__all__ = [
    "SAMPLES_FOLDER",
    "BenchCase",
    "MeasureOptions",
    "check_settings",
    "measure_accuracy",
    "measure_speed",
    "refuse_batch",
]

#: Folder beside a report, with a file per row that keeps every sample.
SAMPLES_FOLDER = "samples"

#: Largest batch size measured; beyond it a crop's share of the memory would exceed what small machines have.
MAX_BATCH = 4096


@dataclass(frozen=True, kw_only=True)
class MeasureOptions:
    """Options that hold for every measurement.

    Attributes:
        settings: Settings of the scenarios: how long and how fast.
        device: Name of the device, or ``auto``.
        data: Dataset for accuracy, or None.
        split: Split for accuracy.
        reference: Artifact that accuracy is compared with, image by image, run by the best runtime for it; None for
            none.
        crop_side: Rows and columns of the crops that decisions are timed from.
        precision_hint: Precision hint, as in `SessionOptions`.
        slow_to_ms: Every inference is delayed to take at least this long; 0 for no delay.
        timeout_s: Seconds after which a process is ended.
        folder: Folder of the report, in which samples are kept; None to keep none.
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


@dataclass(frozen=True, kw_only=True)
class BenchCase:
    """One combination that is measured.

    Attributes:
        artifact: Artifact that is measured.
        runtime: Runtime that runs it.
        scenario: Name of the scenario in `SCENARIOS`.
        batch: Crops per call, or faces per frame.
        threads: Number of CPU threads over all streams.
        streams: Number of sessions side by side.
        fps: Frames a second, instead of the settings' rate; None for that rate.
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
        """Name for files about the case, the same every time and different for every combination of one report."""
        parts = [self.artifact.passport.name, self.runtime, self.scenario]
        parts += [f"b{self.batch}", f"t{self.threads}", *([f"s{self.streams}"] if self.streams > 1 else [])]
        parts += [f"{self.fps:g}fps"] if self.fps is not None else []
        return "-".join(parts)

    def __str__(self) -> str:
        return f"{self.artifact.passport.name} · {self.runtime} · {self.scenario} · batch {self.batch}"


def check_settings(settings: ScenarioSettings, batches: tuple[int, ...]) -> None:
    """Refuse settings that could only fail after something was measured.

    Raises:
        InputError: A batch size or a time makes no sense.
    """
    if not batches or min(batches) < 1:
        raise InputError(f"batch sizes start at 1; got {batches}")
    if max(batches) > MAX_BATCH:
        raise InputError(f"batch size {max(batches)} is beyond {MAX_BATCH}, the largest that is measured")
    times = {"seconds to measure": settings.min_seconds, "wait for times to settle": settings.warmup_seconds}
    for what, seconds in times.items():
        if not 0 <= seconds < float("inf"):
            raise InputError(f"the {what} must be a finite number from 0 up, got {seconds}")
    if not 0 < settings.fps < float("inf"):
        raise InputError(f"frames a second must be a finite number above 0, got {settings.fps}")


def refuse_batch(artifact: Artifact, batch: int) -> None:
    """Refuse a batch size that the artifact was not made for.

    Raises:
        InputError: The batch size is beyond the artifact's largest.
    """
    largest = artifact.passport.batch.max
    if largest is not None and batch > largest:
        raise InputError(f"{artifact.path}: its largest batch is {largest}, asked for {batch}; see --batch")


def measure_speed(case: BenchCase, options: MeasureOptions) -> BenchRow:
    """Measure one combination, without accuracy.

    Raises:
        ResEmoteEdgeError: The measurement failed, its process died, or it took too long; the message says how.
    """
    artifact = case.artifact
    samples = None if options.folder is None else f"{SAMPLES_FOLDER}/{case.stem}.npz"
    settings = options.settings
    if case.fps is not None:
        settings = msgspec.structs.replace(settings, fps=case.fps)
    job = SpeedJob(
        artifact=str(artifact.path),
        runtime=case.runtime,
        device=options.device,
        scenario=case.scenario,
        settings=settings,
        threads=case.threads,
        cores=choose_cores(case.threads),
        batch=case.batch,
        streams=case.streams,
        crop_side=options.crop_side,
        precision_hint=options.precision_hint,
        slow_to_ms=options.slow_to_ms,
        samples=None if options.folder is None or samples is None else str((options.folder / samples).resolve()),
    )
    speed = run_speed(job, timeout_s=options.timeout_s)
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
        runtime=case.runtime,
        scenario=case.scenario,
        batch=case.batch,
        threads=case.threads,
        streams=case.streams,
        slow_to_ms=options.slow_to_ms,
        model_size_bytes=sum(entry.size_bytes for entry in read),
        speed=speed,
        precision_hint=options.precision_hint,
        samples=samples,
    )


def measure_accuracy(case: BenchCase, options: MeasureOptions, file_hash: str) -> AccuracyResult:
    """Measure the accuracy of the artifact in the runtime of a case; its scenario and batch do not matter.

    Args:
        case: Case whose artifact, runtime and threads are used.
        options: Options with `data` set.
        file_hash: Hash (sha256) that the file has to have.

    Raises:
        InputError: The file has changed since.
        ResEmoteEdgeError: The measurement failed.
    """
    job = AccuracyJob(
        artifact=str(case.artifact.path),
        runtime=case.runtime,
        device=options.device,
        threads=case.threads,
        data=str(options.data),
        split=options.split,
        reference=None if options.reference is None else str(options.reference),
        precision_hint=options.precision_hint,
    )
    answer = run_accuracy(job, timeout_s=options.timeout_s)
    if answer.file_sha256 != file_hash:
        raise InputError(f"{case.artifact.path}: the file changed while it was measured; run the benchmark again")
    return answer
