"""Writing that leaves the whole thing or nothing: files are staged beside the destination, synced, then renamed."""

import errno
import io
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from resemote_edge.artifacts.partial import OLD_NAME, exchange, partial_folder, sync, sync_tree
from resemote_edge.errors import InputError, ResEmoteEdgeError

__all__ = [
    "refuse_existing",
    "refuse_files",
    "staged_file",
    "staged_files",
    "staged_folder",
    "write_file",
    "write_picture",
]

#: Bytes below which a disk counts as full.
_FULL_BYTES = 1 << 20


def refuse_existing(destination: Path, *, force: bool) -> None:
    """Refuse a destination that is taken, or that could not be put in place after the work is done.

    Args:
        destination: Folder in which an artifact is to appear.
        force: Whether an artifact there may be replaced.

    Raises:
        InputError: Something is there and `force` is not set. Or `force` is set, but what is there is no artifact,
            holds files that are not the artifact's, is the current folder, or is a link that leads nowhere.
    """
    _refuse_unwritable(destination.parent)
    if destination.is_symlink() and not destination.exists():
        raise InputError(f"{destination} is a link that leads nowhere", hint="remove it, or pass another -o")
    if not destination.exists():
        return
    if destination.resolve() in (Path.cwd(), *Path.cwd().parents):
        raise InputError(f"{destination} is the current folder or one around it", hint="pass a folder to make as -o")
    if not force:
        raise InputError(f"{destination} exists", hint="pass --force to replace it, or another destination")
    foreign = _foreign_files(destination)
    if foreign:
        raise InputError(f"{destination} exists and {foreign}, so --force will not delete it", hint="pass another -o")


def _foreign_files(folder: Path) -> str:
    """Describe in words what a folder holds besides one of our artifacts; empty if the folder may be replaced."""
    if not folder.is_dir():
        return "is a file"
    names = {path.name for path in folder.iterdir()}
    if not names:
        return ""
    try:
        listed = {entry["path"] for entry in json.loads((folder / "passport.json").read_bytes())["files"]}
    except (OSError, ValueError, KeyError, TypeError):
        return "is no artifact"
    extra = sorted(names - listed - {"passport.json"})
    return f"holds {extra[0]}, which is not the artifact's" if extra else ""


def _refuse_unwritable(folder: Path) -> None:
    """Refuse a folder in which nothing can be made; where it does not exist, the folder in which it would be made."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if there.is_dir() and not os.access(there, os.W_OK | os.X_OK):
        raise InputError(f"{there}: nothing can be written there", hint="pass another -o, or change its permissions")


def refuse_files(folder: Path | None, names: Iterable[str], *, force: bool) -> None:
    """Refuse to overwrite files; called before long work, not after it.

    Args:
        folder: Folder they would be written to; None if nothing will be written.
        names: Names of the files.
        force: Whether the user asked for it.

    Raises:
        InputError: One of them exists and `force` is not set, or the folder is a file.
    """
    if folder is None:
        return
    _refuse_unwritable(folder)
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file", hint="pass a folder as -o")
    taken = [name for name in names if (folder / name).exists()]
    if taken and not force:
        raise InputError(f"{folder / taken[0]} exists", hint="pass --force to replace it, or another -o")


@contextmanager
def staged_folder(destination: Path, *, force: bool = False) -> Iterator[Path]:
    """A fresh folder that becomes the destination when the block ends well, and vanishes when it does not.

    Args:
        destination: Folder that is replaced only at the end, by renaming; its parents are created.
        force: Whether the destination may be replaced.

    Yields:
        The staging folder, on the same file system.

    Raises:
        InputError: The destination appeared in the meantime, and `force` is not set.
    """
    created = [parent for parent in destination.parents if not parent.exists()]
    destination.parent.mkdir(parents=True, exist_ok=True)
    try:
        with partial_folder(destination.parent, destination.name) as staging, _disk_full_told(destination):
            yield staging
            # Temporary folders and some writers make private files; an artifact is for whoever deploys it.
            staging.chmod(0o755)
            for path in staging.iterdir():
                path.chmod(0o644)
            sync_tree(staging)
            _put_in_place(staging, destination, force=force)
            sync(destination.parent)
    finally:
        _remove_empty(created)


@contextmanager
def _disk_full_told(destination: Path) -> Iterator[None]:
    """Say that the disk is full, where a library says "basic_ios::clear" or "inline_container.cc:672"."""
    try:
        yield
    except (ResEmoteEdgeError, OSError):
        raise
    except Exception as error:
        if shutil.disk_usage(destination.parent).free >= _FULL_BYTES:
            raise
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(destination)) from error


def _remove_empty(created: list[Path]) -> None:
    """Remove empty folders made for something that was not written, innermost first."""
    for parent in created:
        if parent.is_dir() and not any(parent.iterdir()):
            parent.rmdir()


def _put_in_place(staging: Path, destination: Path, *, force: bool) -> None:
    """Rename the staging folder to the destination; if that fails, put the older one back."""
    if not destination.exists():
        try:
            staging.rename(destination)
        except OSError as error:
            # Renaming onto a folder that is not empty fails: another process was faster.
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            raise InputError(f"{destination} appeared during the export", hint="pass --force or another -o") from None
        return
    refuse_existing(destination, force=force)
    if exchange(staging, destination):
        return  # What was there is in the partial folder now, and goes with it.
    with partial_folder(destination.parent, destination.name) as aside:
        old = aside / OLD_NAME
        destination.rename(old)
        try:
            staging.rename(destination)
        except BaseException as error:
            _put_back(old, destination, error)
            raise


def _put_back(old: Path, destination: Path, error: BaseException) -> None:
    """Undo a replacement that failed; if that fails as well, keep the older one where it can be found."""
    try:
        old.rename(destination)
    except OSError:
        kept = Path(tempfile.mkdtemp(prefix=f"{destination.name}-old-", dir=destination.parent))
        old.rename(kept / destination.name)
        raise InputError(
            f"{destination}: cannot be replaced ({error}), nor put back",
            hint=f"what was there is {kept / destination.name}",
        ) from error


@contextmanager
def staged_files(folder: Path, *, force: bool = False) -> Iterator[Path]:
    """A fresh folder whose files move to the destination when the block ends well, and vanish when it does not.

    Args:
        folder: Destination; it and its parents are created.
        force: Whether files of the same names there may be replaced; that is done last of all, each file whole.

    Yields:
        The staging folder, on the same file system.

    Raises:
        InputError: One of the files appeared in the meantime, and `force` is not set.
    """
    created = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with partial_folder(folder, "") as staging, _disk_full_told(folder):
            yield staging
            staged = sorted(staging.iterdir())
            refuse_files(folder, [path.name for path in staged], force=force)
            for path in staged:
                path.chmod(0o644)
                sync(path)
            for path in staged:
                path.replace(folder / path.name)
            sync(folder)
    finally:
        _remove_empty(created)


@contextmanager
def staged_file(path: Path) -> Iterator[Path]:
    """A path to write, whose file takes the destination's place, whole, when the block ends well.

    Args:
        path: Destination; its parents are created, an older file is replaced.

    Yields:
        Where to write, on the same file system.

    Raises:
        OSError: The file cannot be written; its `filename` is the destination.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with partial_folder(path.parent, path.name) as staging, _disk_full_told(path):
            partial = staging / path.name
            yield partial
            sync(partial)
            partial.replace(path)
    except OSError as error:
        error.filename = str(path)  # A full disk names no file, and the partial file is of no use.
        raise


def write_file(path: Path, content: str | bytes) -> None:
    """Write a file so that it appears whole or not at all; parents are created, an older file is replaced.

    Args:
        path: Destination.
        content: Text (written as UTF-8) or bytes.

    Raises:
        OSError: It cannot be written; its `filename` is set.
    """
    with staged_file(path) as partial:
        partial.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)


def write_picture(figure: Any, path: Path) -> None:
    """Write a matplotlib figure as PNG, whole or not at all.

    Args:
        figure: A ``matplotlib.figure.Figure``.
        path: Destination; parents are created, an older file is replaced.
    """
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=120)
    write_file(path, buffer.getvalue())
