"""ONNX Runtime without us: ``python -m resemote_edge.measuring.timer_check.bare_loop JOB.json ANSWER.json``.

The session has our session's settings; between its calls there is nothing but the clock.
"""

import statistics
import sys
import time
from pathlib import Path

import msgspec
import numpy as np

from resemote_edge.artifacts.artifact import Artifact
from resemote_edge.artifacts.record import Strict
from resemote_edge.measuring.processes.child import end_with_parent, pin
from resemote_edge.runtimes.onnxruntime import DISABLED_OPTIMIZERS, engine_options
from resemote_edge.runtimes.session import SessionOptions
from resemote_edge.runtimes.telemetry import import_onnxruntime

__all__ = ["BareAnswer", "BareJob", "main"]

_WARMUP_RUNS = 10
_MIN_RUNS = 5


class BareJob(Strict, frozen=True, kw_only=True):
    """Job of the bare loop.

    Attributes:
        artifact: Folder of the artifact.
        model: Name of the artifact's file to run.
        threads: Number of CPU threads.
        cores: Cores to be pinned to.
        feeds: File (``.npy``) with the only input.
        seconds: Time to call for.
    """

    artifact: str
    model: str
    threads: int
    cores: tuple[int, ...]
    feeds: str
    seconds: float


class BareAnswer(Strict, frozen=True, kw_only=True):
    """Times that the bare loop measured.

    Attributes:
        runs: Number of timed calls.
        p50_ms: Median latency.
        mean_ms: Mean latency.
    """

    runs: int
    p50_ms: float
    mean_ms: float


def main(arguments: list[str]) -> int:
    """Run the job in the first file, write the answer to the second."""
    end_with_parent()
    job_path, answer_path = map(Path, arguments)
    job = msgspec.json.decode(job_path.read_bytes(), type=BareJob)
    pin(job.cores)
    onnxruntime = import_onnxruntime("a bare loop of ONNX Runtime")
    session = onnxruntime.InferenceSession(
        job.model,
        engine_options(Artifact.load(job.artifact), SessionOptions(device="cpu", threads=job.threads)),
        providers=["CPUExecutionProvider"],
        disabled_optimizers=DISABLED_OPTIMIZERS,
    )
    feeds = {session.get_inputs()[0].name: np.load(job.feeds, allow_pickle=False)}
    for _ in range(_WARMUP_RUNS):
        session.run(None, feeds)
    clock = time.perf_counter_ns
    taken: list[int] = []
    end = clock() + int(job.seconds * 1e9)
    while clock() < end or len(taken) < _MIN_RUNS:
        start = clock()
        session.run(None, feeds)
        taken.append(clock() - start)
    answer = BareAnswer(runs=len(taken), p50_ms=statistics.median(taken) / 1e6, mean_ms=statistics.fmean(taken) / 1e6)
    answer_path.write_bytes(msgspec.json.encode(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
