"""report_csv: the rows of a report as CSV for programs, one line a row.

The columns follow from the types of the structs, so that all reports of one version have the same header and their rows
can be joined. Figures are written in full; a cell without a figure is empty.
"""

import csv
import io
from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import inspect

from resemote_edge.measuring.latency import PERCENTILES
from resemote_edge.measuring.results import BenchReport, BenchRow
from resemote_edge.measuring.workload import STAGES

__all__ = ["csv_columns", "csv_report"]

#: Facts of the whole report that every line repeats, so that lines of several reports can be told apart.
_OF_THE_REPORT = ("created_utc", "cpu_model", "git_commit")

#: Fields whose own fields become columns.
_UNNAMED = frozenset({"speed"})

#: Keys of the fields that are mappings; other mappings and lists are left to the JSON.
_KEYS: dict[str, tuple[str, ...]] = {"stages": STAGES, "interval_95_ms": tuple(PERCENTILES)}

#: First characters by which a spreadsheet recognises a formula.
_FORMULA = ("=", "+", "-", "@", "\t")

_Path = tuple[str | int, ...]


def csv_report(report: BenchReport) -> str:
    """The rows as CSV: UTF-8 text, a header, a comma between cells, a line feed after each line.

    Args:
        report: Report of the measurements; combinations that were not measured have no line.
    """
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    columns = _row_columns()
    writer.writerow([*_OF_THE_REPORT, *columns])
    whole = [_text(value) for value in (report.created_utc, *map(report.environment.get, _OF_THE_REPORT[1:]))]
    for row in report.rows:
        writer.writerow([*whole, *(_text(_follow(row, path)) for path in columns.values())])
    return stream.getvalue()


def csv_columns() -> tuple[str, ...]:
    """The header; columns with a unit end with it, shares are fractions in [0, 1]."""
    return (*_OF_THE_REPORT, *_row_columns())


def _row_columns() -> dict[str, _Path]:
    return dict(_of_struct(inspect.type_info(BenchRow), "", ()))


def _of_struct(struct: inspect.Type, prefix: str, path: _Path) -> Iterator[tuple[str, _Path]]:
    assert isinstance(struct, inspect.StructType)
    for field in struct.fields:
        name = "" if field.name in _UNNAMED else _joined(prefix, field.name)
        yield from _of_type(field.type, name, (*path, field.name))


def _joined(prefix: str, name: str) -> str:
    """Join names: `accuracy` and `accuracy` make ``accuracy``, `model` and ``p50_ms`` make ``model_p50_ms``."""
    return name if not prefix or f"{name}_".startswith(f"{prefix}_") else f"{prefix}_{name}"


def _of_type(kind: inspect.Type, name: str, path: _Path) -> Iterator[tuple[str, _Path]]:
    if isinstance(kind, inspect.StructType):
        yield from _of_struct(kind, name, path)
    elif isinstance(kind, inspect.UnionType):
        # Fields that several members have in common share a column, such as the ages of camera and multi-stream.
        for member in kind.types:
            if not isinstance(member, inspect.NoneType):
                yield from _of_type(member, name, path)
    elif isinstance(kind, inspect.DictType):
        yield from _of_mapping(kind, name, path)
    elif isinstance(kind, inspect.TupleType):
        for at, end in enumerate(("low", "high")):
            yield _before_unit(name, end), (*path, at)
    elif not isinstance(kind, inspect.VarTupleType) or isinstance(kind.item_type, inspect.IntType):
        yield name, path


def _of_mapping(kind: inspect.DictType, name: str, path: _Path) -> Iterator[tuple[str, _Path]]:
    field = str(path[-1])
    for key in _KEYS.get(field, ()):
        # model_interval_95_ms of p50 is model_p50_interval_95_ms, the stage inference is stage_inference.
        named = name.replace(field, f"{key}_{field}") if field == "interval_95_ms" else f"stage_{key}"
        yield from _of_type(kind.value_type, named, (*path, key))


def _before_unit(name: str, word: str) -> str:
    return f"{name.removesuffix('_ms')}_{word}_ms" if name.endswith("_ms") else f"{name}_{word}"


def _follow(value: Any, path: _Path) -> Any:
    """Value at a path; None if something on the way is None, another member of a union, or absent."""
    for step in path:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(step, int):
            value = None if value is None else value[step]
        else:
            value = getattr(value, step, None)
    return value


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return " ".join(map(str, value))
    text = str(msgspec.to_builtins(value)).replace("\r", " ")  # the csv module leaves it without quotes
    # A spreadsheet would run a formula, and this text may come from a stranger's file.
    return f"'{text}" if isinstance(value, str) and text.startswith(_FORMULA) else text
