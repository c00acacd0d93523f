"""Faces of photographs as a table."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from resemote_edge.faces.photographs import Photograph

__all__ = ["add_rows", "faces_table"]

_SHOWN = 3


def faces_table() -> Table:
    """An empty table for `add_rows`."""
    table = Table(title="Faces", title_justify="left")
    table.add_column("picture", overflow="fold")
    table.add_column("face", justify="right")
    table.add_column("box, pixels", no_wrap=True)
    table.add_column("expression", overflow="fold")
    return table


def add_rows(table: Table, photograph: Photograph) -> None:
    """Add a row for each face, or one that says that there is none."""
    name = Text(str(photograph.path))
    if not photograph.faces:
        table.add_row(name, "", "", Text("no face found", style="dim"))
    for number, (face, emotion) in enumerate(photograph.faces, 1):
        box = f"{face.width:.0f}x{face.height:.0f} at {face.x:.0f},{face.y:.0f}"
        table.add_row(name if number == 1 else "", str(number), box, Text(_shares(emotion.probabilities)))


def _shares(probabilities: dict[str, float]) -> str:
    ranked: Sequence[tuple[str, float]] = sorted(probabilities.items(), key=lambda item: -item[1])[:_SHOWN]
    return ", ".join(f"{label} {share * 100:.1f} %" for label, share in ranked)
