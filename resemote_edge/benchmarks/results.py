"""Jobs and results of the benchmark: what travels between processes and what is written as JSON."""

from pathlib import Path
from typing import Any, Literal

import msgspec

from resemote_edge.benchmarks.accuracy import AccuracyReport
from resemote_edge.errors import InputError

__all__ = ["AccuracyJob", "BenchReport", "BenchRow", "Outcome", "Skipped", "SpeedJob", "SpeedResult", "read_report"]

REPORT_SCHEMA = 1


class _Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Strict about unknown fields; subclasses repeat frozen and kw_only, which type checkers do not inherit."""


class SpeedJob(_Record, frozen=True, kw_only=True, tag="speed"):
    """Measure latency of one artifact, runtime and batch size, in a process of its own.

    Attributes:
        artifact: Folder.
        runtime: Name.
        device: Device, or ``auto``.
        threads: CPU threads.
        batch: Crops per call.
        crop_side: Rows and columns of the crops that decisions are timed from.
        warmup_runs: Calls before the clock counts.
        min_runs: Timed calls at least.
        min_seconds: Timed seconds at least.
        precision_hint: As in `SessionOptions`.
    """

    artifact: str
    runtime: str
    device: str
    threads: int
    batch: int
    crop_side: int = 48
    warmup_runs: int
    min_runs: int
    min_seconds: float
    precision_hint: Literal["bf16"] | None = None


class AccuracyJob(_Record, frozen=True, kw_only=True, tag="accuracy"):
    """Measure accuracy of one artifact and runtime, in a process of its own.

    Attributes:
        artifact: Folder.
        runtime: Name.
        device: Device, or ``auto``.
        threads: CPU threads.
        data: Dataset.
        split: Split of it.
        reference: Folder of an artifact to compare with, image by image.
        precision_hint: As in `SessionOptions`.
    """

    artifact: str
    runtime: str
    device: str
    threads: int
    data: str
    split: str
    reference: str | None = None
    precision_hint: Literal["bf16"] | None = None


class SpeedResult(_Record, frozen=True, kw_only=True, tag="speed"):
    """What a speed job measured; latencies in ms."""

    device: str
    runtime_version: str
    file: str
    file_sha256: str
    runs: int
    warmup_runs: int
    load_time_ms: float
    first_inference_ms: float
    latency_p50_ms: float
    latency_p90_ms: float
    latency_p99_ms: float
    latency_mean_ms: float
    throughput_samples_per_s: float
    crop_to_decision_p50_ms: float
    crop_to_decision_p90_ms: float
    crop_to_decision_p99_ms: float
    peak_memory_bytes: int


class AccuracyResult(_Record, frozen=True, kw_only=True, tag="accuracy"):
    """What an accuracy job measured."""

    file_sha256: str
    report: AccuracyReport


class Failure(_Record, frozen=True, kw_only=True, tag="failure"):
    """Why a job failed, as one readable line."""

    message: str


Outcome = SpeedResult | AccuracyResult | Failure


class BenchRow(_Record, frozen=True, kw_only=True):
    """One line of the table: speed, size and accuracy of the same file in the same runtime.

    Attributes:
        artifact: Name.
        target: Target it was exported for.
        precision: Its precision.
        precision_hint: That the session was opened with; None where the artifact's precision is what was computed in.
        width: Network width.
        runtime: Runtime.
        batch: Crops per call.
        threads: CPU threads.
        model_size_bytes: Files the runtime reads.
        speed: Latency, throughput, load time, memory.
        accuracy: Accuracy of the same file hash in the same runtime; None when not measured.
    """

    artifact: str
    target: str
    precision: str
    width: int
    runtime: str
    batch: int
    threads: int
    model_size_bytes: int
    speed: SpeedResult
    accuracy: AccuracyReport | None = None
    precision_hint: Literal["bf16"] | None = None


class Skipped(_Record, frozen=True, kw_only=True):
    """A combination that was not measured, and why."""

    artifact: str
    runtime: str
    reason: str


class BenchReport(_Record, frozen=True, kw_only=True):
    """Everything one benchmark run measured.

    Attributes:
        schema: `REPORT_SCHEMA`.
        created_utc: ISO 8601.
        environment: From `capture_environment`.
        inputs: What was fed for timing.
        accuracy_data: Dataset and split; None when accuracy was not measured.
        rows: Measured.
        skipped: Not measured.
    """

    schema: int = REPORT_SCHEMA
    created_utc: str
    environment: dict[str, Any]
    inputs: str
    accuracy_data: str | None
    rows: tuple[BenchRow, ...]
    skipped: tuple[Skipped, ...] = ()

    def to_json(self) -> bytes:
        """Indented JSON, ending in a newline."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"


def read_report(path: Path) -> BenchReport:
    """Read a report back.

    Raises:
        InputError: No such file, or not a report of this schema.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=BenchReport)
    except (OSError, msgspec.DecodeError) as error:
        raise InputError(f"{path}: not a benchmark report: {error}") from None
