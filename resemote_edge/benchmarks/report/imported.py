"""import_report: a report that another program wrote, such as ``resemote bench`` on a board, checked before it is used.

The schema says what the fields are. What is checked here is what no schema says: that the figures belong together.
"""

from collections.abc import Iterator
from pathlib import Path

from resemote_edge.errors import InputError
from resemote_edge.measuring.latency import PERCENTILES, Latency
from resemote_edge.measuring.results import BenchReport, BenchRow, read_report
from resemote_edge.measuring.scenarios import SCENARIOS, Camera, Offline

__all__ = ["import_report"]

#: Largest difference of a throughput from the one that follows from the mean time, as a fraction.
_ROUNDING = 0.01

_CURE = "measure again, or export the report again, and copy it as a file; do not edit it"


def import_report(path: Path) -> BenchReport:
    """Read a report, and refuse figures that cannot have been measured.

    Args:
        path: File that ``resemote bench -o`` or ``resemote-edge bench -o`` wrote.

    Raises:
        InputError: It is not such a report, or a field contradicts another; the message names the file and the field.
    """
    report = read_report(path)
    if not report.rows:
        raise InputError(f"{path}: rows: there are none", hint="measure at least one row with 'resemote bench'")
    seen: dict[tuple[object, ...], int] = {}
    for number, row in enumerate(report.rows):
        for field, found in _contradictions(row):
            raise InputError(f"{path}: rows[{number}].{field}: {found}", hint=_CURE)
        same = (row.artifact, row.passport_sha256, row.runtime, row.scenario, row.batch, row.threads, row.streams,
                row.speed.device)  # fmt: skip
        if same in seen:
            raise InputError(f"{path}: rows[{number}]: measures the same as rows[{seen[same]}]", hint="remove one")
        seen[same] = number
    return report


def _contradictions(row: BenchRow) -> Iterator[tuple[str, str]]:
    """Fields of a row that contradict others, and what was found."""
    if row.scenario not in SCENARIOS:
        yield "scenario", f"{row.scenario!r} is not one of {', '.join(SCENARIOS)}"
    speed = row.speed
    latencies = {"model": speed.model, "crop_to_decision": speed.crop_to_decision}
    latencies |= {f"stages.{name}": latency for name, latency in speed.stages.items()}
    outcome = speed.outcome
    if outcome is not None and (tag := outcome.__struct_config__.tag) != row.scenario:
        yield "speed.outcome.type", f"{tag!r}, and the row's scenario is {row.scenario!r}"
    if isinstance(outcome, Camera):
        latencies["outcome.age"] = outcome.age
        if outcome.frames - outcome.dropped_frames != outcome.age.runs:
            decided = f"{outcome.frames} frames less {outcome.dropped_frames} dropped ones"
            yield "speed.outcome.age.runs", f"{outcome.age.runs}, and there were {decided}"
    if isinstance(outcome, Offline) and outcome.streams != row.streams:
        yield "speed.outcome.streams", f"{outcome.streams}, and the row's streams are {row.streams}"
    for name, latency in latencies.items():
        for field, found in _disorder(latency):
            yield f"speed.{name}.{field}", found
    if speed.model.mean_ms is not None:
        follows = row.batch / speed.model.mean_ms * 1e3
        if abs(speed.throughput_samples_per_s - follows) > _ROUNDING * follows:
            yield (
                "speed.throughput_samples_per_s",
                f"{speed.throughput_samples_per_s:.6g}, and {follows:.6g} follows from the batch and mean_ms",
            )


def _disorder(latency: Latency) -> Iterator[tuple[str, str]]:
    """Figures of a latency that are out of order, or outside of their interval."""
    before, least = "min_ms", latency.min_ms or 0.0
    for name, value in (
        *((f"{stem}_ms", latency.percentile_ms(stem)) for stem in PERCENTILES),
        ("max_ms", latency.max_ms),
    ):
        if value is None:
            continue
        if value < least:
            yield name, f"{value:g} ms lies below {before}, {least:g} ms"
        before, least = name, value
    if latency.mean_ms is not None and not (latency.min_ms or 0.0) <= latency.mean_ms <= (latency.max_ms or least):
        yield "mean_ms", f"{latency.mean_ms:g} ms does not lie between min_ms and max_ms"
    for stem, (low, high) in latency.interval_95_ms.items():
        if low > high:
            yield f"interval_95_ms.{stem}", f"begins at {low:g} ms and ends at {high:g} ms"
