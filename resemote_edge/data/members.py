"""Members: the files of a folder or of a zip, under one interface."""

import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from resemote_edge.errors import DatasetError

__all__ = ["IMAGE_SUFFIXES", "Member", "image_members", "open_members"]

#: Suffixes of the files that are taken for images, lower case.
IMAGE_SUFFIXES: tuple[str, ...] = (".jpg", ".jpeg", ".png", ".bmp", ".webp")


@dataclass(frozen=True)
class Member:
    """A file in a folder or zip.

    Attributes:
        name: Path inside, with forward slashes.
        read: Function that returns its bytes.
    """

    name: str
    read: Callable[[], bytes]

    @property
    def parts(self) -> tuple[str, ...]:
        """Folders and file name of the path."""
        # This does not use PurePosixPath: datasets have tens of thousands of files, and it takes seconds for them.
        return tuple(part for part in self.name.split("/") if part not in ("", "."))


@contextmanager
def open_members(source: Path) -> Iterator[list[Member]]:
    """List the files of a folder or zip, by name; a zip stays open as long as the context.

    Raises:
        DatasetError: The path is neither a folder nor a whole zip.
    """
    if source.is_dir():
        paths = sorted(path for path in source.rglob("*") if path.is_file())
        yield [Member(path.relative_to(source).as_posix(), path.read_bytes) for path in paths]
    elif source.is_file() and zipfile.is_zipfile(source):
        try:
            archive = zipfile.ZipFile(source)
        except zipfile.BadZipFile as error:
            raise DatasetError(f"{source}: not a whole zip ({error}); fetch it again") from None
        with archive:
            names = sorted(info.filename for info in archive.infolist() if not info.is_dir())
            yield [Member(name, partial(archive.read, name)) for name in names]
    else:
        raise DatasetError(f"{source}: neither a folder nor a whole zip; pass one of these")


def image_members(members: list[Member]) -> list[Member]:
    """Members that are images, by their suffix."""
    return [member for member in members if _is_image(member)]


def _is_image(member: Member) -> bool:
    if not member.name.lower().endswith(IMAGE_SUFFIXES):
        return False
    # Archives made on a Mac carry a "._name" and a "__MACOSX" twin of every file.
    parts = member.parts
    return "__MACOSX" not in parts and not parts[-1].startswith(".")
