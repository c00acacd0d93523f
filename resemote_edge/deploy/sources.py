"""Sources of the native runtime: what is compiled here for a board, and carried along to be compiled there."""

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from resemote_edge.errors import InputError

__all__ = ["JsonHeader", "copy_sources", "find_json_header", "source_files", "source_folder", "sources_sha256"]

#: Parts of the repository that CMake reads.
_PARTS = (
    "CMakeLists.txt",
    "LICENSE",
    "cmake",
    "runtimes/CMakeLists.txt",
    "runtimes/backends",
    "runtimes/include",
    "runtimes/src",
    "runtimes/tools",
)

#: The package's own module, from which CMake reads the version; a wheel holds it once, so it is no part of the sources.
_VERSION_FILE = "resemote_edge/__init__.py"

#: Folders in which systems install headers.
_SYSTEM_INCLUDES = (Path("/usr/include"), Path("/usr/local/include"))

_JSON_NAME = "nlohmann/json.hpp"
_JSON_LICENCES = (Path("/usr/share/doc/nlohmann-json3-dev/copyright"),)
_LICENCE_NAMES = ("LICENSE.MIT", "LICENSE", "LICENSE.txt", "copyright")


class JsonHeader:
    """The headers of nlohmann-json, with their licence.

    Attributes:
        include: Folder that holds ``nlohmann/json.hpp``.
        licence: File with the licence.
        version: Version of the package.
    """

    def __init__(self, include: Path, licence: Path) -> None:
        self.include, self.licence = include, licence
        self.version = _version_of(include)

    def copy_to(self, folder: Path) -> None:
        """Copy the headers into a folder, where they are found as ``nlohmann/json.hpp``."""
        shutil.copytree(self.include / "nlohmann", folder / "nlohmann")


def find_json_header(include: Path | None = None) -> JsonHeader:
    """Find the headers of nlohmann-json.

    Args:
        include: Folder that holds ``nlohmann/json.hpp``; None to look where systems install it.

    Raises:
        InputError: They are not there, are older than 3.7.3, or have no licence beside them.
    """
    for folder in (include,) if include is not None else _SYSTEM_INCLUDES:
        if not (folder / _JSON_NAME).is_file():
            continue
        beside = [around / name for around in (folder, *folder.parents[:1]) for name in _LICENCE_NAMES]
        licences = [*beside, *(_JSON_LICENCES if include is None else ())]
        licence = next((path for path in licences if path.is_file()), None)
        if licence is None:
            raise InputError(
                f"{folder / _JSON_NAME}: no licence beside it, and a bundle carries both",
                hint=f"put it into {folder} as {_LICENCE_NAMES[0]}, or install nlohmann-json3-dev",
            )
        return JsonHeader(folder, licence)
    places = ", ".join(map(str, (include,) if include is not None else _SYSTEM_INCLUDES))
    raise InputError(
        f"no {_JSON_NAME} in {places}, and the native runtime needs it",
        hint="install nlohmann-json (Debian and Ubuntu: nlohmann-json3-dev), or name its folder with --json-headers",
    )


def _version_of(include: Path) -> str:
    """Version of nlohmann-json; refuses versions that crash on deeply nested JSON."""
    numbers = []
    # Since 3.11, the version has a file of its own.
    files = [include / "nlohmann" / "detail" / "abi_macros.hpp", include / _JSON_NAME]
    text = "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in files if path.is_file())
    for part in ("MAJOR", "MINOR", "PATCH"):
        _, found, rest = text.partition(f"#define NLOHMANN_JSON_VERSION_{part} ")
        digits = rest.split(None, 1)[0] if found else ""
        numbers.append(int(digits) if digits.isdigit() else 0)
    version = ".".join(map(str, numbers))
    if tuple(numbers) < (3, 7, 3):
        raise InputError(
            f"{include / _JSON_NAME}: version {version if any(numbers) else 'unknown'}, and 3.7.3 or later is needed",
            hint="name the folder of a newer one with --json-headers",
        )
    return version


def source_folder() -> Path:
    """Folder with the sources: within the package in an installed wheel, the repository in a checkout.

    Raises:
        InputError: They are in neither place.
    """
    packaged = Path(__file__).parent / "native_sources"
    folder = packaged if packaged.is_dir() else Path(__file__).resolve().parents[2]
    if not (folder / "runtimes" / "CMakeLists.txt").is_file():
        raise InputError(f"{folder}: no sources of the native runtime", hint="install resemote-edge again")
    return folder


def source_files() -> Iterator[str]:
    """Paths of the source files as a bundle holds them, sorted."""
    folder = source_folder()
    found = []
    for part in _PARTS:
        path = folder / part
        found += [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
    yield from sorted([_VERSION_FILE, *(path.relative_to(folder).as_posix() for path in found)])


def _path_of(name: str) -> Path:
    return Path(__file__).parents[1] / "__init__.py" if name == _VERSION_FILE else source_folder() / name


def sources_sha256(header: JsonHeader) -> str:
    """Hex sha256 of all that is compiled."""
    digest = hashlib.sha256()
    files = [(name, _path_of(name)) for name in source_files()]
    headers = sorted((header.include / "nlohmann").rglob("*.hpp"))
    for name, path in (*files, *((path.relative_to(header.include).as_posix(), path) for path in headers)):
        digest.update(f"{name}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def copy_sources(folder: Path, header: JsonHeader) -> None:
    """Copy all that a board needs to compile the library and the tools.

    Args:
        folder: New folder; the headers of nlohmann-json go into its ``third-party``.
        header: The headers.
    """
    for name in source_files():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(_path_of(name), folder / name)
    header.copy_to(folder / "third-party")
