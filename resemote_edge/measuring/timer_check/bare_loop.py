"""ONNX Runtime without our code: a session with the same settings, called in a loop that only reads the clock."""

import statistics
import time

import numpy as np

from resemote_edge.artifacts.artifact import Artifact
from resemote_edge.measuring.processes.contestant import Opened
from resemote_edge.runtimes.onnxruntime import DISABLED_OPTIMIZERS, engine_options
from resemote_edge.runtimes.session import SessionOptions
from resemote_edge.runtimes.telemetry import import_onnxruntime

__all__ = ["run_bare_loop"]

_WARMUP_RUNS = 10
_MIN_RUNS = 5


def run_bare_loop(artifact: str, model: str, threads: int, feeds: str, seconds: float) -> Opened:
    """Time calls; an opener that does all its work (see `Contestant`).

    Args:
        artifact: Folder of the artifact.
        model: Path of the artifact's file to run.
        threads: Number of CPU threads.
        feeds: File (``.npy``) with the only input.
        seconds: Time to call for.

    Returns:
        The facts ``p50_ms`` and ``mean_ms``.
    """
    onnxruntime = import_onnxruntime("a bare loop of ONNX Runtime")
    session = onnxruntime.InferenceSession(
        model,
        engine_options(Artifact.load(artifact), SessionOptions(device="cpu", threads=threads)),
        providers=["CPUExecutionProvider"],
        disabled_optimizers=DISABLED_OPTIMIZERS,
    )
    fed = {session.get_inputs()[0].name: np.load(feeds, allow_pickle=False)}
    for _ in range(_WARMUP_RUNS):
        session.run(None, fed)
    clock = time.perf_counter_ns
    taken: list[int] = []
    end = clock() + int(seconds * 1e9)
    while clock() < end or len(taken) < _MIN_RUNS:
        start = clock()
        session.run(None, fed)
        taken.append(clock() - start)
    return Opened(facts={"p50_ms": statistics.median(taken) / 1e6, "mean_ms": statistics.fmean(taken) / 1e6})
