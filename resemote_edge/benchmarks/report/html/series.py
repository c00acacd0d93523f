"""Series: rows that share a colour and marker on the whole page. Panels: rows that are compared."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from resemote_edge.benchmarks.report.columns import common_beginning
from resemote_edge.measuring.results import BenchRow

__all__ = ["COLOURS", "MARKERS", "Look", "Panel", "Series", "SeriesIndex", "panels_of", "printable"]

#: Number of colours of the style sheet, ``--series-0`` and on.
COLOURS = 8

#: Markers of matplotlib; the page draws the same shapes beside the names.
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "p")

_Key = tuple[str, str, str | None, float]


@dataclass(frozen=True)
class Look:
    """Look of a series in pictures.

    Attributes:
        colour: Number in the style sheet, below `COLOURS`.
        marker: Number in `MARKERS`.
    """

    colour: int
    marker: int


@dataclass(frozen=True, kw_only=True)
class Series:
    """One artifact in one runtime, whatever the scenario and batch.

    Attributes:
        label: Text that distinguishes it from the other series of the report.
        order: Place among the series of the report.
    """

    label: str
    order: int

    @property
    def look(self) -> Look:
        """Colour and marker; the same pair is used again only after 64 series."""
        return Look(self.order % COLOURS, (self.order + self.order // COLOURS) % len(MARKERS))


class SeriesIndex:
    """All series of a report.

    Args:
        rows: Rows of the report; series are numbered in their order.

    Attributes:
        beginning: Beginning of every artifact's name, which labels leave out; empty if there is none.
        all: Series of the report.
    """

    def __init__(self, rows: Iterable[BenchRow]) -> None:
        rows = tuple(rows)
        self.beginning = printable(common_beginning([row.artifact for row in rows]))
        self._several_runtimes = len({row.runtime for row in rows}) > 1
        first = {_key(row): row for row in reversed(rows)}
        keys = dict.fromkeys(_key(row) for row in rows)
        self._found = {key: Series(label=self._label(first[key]), order=at) for at, key in enumerate(keys)}
        self.all = tuple(self._found.values())

    def of(self, row: BenchRow) -> Series:
        """Series of a row of the report."""
        return self._found[_key(row)]

    def _label(self, row: BenchRow) -> str:
        parts = [printable(row.artifact).removeprefix(self.beginning)]
        if self._several_runtimes:
            parts.append(printable(row.runtime))
        if row.precision_hint is not None:
            parts.append(f"{row.precision_hint} hint")
        if row.slow_to_ms:
            parts.append(f"slowed to {row.slow_to_ms:g} ms")
        return " · ".join(parts)


@dataclass(frozen=True, kw_only=True)
class Panel:
    """Rows of one scenario that differ only by their series.

    Attributes:
        title: Batch of the rows, and threads and streams where there are several.
        batch: Crops per call, or faces per frame.
        rows: Rows in the report's order.
    """

    title: str
    batch: int
    rows: tuple[BenchRow, ...] = field(repr=False)


def panels_of(rows: Iterable[BenchRow]) -> tuple[Panel, ...]:
    """Split the rows of one scenario by batch, threads and streams, ascending."""
    rows = tuple(rows)
    grouped: dict[tuple[int, int, int], list[BenchRow]] = {}
    for row in rows:
        grouped.setdefault((row.batch, row.threads, row.streams), []).append(row)
    threads, streams = ({getattr(row, name) for row in rows} for name in ("threads", "streams"))
    panels = []
    for key in sorted(grouped):
        parts = [f"batch {key[0]}"]
        parts += [f"{key[1]} thread{'s' * (key[1] > 1)}"] * (len(threads) > 1)
        parts += [f"{key[2]} stream{'s' * (key[2] > 1)}"] * (len(streams) > 1)
        panels.append(Panel(title=", ".join(parts), batch=key[0], rows=tuple(grouped[key])))
    return tuple(panels)


def printable(text: str) -> str:
    """Replace characters that cannot be shown, which XML refuses."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def _key(row: BenchRow) -> _Key:
    return (row.artifact, row.runtime, row.precision_hint, row.slow_to_ms)
