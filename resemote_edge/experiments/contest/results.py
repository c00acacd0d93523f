"""Results of a contest: what is written as JSON."""

from pathlib import Path
from typing import Any

from resemote_edge.artifacts.record import Record, read_record
from resemote_edge.evaluation.accuracy import AccuracyReport
from resemote_edge.evaluation.paired import PairedComparison
from resemote_edge.experiments.contest.file import Contest

__all__ = [
    "AccuracyDifference",
    "Cell",
    "ContestReport",
    "RatioResult",
    "RowAccuracy",
    "SkippedRow",
    "read_contest_report",
]

CONTEST_REPORT_SCHEMA = 1


class Cell(Record, frozen=True, kw_only=True):
    """Latency of one row at one batch size and thread count.

    Attributes:
        row: Name in the contest.
        runtime: Runtime and version.
        threads: CPU threads.
        batch: Crops per call.
        rounds: In which it took a turn.
        runs: Timed calls, over all rounds.
        latency_p50_ms: Of one call on normalised tensors; nothing is clipped.
        latency_p90_ms: The same.
        latency_p99_ms: The same.
        model_size_bytes: Files the runtime reads.
    """

    row: str
    runtime: str
    threads: int
    batch: int
    rounds: int
    runs: int
    latency_p50_ms: float
    latency_p90_ms: float
    latency_p99_ms: float
    model_size_bytes: int


class RatioResult(Record, frozen=True, kw_only=True):
    """One comparison in one cell.

    Attributes:
        name: Of the comparison in the contest.
        threads: CPU threads.
        batch: Crops per call.
        ratio: p50 of the other over p50 of ours.
        interval_95: Bootstrap over rounds.
    """

    name: str
    threads: int
    batch: int
    ratio: float
    interval_95: tuple[float, float]


class RowAccuracy(Record, frozen=True, kw_only=True):
    """Accuracy of one row with trained weights.

    Attributes:
        row: Name in the contest.
        report: On the split, in the dataset's label order.
    """

    row: str
    report: AccuracyReport


class AccuracyDifference(Record, frozen=True, kw_only=True):
    """Two rows on the same images, for a comparison whose rows both have trained weights.

    Attributes:
        name: Of the comparison in the contest.
        ours: Name of a row.
        against: Name of the other, the reference of `paired`.
        paired: A negative drop says that ours is more accurate.
    """

    name: str
    ours: str
    against: str
    paired: PairedComparison


class SkippedRow(Record, frozen=True, kw_only=True):
    """A row that was not measured, and why."""

    row: str
    reason: str


class ContestReport(Record, frozen=True, kw_only=True, tag_field="kind", tag="contest"):
    """Everything one run of a contest measured.

    Attributes:
        schema: `CONTEST_REPORT_SCHEMA`.
        created_utc: ISO 8601.
        environment: From `capture_environment`.
        inputs: What was fed.
        contest: The contest, as far as it was run.
        tools: Versions of the packages that the rows went through.
        cells: Latencies.
        ratios: Comparisons.
        skipped: Rows that cannot run here, and why.
        accuracy: Of the rows with trained weights; empty when no dataset was given.
        differences: Of accuracy, for the comparisons between such rows.
    """

    schema: int = CONTEST_REPORT_SCHEMA
    created_utc: str
    environment: dict[str, Any]
    inputs: str
    contest: Contest
    tools: dict[str, str]
    cells: tuple[Cell, ...]
    ratios: tuple[RatioResult, ...]
    skipped: tuple[SkippedRow, ...] = ()
    accuracy: tuple[RowAccuracy, ...] = ()
    differences: tuple[AccuracyDifference, ...] = ()


def read_contest_report(path: Path) -> ContestReport:
    """Read a report back.

    Raises:
        InputError: No such file, or not a contest's report of this schema.
    """
    return read_record(path, ContestReport, what="a contest's report", schema=CONTEST_REPORT_SCHEMA)
