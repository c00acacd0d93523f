"""Runtimes as a table."""

from collections.abc import Mapping

from rich.table import Table
from rich.text import Text

from resemote_edge.runtimes.session import Availability

__all__ = ["runtimes_table"]


def runtimes_table(found: Mapping[str, Availability]) -> Table:
    """List every runtime: version and devices, or the reason and the remedy."""
    table = Table(title="Runtimes", title_justify="left")
    for header in ("runtime", "version", "devices", "if not: why, and what to do"):
        table.add_column(header, overflow="fold")
    for name, availability in found.items():
        why = "" if availability.available else f"{availability.reason}; {availability.hint}"
        cells = (name, availability.version or "-", ", ".join(availability.devices) or "-", why)
        table.add_row(*map(Text, cells))
    return table
