"""Results of a live comparison: what is written as JSON."""

from pathlib import Path
from typing import Any, Literal

from resemote_edge.artifacts.record import Record, read_record
from resemote_edge.measuring.comparison.results import Quantity
from resemote_edge.measuring.statistics.verdict import Verdict
from resemote_edge.runtimes.session import PrecisionHint

__all__ = ["LiveComparison", "Restart", "Side", "read_live_comparison"]

LIVE_SCHEMA = 1


class Side(Record, frozen=True, kw_only=True):
    """One of the two.

    Attributes:
        artifact: Name.
        passport_sha256: Of its passport, and so of every file.
        precision: Its precision.
        precision_hint: That the sessions were opened with.
        runtime: Name and version.
        device: That the sessions ran on.
        file_sha256: Of the file that ran.
        model_size_bytes: Files the runtime reads.
        slowed_by: Every inference was made to take this many times as long; 1 for no delay.
        runs: Timed calls, over all restarts.
        latency_p50_ms: Over all of them; nothing is clipped.
        latency_p90_ms: The same; None where there are too few calls, as the next.
        latency_p99_ms: The same.
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
        opened_first: Whose process was opened first, drawn.
        rounds: In which both took a turn, in an order drawn for each.
        runs_per_turn: Timed calls of a turn.
        a_latency_p50_ms: Of A in this restart.
        b_latency_p50_ms: Of B.
        ratio: B over A, median over the rounds.
    """

    opened_first: Literal["A", "B"]
    rounds: int
    runs_per_turn: int
    a_latency_p50_ms: float
    b_latency_p50_ms: float
    ratio: float


class LiveComparison(Record, frozen=True, kw_only=True, tag_field="kind", tag="live-comparison"):
    """B, compared with A, in turn on one machine.

    Attributes:
        schema: `LIVE_SCHEMA`.
        created_utc: ISO 8601.
        environment: From `capture_environment`.
        inputs: What was fed.
        quantity: What was timed.
        batch: Faces per call.
        threads: CPU threads.
        cores: The processes were pinned to.
        a: One.
        b: The other.
        margin: Smallest difference that counts, as a fraction.
        ratio: Time of B over time of A, median over the restarts: above 1, B takes longer.
        interval: Of the ratio.
        coverage: How often such an interval holds the ratio that more restarts would come to; at least 0.95.
        verdict: About B.
        counting_difference_ruled_out: Whether the interval leaves no room for a difference of the margin.
        restarts: In order.
        measuring_seconds: Asked for.
        total_seconds: Everything took, opening included.
    """

    schema: int = LIVE_SCHEMA
    created_utc: str
    environment: dict[str, Any]
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

    @property
    def slower(self) -> bool:
        """Whether B is slower."""
        return self.verdict == "slower"


def read_live_comparison(path: Path) -> LiveComparison:
    """Read a comparison back.

    Raises:
        InputError: No such file, or not a live comparison of this schema.
    """
    return read_record(path, LiveComparison, what="a live comparison", schema=LIVE_SCHEMA)
