"""Energy: what a report says of it, and why where it says nothing."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgspec

from resemote_edge.benchmarks.columns import NOT_MEASURED
from resemote_edge.benchmarks.results import BenchRow

__all__ = ["NO_SENSOR", "EnergyFigures", "energy_column", "energy_reasons", "has_energy"]

#: Why there is none in reports from before energy was measured.
NO_SENSOR = "no sensor was read"


@dataclass(frozen=True)
class EnergyFigures:
    """Of one row.

    Attributes:
        joules_per_inference: Of one crop or call, as the report has it; None where it was not measured.
        watts: Mean power while it ran; None where it was not measured.
        reason: Why not; None where it was.
    """

    joules_per_inference: float | None
    watts: float | None
    reason: str | None

    @classmethod
    def of(cls, row: BenchRow) -> "EnergyFigures":
        """Read a row; ``speed.energy`` is not in every report."""
        energy: Any = getattr(row.speed, "energy", None)
        plain: dict[str, Any] = {} if energy is None else msgspec.to_builtins(energy)
        joules, watts = plain.get("joules_per_inference"), plain.get("watts")
        if joules is None and watts is None:
            return cls(None, None, str(plain.get("reason") or NO_SENSOR))
        return cls(joules, watts, None)


def has_energy(rows: Iterable[BenchRow]) -> bool:
    """Whether any row has a figure."""
    return any(EnergyFigures.of(row).reason is None for row in rows)


def energy_reasons(rows: Iterable[BenchRow]) -> list[str]:
    """Why rows have none, each reason once."""
    reasons = (EnergyFigures.of(row).reason for row in rows)
    return list(dict.fromkeys(reason for reason in reasons if reason is not None))


def energy_column(name: str, digits: int) -> Any:
    """A column of a table: ``joules_per_inference`` or ``watts``."""

    def write(row: BenchRow) -> str:
        found = EnergyFigures.of(row)
        value = getattr(found, name)
        return f"{NOT_MEASURED}: {found.reason}" if value is None else f"{value:.{digits}g}"

    return write
