"""Build hook of the native wheel: libresemote inside the package, where RESEMOTE_EDGE_NATIVE=1 asks for it.

Without the variable the wheel is pure Python and needs no compiler. With it, CMake builds the library with the options
of ``CMAKE_ARGS``, such as a toolchain file, and the wheel bears the platform the library was built for.
"""

import os
import platform
import shlex
import struct
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

#: Machine numbers of ELF headers, and what wheels call them.
_MACHINES = {62: "x86_64", 183: "aarch64"}


class NativeWheel(BuildHookInterface[Any]):
    """Builds libresemote and puts it where `resemote_edge.runtimes.native.library` looks first."""

    def dependencies(self) -> list[str]:
        """What building needs beside hatchling: the headers of OpenVINO's C API, which its package carries."""
        return ["openvino>=2024.4"] if _wanted() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the library to a standard wheel; an editable install takes it from build/native-release.

        Raises:
            SystemExit: ``RESEMOTE_EDGE_NATIVE`` is neither 1 nor 0, or CMake failed.
        """
        if not _wanted() or version == "editable":
            return
        # The wheel is written after this returns, so the folder lives until the process ends.
        self.folder = tempfile.TemporaryDirectory(prefix="resemote-wheel-")
        library = _build(Path(self.root), Path(self.folder.name))
        build_data["force_include"][str(library)] = "resemote_edge/runtimes/native/libresemote.so"
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-linux_{_machine(library)}"


def _wanted() -> bool:
    value = os.environ.get("RESEMOTE_EDGE_NATIVE", "0")
    if value not in {"0", "1"}:
        raise SystemExit(f"RESEMOTE_EDGE_NATIVE is {value!r}; set it to 1 for a wheel with libresemote, or to 0")
    return value == "1"


def _build(source: Path, folder: Path) -> Path:
    """Build and install the library below a folder; return its file, stripped."""
    build, prefix = folder / "build", folder / "prefix"
    options = [
        "-DCMAKE_BUILD_TYPE=Release",
        "-DRESEMOTE_BUILD_EXAMPLES=OFF",
        "-DRESEMOTE_BUILD_BENCHMARKS=OFF",
        # A wheel that lacked a backend because of a missing header would surprise its user much later.
        "-DRESEMOTE_BACKEND_OPENVINO=ON",
        f"-DRESEMOTE_PYTHON={sys.executable}",
        f"-DCMAKE_INSTALL_PREFIX={prefix}",
        "-DCMAKE_INSTALL_LIBDIR=lib",
        *shlex.split(os.environ.get("CMAKE_ARGS", "")),
    ]
    if platform.system() != "Linux":
        raise SystemExit(f"libresemote is built on Linux, this is {platform.system()}; unset RESEMOTE_EDGE_NATIVE")
    # The words of CMake 3.10, which JetPack 4.6 has; it does not know of the variable, and builds with one process.
    environment = {"CMAKE_BUILD_PARALLEL_LEVEL": str(os.cpu_count() or 1), **os.environ}
    build.mkdir(parents=True)
    for command in (
        ["cmake", *options, str(source)],
        ["cmake", "--build", "."],
        ["cmake", "-DCMAKE_INSTALL_DO_STRIP=1", "-P", "cmake_install.cmake"],
    ):
        try:
            done = subprocess.run(
                command, cwd=build, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
            )
        except FileNotFoundError:
            raise SystemExit("a native wheel needs cmake, which is not installed; unset RESEMOTE_EDGE_NATIVE") from None
        if done.returncode != 0:
            raise SystemExit(f"{shlex.join(command)} failed:\n{done.stdout.decode(errors='replace')[-4000:]}")
    return (prefix / "lib" / "libresemote.so").resolve()


def _machine(library: Path) -> str:
    """What wheels call the machine a library was built for, from its ELF header."""
    with library.open("rb") as file:
        (number,) = struct.unpack_from("<H", file.read(20), 18)
    if number not in _MACHINES:
        raise SystemExit(f"{library} is for ELF machine {number}; wheels are made for {', '.join(_MACHINES.values())}")
    return _MACHINES[number]
