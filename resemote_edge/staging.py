"""Writing that leaves the whole thing or nothing: stage beside the destination, then rename."""

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from resemote_edge.errors import InputError

__all__ = ["refuse_existing", "refuse_files", "staged_folder", "write_file"]


def refuse_existing(destination: Path, *, force: bool) -> None:
    """Refuse a destination that is taken.

    Raises:
        InputError: Something is there and `force` is not set, or with `force` it is not an artifact of ours.
    """
    if not destination.exists():
        return
    if not force:
        raise InputError(f"{destination} exists; pass --force to replace it, or another destination")
    ours = destination.is_dir() and ((destination / "passport.json").is_file() or not any(destination.iterdir()))
    if not ours:
        raise InputError(f"{destination} exists and is no artifact, so --force will not delete it; pass another -o")


def refuse_files(folder: Path | None, names: Iterable[str], *, force: bool) -> None:
    """Refuse to overwrite files; called before long work, not after it.

    Args:
        folder: Where they would be written; None when nothing will be.
        names: Of the files.
        force: Whether the user asked for it.

    Raises:
        InputError: One of them exists and `force` is not set, or the folder is a file.
    """
    if folder is None:
        return
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file; pass a folder as -o")
    taken = [name for name in names if (folder / name).exists()]
    if taken and not force:
        raise InputError(f"{folder / taken[0]} exists; pass --force to replace it, or another -o")


@contextmanager
def staged_folder(destination: Path) -> Iterator[Path]:
    """A fresh folder that becomes the destination when the block ends well, and vanishes when it does not.

    Args:
        destination: Replaced only at the end, by renaming; its parents are created.

    Yields:
        The staging folder, on the same file system.
    """
    created = [parent for parent in destination.parents if not parent.exists()]
    destination.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{destination.name}.partial-", dir=destination.parent))
    try:
        yield staging
        # mkdtemp and some writers make private files; an artifact is meant to be read by whoever deploys it.
        staging.chmod(0o755)
        for path in staging.iterdir():
            path.chmod(0o644)
        if destination.exists():
            old = Path(tempfile.mkdtemp(prefix=f".{destination.name}.partial-", dir=destination.parent))
            destination.rename(old / "old")
            staging.rename(destination)
            shutil.rmtree(old)
        else:
            staging.rename(destination)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        for parent in created:  # innermost first
            if not any(parent.iterdir()):
                parent.rmdir()


def write_file(path: Path, content: str | bytes) -> None:
    """Write a file so that it appears whole or not at all; parents are created, an older file is replaced.

    Args:
        path: Destination.
        content: Text (written as UTF-8) or bytes.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content.encode("utf-8") if isinstance(content, str) else content
    partial = path.with_name(f".{path.name}.partial-{os.getpid()}")
    try:
        partial.write_bytes(data)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
