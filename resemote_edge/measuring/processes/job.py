"""Jobs: one measurement alone, in a process that is pinned, limited in threads, and ended when it takes too long."""

from typing import Any

import msgspec

from resemote_edge.measuring.processes.contestant import Contestant
from resemote_edge.measuring.processes.worker_process import run_apart
from resemote_edge.measuring.results import AccuracyJob, AccuracyResult, SpeedJob, SpeedResult

__all__ = ["LATE_ADVICE", "run_accuracy", "run_speed"]

#: What to do where a measurement takes too long.
LATE_ADVICE = "allow more with --timeout (in a suite: timeout_seconds)"


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
