"""Results of checking live comparisons whose answer is known: JSON and Markdown."""

import math
import statistics
from collections.abc import Sequence
from functools import partial
from typing import Literal

from resemote_edge.artifacts.record import Measured, Record, read_record
from resemote_edge.benchmarks.compare.text import interval_text
from resemote_edge.benchmarks.report.table import table_text
from resemote_edge.measuring.comparison.results import Quantity
from resemote_edge.measuring.statistics.verdict import Verdict

__all__ = [
    "LIMIT_SECONDS",
    "REQUIRED_SHARE",
    "ComparisonValidity",
    "Planted",
    "Trial",
    "comparison_validity_markdown",
    "comparison_validity_table",
    "count_verdicts",
    "passed",
    "read_comparison_validity",
]

COMPARISON_VALIDITY_SCHEMA = 1

#: Smallest share of the comparisons of either kind that must be right.
REQUIRED_SHARE = 0.95

#: Longest time that a comparison may take.
LIMIT_SECONDS = 120.0

#: Difference that was planted in B: none, or a slow-down.
Planted = Literal["nothing", "slow-down"]

_PLANTED: tuple[Planted, ...] = ("nothing", "slow-down")
_VERDICTS: tuple[Verdict, ...] = ("no difference shown", "slower", "faster")


class Trial(Record, frozen=True, kw_only=True):
    """One comparison whose outcome was known beforehand.

    Attributes:
        planted: Difference that was planted: ``nothing`` if B was A, or ``slow-down``.
        created_utc: Time of the comparison, ISO 8601.
        load_average_1m: Load before it.
        verdict: Verdict about B.
        ratio: Time of B over time of A.
        interval: Interval of the ratio.
        total_seconds: Time it took, opening included.
    """

    planted: Planted
    created_utc: str
    load_average_1m: float
    verdict: Verdict
    ratio: float
    interval: tuple[float, float]
    total_seconds: float

    @property
    def right(self) -> bool:
        """Whether the verdict is the expected one."""
        return self.verdict == ("no difference shown" if self.planted == "nothing" else "slower")


class ComparisonValidity(Measured, frozen=True, kw_only=True, tag_field="kind", tag="comparison-validity"):
    """How often a live comparison was right.

    Attributes:
        artifact: Name of both sides.
        passport_sha256: Hash of its passport.
        runtime: Name and version of both sides' runtime.
        device: Device of both sides.
        threads: Number of CPU threads.
        cores: Cores the processes were pinned to.
        batch: Faces per call.
        quantity: Time that was compared.
        slowed_by: Factor that B was slowed by in comparisons with a slow-down.
        margin: Smallest difference that counts, as a fraction.
        restarts: Restarts of each comparison.
        measuring_seconds: Time asked for, for each comparison.
        default_settings: Whether margin, restarts and seconds are those of `bench compare --live`.
        verdicts: Number of times each verdict was given, by what was planted.
        passed: Whether enough of both kinds were right, and none took too long.
        trials: Trials in the order of their numbers, both kinds in turn.
    """

    schema: int = COMPARISON_VALIDITY_SCHEMA
    artifact: str
    passport_sha256: str
    runtime: str
    device: str
    threads: int
    cores: tuple[int, ...]
    batch: int
    quantity: Quantity
    slowed_by: float
    margin: float
    restarts: int
    measuring_seconds: float
    default_settings: bool
    verdicts: dict[Planted, dict[Verdict, int]]
    passed: bool
    trials: tuple[Trial, ...]


def count_verdicts(trials: Sequence[Trial]) -> dict[Planted, dict[Verdict, int]]:
    """Count how often each verdict was given, by what was planted."""
    return {
        planted: {
            verdict: sum(trial.planted == planted and trial.verdict == verdict for trial in trials)
            for verdict in _VERDICTS
        }
        for planted in _PLANTED
    }


def passed(trials: Sequence[Trial]) -> bool:
    """Whether enough trials of both kinds were right, and none took `LIMIT_SECONDS` or more."""
    for planted in _PLANTED:
        mine = [trial for trial in trials if trial.planted == planted]
        if sum(trial.right for trial in mine) < math.ceil(REQUIRED_SHARE * len(mine)):
            return False
    return all(trial.total_seconds < LIMIT_SECONDS for trial in trials)


#: Reads a summary of comparisons back; see `read_record`.
read_comparison_validity = partial(
    read_record, kind=ComparisonValidity, what="a summary of comparisons", schema=COMPARISON_VALIDITY_SCHEMA
)


def comparison_validity_table(summary: ComparisonValidity) -> str:
    """Write a line on how it was measured, and a row for each kind."""
    cpu, day = summary.environment["cpu_model"], summary.created_utc[:10]
    settings = "the defaults" if summary.default_settings else "not the defaults"
    measured = (
        f"Measured {day} on {cpu}: {summary.artifact} in {summary.runtime}, {summary.quantity}, batch {summary.batch}, "
        f"{summary.threads} threads; {summary.restarts} restarts, {summary.measuring_seconds:g} s, margin "
        f"{summary.margin * 100:g} % ({settings})."
    )
    headers = [
        "planted",
        "comparisons",
        "right",
        *_VERDICTS,
        "median ratio",
        "smallest",
        "largest",
        "median s",
        "most s",
    ]
    rows = [_cells(summary, planted) for planted in _PLANTED]
    return f"{measured}\n\n{table_text(headers, rows)}"


def _cells(summary: ComparisonValidity, planted: Planted) -> list[str]:
    mine = [trial for trial in summary.trials if trial.planted == planted]
    ratios, seconds = [trial.ratio for trial in mine], [trial.total_seconds for trial in mine]
    return [
        planted if planted == "nothing" else f"{planted} of {(summary.slowed_by - 1.0) * 100:.3g} %",
        str(len(mine)),
        str(sum(trial.right for trial in mine)),
        *(str(summary.verdicts[planted][verdict]) for verdict in _VERDICTS),
        f"{statistics.median(ratios):.3f}",
        f"{min(ratios):.3f}",
        f"{max(ratios):.3f}",
        f"{statistics.median(seconds):.0f}",
        f"{max(seconds):.0f}",
    ]


def comparison_validity_markdown(summary: ComparisonValidity) -> str:
    """Write the whole summary."""
    needed = f"At least {REQUIRED_SHARE * 100:g} % of each kind right, and every comparison below {LIMIT_SECONDS:g} s"
    rows = [
        [
            trial.planted,
            trial.created_utc,
            f"{trial.load_average_1m:.2f}",
            f"{trial.ratio:.3f}",
            interval_text(trial.interval),
            trial.verdict,
            "yes" if trial.right else "**no**",
            f"{trial.total_seconds:.0f}",
        ]
        for trial in summary.trials
    ]
    headers = ["planted", "measured", "load before", "ratio", "interval", "verdict", "right", "s"]
    return "\n".join(
        [
            "# Comparisons whose outcome was known",
            "",
            f"{needed}: **{'yes' if summary.passed else 'no'}**",
            "",
            comparison_validity_table(summary),
            table_text(headers, rows),
        ]
    )
