"""measure_validity: compares our timer with those of others, on the same file, settings, cores and input.

A number that nobody else can reproduce says little. Short runs of both timers take turns, so that a machine whose speed
drifts is fair to both, and medians are compared.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from resemote_edge.artifacts.artifact import Artifact, file_sha256
from resemote_edge.artifacts.partial import scratch_folder
from resemote_edge.artifacts.passport_base import PASSPORT_NAME
from resemote_edge.errors import InputError, ResEmoteEdgeError
from resemote_edge.machine.pinning import choose_cores
from resemote_edge.measuring.processes.contestant import Contestant
from resemote_edge.measuring.processes.worker_process import run_apart
from resemote_edge.measuring.results import SpeedJob, Validity
from resemote_edge.measuring.row import LATE_ADVICE, run_speed
from resemote_edge.measuring.scenarios import ScenarioSettings
from resemote_edge.runtimes.onnxruntime import DISABLED_OPTIMIZERS, engine_options
from resemote_edge.runtimes.openvino import compile_settings
from resemote_edge.runtimes.registry import get_runtime
from resemote_edge.runtimes.session import SessionOptions, model_file
from resemote_edge.vision.drawn import drawn_faces

__all__ = ["TIMERS", "Check", "Timed", "app_contestant", "measure_validity", "parse_printed"]

#: Ratios this close to 1 confirm our timer.
TOLERANCE = 0.05

#: Lines that `benchmark_app` prints, each once; microseconds where its mean is below 1 ms.
_PRINTED = {
    "median latency": re.compile(r"^\[ INFO \]\s+Median:\s+(\d+\.\d+) (ms|us)$", re.MULTILINE),
    "duration": re.compile(r"^\[ INFO \]\s+Duration:\s+(\d+\.\d+) (ms)$", re.MULTILINE),
    "count": re.compile(r"^\[ INFO \]\s+Count:\s+([1-9]\d*) (iterations)$", re.MULTILINE),
}
_MS_PER_UNIT = {"ms": 1.0, "us": 1e-3}

#: OpenVINO's names of the element types that our inputs have.
_ELEMENT_TYPES = {"float32": "f32", "uint8": "u8"}

_SEED = 1
_CROP_SIDE = 48


@dataclass(frozen=True, kw_only=True)
class Check:
    """Comparison to make.

    Attributes:
        artifact: Artifact whose file both run.
        runtime: Name of the runtime, ``openvino`` or ``onnxruntime``.
        batch: Crops per call.
        threads: Number of CPU threads.
        rounds: Number of short runs of each timer.
        seconds: Length of each run.
        timeout_s: Seconds after which a process is ended.
    """

    artifact: Artifact
    runtime: str
    batch: int
    threads: int
    rounds: int
    seconds: int
    timeout_s: float = 1800.0

    @property
    def options(self) -> SessionOptions:
        """Options that the session is opened with."""
        return SessionOptions(device="cpu", threads=self.threads)

    @property
    def cores(self) -> tuple[int, ...]:
        """Cores that all processes are pinned to."""
        return choose_cores(self.threads)

    @property
    def model(self) -> Path:
        """The file that both load."""
        return self.artifact.file(model_file(get_runtime(self.runtime), self.artifact))

    def __str__(self) -> str:
        return f"{self.artifact.path} in {self.runtime}"


@dataclass(frozen=True, kw_only=True)
class Timed:
    """Times of a short run.

    Attributes:
        p50_ms: Median latency.
        mean_ms: Mean wall time of a call.
    """

    p50_ms: float
    mean_ms: float


@dataclass(frozen=True, kw_only=True)
class Timer:
    """A timer that is not ours.

    Attributes:
        name: Name in reports.
        run: Function that runs it once; takes the check, the input (N, ...), and a folder for files.
        settings: Settings that the file is opened with, as in our session.
    """

    name: str
    run: Callable[[Check, NDArray[Any], Path], Timed]
    settings: Callable[[Check], dict[str, str]]


def measure_validity(check: Check) -> Validity:
    """Time the same call with our timer and another, in turn.

    Raises:
        InputError: The runtime has no timer of its own to compare with, or the batch is beyond the artifact's.
        ResEmoteEdgeError: A run failed, its process died, it took too long, or it did not print what was expected.
    """
    if check.runtime not in TIMERS:
        raise InputError(f"nothing to compare runtime {check.runtime} with", hint=f"choose one of {', '.join(TIMERS)}")
    get_runtime(check.runtime).check(check.artifact, check.options)
    check.artifact.passport.batch.check(check.batch)
    timer = TIMERS[check.runtime]
    faces = list(drawn_faces(check.batch, side=_CROP_SIDE, seed=_SEED))
    feeds = check.artifact.passport.preprocessing(faces, "rgb")
    ours: list[Timed] = []
    theirs: list[Timed] = []
    with scratch_folder("validity") as folder:
        for number in range(check.rounds):
            for is_ours in (True, False) if number % 2 == 0 else (False, True):  # The timer that goes first alternates.
                if is_ours:
                    ours.append(_ours(check))
                else:
                    theirs.append(timer.run(check, feeds, Path(folder)))
    ratio = median(one.p50_ms for one in ours) / median(one.p50_ms for one in theirs)
    ratios = [mine.p50_ms / other.p50_ms for mine, other in zip(ours, theirs, strict=True)]
    return Validity(
        artifact=check.artifact.passport.name,
        passport_sha256=file_sha256(check.artifact.path / PASSPORT_NAME),
        runtime=check.runtime,
        runtime_version=get_runtime(check.runtime).probe().version or "unknown",
        batch=check.batch,
        threads=check.threads,
        cores=check.cores,
        timer=timer.name,
        settings=timer.settings(check),
        ours_p50_ms=tuple(one.p50_ms for one in ours),
        theirs_p50_ms=tuple(one.p50_ms for one in theirs),
        ratio=ratio,
        ratio_range=(min(ratios), max(ratios)),
        within_5_percent=abs(ratio - 1.0) <= TOLERANCE,
        mean_ratio=median(one.mean_ms for one in ours) / median(one.mean_ms for one in theirs),
    )


def _ours(check: Check) -> Timed:
    """Time one short run, measured like every row of a report."""
    settings = ScenarioSettings(warmup_runs=10, warmup_seconds=1.0, min_runs=5, min_seconds=float(check.seconds))
    job = SpeedJob(
        artifact=str(check.artifact.path),
        runtime=check.runtime,
        device="cpu",
        scenario="single-stream",
        settings=settings,
        threads=check.threads,
        cores=check.cores,
        batch=check.batch,
        crop_side=_CROP_SIDE,
    )
    found = run_speed(job, timeout_s=check.timeout_s)
    assert found.model.mean_ms is not None
    return Timed(p50_ms=found.model.p50_ms, mean_ms=found.model.mean_ms)


def app_contestant(check: Check, feeds: NDArray[Any], folder: Path) -> Contestant:
    """``benchmark_app``, with arguments that make it run what our session runs; parameters as for `Timer.run`."""
    data, config = folder / "feeds.bin", folder / "settings.json"
    data.write_bytes(feeds.tobytes())
    settings = compile_settings(check.artifact, "cpu", check.options)
    config.write_bytes(msgspec.json.encode({"CPU": settings}))
    shape = ",".join(map(str, feeds.shape))
    arguments = [
        *("-m", str(check.model)),
        *("-d", "CPU"),
        *("-api", "sync"),
        *("-hint", "latency"),
        *("-load_config", str(config)),  # not -nthreads, which it refuses beside a hint
        *("-ip", _ELEMENT_TYPES[feeds.dtype.name]),  # by default, it feeds images as uint8 and converts them
        *("-data_shape", f"[{shape}]"),  # the batch stays dynamic, as it is for us
        *("-i", f"{check.artifact.passport.inputs[0].name}:{data}"),
        *("-inference_only", "true"),
        *("-t", str(check.seconds)),
    ]
    opener = "resemote_edge.measuring.timer_check.benchmark_app:run_benchmark_app"
    return _other(check, "benchmark_app", opener, {"arguments": arguments})


def _other(check: Check, name: str, opener: str, arguments: dict[str, Any]) -> Contestant:
    return Contestant(
        name=f"{name} on {check}",
        opener=opener,
        arguments=arguments,
        threads=check.threads,
        cores=check.cores,
        advice=LATE_ADVICE,
    )


def _benchmark_app(check: Check, feeds: NDArray[Any], folder: Path) -> Timed:
    contestant = app_contestant(check, feeds, folder)
    return parse_printed(run_apart(contestant, timeout_s=check.timeout_s, doing="timing")["printed"], contestant.name)


def parse_printed(printed: str, what: str) -> Timed:
    """The median latency, and duration over count, in what ``benchmark_app`` printed.

    Args:
        printed: Text that it printed.
        what: Name of what was measured, for the message.

    Raises:
        ResEmoteEdgeError: One of the lines is missing, or occurs more than once.
    """
    values: dict[str, tuple[str, str]] = {}
    for name, pattern in _PRINTED.items():
        found = pattern.findall(printed)
        if len(found) != 1:
            raise ResEmoteEdgeError(
                f"{what} printed {len(found)} lines with a {name}, one was expected",
                hint="this version of it is not understood, leave the [[validity]] out",
            )
        values[name] = found[0]
    shown, unit = values["median latency"]
    return Timed(
        p50_ms=float(shown) * _MS_PER_UNIT[unit], mean_ms=float(values["duration"][0]) / int(values["count"][0])
    )


def _compiled_with(check: Check) -> dict[str, str]:
    return {name: str(value) for name, value in compile_settings(check.artifact, "cpu", check.options).items()}


def _bare_loop(check: Check, feeds: NDArray[Any], folder: Path) -> Timed:
    data = folder / "feeds.npy"
    np.save(data, feeds)
    arguments = {
        "artifact": str(check.artifact.path),
        "model": str(check.model),
        "threads": check.threads,
        "feeds": str(data),
        "seconds": float(check.seconds),
    }
    other = _other(check, "a bare loop", "resemote_edge.measuring.timer_check.bare_loop:run_bare_loop", arguments)
    return Timed(**run_apart(other, timeout_s=check.timeout_s, doing="timing"))


def _opened_with(check: Check) -> dict[str, str]:
    options = engine_options(check.artifact, check.options)
    return {
        "provider": "CPUExecutionProvider",
        "intra_op_num_threads": str(options.intra_op_num_threads),
        "inter_op_num_threads": str(options.inter_op_num_threads),
        "graph_optimization_level": options.graph_optimization_level.name,
        "disabled_optimizers": ", ".join(DISABLED_OPTIMIZERS),
    }


#: Runtime to the timer that our figures are compared with.
TIMERS: dict[str, Timer] = {
    "openvino": Timer(name="benchmark_app", run=_benchmark_app, settings=_compiled_with),
    "onnxruntime": Timer(name="bare loop", run=_bare_loop, settings=_opened_with),
}
