"""measure_row: one row of a report. What could only fail after something was measured is refused here, before."""

from resemote_edge.artifacts.artifact import Artifact, file_sha256
from resemote_edge.artifacts.passport_base import PASSPORT_NAME
from resemote_edge.errors import InputError
from resemote_edge.measuring.processes.job import run_speed
from resemote_edge.measuring.results import BenchRow, SpeedJob
from resemote_edge.measuring.scenarios import ScenarioSettings

__all__ = ["SAMPLES_FOLDER", "check_settings", "measure_row", "refuse_batch"]

#: Folder beside a report, with a file per row that keeps every sample.
SAMPLES_FOLDER = "samples"

#: Largest batch size measured; beyond it a crop's share of the memory would exceed what small machines have.
MAX_BATCH = 4096


def check_settings(settings: ScenarioSettings, batches: tuple[int, ...]) -> None:
    """Refuse settings that make no sense.

    Raises:
        InputError: A batch size or a time makes no sense.
    """
    if not batches or min(batches) < 1:
        raise InputError(f"batch sizes start at 1, got {batches}")
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
        raise InputError(f"{artifact.path}: its largest batch is {largest}, asked for {batch}", hint="see --batch")


def measure_row(artifact: Artifact, job: SpeedJob, *, timeout_s: float, samples: str | None) -> BenchRow:
    """Measure one combination, without accuracy.

    Args:
        artifact: Artifact of the job.
        job: Job to run.
        timeout_s: Seconds after which its process is ended.
        samples: File in which the job keeps samples, relative to the report; None where it keeps none.

    Raises:
        ResEmoteEdgeError: The measurement failed, its process died, or it took too long; the message says how.
    """
    speed = run_speed(job, timeout_s=timeout_s)
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
        runtime=job.runtime,
        scenario=job.scenario,
        batch=job.batch,
        threads=job.threads,
        streams=job.streams,
        slow_to_ms=job.slow_to_ms,
        model_size_bytes=sum(entry.size_bytes for entry in read),
        speed=speed,
        precision_hint=job.precision_hint,
        samples=samples,
    )
