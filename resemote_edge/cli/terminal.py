"""Terminal: everything that commands print goes through here, so that no name or label can command the terminal.

Labels, names, notes and paths come from files of other people. A control character in one of them could move the
cursor, hide a line or change the terminal's state; here it is shown as an escape, such as ``\\x1b``.
"""

import io
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO, cast

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["escape", "escaped_streams", "open_console"]

# C0 without tab and line feed, DEL, C1, directions and separators of Unicode, and halves of surrogates.
_ODD = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def escape(text: str) -> str:
    """Text with every character that a terminal would act on, or that turns lines around, spelt as an escape."""
    return _ODD.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


class _EscapedStream:
    """A text stream that escapes what is written to it; all else is the stream's own."""

    def __init__(self, stream: TextIO) -> None:
        self.unescaped = stream

    def write(self, text: str) -> int:
        return self.unescaped.write(escape(text))

    def writelines(self, lines: list[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.unescaped, name)


@contextmanager
def escaped_streams() -> Iterator[None]:
    """Escape what is written to the standard streams while the block runs."""
    before = sys.stdout, sys.stderr
    for stream in before:
        # Names of files and classes may hold what the terminal's encoding lacks.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    sys.stdout, sys.stderr = (cast("TextIO", _EscapedStream(stream)) for stream in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def open_console(*, stderr: bool = False, quiet: bool = False) -> "Console":
    """A console of rich for a standard stream: its own colours reach the terminal, what it is given is escaped.

    Args:
        stderr: Whether it writes to the standard error stream.
        quiet: Whether it writes nothing.
    """
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.segment import Segment

    class EscapingConsole(Console):
        def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
            for segment in super().render(renderable, options):
                yield segment if segment.control else Segment(escape(segment.text), segment.style)

    stream = sys.stderr if stderr else sys.stdout
    return EscapingConsole(file=getattr(stream, "unescaped", stream), stderr=stderr, quiet=quiet)
