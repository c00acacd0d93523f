"""Devices: a list of machines in TOML, and a table of what was measured on each, if anything."""

from collections.abc import Callable
from pathlib import Path

import msgspec

from resemote_edge.artifacts.record import Strict
from resemote_edge.benchmarks.report.columns import COLUMNS, ENERGY_COLUMNS, NOT_MEASURED
from resemote_edge.benchmarks.report.table import table_text
from resemote_edge.errors import InputError
from resemote_edge.measuring.results import BenchRow, read_report

__all__ = ["Device", "device_table", "read_devices"]

#: Columns of a device's line, filled from its fastest row.
_COLUMNS: dict[str, Callable[[BenchRow], str]] = {
    name: column
    for name, column in {**COLUMNS, **ENERGY_COLUMNS}.items()
    if name in ("artifact", "runtime", "threads", "p50 ms", "p99 ms", "samples/s", "J per inference", "accuracy")
}


class Device(Strict, frozen=True, kw_only=True):
    """A machine.

    Attributes:
        name: Name for people.
        report: Report of `bench` or `bench suite` on it, relative to the list; None if nothing was measured.
    """

    name: str
    report: str | None = None


class _Devices(Strict, frozen=True):
    device: list[Device]


def read_devices(path: Path) -> list[Device]:
    """Read the list.

    Raises:
        InputError: There is no such file, or it is not a list of devices.
    """
    try:
        return msgspec.toml.decode(path.read_bytes(), type=_Devices).device
    except (OSError, msgspec.DecodeError) as error:
        raise InputError(f"{path}: not a list of devices: {error}") from None


def device_table(path: Path) -> str:
    """Make a line per device: its row with the lowest p50 in the scenario single-stream, batch 1.

    Args:
        path: Path of the list.

    Raises:
        InputError: The list or a report cannot be read, or a report has no such row.
    """
    headers = ["device", *_COLUMNS]
    lines = [_line(device, path.parent) for device in read_devices(path)]
    return table_text(headers, lines, words=headers[:3])


def _line(device: Device, folder: Path) -> list[str]:
    if device.report is None:
        return [device.name, *[NOT_MEASURED] * len(_COLUMNS)]
    rows = [
        row for row in read_report(folder / device.report).rows if row.scenario == "single-stream" and row.batch == 1
    ]
    if not rows:
        raise InputError(f"{folder / device.report}: no row of scenario single-stream at batch 1", hint="measure one")
    fastest = min(rows, key=lambda row: row.speed.model.p50_ms)
    return [device.name, *(column(fastest) for column in _COLUMNS.values())]
