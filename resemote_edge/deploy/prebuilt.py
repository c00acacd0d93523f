"""Prebuilt files: the library and the tools for a board's machine, compiled here for an old glibc, and checked."""

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from resemote_edge.artifacts.files import write_file
from resemote_edge.artifacts.partial import partial_folder, put_in_place
from resemote_edge.deploy.board import Board, Engine, version_numbers
from resemote_edge.deploy.elf import ElfFile, read_elf
from resemote_edge.deploy.sources import JsonHeader, source_folder, sources_sha256
from resemote_edge.errors import ExportError, InputError, missing_dependency

__all__ = ["Prebuilt", "build_prebuilt", "check_prebuilt"]

#: Oldest glibc of any board: one build serves all boards of a machine.
GLIBC_FLOOR = "2.27"

#: Libraries that every Linux with glibc has; the compiler's C++ library is linked statically.
_BASE_LIBRARIES = re.compile(
    r"(libc|libm|libdl|libpthread|librt|ld-linux-\w+(-\w+)*)\.so\.\d+\Z|ld-linux-[\w-]+\.so\.\d+\Z"
)

_PERCENT = re.compile(rb"\[ *(\d+)%\]")

#: Environment variable that names the folder of earlier builds.
CACHE_VARIABLE = "XDG_CACHE_HOME"


@dataclass(frozen=True, kw_only=True)
class Prebuilt:
    """The native runtime, compiled for a kind of machine.

    Attributes:
        folder: Folder with ``bin``, ``lib`` and ``include``.
        files: Programs and libraries, by path within the folder.
        compiler: What compiled them, in words; empty if they were made elsewhere.
    """

    folder: Path
    files: dict[str, ElfFile]
    compiler: str

    @property
    def glibc(self) -> str:
        """Oldest glibc that all files run with."""
        return max((file.glibc for file in self.files.values()), key=version_numbers)


def check_prebuilt(folder: Path, board: Board, compiler: str = "") -> Prebuilt:
    """Check that a build runs on a board.

    Args:
        folder: Folder with ``bin/resemote`` and ``lib/libresemote.so.*``.
        board: The board.
        compiler: What compiled them.

    Raises:
        InputError: A file is missing, is for another machine, needs a newer glibc than the board has, or needs a
            library that not every board has.
    """
    programs = [folder / "bin" / "resemote", *sorted((folder / "lib").glob("libresemote.so.*.*.*"))]
    files: dict[str, ElfFile] = {}
    for path in programs:
        if not path.is_file():
            raise InputError(
                f"{folder}: no {path.relative_to(folder)} in it", hint="pass the prefix of an installation"
            )
        name = path.relative_to(folder).as_posix()
        files[name] = found = read_elf(path)
        if found.machine != board.machine:
            raise InputError(f"{path}: for {found.machine}, and the board {board.name} is {board.machine}")
        if version_numbers(found.glibc) > version_numbers(board.glibc):
            raise InputError(
                f"{path}: needs glibc {found.glibc}, and the board {board.name} has {board.glibc}",
                hint="leave out --prebuilt, so that it is compiled for the board",
            )
        foreign = [each for each in found.libraries if not _is_everywhere(each)]
        if foreign:
            raise InputError(
                f"{path}: needs {', '.join(foreign)}, which not every board has",
                hint="leave out --prebuilt, so that it is compiled for the board",
            )
    if len(files) < 2:
        raise InputError(f"{folder}: no lib/libresemote.so.* in it", hint="pass the prefix of an installation")
    return Prebuilt(folder=folder, files=files, compiler=compiler)


def _is_everywhere(library: str) -> bool:
    return bool(_BASE_LIBRARIES.match(library)) or library.startswith(
        ("libresemote.so.", "libstdc++.so.6", "libgcc_s.so.1")
    )


def build_prebuilt(board: Board, engine: Engine, header: JsonHeader, progress: Callable[[str, int], None]) -> Prebuilt:
    """Compile the library and the tools for a board with Zig's C++ compiler, or take an earlier build.

    Args:
        board: The board.
        engine: Engine of the board; OpenVINO's backend is compiled in only if it is the engine.
        header: Headers of nlohmann-json.
        progress: Function called with what is being done, and how much of it, in per cent.

    Returns:
        The build, checked; it is kept in ``~/.cache/resemote-edge/prebuilt``.

    Raises:
        MissingDependencyError: The package ziglang is not installed.
        InputError: CMake is not installed, or OpenVINO's headers are not at hand.
        ExportError: A file does not compile, or the result does not run on the board.
    """
    cmake = shutil.which("cmake")
    if cmake is None:
        raise InputError(
            "compiling for a board needs cmake, which is not installed", hint="install cmake, or pip install cmake"
        )
    zig = _zig_version()
    openvino = _openvino_headers() if engine.backend == "openvino" else None
    target = f"{board.machine}-linux-gnu.{GLIBC_FLOOR}"
    words = (zig, target, str(openvino is not None), sources_sha256(header))
    name = f"{board.machine}-{hashlib.sha256(' '.join(words).encode()).hexdigest()[:16]}"
    kept = _cache_folder() / name
    compiler = f"zig {zig} for {target}"
    if not (kept / "bin" / "resemote").is_file():
        kept.parent.mkdir(parents=True, exist_ok=True)
        with partial_folder(kept.parent, name) as staging:
            write_file(staging / "zig.cmake", _toolchain(board.machine, target))
            _compile(cmake, staging, header, openvino, progress)
            put_in_place(staging / "prefix", kept, staging)
    try:
        return check_prebuilt(kept, board, compiler)
    except InputError as error:
        raise ExportError(f"what was compiled does not run on the board: {error.reason}", hint="report this") from None


def _cache_folder() -> Path:
    base = os.environ.get(CACHE_VARIABLE) or "~/.cache"
    return Path(base).expanduser() / "resemote-edge" / "prebuilt"


def _zig_version() -> str:
    if importlib.util.find_spec("ziglang") is None:
        raise missing_dependency("ziglang", "bundle", "compiling for a board")
    done = subprocess.run([sys.executable, "-m", "ziglang", "version"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ExportError(
            f"Zig's compiler does not start: {done.stderr.strip()[-300:]}", hint="pip install --force-reinstall ziglang"
        )
    return done.stdout.strip()


def _openvino_headers() -> Path:
    found = importlib.util.find_spec("openvino")
    for place in found.submodule_search_locations or () if found else ():
        include = Path(place) / "include"
        if (include / "openvino" / "c" / "openvino.h").is_file():
            return include
    raise missing_dependency("openvino", "openvino", "compiling OpenVINO's backend")


def _toolchain(machine: str, target: str) -> str:
    """Toolchain file for CMake: Zig's compilers through this Python."""
    lines = ["set(CMAKE_SYSTEM_NAME Linux)", f"set(CMAKE_SYSTEM_PROCESSOR {machine})"]
    for language, word in (("C", "cc"), ("CXX", "c++")):
        lines.append(f'set(CMAKE_{language}_COMPILER "{sys.executable}" -m ziglang {word})')
        lines.append(f"set(CMAKE_{language}_COMPILER_TARGET {target})")
    # Nothing of this machine may get into what is built for another.
    lines.append("set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)")
    lines += [f"set(CMAKE_DISABLE_FIND_PACKAGE_{name} ON)" for name in ("PNG", "JPEG", "OpenCV", "TensorRT")]
    return "\n".join(lines) + "\n"


def _compile(
    cmake: str, folder: Path, header: JsonHeader, openvino: Path | None, progress: Callable[[str, int], None]
) -> None:
    (folder / "include").mkdir()
    # Not the system's folder itself, whose other headers are those of this machine.
    (folder / "include" / "nlohmann").symlink_to(header.include.resolve() / "nlohmann")
    options = {
        "CMAKE_BUILD_TYPE": "Release",
        "CMAKE_TOOLCHAIN_FILE": folder / "zig.cmake",
        "CMAKE_INSTALL_PREFIX": folder / "prefix",
        "CMAKE_INSTALL_LIBDIR": "lib",
        # The same bytes wherever it is compiled.
        "CMAKE_CXX_FLAGS": f"-ffile-prefix-map={source_folder()}=. -ffile-prefix-map={folder}=.",
        "CMAKE_EXE_LINKER_FLAGS": "-s",
        "CMAKE_SHARED_LINKER_FLAGS": "-s",
        "NLOHMANN_JSON_INCLUDE_DIR": folder / "include",
        "RESEMOTE_BACKEND_OPENVINO": "ON" if openvino else "OFF",
        "RESEMOTE_BACKEND_TENSORRT": "OFF",
        "RESEMOTE_BUILD_BENCHMARKS": "OFF",
        "RESEMOTE_BUILD_CAMERA": "OFF",
        "RESEMOTE_BUILD_EXAMPLES": "OFF",
        **({"OpenVINOHeaders_INCLUDE_DIR": openvino} if openvino else {}),
    }
    build = folder / "build"
    set_up = [
        cmake,
        "-S",
        str(source_folder()),
        "-B",
        str(build),
        *(f"-D{name}={value}" for name, value in options.items()),
    ]
    progress("configuring", 0)
    _run(set_up, folder, None)
    _run(
        [cmake, "--build", str(build), "--parallel", str(len(os.sched_getaffinity(0)))],
        folder,
        lambda part: progress("compiling", part),
    )
    _run([cmake, "--install", str(build)], folder, None)


def _run(command: list[str], folder: Path, progress: Callable[[int], None] | None) -> None:
    """Run a command, and tell how far it is from the percentages in its output.

    Raises:
        ExportError: It failed; the message holds the last lines that it wrote.
    """
    environment = {**os.environ, "ZIG_LOCAL_CACHE_DIR": str(folder / "zig-cache"), "TERM": "dumb"}
    last: list[bytes] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                last = [*last[-40:], line]
                found = _PERCENT.match(line)
                if found and progress is not None:
                    progress(int(found[1]))
        except BaseException:
            process.terminate()
            raise
    if process.returncode != 0:
        errors = [line for line in last if b"rror" in line] or last
        text = b"".join(errors[:3]).decode(errors="replace")
        raise ExportError(
            f"compiling for the board failed: {text}",
            hint="install ziglang again, or pass --prebuilt with a build of your own",
        )
