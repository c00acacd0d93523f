"""Tables in Markdown."""

from collections.abc import Container, Iterable, Sequence

__all__ = ["table_text"]


def table_text(headers: Sequence[str], rows: Iterable[Sequence[str]], *, words: Container[str] | None = None) -> str:
    """A table in Markdown.

    Args:
        headers: Of the columns.
        rows: Cells.
        words: Headers of columns that hold words and stand left; the others stand right. None: all stand left.
    """
    rules = ["---" if words is None or header in words else "---:" for header in headers]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (headers, rules, *rows)) + "\n"
