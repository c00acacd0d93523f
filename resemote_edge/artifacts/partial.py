"""Partial folders: hidden, beside their destination, and collected when the process that made them is gone.

A folder is locked (`flock`) as long as its process lives, in whatever container that is. So what a killed run left
behind can be told from what another run is still writing, and the next run for the same destination clears it away.
"""

import ctypes
import errno
import fcntl
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = [
    "OLD_NAME",
    "collect",
    "exchange",
    "is_partial",
    "partial_folder",
    "put_in_place",
    "scratch_folder",
    "sync",
    "sync_tree",
    "taking_turns",
]

#: Name that an older folder has within a partial one while it is being replaced.
OLD_NAME = "old"

_MARK = ".partial-"
_SCRATCH = "resemote-edge.partial-"  # Unlikely to be a user's own folder.
_RENAME_EXCHANGE = 2  # linux/fs.h
_AT_FDCWD = -100

_log = logging.getLogger(__name__)


@contextmanager
def partial_folder(parent: Path, name: str) -> Iterator[Path]:
    """A fresh hidden folder, locked while the block runs and removed with all it holds at its end.

    Args:
        parent: Folder in which it is made; leftovers of the same name there are collected first.
        name: Name of the destination that it is for.

    Yields:
        The folder.
    """
    collect(parent, name)
    with _locked_folder(parent, _prefix(name)) as folder:
        yield folder


@contextmanager
def scratch_folder(purpose: str) -> Iterator[Path]:
    """A fresh folder among the system's temporary files, removed at the end of the block, or by a later run.

    Args:
        purpose: Word in its name.
    """
    parent = Path(tempfile.gettempdir())
    for path in parent.glob(f"{_SCRATCH}*"):
        if path.is_dir() and path.stat().st_uid == os.getuid():
            _remove_if_left(path)
    with _locked_folder(parent, f"{_SCRATCH}{purpose}-") as folder:
        yield folder


@contextmanager
def _locked_folder(parent: Path, prefix: str) -> Iterator[Path]:
    folder, lock = _make_locked(parent, prefix)
    try:
        yield folder
    finally:
        _remove(folder)
        if lock is not None:
            os.close(lock)


def _remove(path: Path) -> None:
    """Remove a folder, or the link to one that changed places with it."""
    if path.is_symlink():
        path.unlink()
    else:
        shutil.rmtree(path, ignore_errors=True)


def _make_locked(parent: Path, prefix: str) -> tuple[Path, int | None]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        try:
            lock = _lock(folder)
        except (BlockingIOError, FileNotFoundError):
            continue  # Another process took it for a leftover in between.
        except OSError:
            return folder, None  # A file system without locks; nobody collects there.
        if folder.exists():
            return folder, lock
        os.close(lock)


def _lock(path: Path) -> int:
    """Lock a folder, and return the descriptor that holds the lock; raises OSError where it cannot be had."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


@contextmanager
def taking_turns(folder: Path, busy: Callable[[], None]) -> Iterator[None]:
    """Let one process at a time run the block for a folder, however the others end.

    On a file system without locks, nobody waits.

    Args:
        folder: Folder to lock; it exists.
        busy: Function called if another process is in the block. If it returns, that process is waited for; if it
            raises, that is what the block raises.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if not _has_turn(descriptor):
            busy()
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _has_turn(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return not isinstance(error, BlockingIOError)
    return True


def is_partial(path: Path) -> bool:
    """Whether a path has the name of a partial folder."""
    return path.name.startswith(".") and _MARK in path.name


def collect(parent: Path, name: str | None = None) -> None:
    """Remove partial folders whose processes are gone; the log says which.

    A folder that was moved aside and never put back, as its process was killed in between, is put back.

    Args:
        parent: Folder of the destination.
        name: Name of the destination; None for every destination in that folder.
    """
    if not parent.is_dir():
        return
    for path in sorted(parent.iterdir()):
        if is_partial(path) and (name is None or path.name.startswith(_prefix(name))) and path.is_dir():
            _remove_if_left(path, restore_to=parent / path.name[1:].partition(_MARK)[0])


def _prefix(name: str) -> str:
    return f".{name}{_MARK}" if name else _MARK


def _remove_if_left(path: Path, restore_to: Path | None = None) -> None:
    try:
        lock = _lock(path)
    except OSError:
        return  # It is in use, or nothing can tell whether it is.
    try:
        if restore_to is not None and (path / OLD_NAME).is_dir() and not restore_to.exists():
            (path / OLD_NAME).rename(restore_to)
            _log.warning("%s: put back, as a run was killed while it replaced it", restore_to)
        _remove(path)
        _log.warning("%s: removed, left behind by a run that was killed", path)
    finally:
        os.close(lock)


def exchange(one: Path, other: Path) -> bool:
    """Let two paths change places in one step, so that neither is ever missing (Linux: renameat2).

    Returns:
        Whether they did; False where the system cannot.

    Raises:
        OSError: It can, and failed.
    """
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if renameat2 is None:
        return False
    if renameat2(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) == 0:
        return True
    found = ctypes.get_errno()
    if found in (errno.ENOSYS, errno.EINVAL):
        return False
    raise OSError(found, os.strerror(found), str(other))


def put_in_place(folder: Path, destination: Path, partial: Path) -> None:
    """Rename a finished folder to its destination; what was there is moved into a partial folder, and goes with it.

    Args:
        folder: The finished folder.
        destination: Where it is to be, on the same file system.
        partial: A `partial_folder`.
    """
    if not destination.exists():
        folder.rename(destination)
    elif not exchange(folder, destination):
        destination.rename(partial / OLD_NAME)
        folder.rename(destination)


def sync(path: Path) -> None:
    """Wait until a file or folder is on the disk.

    Raises:
        OSError: It could not be written.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # A file system that cannot.
            error.filename = str(path)
            raise
    finally:
        os.close(descriptor)


def sync_tree(folder: Path) -> None:
    """Wait until the files of a folder, and the folder itself, are on the disk."""
    for path in sorted(folder.rglob("*")):
        sync(path)
    sync(folder)
