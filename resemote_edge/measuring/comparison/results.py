"""Results of a comparison of two reports: what is written as JSON."""

from typing import Literal

from resemote_edge.artifacts.record import Record
from resemote_edge.measuring.statistics.verdict import Verdict
from resemote_edge.runtimes.session import PrecisionHint

__all__ = ["AccuracyChange", "Difference", "Pair", "Percentile", "Quantity", "ReportComparison", "TimeRatio"]

COMPARISON_SCHEMA = 1

#: Times of a row that are compared.
Quantity = Literal["model", "crop to decision"]

#: Stems in `resemote_edge.measuring.latency.PERCENTILES`.
Percentile = Literal["p50", "p99"]


class Difference(Record, frozen=True, kw_only=True):
    """Something that is not the same in both reports.

    Attributes:
        what: Its name, for people.
        a: How it is in A.
        b: How it is in B.
    """

    what: str
    a: str
    b: str

    def __str__(self) -> str:
        return f"{self.what}: {self.a} in A, {self.b} in B"


class TimeRatio(Record, frozen=True, kw_only=True):
    """One percentile of one time of two rows.

    Attributes:
        quantity: Which time.
        percentile: Which percentile.
        a_ms: In A.
        b_ms: In B.
        ratio: B over A: above 1, B takes longer.
        interval_95: Of the ratio, for these two processes; how one process differs from the next is not in it.
        method: ``samples``: a bootstrap over blocks of the samples of each. ``intervals``: recovered from the
            intervals in the reports.
        verdict: About B.
        counting_difference_ruled_out: Whether the interval leaves no room for a difference of the margin.
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
    """Two accuracies on the same images, which a report does not hold one by one.

    Attributes:
        dataset: Name and split.
        a_accuracy: Fraction right, in [0, 1].
        b_accuracy: The same in B.
        difference_points: B less A, in percentage points.
        interval_95_points: As if the images were not the same (Newcombe's score interval), and so several times wider
            than a paired one.
    """

    dataset: str
    a_accuracy: float
    b_accuracy: float
    difference_points: float
    interval_95_points: tuple[float, float]


class Pair(Record, frozen=True, kw_only=True):
    """Two rows that were compared.

    Attributes:
        a_artifact: Name in A.
        b_artifact: Name in B.
        runtime: Of both; so the next five.
        scenario: Name.
        batch: Crops per call, or faces per frame.
        threads: CPU threads.
        streams: Sessions side by side.
        precision_hint: That sessions were opened with.
        verdict: About B, by p50: ``slower`` where one of the times is, ``faster`` where one is and none is slower.
        times: Compared.
        left_out: Times that could not be compared, and why.
        a_model_size_bytes: Files the runtime reads.
        b_model_size_bytes: The same of B.
        a_peak_memory_bytes: High-water mark of the process; a single figure, without an interval.
        b_peak_memory_bytes: The same of B.
        accuracy: None where one of the rows has none.
        notes: What a reader should know about these rows.
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
        schema: `COMPARISON_SCHEMA`.
        a: File, as it was named.
        b: The other.
        margin: Smallest difference that counts, as a fraction.
        forced: Differences for which the comparison would have been refused.
        software: Differences that are allowed, most of them of software, since they are what may be compared.
        pairs: Rows that both reports have.
        only_in_a: Rows without a counterpart, in words.
        only_in_b: The same of B.
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
        """Whether B is slower somewhere."""
        return any(pair.verdict == "slower" for pair in self.pairs)
