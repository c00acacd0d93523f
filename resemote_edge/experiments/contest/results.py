"""Results of a contest, as they are written as JSON."""

from functools import partial

from resemote_edge.artifacts.record import Measured, Record, read_record
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
        row: Name of the row in the contest.
        runtime: Name and version of the runtime.
        threads: Number of CPU threads.
        batch: Crops per call.
        rounds: Number of rounds in which it took a turn.
        runs: Number of timed calls, over all rounds.
        latency_p50_ms: Median of one call on normalised tensors; nothing is clipped.
        latency_p90_ms: 90th percentile of the same calls; None if there are too few calls.
        latency_p99_ms: 99th percentile of the same calls; None if there are too few calls.
        model_size_bytes: Size of the files the runtime reads.
    """

    row: str
    runtime: str
    threads: int
    batch: int
    rounds: int
    runs: int
    latency_p50_ms: float
    latency_p90_ms: float | None
    latency_p99_ms: float | None
    model_size_bytes: int


class RatioResult(Record, frozen=True, kw_only=True):
    """One comparison in one cell.

    Attributes:
        name: Name of the comparison in the contest.
        threads: Number of CPU threads.
        batch: Crops per call.
        ratio: Ratio of the other's p50 to ours.
        interval_95: Interval by bootstrap over rounds.
    """

    name: str
    threads: int
    batch: int
    ratio: float
    interval_95: tuple[float, float]


class RowAccuracy(Record, frozen=True, kw_only=True):
    """Accuracy of one row with trained weights.

    Attributes:
        row: Name of the row in the contest.
        report: Report on the split, in the dataset's label order.
    """

    row: str
    report: AccuracyReport


class AccuracyDifference(Record, frozen=True, kw_only=True):
    """Two rows on the same images, for a comparison whose rows both have trained weights.

    Attributes:
        name: Name of the comparison in the contest.
        ours: Name of one of our rows.
        against: Name of the other row, the reference of `paired`.
        paired: Changes from the other row; a negative drop means that ours is more accurate.
    """

    name: str
    ours: str
    against: str
    paired: PairedComparison


class SkippedRow(Record, frozen=True, kw_only=True):
    """A row that was not measured, and why."""

    row: str
    reason: str


class ContestReport(Measured, frozen=True, kw_only=True, tag_field="kind", tag="contest"):
    """All measurements of one run of a contest.

    Attributes:
        inputs: Inputs that were fed.
        contest: The part of the contest that was run.
        tools: Versions of the packages that the rows use.
        cells: Latencies.
        ratios: Comparisons.
        skipped: Rows that cannot run here, and why.
        accuracy: Accuracy of the rows with trained weights; empty if no dataset was given.
        differences: Differences of accuracy, for the comparisons between such rows.
    """

    schema: int = CONTEST_REPORT_SCHEMA
    inputs: str
    contest: Contest
    tools: dict[str, str]
    cells: tuple[Cell, ...]
    ratios: tuple[RatioResult, ...]
    skipped: tuple[SkippedRow, ...] = ()
    accuracy: tuple[RowAccuracy, ...] = ()
    differences: tuple[AccuracyDifference, ...] = ()


#: Reads a contest's report back; see `read_record`.
read_contest_report = partial(read_record, kind=ContestReport, what="a contest's report", schema=CONTEST_REPORT_SCHEMA)
