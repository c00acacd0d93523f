"""Columns of benchmark tables: the header of each, and the function that writes its cells."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import median
from typing import Any, TypeVar

from resemote_edge.benchmarks.report.table import table_text
from resemote_edge.evaluation.paired import PairedComparison
from resemote_edge.machine.energy import Energy
from resemote_edge.measuring.latency import Latency
from resemote_edge.measuring.results import BenchRow, Validity
from resemote_edge.measuring.scenarios import Camera, MultiStream, Offline, Outcome, Sustained

__all__ = [
    "ACCURACY_COLUMNS",
    "COLUMNS",
    "ENERGY_COLUMNS",
    "NOT_MEASURED",
    "OUTCOME_COLUMNS",
    "TEXT_COLUMNS",
    "TOO_FEW",
    "VALIDITY_COLUMNS",
    "common_beginning",
    "markdown",
    "percentile_text",
]

NOT_MEASURED = "not measured"

#: Text in place of a percentile: see `resemote_edge.measuring.latency.runs_needed`.
TOO_FEW = "too few samples"

Column = Callable[[BenchRow], str]


def percentile_text(latency: Latency, name: str) -> str:
    """Write a percentile in ms, or why there is none."""
    value = latency.percentile_ms(name)
    return TOO_FEW if value is None else f"{value:.2f}"


def _accuracy(row: BenchRow) -> str:
    return NOT_MEASURED if row.accuracy is None else f"{row.accuracy.accuracy * 100:.2f} %"


def _precision(row: BenchRow) -> str:
    return row.precision if row.precision_hint is None else f"{row.precision}, {row.precision_hint} hint"


def _model(name: str) -> Column:
    return lambda row: percentile_text(row.speed.model, name)


#: Header and cell of every column of the main table.
COLUMNS: dict[str, Column] = {
    "artifact": lambda row: row.artifact,
    "runtime": lambda row: row.runtime,
    "device": lambda row: row.speed.device,
    "precision": _precision,
    "scenario": lambda row: row.scenario if not row.slow_to_ms else f"{row.scenario}, slowed to {row.slow_to_ms:g} ms",
    "threads": lambda row: str(row.threads),
    "batch": lambda row: str(row.batch),
    "p50 ms": _model("p50"),
    "p90 ms": _model("p90"),
    "p99 ms": _model("p99"),
    "p99.9 ms": _model("p99_9"),
    "samples/s": lambda row: f"{row.speed.throughput_samples_per_s:.0f}",
    "crop to decision p50 ms": lambda row: percentile_text(row.speed.crop_to_decision, "p50"),
    "load ms": lambda row: f"{row.speed.load_time_ms:.0f}",
    "peak MiB": lambda row: f"{row.speed.peak_memory_bytes / 2**20:.0f}",
    "model MB": lambda row: f"{row.model_size_bytes / 1e6:.1f}",
    "accuracy": _accuracy,
}


def _change(cell: Callable[[PairedComparison], str]) -> Column:
    """Make a cell about changes from the reference, empty for the reference itself."""

    def write(row: BenchRow) -> str:
        if row.accuracy is None or row.accuracy.paired is None:
            return NOT_MEASURED
        return cell(row.accuracy.paired)

    return write


#: Header and cell of every column of the table of accuracies.
ACCURACY_COLUMNS: dict[str, Column] = {
    "artifact": COLUMNS["artifact"],
    "runtime": COLUMNS["runtime"],
    "model MB": COLUMNS["model MB"],
    "accuracy": _accuracy,
    "drop, points (95 %)": _change(
        lambda change: "{:.2f} ({:.2f} to {:.2f})".format(change.drop_points, *change.drop_interval_95)
    ),
    "flips": _change(lambda change: f"{change.flip_rate * 100:.2f} %"),
    "calibration error": _change(lambda change: f"{change.ece:.3f}"),
}

_WHO: dict[str, Column] = {name: COLUMNS[name] for name in ("artifact", "runtime", "precision", "threads", "batch")}


def _says(kind: type[Any], cell: Callable[[Any], str]) -> Column:
    """Make a cell about the outcome of one scenario."""

    def write(row: BenchRow) -> str:
        outcome: Outcome | None = row.speed.outcome
        return cell(outcome) if isinstance(outcome, kind) else NOT_MEASURED

    return write


#: Columns of the results that a scenario has beyond latency, by scenario.
OUTCOME_COLUMNS: dict[str, dict[str, Column]] = {
    "multi-stream": {
        **_WHO,
        "frames/s": _says(MultiStream, lambda found: f"{found.fps:g}"),
        "deadline ms": _says(MultiStream, lambda found: f"{found.deadline_ms:.1f}"),
        "late": _says(MultiStream, lambda found: f"{found.late_share * 100:.1f} %"),
        "age p50 ms": _says(MultiStream, lambda found: percentile_text(found.age, "p50")),
        "age p99 ms": _says(MultiStream, lambda found: percentile_text(found.age, "p99")),
    },
    "offline": {
        **_WHO,
        "streams": _says(Offline, lambda found: str(found.streams)),
        "decisions/s": _says(Offline, lambda found: f"{found.decisions_per_s:.0f}"),
        "model alone, samples/s": _says(Offline, lambda found: f"{found.model_samples_per_s:.0f}"),
    },
    "camera": {
        **_WHO,
        "frames/s": _says(Camera, lambda found: f"{found.fps:g}"),
        "dropped": _says(Camera, lambda found: f"{found.dropped_share * 100:.1f} %"),
        "age p50 ms": _says(Camera, lambda found: percentile_text(found.age, "p50")),
        "age p99 ms": _says(Camera, lambda found: percentile_text(found.age, "p99")),
        "growth of age ms": _says(Camera, lambda found: f"{found.age_growth_ms:.1f}"),
    },
    "sustained": {
        **_WHO,
        "seconds": _says(Sustained, lambda found: f"{found.seconds:.0f}"),
        "decisions/s": _says(Sustained, lambda found: f"{found.decisions_per_s:.0f}"),
        "last quarter over first": _says(Sustained, lambda found: f"{found.slowdown:.3f}"),
        "memory growth MiB": _says(Sustained, lambda found: f"{found.memory_growth_bytes / 2**20:.1f}"),
    },
}


def _energy(cell: Callable[[Energy], float | None], digits: int) -> Column:
    """Make a cell about energy."""

    def write(row: BenchRow) -> str:
        found = cell(row.speed.energy) if isinstance(row.speed.energy, Energy) else None
        return NOT_MEASURED if found is None else f"{found:.{digits}g}"

    return write


#: Header and cell of every column about energy.
ENERGY_COLUMNS: dict[str, Column] = {
    "artifact": COLUMNS["artifact"],
    "runtime": COLUMNS["runtime"],
    "scenario": COLUMNS["scenario"],
    "batch": COLUMNS["batch"],
    "J per inference": _energy(lambda found: found.joules_per_inference, 3),
    "J with idle": _energy(lambda found: found.joules_per_inference_with_idle, 3),
    "W": _energy(lambda found: found.watts, 3),
    "idle W": _energy(lambda found: found.idle_watts, 3),
    "sensor": lambda row: row.speed.energy.sensor if isinstance(row.speed.energy, Energy) else NOT_MEASURED,
}

#: Header and cell of every column about our timer.
VALIDITY_COLUMNS: dict[str, Callable[[Validity], str]] = {
    "artifact": lambda found: found.artifact,
    "runtime": lambda found: f"{found.runtime} {found.runtime_version}",
    "timer": lambda found: found.timer,
    "threads": lambda found: str(found.threads),
    "batch": lambda found: str(found.batch),
    "ours p50 ms": lambda found: f"{median(found.ours_p50_ms):.2f}",
    "theirs p50 ms": lambda found: f"{median(found.theirs_p50_ms):.2f}",
    "ours over theirs (smallest to largest of a round)": lambda found: "{:.3f} ({:.3f} to {:.3f})".format(
        found.ratio, *found.ratio_range
    ),
    "the same of means": lambda found: f"{found.mean_ratio:.3f}",
    "rounds": lambda found: str(len(found.ours_p50_ms)),
    "within 5 %": lambda found: "yes" if found.within_5_percent else "no",
}

#: Columns that hold words.
TEXT_COLUMNS = {"artifact", "runtime", "device", "precision", "scenario", "sensor", "timer"}

_Shown = TypeVar("_Shown")


def markdown(columns: Mapping[str, Callable[[_Shown], str]], rows_shown: Iterable[_Shown]) -> str:
    """A table in Markdown."""
    rows = [[cell(row) for cell in columns.values()] for row in rows_shown]
    return table_text(list(columns), rows, words=TEXT_COLUMNS)


def common_beginning(names: Sequence[str]) -> str:
    """Common beginning of all names, up to and including a hyphen; empty if there is only one name."""
    if len(set(names)) < 2:
        return ""
    common = os.path.commonprefix(list(names))  # noqa: RUF071 - names, not paths
    return common[: common.rfind("-") + 1]
