"""The C library is built by CMake, tested under the sanitizers, installed, and used by a project of its own."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
BUILD = ROOT / "build" / "native-release"
LIBRARY = BUILD / "runtimes" / "libresemote.so"

needs_cmake = pytest.mark.skipif(shutil.which("cmake") is None, reason="cmake is not installed")
needs_catch2 = pytest.mark.skipif(not Path("/usr/include/catch2/catch.hpp").is_file(), reason="Catch2 is not installed")
needs_library = pytest.mark.skipif(not LIBRARY.is_file(), reason="libresemote is not built; run: make native")


def run(*command: object, **options) -> str:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, f"{command}\n{done.stdout[-8000:]}\n{done.stderr[-8000:]}"
    return done.stdout


def build(folder: Path, *options: str, targets: tuple[str, ...] = ()) -> None:
    run("cmake", "-S", ROOT, "-B", folder, f"-DRESEMOTE_PYTHON={sys.executable}", "-DCMAKE_CXX_FLAGS=-Werror", *options)
    run("cmake", "--build", folder, "--parallel", 2, *(word for target in targets for word in ("--target", target)))


@pytest.fixture(scope="module")
def catch2_main(tmp_path_factory):
    """Catch2's main, which takes longer to compile than all tests, once and without a sanitizer."""
    folder = tmp_path_factory.mktemp("catch2")
    source = Path(__file__).with_name("test_main.cpp")
    run(shutil.which("c++"), "-std=c++14", "-c", source, "-o", folder / "main.o")
    run("ar", "rc", folder / "libCatch2WithMain.a", folder / "main.o")
    return folder / "libCatch2WithMain.a"


@needs_cmake
@needs_catch2
@pytest.mark.slow
@pytest.mark.parametrize("sanitizer", ["address,undefined", "thread"])
def test_the_library_is_clean_under_a_sanitizer(sanitizer, catch2_main, tmp_path):
    build(
        tmp_path,
        "-DCMAKE_BUILD_TYPE=Debug",
        "-DRESEMOTE_BUILD_TESTS=ON",
        "-DRESEMOTE_BUILD_EXAMPLES=OFF",
        f"-DRESEMOTE_SANITIZE={sanitizer}",
        f"-DCATCH2_MAIN_LIBRARY={catch2_main}",
        targets=("resemote_native_tests",),
    )
    output = run(tmp_path / "tests" / "native" / "native_tests")
    assert "All tests passed" in output


@needs_cmake
@needs_catch2
def test_headers_compile_in_every_standard_they_name(tmp_path):
    targets = tuple(f"resemote_header_{name}" for name in ("c99", "c11", "cpp11", "cpp14", "cpp17"))
    build(tmp_path, "-DRESEMOTE_BUILD_TESTS=ON", "-DRESEMOTE_BUILD_EXAMPLES=OFF", targets=targets)


@needs_cmake
@needs_catch2
@pytest.mark.parametrize("preset", ["debug", "asan", "tsan", "release"])
def test_a_preset_configures(preset, tmp_path):
    run("cmake", "--preset", preset, "-S", ROOT, "-B", tmp_path, f"-DRESEMOTE_PYTHON={sys.executable}", cwd=ROOT)
    cache = (tmp_path / "CMakeCache.txt").read_text()
    assert "RESEMOTE_BUILD_TESTS:BOOL=ON" in cache
    sanitizer = {"asan": "address,undefined", "tsan": "thread"}.get(preset, "")
    assert f"RESEMOTE_SANITIZE:STRING={sanitizer}\n" in cache


@needs_library
def test_nothing_but_the_abi_is_visible():
    names = [line.split()[-1] for line in run("nm", "--dynamic", "--defined-only", LIBRARY).splitlines()]
    headers = (ROOT / "runtimes" / "include" / "resemote").glob("*.h")
    header = "".join(path.read_text() for path in headers)
    assert names
    for name in names:
        assert name.startswith("resemote_"), name
        assert f" {name}(" in header


@needs_library
def test_the_library_is_small(tmp_path):
    stripped = tmp_path / "libresemote.so"
    run("strip", "-o", stripped, LIBRARY)
    assert stripped.stat().st_size <= 440_000


@needs_cmake
@needs_library
def test_the_cmake_package_fits_where_the_soname_does(tmp_path):
    run("cmake", "--install", BUILD, "--prefix", tmp_path / "installed")
    soname = re.search(r"SONAME.*\[libresemote\.so\.(.+)\]", run("readelf", "--dynamic", LIBRARY))[1]
    major, minor = map(int, soname.split("."))
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.10)\nproject(finder LANGUAGES NONE)\nfind_package(resemote ${WANTED} QUIET)\n"
        'message(STATUS "answer: ${resemote_FOUND}")\n'
    )

    def found(wanted: str) -> bool:
        output = run("cmake", "-S", tmp_path, "-B", tmp_path / f"build-{wanted}", f"-DWANTED={wanted}",
                     f"-DCMAKE_PREFIX_PATH={tmp_path / 'installed'}")  # fmt: skip
        return "answer: 1" in output

    assert found(soname)
    assert found("")
    assert not found(f"{soname}.99")
    assert not found(f"{major}.{minor + 1}")
    assert not found(f"{major + 1}.0")
    assert not found(f"{major}.{minor - 1}" if minor else f"{major - 1}.9")


@needs_library
def test_an_installed_tree_is_found_by_cmake_and_pkg_config(tmp_path, artifacts):
    run("cmake", "--install", BUILD, "--prefix", tmp_path / "installed")
    run("cmake", "-S", ROOT / "runtimes" / "examples" / "consumer", "-B", tmp_path / "consumer",
        f"-DCMAKE_PREFIX_PATH={tmp_path / 'installed'}")  # fmt: skip
    run("cmake", "--build", tmp_path / "consumer")
    output = run(tmp_path / "consumer" / "consumer")
    assert [line.partition(":")[0] for line in output.splitlines()] == ["tensorrt", "onnxruntime", "openvino"]
    if shutil.which("pkg-config"):
        (folder,) = (tmp_path / "installed").rglob("pkgconfig")
        flags = run(
            "pkg-config", "--cflags", "--libs", "resemote", env={"PKG_CONFIG_PATH": str(folder), "PATH": "/usr/bin"}
        )
        assert "-lresemote" in flags
