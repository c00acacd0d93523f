"""The native TensorRT backend, as far as a machine without a GPU can check it.

It is compiled against the headers of every TensorRT at hand: ``RESEMOTE_TENSORRT_HEADERS`` names folders that hold
NvInfer.h and NvOnnxParser.h, ``RESEMOTE_CUDA_HEADERS`` those of cuda_runtime_api.h and crt/host_defines.h, both
separated as in PATH. What needs no GPU runs, with sanitizers.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BACKEND = ROOT / "runtimes" / "backends" / "tensorrt"
SOURCES = sorted(BACKEND.glob("*.cpp"))
PROGRAMS = Path(__file__).parent / "tensorrt"
OWN_INCLUDES = [ROOT / "runtimes" / "src", ROOT / "runtimes" / "include", BACKEND, PROGRAMS]
STRICT = ["-std=c++14", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]


def folders(variable: str) -> list[Path]:
    return [Path(folder) for folder in os.environ.get(variable, "").split(os.pathsep) if folder]


TENSORRT_HEADERS = folders("RESEMOTE_TENSORRT_HEADERS")
CUDA_HEADERS = folders("RESEMOTE_CUDA_HEADERS")
NO_HEADERS = "RESEMOTE_TENSORRT_HEADERS and RESEMOTE_CUDA_HEADERS name no folders"

each_tensorrt = pytest.mark.parametrize(
    "tensorrt",
    TENSORRT_HEADERS if CUDA_HEADERS and TENSORRT_HEADERS else [pytest.param(None, marks=pytest.mark.skip(NO_HEADERS))],
    ids=str,
)


@pytest.fixture(scope="module")
def compiler() -> list[str]:
    """A C++ compiler that finds nlohmann-json."""
    found = shutil.which(os.environ.get("CXX", "g++"))
    if found is None:
        pytest.skip(f"no C++ compiler '{os.environ.get('CXX', 'g++')}' was found; CXX names another")
    probe = [found, *STRICT, "-fsyntax-only", "-x", "c++", "-"]
    done = subprocess.run(probe, input="#include <nlohmann/json.hpp>\n", text=True, capture_output=True, check=False)
    if done.returncode != 0:
        pytest.skip("nlohmann/json.hpp was not found; install nlohmann-json3-dev")
    return [found, *STRICT, *(f"-I{folder}" for folder in OWN_INCLUDES)]


def system(*folders: Path) -> list[str]:
    return [flag for folder in folders for flag in ("-isystem", str(folder))]


def succeed(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"


@each_tensorrt
@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_compiles_without_warnings_and_needs_no_library_of_nvidia(compiler, source, tensorrt, tmp_path):
    nm = shutil.which("nm")
    if nm is None:
        pytest.skip("nm was not found")
    target = tmp_path / "object.o"
    succeed([*compiler, "-c", *system(tensorrt, *CUDA_HEADERS), str(source), "-o", str(target)])
    # Everything is found at run time. With one undefined symbol, the library would not load without TensorRT.
    listing = subprocess.run([nm, "-uC", str(target)], capture_output=True, text=True, check=True).stdout
    missing = [line.split(maxsplit=1)[1] for line in listing.splitlines() if " U " in line]
    assert [
        name for name in missing if re.match(r"nvinfer1|nvonnxparser|cuda|createInfer|createNv|getInfer", name)
    ] == []


@each_tensorrt
@pytest.mark.parametrize("many_contexts", ["true", "false"], ids=["many contexts", "one context"])
def test_an_engine_copies_records_and_releases(compiler, tensorrt, many_contexts, tmp_path):
    sources = ["tensorrt_engine.cpp", "cudart.cpp", "engine_fit.cpp"]
    program = tmp_path / "engine_run"
    succeed(
        [
            *compiler,
            "-g",
            "-fsanitize=address,undefined",
            f"-DMANY_CONTEXTS={many_contexts}",
            *system(tensorrt, *CUDA_HEADERS),
            str(PROGRAMS / "engine_run_program.cpp"),
            *(str(BACKEND / source) for source in sources),
            "-o",
            str(program),
        ]
    )
    succeed([str(program)])


def build_cache_program(compiler: list[str], folder: Path, *flags: str) -> Path:
    """Build the program that tests the cache of engines."""
    sources = [BACKEND / name for name in ("build_memory.cpp", "engine_cache.cpp", "engine_fit.cpp")]
    sources += [ROOT / "runtimes" / "src" / name for name in ("file.cpp", "observer.cpp", "sha256.cpp")]
    program = folder / "engine_cache"
    succeed(
        [
            *compiler,
            *flags,
            str(PROGRAMS / "engine_cache_program.cpp"),
            *map(str, sources),
            "-pthread",
            "-o",
            str(program),
        ]
    )
    return program


@pytest.mark.slow
def test_engines_are_cached_and_compared(compiler, tmp_path):
    folder = tmp_path / "cache"
    folder.mkdir()
    succeed([str(build_cache_program(compiler, tmp_path, "-g", "-fsanitize=address,undefined")), str(folder)])


@pytest.fixture(scope="module")
def cache_program(compiler, tmp_path_factory) -> Path:
    """The same program without sanitizers, which would make hundreds of starts slow."""
    return build_cache_program(compiler, tmp_path_factory.mktemp("cache"))


def race(program: Path, folder: Path, build_ms: int, *, kills: bool = False) -> list[str]:
    """Start eight processes at once for one engine that is missing; what each says of it."""
    processes = [
        subprocess.Popen([program, "race", folder, str(build_ms)], stdout=subprocess.PIPE, text=True) for _ in range(8)
    ]
    if kills:
        processes[0].kill()
    ends = [(process, process.communicate()[0].strip()) for process in processes]
    assert all(process.returncode == 0 for process, _ in ends[kills:])
    return [said for _, said in ends[kills:]]


@pytest.mark.slow
def test_one_process_builds_an_engine_and_the_others_wait_for_it(cache_program, tmp_path):
    said = race(cache_program, tmp_path / "cache", 2000)
    assert sorted(said) == ["built in 2 s", *["from the cache"] * 7]


@pytest.mark.slow
def test_no_entry_is_ever_unusable(cache_program, tmp_path):
    for round_number in range(100):
        folder = tmp_path / str(round_number)
        # In some rounds a process is killed, which may be the one that builds.
        kills = round_number % 4 == 3
        said = race(cache_program, folder, 5, kills=kills)
        assert sum(line.startswith("built") for line in said) <= 1
        assert set(said) <= {"built in less than 1 s", "from the cache"}
        again = subprocess.run([cache_program, "race", folder, "5"], capture_output=True, text=True, check=True)
        assert again.stdout == "from the cache\n"
        assert {path.suffix for path in folder.iterdir()} == {".plan", ".lock"}


@pytest.mark.parametrize("source", sorted(BACKEND.iterdir()), ids=lambda path: path.name)
def test_modules_stay_small(source):
    assert len(source.read_text(encoding="utf-8").splitlines()) < 400


# --- cmake/FindTensorRT.cmake -----------------------------------------------------------------------------------------

WRITTEN_OUT = """\
#define NV_TENSORRT_MAJOR 8 //!< TensorRT major version.
#define NV_TENSORRT_MINOR 2 //!< TensorRT minor version.
#define NV_TENSORRT_PATCH 1 //!< TensorRT patch version.
#define NV_TENSORRT_BUILD 8
"""
BY_OTHER_MACROS = """\
#define TRT_MAJOR_ENTERPRISE 10
#define TRT_MINOR_ENTERPRISE 13
#define TRT_PATCH_ENTERPRISE 3
#define NV_TENSORRT_MAJOR TRT_MAJOR_ENTERPRISE //!< TensorRT major version.
#define NV_TENSORRT_MINOR TRT_MINOR_ENTERPRISE //!< TensorRT minor version.
#define NV_TENSORRT_PATCH TRT_PATCH_ENTERPRISE //!< TensorRT patch version.
"""


def configure(folder: Path, headers: Path, find: str) -> subprocess.CompletedProcess[str]:
    """Configure a project that finds TensorRT in ``headers`` alone."""
    cmake = shutil.which("cmake")
    if cmake is None:
        pytest.skip("cmake was not found")
    (folder / "CMakeLists.txt").write_text(
        f"""
cmake_minimum_required(VERSION 3.10)
project(found NONE)
list(APPEND CMAKE_MODULE_PATH "{ROOT / "cmake"}")
find_package(TensorRT {find})
message(STATUS "found=${{TensorRT_FOUND}} version=${{TensorRT_VERSION}} folders=${{TensorRT_INCLUDE_DIRS}}")
get_target_property(folders TensorRT::Headers INTERFACE_INCLUDE_DIRECTORIES)
message(STATUS "target=${{folders}}")
""",
        encoding="utf-8",
    )
    command = [cmake, "-S", str(folder), "-B", str(folder / "build"), f"-DTensorRT_ROOT={headers}"]
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("CUDA", "TensorRT"))}
    return subprocess.run(
        [*command, f"-DCUDAToolkit_ROOT={headers}"], capture_output=True, text=True, env=environment, check=False
    )


def lay_out(folder: Path, version: str) -> Path:
    include = folder / "headers" / "include"
    (include / "crt").mkdir(parents=True)
    for name in ("NvInfer.h", "NvOnnxParser.h", "cuda_runtime_api.h", "crt/host_defines.h"):
        (include / name).write_text("", encoding="utf-8")
    (include / "NvInferVersion.h").write_text(version, encoding="utf-8")
    return include


@pytest.mark.parametrize(("text", "version"), [(WRITTEN_OUT, "8.2.1"), (BY_OTHER_MACROS, "10.13.3")])
def test_cmake_finds_headers_and_their_version(text, version, tmp_path):
    include = lay_out(tmp_path, text)
    done = configure(tmp_path, include.parent, "8.2 REQUIRED")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"version={version} folders={include}\n" in done.stdout
    assert f"target={include}\n" in done.stdout


@pytest.mark.parametrize(("text", "find"), [("", "REQUIRED"), (WRITTEN_OUT, "8.5 REQUIRED")])
def test_cmake_refuses_headers_without_a_version_or_too_old_ones(text, find, tmp_path):
    done = configure(tmp_path, lay_out(tmp_path, text).parent, find)
    assert done.returncode != 0
    assert "Could NOT find TensorRT" in done.stderr


@each_tensorrt
def test_cmake_reads_the_version_of_real_headers(tensorrt, tmp_path):
    include = lay_out(tmp_path, (tensorrt / "NvInferVersion.h").read_text(encoding="utf-8"))
    done = configure(tmp_path, include.parent, "8.2 REQUIRED")
    assert re.search(r"version=(8|9|10|11)\.\d+\.\d+ ", done.stdout), done.stdout + done.stderr
