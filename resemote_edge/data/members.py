"""Members: the files of a folder or of a zip, under one interface."""

import os
import re
import stat
import struct
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from resemote_edge.errors import DatasetError, InputError
from resemote_edge.vision.image import MAX_FILE_BYTES, check_file, read_file
from resemote_edge.vision.signatures import HEAD_BYTES, foreign, is_image

__all__ = ["MAX_MEMBERS", "Member", "check_source", "image_members", "is_zip", "open_members", "packed_in"]

#: Most files that a folder or zip may hold.
MAX_MEMBERS = 500_000

#: Largest directory of a zip, in bytes; reading one takes memory and time before its files are counted.
_MAX_DIRECTORY = 64 << 20

#: Largest file that is passed as a dataset, in bytes.
_MAX_SOURCE = 1 << 40

#: Suffixes that make a file an image, lower case; the content decides on others.
_SUFFIXES = frozenset((
    ".jpg", ".jpeg", ".png", ".bmp", ".webp", ".jfif", ".jpe", ".gif", ".tif", ".tiff", ".ppm", ".pgm",
))  # fmt: skip

#: Paths of what systems, editors and file servers leave behind: hidden files, backups, and these names.
_LITTER = re.compile(
    r"(?:^|/)(?:\.(?!\.?(?:/|$))[^/]*|~\$[^/]*|[^/]*[~#]|__macosx|(?:eh)?thumbs(?:_vista)?\.db|desktop\.ini|icon\r"
    r"|picasa\.ini|\$recycle\.bin|recycler|recycled|system volume information|lost\+found|lost\.dir|#recycle|#snapshot"
    r"|network trash folder|temporary items|thevolumesettingsfolder|@(?:eadir|recycle|recently-snapshot|tmp)|nbproject"
    r"|__pycache__|node_modules|cvs|_svn|_darcs|_notes|_vti_cnf|rcs|sccs)(?:/|$)",
    re.IGNORECASE,
)

#: Suffixes of files that people may have meant when they pass a folder or archive of them.
_PACKED = (".csv", ".tsv", ".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".zst", ".7z", ".rar", ".parquet")

_LITTER_REASON = "left by a system or program"


class Member(NamedTuple):
    """A file in a folder or zip; a tuple, because datasets have hundreds of thousands.

    Attributes:
        name: Path inside, with forward slashes.
        read: Function that returns its bytes, or only the first ones if it is passed their number.
        unread: Reason why it is not read, if it is no regular file or was left by a system; empty otherwise.
    """

    name: str
    read: Callable[..., bytes]
    unread: str = ""

    @property
    def parts(self) -> tuple[str, ...]:
        """Folders and file name of the path."""
        return tuple(self.name.split("/"))

    def why_no_image(self) -> str:
        """Reason why this is not an image to be read; empty if it is one."""
        if self.unread:
            return self.unread
        file = self.name[self.name.rfind("/") + 1 :].lower()
        suffix = file[file.rfind(".") :] if "." in file else ""
        if suffix in _SUFFIXES:
            return ""
        try:
            head = self.read(HEAD_BYTES)
        except (InputError, OSError) as error:
            return f"cannot be read ({getattr(error, 'strerror', None) or error})"
        if is_image(head):
            return ""
        found = foreign(head, otherwise="")
        return f"{found[0]}, not read" if found else f"not an image ({suffix or 'no suffix'})"


def check_source(source: Path) -> None:
    """Refuse what cannot be a dataset, before it is opened.

    Raises:
        DatasetError: There is no such path, it cannot be read, it is neither a folder nor a regular file, or it is an
            archive or a placeholder for the data.
    """
    try:
        if source.is_dir():
            return
        check_file(source, _MAX_SOURCE)
        with source.open("rb") as stream:
            head = stream.read(HEAD_BYTES)
    except FileNotFoundError:
        raise DatasetError(f"{source}: no such dataset", hint="pass a file or folder that exists") from None
    except OSError as error:
        raise DatasetError(f"{source}: cannot be read ({error.strerror or error})") from None
    except InputError as error:
        raise DatasetError(f"{source}: {error}") from None
    found = foreign(head, otherwise="convert it to fer2013.csv or to a folder of images")
    if found is not None and not is_zip(source):
        name, cure = ("not a whole zip", "fetch it again") if head.startswith(b"PK") else found
        raise DatasetError(f"{source}: {name}", hint=cure)


def is_zip(source: Path) -> bool:
    """Whether this is a zip, by its content; pipes and devices are not looked into."""
    return source.is_file() and zipfile.is_zipfile(source)


@contextmanager
def open_members(source: Path) -> Iterator[list[Member]]:
    """List the files of a folder or zip, by name; a zip stays open as long as the context.

    Symbolic links in a folder are followed. Folders left by systems and programs are listed, but not entered.

    Raises:
        DatasetError: The path is neither a folder nor a whole zip, a folder in it cannot be read, a link leads nowhere
            or to a folder it lies in, a zip holds a link or one name twice, or there are more than `MAX_MEMBERS` files.
    """
    if source.is_dir():
        yield sorted(_bounded(_files_in(source), source), key=lambda member: member.name.split("/"))
    elif is_zip(source):
        archive = _open_zip(source)
        with archive:
            yield sorted(_members_of(archive, source), key=lambda member: member.name)
    else:
        check_source(source)
        raise DatasetError(f"{source}: neither a folder nor a whole zip", hint="pass one of these")


def packed_in(source: Path) -> str | None:
    """Name of the first table or archive in a folder or zip, which may be what was meant; None if there is none."""
    if not source.is_dir() and not is_zip(source):
        return None
    with open_members(source) as members:
        return next((member.name for member in members if member.name.lower().endswith(_PACKED)), None)


def image_members(members: list[Member]) -> tuple[list[Member], list[tuple[Member, str]]]:
    """Separate images from members that are not read.

    Returns:
        The images, by suffix or content; and the other members, each with the reason why it is not read.
    """
    images: list[Member] = []
    others: list[tuple[Member, str]] = []
    for member in members:
        if reason := member.why_no_image():
            others.append((member, reason))
        else:
            images.append(member)
    return images, others


def _bounded(members: Iterable[Member], source: Path) -> Iterator[Member]:
    for count, member in enumerate(members, start=1):
        if count > MAX_MEMBERS:
            raise _too_many(source, f"more than {MAX_MEMBERS:,}")
        yield member


def _too_many(source: Path, count: str) -> DatasetError:
    return DatasetError(f"{source}: it holds {count} files, {MAX_MEMBERS:,} are read", hint="pass a part of it")


# --- folders ----------------------------------------------------------------------------------------------------------


def _files_in(root: Path) -> Iterator[Member]:
    waiting: list[tuple[str, str, frozenset[tuple[int, int]]]] = [(str(root), "", frozenset())]
    while waiting:
        folder, prefix, above = waiting.pop()
        try:
            facts = os.stat(folder)
            here = (facts.st_dev, facts.st_ino)
            if here in above:
                raise DatasetError(f"{folder}: a link to a folder that it lies in", hint="remove the link")
            with os.scandir(folder) as entries:
                for entry in entries:
                    name = prefix + entry.name
                    if _LITTER.search(entry.name):
                        yield Member(name, bytes, unread=_LITTER_REASON)
                    elif entry.is_dir():
                        waiting.append((entry.path, f"{name}/", above | {here}))
                    elif entry.is_file():
                        yield Member(name, partial(_read_file, entry.path))
                    elif entry.is_symlink():
                        target = os.readlink(entry.path)
                        raise DatasetError(
                            f"{entry.path}: a link to {target}, which is not there", hint="mend or remove it"
                        )
                    else:
                        yield Member(name, bytes, unread="neither a file nor a folder")
        except OSError as error:
            where = error.filename or folder
            raise DatasetError(
                f"{where}: cannot be read ({error.strerror or error})", hint="make it readable"
            ) from None


def _read_file(path: str, size: int | None = None) -> bytes:
    if size is None:
        return read_file(path)
    with open(path, "rb") as stream:
        return stream.read(size)


# --- zips -------------------------------------------------------------------------------------------------------------


def _open_zip(source: Path) -> zipfile.ZipFile:
    count, size = _directory(source)
    if count > MAX_MEMBERS or size > _MAX_DIRECTORY:
        raise _too_many(source, f"{count:,}")
    try:
        return zipfile.ZipFile(source)
    except Exception as error:
        # A damaged directory may raise any type.
        raise DatasetError(f"{source}: not a whole zip ({error})", hint="fetch it again") from None


def _directory(source: Path) -> tuple[int, int]:
    """Number of files, and bytes of the directory, by the record at the end of a zip; 0 if that is missing."""
    with source.open("rb") as stream:
        stream.seek(-min(source.stat().st_size, (1 << 16) + 98), os.SEEK_END)
        tail = stream.read()
    end = tail.rfind(b"PK\5\6")
    is_wide = end >= 20 and tail[end - 20 : end - 16] == b"PK\6\7"
    layout, place = ("<QQ", tail.rfind(b"PK\6\6", 0, end) + 32) if is_wide else ("<HI", end + 10)
    try:
        count, size = struct.unpack_from(layout, tail, place) if end >= 0 else (0, 0)
    except struct.error:
        return 0, 0
    return count, size


def _members_of(archive: zipfile.ZipFile, source: Path) -> Iterator[Member]:
    seen: set[str] = set()
    for info in archive.infolist():
        name = info.filename
        if name.endswith("/"):
            continue
        if "\\" in name or "//" in name or "./" in name or name.startswith("/"):
            # Some Windows programs write backslashes, and others keep paths as typed.
            name = "/".join(part for part in name.replace("\\", "/").split("/") if part not in ("", "."))
        if name in seen:
            raise DatasetError(f"{source}: {name} is in it twice", hint="pack it again")
        seen.add(name)
        if _LITTER.search(name):
            yield Member(name, bytes, unread=_LITTER_REASON)
        elif stat.S_ISLNK(info.external_attr >> 16):
            raise DatasetError(f"{source}: {name} is a symbolic link", hint="pack what it leads to in its place")
        else:
            yield Member(name, partial(_read, archive, info))


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo, size: int | None = None) -> bytes:
    """Bytes of a member, all or the first.

    Raises:
        InputError: It is too large, encrypted, damaged, or packed in an unknown way; the message does not name it.
    """
    if size is None and info.file_size > MAX_FILE_BYTES:
        raise InputError(
            f"{info.file_size / 1e6:,.0f} MB", hint=f"files of up to {MAX_FILE_BYTES / 1e6:,.0f} MB are read"
        )
    try:
        with archive.open(info) as stream:
            return stream.read(info.file_size if size is None else size)
    except Exception as error:
        # Each compression raises its own types, and encryption a RuntimeError.
        raise InputError(f"not readable in the zip ({error or type(error).__name__})") from None
