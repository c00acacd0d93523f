"""Tables in Markdown."""

from collections.abc import Container, Iterable, Sequence

__all__ = ["table_text"]


def table_text(headers: Sequence[str], rows: Iterable[Sequence[str]], *, words: Container[str] | None = None) -> str:
    """Write a table in Markdown.

    Args:
        headers: Headers of the columns.
        rows: Cells, row by row.
        words: Headers of columns aligned left, which hold words; others are aligned right. None: all are left.
    """
    rules = ["---" if words is None or header in words else "---:" for header in headers]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (headers, rules, *rows)) + "\n"
