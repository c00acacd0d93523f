"""Openers that measure one artifact while they open (see `Contestant`).

Each runs in a process of its own, so that peak memory, thread pools and load time belong to that artifact alone.
"""

import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from resemote_edge.artifacts.artifact import Artifact
from resemote_edge.classifier import EmotionClassifier, load
from resemote_edge.data.registry import load_dataset
from resemote_edge.evaluation.accuracy import measure_accuracy
from resemote_edge.machine.memory import peak_bytes
from resemote_edge.machine.throttling import ThrottleWatch
from resemote_edge.measuring.energy_pass import measure_energy
from resemote_edge.measuring.latency import median_ms, summarize_latency
from resemote_edge.measuring.null_session import NullSession
from resemote_edge.measuring.processes.contestant import Opened
from resemote_edge.measuring.results import AccuracyJob, AccuracyResult, SpeedJob, SpeedResult
from resemote_edge.measuring.samples import write_samples
from resemote_edge.measuring.scenarios import get_scenario
from resemote_edge.measuring.slowed_session import SlowedSession
from resemote_edge.measuring.timing import Budget, time_calls
from resemote_edge.measuring.workload import STAGES, Subject
from resemote_edge.runtimes.registry import get_runtime, open_session
from resemote_edge.runtimes.session import Session, SessionOptions

__all__ = ["accuracy", "speed"]

#: Calls that measure the cost of the harness itself.
_NULL_RUNS = 2000


def speed(**arguments: Any) -> Opened:
    """Measure speed on drawn faces; the arguments are the fields of a `SpeedJob`, the facts those of a `SpeedResult`.

    Load time starts after the runtime's package is imported and the files are hashed, and ends with a session that
    can run. Peak memory is the process's high-water mark after timing.
    """
    job = msgspec.convert(arguments, SpeedJob)
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
        result = SpeedResult(
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
            harness_p50_us=median_ms(harness) * 1e3,
            peak_memory_bytes=peak,
            outcome=taken.outcome,
            samples_sha256=sha256,
            energy=energy,
            state_before=watch.before,
            state_after=watch.after,
            throttled=watch.changes,
            did_throttle=watch.did_throttle,
        )
    return Opened(facts=msgspec.to_builtins(result))


def _session(job: SpeedJob, artifact: Artifact) -> Session:
    threads = max(job.threads // job.streams, 1)
    options = SessionOptions(device=job.device, threads=threads, precision_hint=job.precision_hint)
    session = open_session(artifact, job.runtime, options)
    return SlowedSession(session, at_least_ms=job.slow_to_ms) if job.slow_to_ms else session


def _harness_ns(session: Session, subject: Subject) -> NDArray[np.int64]:
    """Cost of a call that computes nothing: checking the input, making outputs, reading the clock."""
    with NullSession(session) as null:
        budget = Budget(warmup_runs=_NULL_RUNS // 10, min_runs=_NULL_RUNS, min_seconds=0.0)
        return time_calls(lambda: null.run(subject.feeds), budget)


def accuracy(**arguments: Any) -> Opened:
    """Measure accuracy; the arguments are the fields of an `AccuracyJob`, the facts those of an `AccuracyResult`."""
    job = msgspec.convert(arguments, AccuracyJob)
    artifact = Artifact.load(job.artifact)
    dataset = load_dataset(job.data, splits=(job.split,))[job.split]
    options = SessionOptions(device=job.device, threads=job.threads, precision_hint=job.precision_hint)
    session = open_session(artifact, job.runtime, options)
    with ExitStack() as stack:
        classifier = stack.enter_context(EmotionClassifier(session, artifact.passport))
        reference = None if job.reference is None else stack.enter_context(load(job.reference, threads=job.threads))
        report = measure_accuracy(classifier, dataset, reference=reference)
    return Opened(facts=msgspec.to_builtins(AccuracyResult(file_sha256=session.file.sha256, report=report)))
