"""Evidence: the latency that a row is judged by, and its samples where they were kept."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resemote_edge.errors import InputError
from resemote_edge.measuring.latency import Latency
from resemote_edge.measuring.results import BenchReport, BenchRow
from resemote_edge.measuring.samples import kept_samples
from resemote_edge.measuring.scenarios import Camera, MultiStream

__all__ = ["Evidence", "gather", "measured_what"]


@dataclass(frozen=True)
class Evidence:
    """A row, and data about it beyond its figures.

    Attributes:
        row: Row of the report.
        latency: Age of decisions where frames arrive by themselves; elsewhere, the time of one call of the session.
        nanoseconds: Samples of the latency, int64 (runs,); None if they were not kept.
        frames: Numbers of the frames decided, int64 (decided,); None if there are none.
    """

    row: BenchRow
    latency: Latency
    nanoseconds: NDArray[np.int64] | None = field(default=None, repr=False)
    frames: NDArray[np.int64] | None = field(default=None, repr=False)


def measured_what(rows: Sequence[BenchRow]) -> str:
    """Describe in words the latency of these rows of one scenario."""
    if any(isinstance(row.speed.outcome, Camera | MultiStream) for row in rows):
        return "age of a decision, from its frame's arrival"
    return "one call of the session"


def gather(report: BenchReport, folder: Path | None) -> list[Evidence]:
    """Collect every row with its samples.

    Args:
        report: Report whose rows are collected.
        folder: Folder that the report lies in; None if there is none, and so no samples.

    Raises:
        InputError: Samples are not those of the report.
    """
    return [_evidence(row, folder) for row in report.rows]


def _evidence(row: BenchRow, folder: Path | None) -> Evidence:
    outcome, latency, name = row.speed.outcome, row.speed.model, "model_ns"
    if isinstance(outcome, Camera | MultiStream):
        latency, name = outcome.age, "age_ns"
    if folder is None or row.samples is None:
        return Evidence(row, latency)
    samples = kept_samples(folder, row.samples, row.speed.samples_sha256)
    if samples is None:
        return Evidence(row, latency)
    return Evidence(row, latency, _series(samples, name, row.samples), samples.get("frame"))


def _series(samples: dict[str, NDArray[Any]], name: str, file: str) -> NDArray[np.int64]:
    found = samples.get(name)
    if found is None or found.ndim != 1 or not found.size:
        raise InputError(f"{file}: no samples {name} in it", hint="delete the file, and the page is made without it")
    return found
