"""One job in a process of its own: ``python -m resemote_edge.measuring.processes.worker JOB.json ANSWER.json``.

It has a process of its own so that peak memory, thread pools and load time belong to one artifact and runtime alone.
"""

import sys
import time
from contextlib import ExitStack
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from resemote_edge.artifacts.artifact import Artifact
from resemote_edge.classifier import EmotionClassifier, load
from resemote_edge.data.registry import load_dataset
from resemote_edge.errors import ResEmoteEdgeError
from resemote_edge.evaluation.accuracy import measure_accuracy
from resemote_edge.machine.memory import peak_bytes
from resemote_edge.machine.throttling import ThrottleWatch
from resemote_edge.measuring.energy_pass import measure_energy
from resemote_edge.measuring.latency import summarize_latency
from resemote_edge.measuring.null_session import NullSession
from resemote_edge.measuring.processes.child import end_with_parent, pin
from resemote_edge.measuring.results import AccuracyJob, AccuracyResult, Answer, Failure, SpeedJob, SpeedResult
from resemote_edge.measuring.samples import write_samples
from resemote_edge.measuring.scenarios import get_scenario
from resemote_edge.measuring.slowed_session import SlowedSession
from resemote_edge.measuring.timing import Budget, time_calls
from resemote_edge.measuring.workload import STAGES, Subject
from resemote_edge.runtimes.registry import get_runtime, open_session
from resemote_edge.runtimes.session import Session, SessionOptions

__all__ = ["main", "run_accuracy", "run_speed"]

#: Calls that measure the cost of the harness itself.
_NULL_RUNS = 2000


def run_speed(job: SpeedJob) -> SpeedResult:
    """Measure one artifact in one runtime and scenario, on drawn faces.

    Load time starts after the runtime's package is imported and the files are hashed, and ends with a session that
    can run. Peak memory is the process's high-water mark after timing.
    """
    artifact = Artifact.load(job.artifact)
    version = get_runtime(job.runtime).probe().version or "unknown"
    with ExitStack() as stack:
        start = time.perf_counter_ns()
        session = stack.enter_context(_session(job, artifact))
        load_time = time.perf_counter_ns() - start
        subjects = [Subject(session, batch=job.batch, crop_side=job.crop_side)]
        start = time.perf_counter_ns()
        subjects[0].run_model()
        first = time.perf_counter_ns() - start
        harness = _harness_ns(session, subjects[0])
        for _ in range(job.streams - 1):
            other = stack.enter_context(_session(job, artifact))
            subjects.append(Subject(other, batch=job.batch, crop_side=job.crop_side))
        scenario = get_scenario(job.scenario)
        with ThrottleWatch() as watch:
            taken = scenario.run(subjects, job.settings)
        peak = peak_bytes()
        energy = measure_energy(scenario, subjects, job.settings)
        decodes = subjects[0].decodes
        stages = {name: taken.stages[:, at] for at, name in enumerate(STAGES) if name != "decode" or decodes}
        samples = {"model_ns": taken.model, **{f"{name}_ns": values for name, values in stages.items()}, **taken.series}
        sha256 = None if job.samples is None else write_samples(Path(job.samples), samples)
        model = summarize_latency(taken.model)
        return SpeedResult(
            device=session.device,
            runtime_version=version,
            file=session.file.path,
            file_sha256=session.file.sha256,
            cores=job.cores,
            warm_up=taken.warm_up,
            load_time_ms=load_time / 1e6,
            first_inference_ms=first / 1e6,
            model=model,
            crop_to_decision=summarize_latency(taken.stages[:, 1:].sum(axis=1)),
            stages={name: summarize_latency(values) for name, values in stages.items()},
            throughput_samples_per_s=job.batch / (float(taken.model.mean()) / 1e9),
            harness_p50_us=float(np.median(harness)) / 1e3,
            peak_memory_bytes=peak,
            outcome=taken.outcome,
            samples_sha256=sha256,
            energy=energy,
            state_before=watch.before,
            state_after=watch.after,
            throttled=watch.changes,
            did_throttle=watch.did_throttle,
        )


def _session(job: SpeedJob, artifact: Artifact) -> Session:
    threads = max(job.threads // job.streams, 1)
    options = SessionOptions(device=job.device, threads=threads, precision_hint=job.precision_hint)
    session = open_session(artifact, job.runtime, options)
    return SlowedSession(session, at_least_ms=job.slow_to_ms) if job.slow_to_ms else session


def _harness_ns(session: Session, subject: Subject) -> NDArray[np.int64]:
    """Cost of a call that computes nothing: checking the input, making outputs, reading the clock."""
    with NullSession(session) as null:
        budget = Budget(warmup_runs=_NULL_RUNS // 10, min_runs=_NULL_RUNS, min_seconds=0.0)
        return time_calls([lambda: null.run(subject.feeds)], budget)[0].nanoseconds


def run_accuracy(job: AccuracyJob) -> AccuracyResult:
    """Measure the accuracy of one artifact in one runtime."""
    artifact = Artifact.load(job.artifact)
    dataset = load_dataset(job.data, splits=(job.split,))[job.split]
    options = SessionOptions(device=job.device, threads=job.threads, precision_hint=job.precision_hint)
    session = open_session(artifact, job.runtime, options)
    with ExitStack() as stack:
        classifier = stack.enter_context(EmotionClassifier(session, artifact.passport))
        reference = None if job.reference is None else stack.enter_context(load(job.reference, threads=job.threads))
        report = measure_accuracy(classifier, dataset, reference=reference)
    return AccuracyResult(file_sha256=session.file.sha256, report=report)


def main(arguments: list[str]) -> int:
    """Run the job in the first file, write the answer to the second."""
    end_with_parent()
    job_path, answer_path = map(Path, arguments)
    job = msgspec.json.decode(job_path.read_bytes(), type=SpeedJob | AccuracyJob)
    answer: Answer
    try:
        if isinstance(job, SpeedJob):
            pin(job.cores)
            answer = run_speed(job)
        else:
            answer = run_accuracy(job)
    except ResEmoteEdgeError as error:
        answer = Failure(message=str(error))
    except OSError as error:  # for example a full disk, or a file that vanished
        answer = Failure(message=f"{error.filename or 'reading or writing'}: {error.strerror or error}")
    answer_path.write_bytes(msgspec.json.encode(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
