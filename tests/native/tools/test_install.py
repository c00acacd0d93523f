"""The command line is small, installs beside the library, and runs from wherever the folder is moved to."""

import re
import shutil
import subprocess

import pytest
from resemote_tool import PROGRAM, engine_environment, resemote

import resemote_edge

BUILD = PROGRAM.parents[2]
#: The second is built where CMake finds OpenCV.
PROGRAMS = ("resemote", "resemote-camera")
needs_cmake = pytest.mark.skipif(shutil.which("cmake") is None, reason="cmake is not installed")


def test_the_tools_are_small(tmp_path):
    resemote("--version")  # skips where it is not built
    size = 0
    for program in PROGRAMS:
        if (PROGRAM.parent / program).is_file():
            subprocess.run(["strip", "-o", tmp_path / program, PROGRAM.parent / program], check=True)
            size += (tmp_path / program).stat().st_size
    assert 0 < size < 1_000_000


@needs_cmake
def test_the_component_installs_and_moves(artifacts, tmp_path):
    resemote("--version")
    before, after = tmp_path / "before", tmp_path / "after"
    subprocess.run(["cmake", "--install", BUILD, "--prefix", before], check=True, capture_output=True)
    before.rename(after)
    program = after / "bin" / "resemote"
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    assert version.stdout == f"resemote, version {resemote_edge.__version__}\n"
    words = [program, "verify", artifacts("cpu-onnxruntime-fp32").path]
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=engine_environment())
    assert done.returncode == 0, done.stderr


@needs_cmake
def test_the_tools_are_a_component_of_their_own(tmp_path):
    resemote("--version")
    words = ["cmake", "--install", BUILD, "--prefix", tmp_path / "tools", "--component", "tools"]
    subprocess.run(words, check=True, capture_output=True)
    files = [path.relative_to(tmp_path / "tools") for path in (tmp_path / "tools").rglob("*") if path.is_file()]
    built = {f"bin/{program}" for program in PROGRAMS if (PROGRAM.parent / program).is_file()}
    assert set(map(str, files)) == built


def test_it_uses_the_public_header_alone():
    """But for SHA-256, which is compiled into both, as CMakeLists.txt says."""
    folder = PROGRAM.parents[4] / "runtimes" / "tools"
    sources = [path for path in folder.rglob("*") if path.suffix in (".cpp", ".h")]
    assert len(sources) > 30
    for source in sources:
        for name in re.findall(r'^#include "([^"]+)"', source.read_text(), re.MULTILINE):
            places = (source.parent / name, folder / name, folder.parent / "include" / name)
            (found, *_) = (path.resolve() for path in places if path.is_file())
            ours = found.is_relative_to(folder) or found.is_relative_to(folder.parent / "include")
            assert ours or name == "../src/sha256.h", f"{source}: {name}"
