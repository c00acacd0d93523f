"""JSON lines: one line a frame, to a file or to the program's output."""

import errno
import os
import select
import stat
from pathlib import Path

from resemote_edge.camera.privacy.aggregate import AggregateResult, encode_aggregate
from resemote_edge.camera.privacy.retention import Retention
from resemote_edge.camera.results import FrameResult, encode_result
from resemote_edge.camera.sinks.base import Sink, SinkEnded, SinkOptions, file_path
from resemote_edge.errors import InputError
from resemote_edge.vision.frame import Frame

__all__ = ["JsonlSink"]

_OUTPUT = 1
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC


class JsonlSink(Sink):
    """Writes each line at once and whole; a line that does not fit on the disk any more leaves no part behind.

    Args:
        address: ``jsonl:FILE``, or ``jsonl:-`` for the program's output.
        options: `existing` and `keep_seconds` are used.

    Raises:
        InputError: The address names no file, or one in a folder that is not there.
    """

    takes_aggregates = True

    def __init__(self, address: str, options: SinkOptions) -> None:
        self.name = address
        text = address.partition(":")[2]
        self._existing = options.existing
        self._path = None if text == "-" else file_path(text, address)
        self._retention = None
        if self._path is not None and options.keep_seconds is not None:
            self._retention = Retention(self._path, keep_seconds=options.keep_seconds)
        self._descriptor: int | None = None

    def open(self) -> None:
        """Open the file, so that a run without a place for its results ends before it begins.

        Raises:
            InputError: The file exists and may not be replaced, or it cannot be written.
        """
        try:
            if self._retention is not None:
                self._retention.sweep()
            self._begin()
        except FileExistsError:
            raise InputError(
                f"{self._path} exists", hint="pass --force to replace it, --append to add to it, or another path"
            ) from None
        except OSError as error:
            raise InputError(f"{self._path}: {error.strerror}", hint="pass a path that can be written") from error

    def write(self, result: FrameResult, picture: Frame | None) -> None:
        """Write one line."""
        self._line(encode_result(result))

    def write_aggregate(self, result: AggregateResult) -> None:
        """Write one line."""
        self._line(encode_aggregate(result))

    def tick(self) -> None:
        """End a file when its time is over, and delete those that are too old."""
        if self._retention is not None:
            if self._retention.is_due:
                self._end()
            self._retention.sweep()

    def close(self) -> None:
        """Close the file."""
        self._end()

    def _begin(self) -> None:
        if self._path is None:
            self._descriptor = os.dup(_OUTPUT)
        elif self._retention is not None:
            self._descriptor = os.open(self._retention.begin(), _FLAGS | os.O_EXCL, 0o644)
        else:
            self._descriptor = os.open(self._path, _FLAGS | _mode(self._path, self._existing), 0o644)

    def _end(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
        if self._retention is not None:
            self._retention.end()

    def _line(self, content: bytes) -> None:
        if self._retention is not None and self._descriptor is not None and self._retention.is_due:
            self._end()
        if self._descriptor is None:
            self._begin()
        assert self._descriptor is not None
        try:
            _write_whole(self._descriptor, content + b"\n")
        except BrokenPipeError:
            raise SinkEnded from None


def _mode(path: Path, existing: str) -> int:
    """Flags that open a file as `existing` says; what is no regular file, such as a pipe, is never replaced."""
    try:
        regular = stat.S_ISREG(path.stat().st_mode)
    except FileNotFoundError:
        regular = True
    if not regular:
        return 0
    return {"refuse": os.O_EXCL, "replace": os.O_TRUNC, "append": os.O_APPEND}[existing]


def _write_whole(descriptor: int, line: bytes) -> None:
    """Write a line, or remove what was written of it and raise OSError."""
    rest = memoryview(line)
    try:
        while rest:
            try:
                rest = rest[os.write(descriptor, rest) :]
            except BlockingIOError:  # Somebody who shares our output made it so.
                select.select([], [descriptor], [], 1.0)
    except OSError as error:
        written = len(line) - len(rest)
        if written and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            os.ftruncate(descriptor, os.lseek(descriptor, 0, os.SEEK_CUR) - written)
            os.lseek(descriptor, -written, os.SEEK_CUR)
        raise
