"""Results of a live comparison, as they are written as JSON."""

from functools import partial
from typing import Literal

from resemote_edge.artifacts.record import Measured, Record, read_record
from resemote_edge.machine.environment import check_environment
from resemote_edge.measuring.comparison.results import Quantity
from resemote_edge.measuring.statistics.verdict import Verdict
from resemote_edge.runtimes.session import PrecisionHint

__all__ = ["LiveComparison", "Restart", "Side", "read_live_comparison"]

LIVE_SCHEMA = 1


class Side(Record, frozen=True, kw_only=True):
    """One of the two sides.

    Attributes:
        artifact: Name of the artifact.
        passport_sha256: Hash of its passport, and so of every file.
        precision: Precision of the artifact.
        precision_hint: Precision hint that the sessions were opened with.
        runtime: Name and version of the runtime.
        device: Device that the sessions ran on.
        file_sha256: Hash of the file that ran.
        model_size_bytes: Size of the files the runtime reads.
        slowed_by: Factor by which every inference was made to take longer; 1 for no delay.
        runs: Number of timed calls, over all restarts.
        latency_p50_ms: Median over all calls; nothing is clipped.
        latency_p90_ms: 90th percentile over all calls; None if there are too few calls.
        latency_p99_ms: 99th percentile over all calls; None if there are too few calls.
    """

    artifact: str
    passport_sha256: str
    precision: str
    precision_hint: PrecisionHint | None
    runtime: str
    device: str
    file_sha256: str
    model_size_bytes: int
    slowed_by: float = 1.0
    runs: int
    latency_p50_ms: float
    latency_p90_ms: float | None
    latency_p99_ms: float | None


class Restart(Record, frozen=True, kw_only=True):
    """One pair of fresh processes.

    Attributes:
        opened_first: Side whose process was opened first, chosen at random.
        rounds: Number of rounds, in each of which both took a turn, in random order.
        runs_per_turn: Number of timed calls of a turn.
        a_latency_p50_ms: Median of A in this restart.
        b_latency_p50_ms: Median of B in this restart.
        ratio: Ratio of B over A, median over the rounds.
    """

    opened_first: Literal["A", "B"]
    rounds: int
    runs_per_turn: int
    a_latency_p50_ms: float
    b_latency_p50_ms: float
    ratio: float


class LiveComparison(Measured, frozen=True, kw_only=True, tag_field="kind", tag="live-comparison"):
    """Result of comparing B with A, which took turns on one machine.

    Attributes:
        inputs: Inputs that were fed.
        quantity: Time that was compared.
        batch: Faces per call.
        threads: Number of CPU threads.
        cores: Cores the processes were pinned to.
        a: First side.
        b: Second side.
        margin: Smallest difference that counts, as a fraction.
        ratio: Time of B over time of A, median over the restarts: above 1, B takes longer.
        interval: Confidence interval of the ratio.
        coverage: Probability that such an interval contains the median of all restarts there could be, at least 0.95.
        verdict: Verdict about B.
        counting_difference_ruled_out: Whether the whole interval lies within the margin.
        restarts: Restarts in order.
        measuring_seconds: Time asked for.
        total_seconds: Time that everything took, opening included.
    """

    schema: int = LIVE_SCHEMA
    inputs: str
    quantity: Quantity
    batch: int
    threads: int
    cores: tuple[int, ...]
    a: Side
    b: Side
    margin: float
    ratio: float
    interval: tuple[float, float]
    coverage: float
    verdict: Verdict
    counting_difference_ruled_out: bool
    restarts: tuple[Restart, ...]
    measuring_seconds: float
    total_seconds: float

    def __post_init__(self) -> None:
        """Refuse an environment whose facts are of other types."""
        check_environment(self.environment)

    @property
    def slower(self) -> bool:
        """Whether B is slower."""
        return self.verdict == "slower"


#: Reads a live comparison back; see `read_record`.
read_live_comparison = partial(read_record, kind=LiveComparison, what="a live comparison", schema=LIVE_SCHEMA)
