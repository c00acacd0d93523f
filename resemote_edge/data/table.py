"""Table: rows and lines of the text files that come with datasets.

UTF-8 is read with or without a byte-order mark, and UTF-16 with one. The separator of cells is the first of comma,
semicolon, tab and bar that the first line contains, or else blanks.
"""

import codecs
import csv
import io
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TextIO

from resemote_edge.errors import DatasetError, InputError
from resemote_edge.vision.image import check_file
from resemote_edge.vision.signatures import HEAD_BYTES, foreign

__all__ = ["lines_of", "open_text", "rows_of", "text_of"]

#: Longest line, in characters. A file without line ends would otherwise be read as one.
MAX_LINE = 1 << 20

#: Largest text file, in bytes; fer2013.csv has 301 MB.
MAX_BYTES = 4 << 30

#: Bytes that are not UTF-8 are kept as in Python's file names, so that such a name finds its file.
_ERRORS = "surrogateescape"

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def open_text(path: Path) -> TextIO:
    """Open a file for `rows_of` or `lines_of`.

    Raises:
        DatasetError: There is no such file, it is no regular file, too large, cannot be read, or is no text.
    """
    try:
        check_file(path, MAX_BYTES)
        with path.open("rb") as stream:
            encoding = _encoding(stream.read(HEAD_BYTES), str(path))
        return path.open(encoding=encoding, errors=_ERRORS, newline="")
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror or error})") from None
    except InputError as error:
        raise DatasetError(f"{path}: {error}") from None


def text_of(data: bytes, where: str) -> TextIO:
    """`open_text`, for bytes of a file named ``where``."""
    return io.TextIOWrapper(io.BytesIO(data), _encoding(data[:HEAD_BYTES], where), errors=_ERRORS, newline="")


def rows_of(text: TextIO, where: str) -> Iterator[tuple[int, list[str]]]:
    """Read the rows of a table, without blank lines.

    Args:
        text: The file, from its start.
        where: Name of the file, for messages.

    Yields:
        Number of the line, from 1, and the cells.

    Raises:
        DatasetError: A row cannot be read; the message names file and line.
    """
    lines = lines_of(text, where)
    first = next(lines, "")
    delimiter = next((mark for mark in ",;\t|" if mark in first), " ")
    reader = csv.reader(chain([first], lines), delimiter=delimiter, skipinitialspace=delimiter == " ")
    try:
        for row in reader:
            if any(row):
                yield reader.line_num, row
    except csv.Error as error:
        raise DatasetError(f"{where}:{reader.line_num}: not a readable CSV row ({error})") from None


def lines_of(text: TextIO, where: str) -> Iterator[str]:
    """Read the lines of a text file, line ends included; see `rows_of`."""
    number = 0
    try:
        while line := text.readline(MAX_LINE):
            number += 1
            if len(line) == MAX_LINE:
                raise DatasetError(
                    f"{where}:{number}: a line of more than {MAX_LINE:,} characters", hint="not a text file"
                )
            yield line
    except (UnicodeDecodeError, OSError) as error:
        raise DatasetError(f"{where}:{number + 1}: not a readable text ({error})", hint="save it as UTF-8") from None


def _encoding(head: bytes, where: str) -> str:
    if found := foreign(head, otherwise="save it as CSV"):
        raise DatasetError(f"{where}: {found[0]}, not a text file", hint=found[1])
    return next((name for mark, name in _MARKS if head.startswith(mark)), "utf-8-sig")
