"""Retention: files named by the time they begin, and the deletion of those that are too old.

Beside each file stands a hidden marker that says when it was begun. A file is deleted if it has the name, has a marker,
and was begun longer ago than files are kept; so nothing in it is older than that. Links are never followed.
"""

import os
import re
import stat
import time
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

import msgspec

from resemote_edge.artifacts.record import DECODE_ERRORS, Strict
from resemote_edge.errors import InputError

__all__ = ["LEAST_SECONDS", "Retention"]

#: Shortest time that files can be kept.
LEAST_SECONDS = 60.0

#: Files within the time that they are kept: a new one begins so often.
_FILES = 24

_MOST_MARKER_BYTES = 4096


class _Marker(Strict, frozen=True, kw_only=True):
    """What stands in a marker."""

    written_by: str
    began: float


_PROGRAM = "resemote-edge"


class Retention:
    """The files of one sink: ``NAME-20261127T221500Z.jsonl`` for a sink with the path ``NAME.jsonl``.

    Args:
        path: Path that the user gave, from which the names are made.
        keep_seconds: Age at which a file is deleted.
        clock: Function that tells the time, in seconds since the epoch.

    Raises:
        InputError: `keep_seconds` is less than `LEAST_SECONDS`.
    """

    def __init__(self, path: Path, *, keep_seconds: float, clock: Callable[[], float] = time.time) -> None:
        if not LEAST_SECONDS <= keep_seconds < float("inf"):
            raise InputError(f"files kept for {keep_seconds:g} s", hint=f"keep them for at least {LEAST_SECONDS:g} s")
        self._path = path
        self._keep_seconds = keep_seconds
        self._clock = clock
        self._name = re.compile(rf"{re.escape(path.stem)}-\d{{8}}T\d{{6}}Z(-\d+)?{re.escape(path.suffix)}\Z")
        self._began = 0.0
        self._current: str | None = None

    def begin(self) -> Path:
        """Begin a file.

        Returns:
            Its path; the marker is there, the file is not.

        Raises:
            OSError: The marker cannot be written.
        """
        self._began = self._clock()
        stamp = datetime.fromtimestamp(self._began, tz=timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        content = msgspec.json.encode(_Marker(written_by=_PROGRAM, began=self._began))
        number = 1
        while True:
            counted = f"-{number}" if number > 1 else ""
            path = self._path.with_name(f"{self._path.stem}-{stamp}{counted}{self._path.suffix}")
            number += 1
            if os.path.lexists(path):
                continue
            try:
                marker = os.open(_marker_of(path), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
            except FileExistsError:
                continue
            with open(marker, "wb") as file:
                file.write(content)
            self._current = path.name
            return path

    @property
    def is_due(self) -> bool:
        """Whether the current file is to end, so that it can be deleted in time."""
        return abs(self._clock() - self._began) >= self._keep_seconds / _FILES

    def end(self) -> None:
        """Note that the current file is complete."""
        self._current = None

    def sweep(self) -> None:
        """Delete the files that are too old, and their markers.

        Raises:
            OSError: One of them cannot be deleted; all others are tried first.
        """
        failed = None
        for marker in sorted(self._path.parent.iterdir()):
            name = marker.name[1:].removesuffix(".kept")
            if marker.name != f".{name}.kept" or not self._name.match(name) or name == self._current:
                continue
            try:
                began = _began(marker)
                if began is not None and self._clock() - began > self._keep_seconds:
                    _delete(marker.with_name(name))
                    marker.unlink()
            except OSError as error:
                failed = error
        if failed is not None:
            raise failed


def _marker_of(path: Path) -> Path:
    return path.with_name(f".{path.name}.kept")


def _delete(path: Path) -> None:
    """Delete a regular file; a link or folder that took its place stays."""
    try:
        regular = stat.S_ISREG(path.lstat().st_mode)
    except FileNotFoundError:
        return
    if regular:
        path.unlink()


def _began(marker: Path) -> float | None:
    """When the file of a marker was begun; None if it is no marker of ours."""
    if not stat.S_ISREG(marker.lstat().st_mode):
        return None
    descriptor = os.open(marker, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with open(descriptor, "rb") as file:
        content = file.read(_MOST_MARKER_BYTES)
    try:
        found = msgspec.json.decode(content, type=_Marker)
    except DECODE_ERRORS:
        return None
    return found.began if found.written_by == _PROGRAM else None
