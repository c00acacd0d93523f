"""run_bench: the matrix of artifacts, runtimes and batch sizes, each measured in a process of its own."""

import datetime
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from resemote_edge.artifact import Artifact
from resemote_edge.benchmarks.accuracy import AccuracyReport
from resemote_edge.benchmarks.environment import capture_environment
from resemote_edge.benchmarks.results import (
    AccuracyJob,
    AccuracyResult,
    BenchReport,
    BenchRow,
    Failure,
    Outcome,
    Skipped,
    SpeedJob,
    SpeedResult,
)
from resemote_edge.errors import DatasetError, DeviceUnavailableError, InputError, ResEmoteEdgeError
from resemote_edge.runtimes.registry import get_runtime, refusal, runtimes_for
from resemote_edge.runtimes.session import SessionOptions

__all__ = ["BenchRequest", "parse_batches", "run_bench"]

#: Largest batch size measured; beyond it a crop's share of the memory would exceed what small machines have.
MAX_BATCH = 4096

#: Told what is measured next, jobs done, and jobs in all.
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, kw_only=True)
class BenchRequest:
    """What to measure.

    Attributes:
        artifacts: To compare.
        runtime: A name, or ``all`` for every runtime that loads an artifact's model file and works here.
        batches: Crops per call.
        threads: CPU threads; None for every core this process may use.
        device: Device, or ``auto``.
        data: Dataset for accuracy, or None.
        split: Split for accuracy.
        reference: Artifact that accuracy is compared with, image by image, run by its own best runtime; None for none.
        warmup_runs: Calls before the clock counts.
        min_runs: Timed calls at least.
        min_seconds: Timed seconds at least.
        crop_side: Rows and columns of the crops that decisions are timed from.
        precision_hint: As in `SessionOptions`.
    """

    artifacts: tuple[Artifact, ...]
    runtime: str = "all"
    batches: tuple[int, ...] = (1, 8)
    threads: int | None = None
    device: str = "auto"
    data: Path | None = None
    split: str = "test"
    reference: Path | None = None
    crop_side: int = 48
    warmup_runs: int = 10
    min_runs: int = 50
    min_seconds: float = 2.0
    precision_hint: Literal["bf16"] | None = None

    @property
    def effective_threads(self) -> int:
        """Threads every session is given."""
        return self.threads or len(os.sched_getaffinity(0))

    @property
    def session_options(self) -> SessionOptions:
        """What decides whether a session can be opened at all."""
        return SessionOptions(device=self.device, precision_hint=self.precision_hint)


def parse_batches(text: str) -> tuple[int, ...]:
    """``"1,8"`` to (1, 8).

    Raises:
        InputError: Not whole numbers from 1 up.
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and int(part) > 0 for part in parts):
        raise InputError(f"batch sizes are whole numbers from 1 up, separated by commas; got {text!r}")
    return tuple(int(part) for part in parts)


def run_bench(request: BenchRequest, progress: Progress = lambda what, done, total: None) -> BenchReport:
    """Measure everything asked for.

    Args:
        request: What.
        progress: Told about each job as it begins.

    Returns:
        The report; with runtime ``all``, combinations that cannot run here are listed as skipped with the reason.

    Raises:
        DeviceUnavailableError: A runtime named by the caller cannot work here, or nothing could be measured.
        InputError: A batch size or thread count makes no sense.
        ResEmoteEdgeError: A measurement failed.
    """
    _check(request)
    pairs, skipped = _plan(request)
    if not pairs:
        reasons = "; ".join(f"{row.artifact} in {row.runtime}: {row.reason}" for row in skipped)
        raise DeviceUnavailableError(f"nothing to measure here: {reasons}")
    environment = capture_environment()
    rows: list[BenchRow] = []
    per_pair = len(request.batches) + (request.data is not None)
    total = len(pairs) * per_pair
    for index, (artifact, runtime) in enumerate(pairs):

        def step(what: str, number: int, name: str = f"{artifact.passport.name} · {runtime}", at: int = index) -> None:
            progress(f"{name} · {what}", at * per_pair + number, total)

        try:
            rows += _measure_pair(request, artifact, runtime, step)
        except ResEmoteEdgeError as error:
            if request.runtime != "all" or isinstance(error, (DatasetError, InputError)):
                raise
            skipped.append(Skipped(artifact=artifact.passport.name, runtime=runtime, reason=str(error)))
    if not rows:
        raise ResEmoteEdgeError("every measurement failed: " + "; ".join(row.reason for row in skipped))
    progress("done", total, total)
    return BenchReport(
        created_utc=datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        environment=environment.to_dict(),
        inputs=f"drawn faces, {request.crop_side}x{request.crop_side} RGB",
        accuracy_data=None if rows[0].accuracy is None else rows[0].accuracy.dataset,
        rows=tuple(rows),
        skipped=tuple(skipped),
    )


def _check(request: BenchRequest) -> None:
    """Refuse before anything is measured what could only fail after it."""
    if not request.batches or min(request.batches) < 1 or request.effective_threads < 1:
        raise InputError(f"batch sizes and threads start at 1; got {request.batches} and {request.threads}")
    if max(request.batches) > MAX_BATCH:
        raise InputError(f"batch size {max(request.batches)} is beyond {MAX_BATCH}, the largest that is measured")
    if not 0 <= request.min_seconds < float("inf"):
        raise InputError(f"the seconds to measure must be a finite number from 0 up, got {request.min_seconds}")
    if request.data is not None and not request.data.exists():
        raise DatasetError(f"{request.data}: no such dataset; pass fer2013.csv, a folder <split>/<emotion>/, or a zip")


def _plan(request: BenchRequest) -> tuple[list[tuple[Artifact, str]], list[Skipped]]:
    """Which runtime runs which artifact, and which combinations are left out and why."""
    pairs: list[tuple[Artifact, str]] = []
    skipped: list[Skipped] = []
    for artifact in request.artifacts:
        largest = artifact.passport.batch.max
        too_large = [batch for batch in request.batches if largest is not None and batch > largest]
        if too_large:
            raise InputError(f"{artifact.path}: its largest batch is {largest}, asked for {too_large[0]}; see --batch")
        if request.runtime != "all":
            pairs.append((artifact, _named(request, artifact)))
            continue
        for name in runtimes_for(artifact):
            reason = refusal(name, artifact, request.session_options)
            if reason is None:
                pairs.append((artifact, name))
            else:
                skipped.append(Skipped(artifact=artifact.passport.name, runtime=name, reason=reason))
    return pairs, skipped


def _named(request: BenchRequest, artifact: Artifact) -> str:
    runtime = get_runtime(request.runtime)
    if artifact.find(runtime.formats, roles=("model", "source")) is None:
        known = ", ".join(runtimes_for(artifact))
        raise InputError(f"{artifact.path}: runtime {request.runtime} cannot load it; it runs in {known}")
    runtime.check(artifact, request.session_options)
    return request.runtime


def _measure_pair(
    request: BenchRequest, artifact: Artifact, runtime: str, step: Callable[[str, int], None]
) -> list[BenchRow]:
    """Every batch size of one artifact in one runtime, and its accuracy."""
    results = []
    for number, batch in enumerate(request.batches):
        step(f"batch {batch}", number)
        results.append(_measure_speed(request, artifact, runtime, batch))
    accuracy = None
    if request.data is not None:
        step("accuracy", len(results))
        accuracy = _measure_accuracy(request, artifact, runtime, results[0].file_sha256)
    return [
        _row(request, artifact, runtime=runtime, batch=batch, speed=speed, accuracy=accuracy)
        for batch, speed in zip(request.batches, results, strict=True)
    ]


def _measure_speed(request: BenchRequest, artifact: Artifact, runtime: str, batch: int) -> SpeedResult:
    job = SpeedJob(
        artifact=str(artifact.path),
        runtime=runtime,
        device=request.device,
        threads=request.effective_threads,
        batch=batch,
        crop_side=request.crop_side,
        warmup_runs=request.warmup_runs,
        min_runs=request.min_runs,
        min_seconds=request.min_seconds,
        precision_hint=request.precision_hint,
    )
    result = _in_process(job)
    assert isinstance(result, SpeedResult)
    return result


def _measure_accuracy(request: BenchRequest, artifact: Artifact, runtime: str, sha256: str) -> AccuracyReport:
    job = AccuracyJob(
        artifact=str(artifact.path),
        runtime=runtime,
        device=request.device,
        threads=request.effective_threads,
        data=str(request.data),
        split=request.split,
        reference=None if request.reference is None else str(request.reference),
        precision_hint=request.precision_hint,
    )
    result = _in_process(job)
    assert isinstance(result, AccuracyResult)
    if result.file_sha256 != sha256:
        raise InputError(f"{artifact.path}: the file changed while it was measured; run the benchmark again")
    return result.report


def _in_process(job: SpeedJob | AccuracyJob) -> Outcome:
    """Run a job in a fresh interpreter with its thread pools limited to the job's threads."""
    pools = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    environment = {**os.environ, **dict.fromkeys(pools, str(job.threads))}
    with tempfile.TemporaryDirectory(prefix="resemote-edge-bench-") as folder:
        job_path, result_path = Path(folder, "job.json"), Path(folder, "result.json")
        job_path.write_bytes(msgspec.json.encode(job))
        command = [sys.executable, "-m", "resemote_edge.benchmarks.worker", str(job_path), str(result_path)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0 or not result_path.is_file():
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise ResEmoteEdgeError(
                f"measuring {job.artifact} in {job.runtime} ended with exit code {done.returncode}: {last}"
            )
        outcome: Outcome = msgspec.json.decode(result_path.read_bytes(), type=Outcome)
    if isinstance(outcome, Failure):
        raise ResEmoteEdgeError(f"measuring {job.artifact} in {job.runtime} failed: {outcome.message}")
    return outcome


def _row(
    request: BenchRequest,
    artifact: Artifact,
    *,
    runtime: str,
    batch: int,
    speed: SpeedResult,
    accuracy: AccuracyReport | None,
) -> BenchRow:
    passport = artifact.passport
    read = [entry for entry in passport.files if entry.path == speed.file]
    if read[0].role == "model":
        read += [entry for entry in passport.files if entry.role == "weights"]
    return BenchRow(
        artifact=passport.name,
        target=passport.target,
        precision=passport.precision,
        width=passport.lineage.width,
        runtime=runtime,
        batch=batch,
        threads=request.effective_threads,
        model_size_bytes=sum(entry.size_bytes for entry in read),
        speed=speed,
        accuracy=accuracy,
        precision_hint=request.precision_hint,
    )
