"""Facts as a table.

Cells are `Text`, so that rich does not take the brackets of ``resemote-edge[openvino]`` for its own markup.
"""

from collections.abc import Mapping
from typing import Any

from rich.table import Table
from rich.text import Text

__all__ = ["facts_table"]


def facts_table(title: str, facts: Mapping[str, Any]) -> Table:
    """Names and values, one pair a row."""
    table = Table(title=title, show_header=False, title_justify="left")
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in facts.items():
        table.add_row(Text(name), Text(_text(value)))
    return table


def _text(value: Any) -> str:
    if value is None:
        return "not stated"
    if isinstance(value, Mapping):
        return "\n".join(f"{key}: {_text(inner)}" for key, inner in value.items()) or "not stated"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_text, value))
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
