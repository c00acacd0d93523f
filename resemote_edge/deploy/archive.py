"""Archive: a folder as one .tar.gz, the same bytes for the same contents."""

import gzip
import hashlib
import stat
import tarfile
from pathlib import Path

from resemote_edge.artifacts.artifact import file_sha256

__all__ = ["SUMS_NAME", "write_archive", "write_sums"]

SUMS_NAME = "SHA256SUMS"

#: 1980-01-01, the oldest time that every archiver knows.
_TIME = 315532800


def write_sums(folder: Path) -> str:
    """Write the hash of every file into ``SHA256SUMS``, as ``sha256sum -c`` reads it; return the hash of that file."""
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    text = "".join(f"{file_sha256(folder / name)}  {name}\n" for name in names if name != SUMS_NAME)
    (folder / SUMS_NAME).write_text(text, encoding="utf-8")
    return hashlib.sha256(text.encode()).hexdigest()


def write_archive(folder: Path, destination: Path) -> None:
    """Write a folder as a .tar.gz: sorted, owned by root, with one time for all, so that it can be reproduced.

    Args:
        folder: The folder; the archive holds it under its own name.
        destination: File to write.
    """
    with (
        destination.open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0, compresslevel=6) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for path in (folder, *sorted(folder.rglob("*"))):
            entry = archive.gettarinfo(path, arcname=path.relative_to(folder.parent).as_posix())
            entry.mtime, entry.uid, entry.gid, entry.uname, entry.gname = _TIME, 0, 0, "root", "root"
            runs = path.is_dir() or bool(path.stat().st_mode & stat.S_IXUSR)
            entry.mode = 0o755 if runs else 0o644
            if path.is_file():
                with path.open("rb") as stream:
                    archive.addfile(entry, stream)
            else:
                archive.addfile(entry)
