"""Engine library: the shared library of an engine that a bundle carries, with its licences."""

import re
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path

from resemote_edge.deploy.board import Board, Engine, version_numbers
from resemote_edge.deploy.elf import read_elf
from resemote_edge.errors import InputError

__all__ = ["EngineLibrary", "can_be_carried", "carry_engine_library"]

#: Engines whose library a bundle can carry, and how the file is called.
_CARRIED = {"onnxruntime": re.compile(r"libonnxruntime\.so(\.[0-9]+)*\Z")}

_LICENCES = re.compile(r"(LICEN[CS]E|ThirdPartyNotices|NOTICE)[^/]*\Z", re.IGNORECASE)

#: Largest file of a wheel that is unpacked, so that a hostile one fills no disk.
_MOST_BYTES = 1 << 30


@dataclass(frozen=True, kw_only=True)
class EngineLibrary:
    """A library that was copied into a bundle.

    Attributes:
        file: Path within the bundle.
        licences: Paths of its licences within the bundle.
        origin: Name of the wheel or file that it came from.
        glibc: Oldest glibc that it runs with.
    """

    file: str
    licences: tuple[str, ...]
    origin: str
    glibc: str


def can_be_carried(engine: Engine) -> bool:
    """Whether a bundle can carry the library of an engine."""
    return engine.backend in _CARRIED


def carry_engine_library(path: Path, folder: Path, board: Board, engine: Engine) -> EngineLibrary:
    """Copy the library of an engine into a bundle.

    Args:
        path: A wheel of the engine for the board's machine, or the library's own file, with its licence beside it.
        folder: Folder of the bundle; the library goes into ``lib``, the licences into ``licences``.
        board: The board.
        engine: Engine of the board.

    Raises:
        InputError: Libraries of this engine are not carried; or the file is no library of the engine, has no licence,
            is for another machine, or needs a newer glibc than the board has.
    """
    names = _CARRIED.get(engine.backend)
    if names is None:
        raise InputError(
            f"a bundle does not carry the library of {engine.backend}",
            hint="leave out --engine-library; the board has its own, or install.sh is told where it is",
        )
    if not path.is_file():
        raise InputError(
            f"{path}: no such file", hint=f"pass a wheel of {engine.backend} for {board.machine}, or its library"
        )
    (folder / "lib").mkdir(exist_ok=True)
    (folder / "licences" / engine.backend).mkdir(parents=True, exist_ok=True)
    copy = _from_wheel if path.suffix == ".whl" else _from_file
    library, licences = copy(path, folder, engine.backend, names)
    found = read_elf(library)
    if found.machine != board.machine:
        raise InputError(
            f"{path}: its {library.name} is for {found.machine}, and the board {board.name} is {board.machine}",
            hint=f"pass one for {board.machine}: pip download --no-deps --platform manylinux_2_27_{board.machine} "
            f"--only-binary=:all: {engine.backend}",
        )
    if version_numbers(found.glibc) > version_numbers(board.glibc):
        raise InputError(
            f"{path}: its {library.name} needs glibc {found.glibc}, and the board {board.name} has {board.glibc}",
            hint="pass an older release",
        )
    return EngineLibrary(
        file=library.relative_to(folder).as_posix(),
        licences=tuple(licence.relative_to(folder).as_posix() for licence in licences),
        origin=path.name,
        glibc=found.glibc,
    )


def _from_file(path: Path, folder: Path, backend: str, names: re.Pattern[str]) -> tuple[Path, list[Path]]:
    if not names.match(path.name):
        raise InputError(f"{path}: not the name of {backend}'s library", hint=f"pass lib{backend}.so, or a wheel of it")
    # A wheel that was unpacked has them one folder up.
    folders = path.resolve().parents[:2]
    beside = [
        sorted(each for each in where.iterdir() if each.is_file() and _LICENCES.match(each.name)) for where in folders
    ]
    licences = next(filter(None, beside), [])
    if not licences:
        raise InputError(f"{path}: no licence beside it, and a bundle carries both", hint="put its LICENSE beside it")
    library = folder / "lib" / f"lib{backend}.so"
    shutil.copyfile(path, library)
    copied = [folder / "licences" / backend / each.name for each in licences]
    for origin, licence in zip(licences, copied, strict=True):
        shutil.copyfile(origin, licence)
    return library, copied


def _from_wheel(path: Path, folder: Path, backend: str, names: re.Pattern[str]) -> tuple[Path, list[Path]]:
    try:
        with zipfile.ZipFile(path) as wheel:
            entries = [entry for entry in wheel.infolist() if entry.file_size <= _MOST_BYTES]
            found = sorted(
                (entry for entry in entries if names.match(entry.filename.rpartition("/")[2])),
                key=lambda entry: entry.filename,
            )
            if not found:
                raise InputError(
                    f"{path}: no lib{backend}.so in this wheel", hint="older wheels carry none; pass a newer one"
                )
            library = folder / "lib" / f"lib{backend}.so"
            library.write_bytes(wheel.read(found[0]))
            licences = []
            for entry in entries:
                name = entry.filename.rpartition("/")[2]
                if _LICENCES.match(name):
                    licences.append(folder / "licences" / backend / name)
                    licences[-1].write_bytes(wheel.read(entry))
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError) as error:
        raise InputError(f"{path}: not a whole wheel ({error})", hint="download it again") from None
    if not licences:
        raise InputError(
            f"{path}: no licence in this wheel, and a bundle carries it", hint="pass the release of its makers"
        )
    return library, sorted(set(licences))
