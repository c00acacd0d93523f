"""Cells: the tables of the page, and the value that each cell is sorted by."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from resemote_edge.benchmarks.report.columns import (
    COLUMNS,
    NOT_MEASURED,
    TEXT_COLUMNS,
    TOO_FEW,
    VALIDITY_COLUMNS,
    Column,
)
from resemote_edge.benchmarks.report.html.series import Look, SeriesIndex
from resemote_edge.measuring.results import BenchReport, BenchRow, Unmeasured, Validity

__all__ = ["Cell", "Header", "Table", "TableRow", "make_table", "row_columns", "unmeasured_table", "validity_table"]

_LEADING_NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?(?:e-?\d+)?")


@dataclass(frozen=True)
class Header:
    """Header of a column.

    Attributes:
        text: Name of the column, with its unit.
        words: Whether the column holds words, which are aligned left.
    """

    text: str
    words: bool


@dataclass(frozen=True)
class Cell:
    """Text of a cell, and the value it is sorted by.

    Attributes:
        text: Text as shown.
        sort: Number to sort by; None if the text itself is sorted by.
        missing: Whether there is no figure; such cells come last in either direction of sorting.
        more: Text shown when the pointer rests on it.
    """

    text: str
    sort: float | None = None
    missing: bool = False
    more: str = ""


@dataclass(frozen=True)
class TableRow:
    """Cells of a row, and the look of their series."""

    cells: tuple[Cell, ...]
    look: Look | None


@dataclass(frozen=True)
class Table:
    """Headers and rows; the first column names a row."""

    headers: tuple[Header, ...]
    rows: tuple[TableRow, ...]


def make_table(columns: Mapping[str, Column], rows: Iterable[BenchRow], series: SeriesIndex) -> Table:
    """Make a table of rows."""
    headers = tuple(Header(name, name in TEXT_COLUMNS) for name in columns)
    made = [
        TableRow(
            tuple(_cell(cell(row), words=name in TEXT_COLUMNS) for name, cell in columns.items()), series.of(row).look
        )
        for row in rows
    ]
    return Table(headers, tuple(made))


def _cell(text: str, *, words: bool) -> Cell:
    if text == TOO_FEW:
        return Cell("too few", missing=True, more=TOO_FEW)
    if text == NOT_MEASURED:
        return Cell(text, missing=True)
    number = None if words else _LEADING_NUMBER.match(text)
    return Cell(text, None if number is None else float(number.group().replace(",", "")))


def row_columns(report: BenchReport) -> dict[str, Column]:
    """Columns of the main table: those of Markdown, streams if their number varies, and the interval of p50."""
    columns: dict[str, Column] = {}
    for name, cell in COLUMNS.items():
        columns[name] = cell
        if name == "batch" and len({row.streams for row in report.rows}) > 1:
            columns["streams"] = lambda row: str(row.streams)
        if name == "p50 ms" and any("p50" in row.speed.model.interval_95_ms for row in report.rows):
            columns["p50, 95 % interval"] = _interval
    return columns


def _interval(row: BenchRow) -> str:
    found = row.speed.model.interval_95_ms.get("p50")
    return TOO_FEW if found is None else f"{found[0]:.2f} to {found[1]:.2f}"


def validity_table(checks: Iterable[Validity]) -> Table:
    """Table of our timer against others."""
    words = TEXT_COLUMNS | {"within 5 %"}
    rows = [
        TableRow(tuple(_cell(cell(check), words=name in words) for name, cell in VALIDITY_COLUMNS.items()), None)
        for check in checks
    ]
    return Table(tuple(Header(name, name in words) for name in VALIDITY_COLUMNS), tuple(rows))


def unmeasured_table(rows: Iterable[Unmeasured]) -> Table:
    """Table of the combinations that were not measured, with reasons."""
    names = ("artifact", "runtime", "scenario", "batch", "threads", "state", "why not")
    made = []
    for row in rows:
        batch, threads = (None if value is None else float(value) for value in (row.batch, row.threads))
        cells = (
            Cell(row.artifact),
            Cell(row.runtime),
            _or_any(row.scenario, None),
            _or_any(row.batch, batch),
            _or_any(row.threads, threads),
            Cell(row.state),
            Cell(row.reason),
        )
        made.append(TableRow(cells, None))
    return Table(tuple(Header(name, name not in ("batch", "threads")) for name in names), tuple(made))


def _or_any(value: object, sort: float | None) -> Cell:
    return Cell("any", missing=True) if value is None else Cell(str(value), sort)
