"""measure_row: measures a row of a report in a process of its own, which is ended if it takes too long."""

from typing import Any

import msgspec

from resemote_edge.artifacts.artifact import Artifact, file_sha256
from resemote_edge.artifacts.passport_base import PASSPORT_NAME
from resemote_edge.errors import InputError
from resemote_edge.measuring.processes.contestant import Contestant
from resemote_edge.measuring.processes.worker_process import run_apart
from resemote_edge.measuring.results import AccuracyJob, AccuracyResult, BenchRow, SpeedJob, SpeedResult

__all__ = ["LATE_ADVICE", "SAMPLES_FOLDER", "measure_row", "refuse_batch", "run_accuracy", "run_speed"]

#: Folder beside a report, with a file per row that keeps every sample.
SAMPLES_FOLDER = "samples"

#: Advice for the error message if a measurement takes too long.
LATE_ADVICE = "allow more with --timeout (in a suite: timeout_seconds)"


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
        samples: File in which the job keeps samples, relative to the report; None if it keeps none.

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


def run_speed(job: SpeedJob, *, timeout_s: float) -> SpeedResult:
    """Run a job in a fresh interpreter.

    Args:
        job: Job to run.
        timeout_s: Seconds after which it is ended.

    Raises:
        ResEmoteEdgeError: The job failed, its process died, or it took too long. No process is left behind.
    """
    facts = _facts("resemote_edge.measuring.processes.measurement:speed", job, job.cores, timeout_s)
    return msgspec.convert(facts, SpeedResult)


def run_accuracy(job: AccuracyJob, *, timeout_s: float) -> AccuracyResult:
    """Run a job in a fresh interpreter; see `run_speed`."""
    facts = _facts("resemote_edge.measuring.processes.measurement:accuracy", job, (), timeout_s)
    return msgspec.convert(facts, AccuracyResult)


def _facts(opener: str, job: SpeedJob | AccuracyJob, cores: tuple[int, ...], timeout_s: float) -> dict[str, Any]:
    contestant = Contestant(
        name=f"{job.artifact} in {job.runtime}",
        opener=opener,
        arguments=msgspec.to_builtins(job),
        threads=job.threads,
        cores=cores,
        advice=LATE_ADVICE,
    )
    return run_apart(contestant, timeout_s=timeout_s, doing="measuring")
