"""ELF files: for what machine a program or library is, and which versions of other libraries it needs."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from resemote_edge.deploy.board import version_numbers
from resemote_edge.errors import InputError

__all__ = ["ElfFile", "read_elf"]

#: Machine numbers of ELF headers, and what ``uname -m`` calls them.
_MACHINES = {62: "x86_64", 183: "aarch64"}

_DYNAMIC, _VERSION_NEEDS, _DYNAMIC_SYMBOLS = 6, 0x6FFFFFFE, 11
_NEEDED = 1


@dataclass(frozen=True, kw_only=True)
class ElfFile:
    """Facts of a program or shared library.

    Attributes:
        machine: Kind of processor, as ``uname -m`` says it.
        libraries: Names of the shared libraries that the loader loads with it.
        versions: Versions of symbols that it needs, such as ``GLIBC_2.17``.
        symbols: Names of the symbols that other files can use.
    """

    machine: str
    libraries: tuple[str, ...]
    versions: frozenset[str]
    symbols: frozenset[str]

    @property
    def glibc(self) -> str:
        """Oldest glibc that it runs with; ``0`` if it needs none of its symbols."""
        numbers = [name.removeprefix("GLIBC_") for name in self.versions if name.startswith("GLIBC_")]
        return max((each for each in numbers if each[0].isdigit()), key=version_numbers, default="0")


@dataclass(frozen=True)
class _Section:
    kind: int
    offset: int
    size: int
    link: int
    info: int


def read_elf(path: Path) -> ElfFile:
    """Read the facts of a program or shared library for 64-bit Linux.

    Raises:
        InputError: The file cannot be read, is not an ELF file, is damaged, or is for another kind of machine.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None
    if data[:6] != b"\x7fELF\x02\x01" or len(data) < 64:
        raise InputError(f"{path}: not a program or library for 64-bit Linux", hint="pass the file of a shared library")
    machine = struct.unpack_from("<H", data, 18)[0]
    if machine not in _MACHINES:
        raise InputError(
            f"{path}: for ELF machine {machine}", hint=f"pass a file for one of {', '.join(_MACHINES.values())}"
        )
    try:
        return _facts(data, _MACHINES[machine])
    except (struct.error, IndexError, ValueError, OverflowError) as error:
        raise InputError(f"{path}: a damaged program or library ({error})", hint="copy or build it again") from None


def _facts(data: bytes, machine: str) -> ElfFile:
    sections = list(_sections(data))
    libraries: list[str] = []
    versions: set[str] = set()
    symbols: set[str] = set()
    for section in sections:
        names = sections[section.link] if section.kind in (_DYNAMIC, _VERSION_NEEDS, _DYNAMIC_SYMBOLS) else section
        if section.kind == _DYNAMIC:
            for place in range(section.offset, section.offset + section.size, 16):
                tag, value = struct.unpack_from("<qQ", data, place)
                if tag == _NEEDED:
                    libraries.append(_text(data, names, value))
        elif section.kind == _VERSION_NEEDS:
            versions.update(_version_needs(data, section, names))
        elif section.kind == _DYNAMIC_SYMBOLS:
            for place in range(section.offset, section.offset + section.size, 24):
                name, _, _, defined_in = struct.unpack_from("<IBBH", data, place)
                if defined_in and name:
                    symbols.add(_text(data, names, name))
    return ElfFile(
        machine=machine, libraries=tuple(libraries), versions=frozenset(versions), symbols=frozenset(symbols)
    )


def _sections(data: bytes) -> Iterator[_Section]:
    start = struct.unpack_from("<Q", data, 40)[0]
    size, count = struct.unpack_from("<HH", data, 58)
    for number in range(count):
        kind, _, _, offset, length, link, info, _, _ = struct.unpack_from("<IQQQQIIQQ", data, start + number * size + 4)
        yield _Section(kind, offset, length, link, info)


def _version_needs(data: bytes, section: _Section, names: _Section) -> Iterator[str]:
    place = section.offset
    for _ in range(section.info):
        _, count, _, first, following = struct.unpack_from("<HHIII", data, place)
        auxiliary = place + first
        for _ in range(count):
            _, _, _, name, step = struct.unpack_from("<IHHII", data, auxiliary)
            yield _text(data, names, name)
            if step == 0:
                break  # The last one; a damaged count may say that there are billions.
            auxiliary += step
        if following == 0:
            break
        place += following


def _text(data: bytes, names: _Section, offset: int) -> str:
    start = names.offset + offset
    return data[start : data.index(b"\0", start)].decode()
