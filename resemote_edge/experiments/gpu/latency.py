"""measure_gpu: graphs, precisions and CUDA graphs of the runtime ``pytorch``, timed side by side on one device.

All sessions are in one process, because starting a process for each row would take longer than measuring it.
"""

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

import msgspec
import numpy as np
from numpy.typing import NDArray

from resemote_edge.artifacts.artifact import Artifact
from resemote_edge.artifacts.record import utc_now
from resemote_edge.artifacts.self_test import SelfTestResult, self_test
from resemote_edge.errors import InputError, ResEmoteEdgeError
from resemote_edge.experiments.gpu.probe import DEVICE_PRECISIONS, DeviceProbe, kernel_times, probe_device
from resemote_edge.experiments.gpu.results import GRAPHS, Floor, GpuReport, GpuRow, GpuUnmeasured
from resemote_edge.machine.environment import capture_environment
from resemote_edge.measuring.latency import median_ms, summarize_latency
from resemote_edge.measuring.timing import Budget, time_calls, warm_up
from resemote_edge.runtimes.registry import get_runtime, open_session
from resemote_edge.runtimes.session import PrecisionHint, Session, SessionOptions, require_device
from resemote_edge.vision.drawn import drawn_faces

__all__ = ["GpuOptions", "GpuSubject", "floor_of", "measure_gpu"]

_SEED = 1

#: Precision to compute in, to the artifact's precision and the hint that the session is opened with.
_OPENED: dict[str, tuple[str, PrecisionHint | None]] = {
    "fp32": ("fp32", None),
    "tf32": ("fp32", "tf32"),
    "fp16": ("fp16", None),
    "bf16": ("fp32", "bf16"),
}

# PyTorch raises RuntimeError for any failure on a device, including a lack of memory.
_FAILURES = (ResEmoteEdgeError, RuntimeError)

# Two rounds of this many give the 368 runs that p99 needs.
_ROUND_RUNS = 190
_FEWEST_ROUND_RUNS = 5


@dataclass(frozen=True, kw_only=True)
class GpuSubject:
    """An artifact of the target ``pytorch``.

    Attributes:
        artifact: Artifact in fp32 or fp16.
        network: Name of its size.
        graph: Name of the graph, one of `GRAPHS`.
    """

    artifact: Artifact
    network: str
    graph: str


@dataclass(frozen=True, kw_only=True)
class GpuOptions:
    """Options of the measurement.

    Attributes:
        device: Name of the device, ``cuda:N``; ``cpu``, which lacks some rows, is for rehearsals.
        batches: Crops per call.
        rounds: Number of rounds; sessions with and without a CUDA graph take turns.
        round_seconds: Longest time of a round, unless five calls take longer.
        warmup_seconds: Longest wait for times to settle.
        seconds: Time after which no further session is opened; the remaining rows are listed as not measured.
        profile: Whether kernels are profiled at the end.
        probe_side: Rows and columns of the matrices of the probe.
        probe_bytes: Bytes of the copy of the probe.
    """

    device: str = "cuda:0"
    batches: tuple[int, ...] = (1, 8, 32, 256)
    rounds: int = 2
    round_seconds: float = 0.15
    warmup_seconds: float = 0.1
    seconds: float = math.inf
    profile: bool = True
    probe_side: int = 8192
    probe_bytes: int = 2**30


@dataclass(frozen=True)
class _Opened:
    """A session, the precision it computes in, and the distance of its logits from the golden ones."""

    subject: GpuSubject
    precision: str
    cuda_graph: bool
    session: Session
    parity: SelfTestResult


@dataclass
class _Run:
    """A measurement in progress."""

    options: GpuOptions
    probe: DeviceProbe
    images: NDArray[np.float32] = field(repr=False)
    rows: list[GpuRow] = field(default_factory=list)
    unmeasured: list[GpuUnmeasured] = field(default_factory=list)


def measure_gpu(
    subjects: Sequence[GpuSubject], weights: str, options: GpuOptions, notice: Callable[[str], None] = lambda text: None
) -> GpuReport:
    """Time every precision that the artifacts allow, at every batch size, without and with a CUDA graph.

    Args:
        subjects: Artifacts to measure, the most important first; all take float32 tensors.
        weights: Description of the weights they hold.
        options: Options of the measurement.
        notice: Function called with what happens, one line at a time.

    Returns:
        The report, which lists rows that the device refused, or for which there was no time, with the reason.

    Raises:
        InputError: There are no subjects, or a batch size makes no sense.
        DeviceUnavailableError: There is no such device.
        ResEmoteEdgeError: Nothing could be measured.
    """
    if not subjects or not options.batches or min(options.batches) < 1:
        raise InputError("no artifact was named, or no batch sizes from 1 up", hint="name at least one of each")
    end = time.monotonic() + options.seconds
    require_device("pytorch", options.device, get_runtime("pytorch").probe())
    probe = probe_device(options.device, side=options.probe_side, copied_bytes=options.probe_bytes)
    notice(f"{probe.name}: {probe.memory_gb_per_s:.0f} GB/s")
    faces = list(drawn_faces(max(options.batches), seed=_SEED))
    images = subjects[0].artifact.passport.preprocessing(faces, "rgb")
    run = _Run(options, probe, images)
    with ExitStack() as stack:
        kept = [opened for opened in _time_all(run, subjects, end, stack, notice) if not opened.cuda_graph]
        if options.profile:
            _profile(run, kept, notice)
    if not run.rows:
        raise ResEmoteEdgeError("nothing was measured: " + "; ".join(one.reason for one in run.unmeasured))
    networks, precisions = list(dict.fromkeys(subject.network for subject in subjects)), list(_OPENED)

    def place(row: GpuRow) -> tuple[int, ...]:
        """Place of a row in the tables."""
        graph, precision = GRAPHS.index(row.graph), precisions.index(row.precision)
        return networks.index(row.network), row.batch, precision, graph, row.cuda_graph

    return GpuReport(
        created_utc=utc_now(),
        environment=capture_environment().to_dict(),
        device=probe,
        weights=weights,
        rows=tuple(sorted(run.rows, key=place)),
        unmeasured=tuple(run.unmeasured),
    )


def floor_of(subject: GpuSubject, precision: str, batch: int, probe: DeviceProbe) -> Floor:
    """Compute the times that no call can be faster than.

    Args:
        subject: Subject whose passport states weights and multiply-adds.
        precision: Precision that it computes in.
        batch: Crops per call.
        probe: Best figures of the device.
    """
    layers = subject.artifact.passport.layers
    bytes_each = 4 if DEVICE_PRECISIONS[precision][0] == "float32" else 2
    weights = bytes_each * sum(layer.weights for layer in layers)
    fed = batch * sum(
        np.dtype(spec.dtype).itemsize * math.prod(dim for dim in spec.shape if not isinstance(dim, str))
        for spec in subject.artifact.passport.inputs
    )
    cached = probe.cache_bytes is not None and weights <= probe.cache_bytes
    peak = probe.gmac_per_s(precision)
    return Floor(
        copy_ms=0.0 if probe.to_device_gb_per_s is None else fed / probe.to_device_gb_per_s / 1e6,
        memory_ms=0.0 if cached else weights / probe.memory_gb_per_s / 1e6,
        arithmetic_ms=None if peak is None else batch * sum(layer.multiply_adds for layer in layers) / peak / 1e6,
    )


def _time_all(
    run: _Run, subjects: Sequence[GpuSubject], end: float, stack: ExitStack, notice: Callable[[str], None]
) -> Iterator[_Opened]:
    """Open sessions pair by pair and time them; those without a CUDA graph stay open on the stack."""
    for subject, precision in _cases(subjects):
        what = f"{subject.network} · {subject.graph} · {precision}"
        if time.monotonic() > end:
            run.unmeasured.append(GpuUnmeasured(what=what, reason="the time was up"))
            continue
        notice(what)
        with ExitStack() as short:
            pair = []
            for cuda_graph in (False, True):
                try:
                    opened = _open(subject, precision, cuda_graph, run.options.device)
                    (short if cuda_graph else stack).callback(opened.session.close)
                    pair.append(opened)
                except _FAILURES as error:
                    suffix = " · CUDA graph" if cuda_graph else ""
                    run.unmeasured.append(GpuUnmeasured(what=what + suffix, reason=str(error)))
            for batch in run.options.batches if pair else ():
                try:
                    run.rows += list(_time_pair(run, pair, batch))
                except _FAILURES as error:
                    run.unmeasured.append(GpuUnmeasured(what=f"{what} · batch {batch}", reason=str(error)))
            yield from pair


def _cases(subjects: Sequence[GpuSubject]) -> Iterator[tuple[GpuSubject, str]]:
    for subject in subjects:
        for precision, (stored, _) in _OPENED.items():
            if subject.artifact.passport.precision == stored:
                yield subject, precision


def _open(subject: GpuSubject, precision: str, cuda_graph: bool, device: str) -> _Opened:
    hint = _OPENED[precision][1]
    options = SessionOptions(device=device, precision_hint=hint, cuda_graph=cuda_graph)
    session = open_session(subject.artifact, "pytorch", options)
    try:
        parity = self_test(subject.artifact, session)
    except BaseException:
        session.close()
        raise
    return _Opened(subject, precision, cuda_graph, session, parity)


def _call(opened: _Opened, images: NDArray[np.float32], batch: int) -> Callable[[], object]:
    feeds = {opened.session.inputs[0].name: images[:batch]}
    return lambda: opened.session.run(feeds)


def _time_pair(run: _Run, pair: Sequence[_Opened], batch: int) -> Iterable[GpuRow]:
    """Rows of one batch size; rounds of the sessions take turns, because clocks drift."""
    options = run.options
    calls = [_call(opened, run.images, batch) for opened in pair]
    warmed = [warm_up(call, Budget(warmup_runs=3, warmup_seconds=options.warmup_seconds)) for call in calls]
    budgets = [_round_budget(call, options) for call in calls]
    rounds: list[list[NDArray[np.int64]]] = [[] for _ in pair]
    for _ in range(options.rounds):
        for at, call in enumerate(calls):
            rounds[at].append(time_calls(call, budgets[at]))
    for opened, taken, before in zip(pair, rounds, warmed, strict=True):
        yield GpuRow(
            network=opened.subject.network,
            graph=opened.subject.graph,
            precision=opened.precision,
            cuda_graph=opened.cuda_graph,
            batch=batch,
            artifact=opened.subject.artifact.passport.name,
            file_sha256=opened.session.file.sha256,
            latency=summarize_latency(np.concatenate(taken)),
            rounds_p50_ms=tuple(map(median_ms, taken)),
            warm_up=before,
            max_abs_logit_diff=opened.parity.max_abs_diff,
            top1_agreement=opened.parity.top1_agreement,
            floor=floor_of(opened.subject, opened.precision, batch, run.probe),
        )


def _round_budget(call: Callable[[], object], options: GpuOptions) -> Budget:
    """Number of calls that a round has time for, by the median of a few."""
    few = time_calls(call, Budget(warmup_runs=0, min_runs=_FEWEST_ROUND_RUNS, min_seconds=0.0))
    fitting = int(options.round_seconds * 1e3 / median_ms(few))
    runs = max(_FEWEST_ROUND_RUNS, min(fitting, _ROUND_RUNS))
    return Budget(warmup_runs=1, min_runs=runs, min_seconds=options.round_seconds / 3, max_runs=5 * _ROUND_RUNS)


def _profile(run: _Run, kept: Sequence[_Opened], notice: Callable[[str], None]) -> None:
    """Profile kernels and copies; this comes last, because profiling slows down later calls."""
    notice("profiling kernels")
    for opened in kept:
        for at, row in enumerate(run.rows):
            key = (opened.subject.network, opened.subject.graph, opened.precision)
            if (row.network, row.graph, row.precision) == key and not row.cuda_graph:
                try:
                    found = kernel_times(_call(opened, run.images, row.batch))
                except RuntimeError as error:
                    run.unmeasured.append(GpuUnmeasured(what="profiles of kernels", reason=str(error)))
                    return
                if found is None:
                    return
                run.rows[at] = msgspec.structs.replace(row, kernels=found)
