"""Results of a comparison of two reports, as they are written as JSON."""

from typing import Literal

from resemote_edge.artifacts.record import Record
from resemote_edge.measuring.statistics.verdict import Verdict
from resemote_edge.runtimes.session import PrecisionHint

__all__ = ["AccuracyChange", "Difference", "Pair", "Percentile", "Quantity", "ReportComparison", "TimeRatio"]

COMPARISON_SCHEMA = 1

#: Times of a row that are compared.
Quantity = Literal["model", "crop to decision"]

#: Stems of the percentiles, as in `resemote_edge.measuring.latency.PERCENTILES`.
Percentile = Literal["p50", "p99"]


class Difference(Record, frozen=True, kw_only=True):
    """A fact that differs between the reports.

    Attributes:
        what: Name of the fact, for people.
        a: Value in A.
        b: Value in B.
    """

    what: str
    a: str
    b: str

    def __str__(self) -> str:
        return f"{self.what}: {self.a} in A, {self.b} in B"


class TimeRatio(Record, frozen=True, kw_only=True):
    """One percentile of one time of two rows.

    Attributes:
        quantity: Time that is compared.
        percentile: Percentile that is compared.
        a_ms: Value in A.
        b_ms: Value in B.
        ratio: Ratio of B over A: above 1, B takes longer.
        interval_95: Interval of the ratio for these two processes; variation from process to process is not included.
        method: How the interval was computed: ``samples``, by a bootstrap over blocks of each side's samples, or
            ``intervals``, from the intervals in the reports.
        verdict: Verdict about B.
        counting_difference_ruled_out: Whether the whole interval lies within the margin.
    """

    quantity: Quantity
    percentile: Percentile
    a_ms: float
    b_ms: float
    ratio: float
    interval_95: tuple[float, float]
    method: Literal["samples", "intervals"]
    verdict: Verdict
    counting_difference_ruled_out: bool


class AccuracyChange(Record, frozen=True, kw_only=True):
    """Two accuracies on the same images; reports do not say which images were right.

    Attributes:
        dataset: Name of the dataset and split.
        a_accuracy: Fraction right in A, in [0, 1].
        b_accuracy: Fraction right in B, in [0, 1].
        difference_points: B minus A, in percentage points.
        interval_95_points: Newcombe's score interval, which assumes different images and is therefore several times
            wider than a paired one.
    """

    dataset: str
    a_accuracy: float
    b_accuracy: float
    difference_points: float
    interval_95_points: tuple[float, float]


class Pair(Record, frozen=True, kw_only=True):
    """Two rows that were compared.

    Attributes:
        a_artifact: Name of the artifact in A.
        b_artifact: Name of the artifact in B.
        runtime: Runtime of both rows; the next five hold for both as well.
        scenario: Name of the scenario.
        batch: Crops per call, or faces per frame.
        threads: Number of CPU threads.
        streams: Number of sessions side by side.
        precision_hint: Precision hint that sessions were opened with.
        verdict: Verdict about B, by p50: ``slower`` if any time is slower; otherwise ``faster`` if any is faster.
        times: Times that were compared.
        left_out: Times that could not be compared, and why.
        a_model_size_bytes: Size of the files the runtime reads in A.
        b_model_size_bytes: Size of the files the runtime reads in B.
        a_peak_memory_bytes: High-water mark of the process in A; a single figure, without an interval.
        b_peak_memory_bytes: High-water mark of the process in B; likewise.
        accuracy: Change of accuracy; None if one of the rows has none.
        notes: Caveats about these rows.
    """

    a_artifact: str
    b_artifact: str
    runtime: str
    scenario: str
    batch: int
    threads: int
    streams: int
    precision_hint: PrecisionHint | None
    verdict: Verdict
    times: tuple[TimeRatio, ...]
    left_out: dict[str, str]
    a_model_size_bytes: int
    b_model_size_bytes: int
    a_peak_memory_bytes: int
    b_peak_memory_bytes: int
    accuracy: AccuracyChange | None = None
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        artifact = self.b_artifact if self.a_artifact == self.b_artifact else f"{self.a_artifact} → {self.b_artifact}"
        parts = [artifact, self.runtime, self.scenario, f"batch {self.batch}", f"{self.threads} threads"]
        parts += [f"{self.streams} streams"] if self.streams > 1 else []
        return " · ".join([*parts, *([f"{self.precision_hint} hint"] if self.precision_hint else [])])


class ReportComparison(Record, frozen=True, kw_only=True, tag_field="kind", tag="report-comparison"):
    """Report B, compared with report A.

    Attributes:
        schema: Schema of the record, `COMPARISON_SCHEMA`.
        a: Name of file A, as it was given.
        b: Name of file B, as it was given.
        margin: Smallest difference that counts, as a fraction.
        forced: Differences that would have blocked the comparison without ``--force``.
        software: Differences that block nothing, most of them in the software, which is what people compare.
        pairs: Rows that both reports have.
        only_in_a: Rows of A without a counterpart, in words.
        only_in_b: Rows of B without a counterpart, in words.
    """

    schema: int = COMPARISON_SCHEMA
    a: str
    b: str
    margin: float
    forced: tuple[Difference, ...]
    software: tuple[Difference, ...]
    pairs: tuple[Pair, ...]
    only_in_a: tuple[str, ...] = ()
    only_in_b: tuple[str, ...] = ()

    @property
    def slower(self) -> bool:
        """Whether B is slower in any row."""
        return any(pair.verdict == "slower" for pair in self.pairs)
