"""One job in a process of its own: ``python -m resemote_edge.benchmarks.worker JOB.json RESULT.json``.

A process of its own, so that peak memory, thread pools and load time belong to one artifact and runtime alone.
"""

import sys
import time
from contextlib import ExitStack
from pathlib import Path

import msgspec

from resemote_edge.artifact import Artifact
from resemote_edge.benchmarks.accuracy import measure_accuracy
from resemote_edge.benchmarks.harness import Budget, time_calls
from resemote_edge.benchmarks.results import AccuracyJob, AccuracyResult, Failure, Outcome, SpeedJob, SpeedResult
from resemote_edge.classifier import EmotionClassifier, load
from resemote_edge.data.drawn import drawn_faces
from resemote_edge.data.registry import load_dataset
from resemote_edge.errors import ResEmoteEdgeError
from resemote_edge.runtimes.registry import get_runtime, open_session
from resemote_edge.runtimes.session import SessionOptions

__all__ = ["main", "run_accuracy", "run_speed"]


def run_speed(job: SpeedJob) -> SpeedResult:
    """Time one artifact in one runtime at one batch size, on drawn faces.

    Load time starts after the runtime's package is imported and the files are hashed, and ends with a session that
    can run. Peak memory is the process's high-water mark after timing.
    """
    artifact = Artifact.load(job.artifact)
    version = get_runtime(job.runtime).probe().version or "unknown"
    start = time.perf_counter_ns()
    session = open_session(artifact, job.runtime, _options(job))
    load_time = time.perf_counter_ns() - start
    crops = drawn_faces(job.batch, side=job.crop_side, seed=1)
    feeds = {session.inputs[0].name: artifact.passport.preprocessing(list(crops), "rgb")}
    start = time.perf_counter_ns()
    session.run(feeds)
    first = time.perf_counter_ns() - start
    budget = Budget(warmup_runs=job.warmup_runs, min_runs=job.min_runs, min_seconds=job.min_seconds)
    classifier = EmotionClassifier(session, artifact.passport)
    model_only, whole = time_calls([lambda: session.run(feeds), lambda: classifier(crops, color="rgb")], budget)
    return SpeedResult(
        device=session.device,
        runtime_version=version,
        file=session.file.path,
        file_sha256=session.file.sha256,
        runs=model_only.runs,
        warmup_runs=model_only.warmup_runs,
        load_time_ms=load_time / 1e6,
        first_inference_ms=first / 1e6,
        latency_p50_ms=model_only.percentile_ms(50),
        latency_p90_ms=model_only.percentile_ms(90),
        latency_p99_ms=model_only.percentile_ms(99),
        latency_mean_ms=model_only.mean_ms,
        throughput_samples_per_s=job.batch / (model_only.mean_ms / 1e3),
        crop_to_decision_p50_ms=whole.percentile_ms(50),
        crop_to_decision_p90_ms=whole.percentile_ms(90),
        crop_to_decision_p99_ms=whole.percentile_ms(99),
        peak_memory_bytes=_peak_memory_bytes(),
    )


def run_accuracy(job: AccuracyJob) -> AccuracyResult:
    """Accuracy of one artifact in one runtime."""
    artifact = Artifact.load(job.artifact)
    dataset = load_dataset(job.data, splits=(job.split,))[job.split]
    session = open_session(artifact, job.runtime, _options(job))
    with ExitStack() as stack:
        classifier = stack.enter_context(EmotionClassifier(session, artifact.passport))
        reference = None if job.reference is None else stack.enter_context(load(job.reference, threads=job.threads))
        report = measure_accuracy(classifier, dataset, reference=reference)
    return AccuracyResult(file_sha256=session.file.sha256, report=report)


def _options(job: SpeedJob | AccuracyJob) -> SessionOptions:
    return SessionOptions(device=job.device, threads=job.threads, precision_hint=job.precision_hint)


def _peak_memory_bytes() -> int:
    """High-water mark of this process; getrusage would carry over the parent's across exec."""
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


def main(arguments: list[str]) -> int:
    """Run the job in the first file, write the outcome to the second."""
    job_path, result_path = map(Path, arguments)
    job = msgspec.json.decode(job_path.read_bytes(), type=SpeedJob | AccuracyJob)
    outcome: Outcome
    try:
        outcome = run_speed(job) if isinstance(job, SpeedJob) else run_accuracy(job)
    except ResEmoteEdgeError as error:
        outcome = Failure(message=str(error))
    result_path.write_bytes(msgspec.json.encode(outcome))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
