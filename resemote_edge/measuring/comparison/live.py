"""compare_live: two artifacts on this machine, in turn, in several pairs of fresh processes."""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from resemote_edge.artifacts.artifact import Artifact, file_sha256
from resemote_edge.artifacts.passport_base import PASSPORT_NAME
from resemote_edge.artifacts.record import utc_now
from resemote_edge.errors import InputError
from resemote_edge.machine.environment import capture_environment
from resemote_edge.machine.pinning import choose_cores
from resemote_edge.machine.topology import allowed_cores
from resemote_edge.measuring.comparison.live_results import LiveComparison, Restart, Side
from resemote_edge.measuring.comparison.results import Quantity
from resemote_edge.measuring.interleave import Measured, Schedule, interleave
from resemote_edge.measuring.latency import median_ms, summarize_latency
from resemote_edge.measuring.processes.contestant import Contestant
from resemote_edge.measuring.row import refuse_batch
from resemote_edge.measuring.statistics.restart_ratio import MIN_RESTARTS, RestartRatio, ratio_over_restarts
from resemote_edge.measuring.statistics.verdict import check_margin, judge, rules_out
from resemote_edge.runtimes.registry import choose_runtime, get_runtime
from resemote_edge.runtimes.session import PrecisionHint, SessionOptions

__all__ = ["LIVE_MARGIN", "LIVE_RESTARTS", "LIVE_SECONDS", "LiveRequest", "LiveRun", "compare_live"]

#: Smallest difference that counts, pairs of processes, and seconds of measuring over all of them. The reasons are in
#: docs/decisions/0010-comparison.md.
LIVE_MARGIN = 0.03
LIVE_RESTARTS = 9
LIVE_SECONDS = 45.0

_OPENER = "resemote_edge.measuring.processes.opener:open_artifact"

#: Schedule within a restart. Many short turns cancel more drift than a few long ones, and the median of three rounds
#: ignores one that was disturbed.
_SCHEDULE = Schedule(seconds=0.0, min_rounds=3, warmup_runs=3, runs_per_turn=50, turn_seconds=0.05)


@dataclass(frozen=True, kw_only=True)
class LiveRequest:
    """The comparison that is asked for.

    Attributes:
        a: First artifact.
        b: Second artifact; it may be the same one.
        runtime: Runtime for A; a name, or ``auto``.
        runtime_b: Runtime for B, if it differs from A's; None for the same.
        device: Device of both, or ``auto``.
        threads: Number of CPU threads; None for every core this process may use.
        batch: Faces per call.
        quantity: Time that is compared.
        precision_hint: Precision hint for both, as in `SessionOptions`.
        seconds: Time to spend measuring, over all restarts; opening the processes takes additional time.
        restarts: Number of pairs of fresh processes.
        margin: Smallest difference that counts, as a fraction.
        slow_b_by: Factor by which every inference of B is slowed on purpose, which makes a known difference.
        seed: Seed of every random order.
    """

    a: Artifact
    b: Artifact
    runtime: str = "auto"
    runtime_b: str | None = None
    device: str = "auto"
    threads: int | None = None
    batch: int = 1
    quantity: Quantity = "model"
    precision_hint: PrecisionHint | None = None
    seconds: float = LIVE_SECONDS
    restarts: int = LIVE_RESTARTS
    margin: float = LIVE_MARGIN
    slow_b_by: float = 1.0
    seed: int = 0

    @property
    def effective_threads(self) -> int:
        """Number of threads of a call."""
        return self.threads or len(allowed_cores())


@dataclass(frozen=True)
class LiveRun:
    """A comparison with all its samples.

    Attributes:
        comparison: Result of the comparison.
        a_nanoseconds: Times of A, int64 (rounds, runs) per restart.
        b_nanoseconds: Times of B, int64 (rounds, runs) per restart.
    """

    comparison: LiveComparison
    a_nanoseconds: tuple[NDArray[np.int64], ...] = field(repr=False)
    b_nanoseconds: tuple[NDArray[np.int64], ...] = field(repr=False)


def compare_live(request: LiveRequest, progress: Callable[[float], None] = lambda share: None) -> LiveRun:
    """Measure both in turn and compare.

    Args:
        request: Comparison to make.
        progress: Function called with the share that is done, 0 to 1.

    Raises:
        InputError: A number makes no sense, or an artifact was not made for the batch size.
        ResEmoteEdgeError: One of them cannot run here, failed, or took too long; the message names it.
    """
    started = time.monotonic()
    _check(request)
    environment = capture_environment()
    a, b = _contestants(request)
    drawn = random.Random(request.seed)
    measured: list[tuple[Measured, Measured]] = []
    # Each side is opened first equally often, or as nearly as an odd number of restarts allows.
    first: list[Literal["A", "B"]] = ["A" if index % 2 else "B" for index in range(request.restarts)]
    drawn.shuffle(first)
    for index, side in enumerate(first):
        schedule = replace(_SCHEDULE, seconds=request.seconds / request.restarts, seed=drawn.getrandbits(32))

        def part(share: float, done: int = index) -> None:
            progress((done + share) / request.restarts)

        taken = interleave([a, b] if side == "A" else [b, a], schedule, part)
        measured.append((taken[a.name], taken[b.name]))
    found = ratio_over_restarts([(one.nanoseconds, other.nanoseconds) for one, other in measured])
    comparison = LiveComparison(
        created_utc=utc_now(),
        environment=environment.to_dict(),
        inputs="drawn faces, 48x48 RGB",
        quantity=request.quantity,
        batch=request.batch,
        threads=request.effective_threads,
        cores=choose_cores(request.effective_threads),
        a=_side(request, request.a, [one for one, _ in measured], 1.0),
        b=_side(request, request.b, [other for _, other in measured], request.slow_b_by),
        margin=request.margin,
        ratio=found.value,
        interval=found.interval,
        coverage=found.coverage,
        verdict=judge(found.interval, request.margin),
        counting_difference_ruled_out=rules_out(found.interval, request.margin),
        restarts=_restarts(measured, first, found),
        measuring_seconds=request.seconds,
        total_seconds=time.monotonic() - started,
    )
    return LiveRun(
        comparison, tuple(one.nanoseconds for one, _ in measured), tuple(other.nanoseconds for _, other in measured)
    )


def _check(request: LiveRequest) -> None:
    """Refuse a request that could only fail after something was measured."""
    check_margin(request.margin)
    if not 0 < request.seconds < float("inf"):
        raise InputError(f"the seconds to measure must be a finite number above 0, got {request.seconds:g}")
    if request.restarts < MIN_RESTARTS:
        raise InputError(f"an interval needs at least {MIN_RESTARTS} restarts, got {request.restarts}")
    if request.effective_threads < 1 or request.batch < 1:
        raise InputError(f"threads and batch sizes start at 1, got {request.threads} and {request.batch}")
    if not 1.0 <= request.slow_b_by < float("inf"):
        raise InputError(f"B can only be slowed, by a finite factor from 1, got {request.slow_b_by:g}")
    for artifact in (request.a, request.b):
        refuse_batch(artifact, request.batch)


def _contestants(request: LiveRequest) -> tuple[Contestant, Contestant]:
    threads = request.effective_threads
    options = SessionOptions(device=request.device, threads=threads, precision_hint=request.precision_hint)
    runtime_b = request.runtime if request.runtime_b is None else request.runtime_b
    sides = []
    for side, artifact, asked in (("A", request.a, request.runtime), ("B", request.b, runtime_b)):
        runtime = choose_runtime(artifact, options) if asked == "auto" else asked
        get_runtime(runtime).check(artifact, options)
        arguments: dict[str, Any] = {
            "artifact": str(artifact.path),
            "runtime": runtime,
            "hint": request.precision_hint,
            "threads": threads,
            "batch": request.batch,
            "device": request.device,
            "whole": request.quantity == "crop to decision",
            "slowed_by": request.slow_b_by if side == "B" else 1.0,
        }
        name = f"{side} ({artifact.passport.name} in {runtime})"
        cores = choose_cores(threads)
        sides.append(Contestant(name=name, opener=_OPENER, arguments=arguments, threads=threads, cores=cores))
    return sides[0], sides[1]


def _side(request: LiveRequest, artifact: Artifact, measured: Sequence[Measured], slowed_by: float) -> Side:
    facts = measured[0].facts
    latency = summarize_latency(np.concatenate([one.nanoseconds.reshape(-1) for one in measured]))
    return Side(
        artifact=artifact.passport.name,
        passport_sha256=file_sha256(artifact.path / PASSPORT_NAME),
        precision=artifact.passport.precision,
        precision_hint=request.precision_hint,
        runtime=facts["runtime"],
        device=facts["device"],
        file_sha256=facts["file_sha256"],
        model_size_bytes=facts["model_size_bytes"],
        slowed_by=slowed_by,
        runs=latency.runs,
        latency_p50_ms=latency.p50_ms,
        latency_p90_ms=latency.p90_ms,
        latency_p99_ms=latency.p99_ms,
    )


def _restarts(
    measured: Sequence[tuple[Measured, Measured]], first: Sequence[Literal["A", "B"]], found: RestartRatio
) -> tuple[Restart, ...]:
    return tuple(
        Restart(
            opened_first=side,
            rounds=one.nanoseconds.shape[0],
            runs_per_turn=one.nanoseconds.shape[1],
            a_latency_p50_ms=median_ms(one.nanoseconds),
            b_latency_p50_ms=median_ms(other.nanoseconds),
            ratio=ratio,
        )
        for (one, other), side, ratio in zip(measured, first, found.of_restarts, strict=True)
    )
