"""For ARM: cross-compiled, and the golden crops computed with the engines' own aarch64 libraries, under qemu."""

import os
import platform
import shutil
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

from resemote_edge.benchmarks.report.imported import import_report

ROOT = Path(__file__).parent.parent.parent
#: Kept between runs, like everything under build/.
WHEELS = ROOT / "build" / "aarch64-wheels"
PLATFORMS = [f"manylinux_2_{minor}_aarch64" for minor in (17, 26, 27, 28, 31, 34, 35)] + ["manylinux2014_aarch64"]
ENGINES = {
    "openvino": ("openvino/libs", "RESEMOTE_OPENVINO_LIBRARY", "cpu-openvino-fp32"),
    "onnxruntime": ("onnxruntime/capi", "RESEMOTE_ONNXRUNTIME_LIBRARY", "cpu-onnxruntime-fp32"),
}
TOOLS = ("cmake", "aarch64-linux-gnu-g++", "qemu-aarch64-static")

#: A Cortex-A57, as in the Jetson Nano. With another CPU, the engines read the features of the host's under emulation,
#: and ONNX Runtime crashes. (qemu's largest CPU has SVE, with which OpenVINO computes other results.)
CORE = """processor\t: {number}
BogoMIPS\t: 38.40
Features\t: fp asimd evtstrm aes pmull sha1 sha2 crc32
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x1
CPU part\t: 0xd07
CPU revision\t: 1

"""
MIDR = "0x00000000411fd071\n"
MACHINE = "import sys, pathlib, hatch_build; print(hatch_build._machine(pathlib.Path(sys.argv[1])))"
COMPILER_ROOT = Path("/usr/aarch64-linux-gnu")

pytestmark = [
    pytest.mark.slow,
    *(pytest.mark.skipif(shutil.which(tool) is None, reason=f"{tool} is not installed") for tool in TOOLS),
]


def run(*command: object, **options) -> str:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, f"{command}\n{done.stdout[-8000:]}\n{done.stderr[-8000:]}"
    return done.stdout


def engine_folder(package: str) -> Path:
    """The folder of an aarch64 wheel that holds the library; the version is that of this environment."""
    version = metadata.version(package)
    folder = WHEELS / f"{package}-{version}"
    if not folder.is_dir():
        platforms = [word for name in PLATFORMS for word in ("--platform", name)]
        done = subprocess.run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:",
             "--python-version", "3.11", *platforms, f"{package}=={version}", "--dest", WHEELS],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            pytest.skip(f"the aarch64 wheel of {package} {version} cannot be had: {done.stderr.strip()[-200:]}")
        (wheel,) = WHEELS.glob(f"{package}-{version}-*aarch64.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)
    return folder / ENGINES[package][0]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Where the emulator looks for a file before the host: an ARM's libraries, and what an ARM says of itself."""
    folder = tmp_path_factory.mktemp("root")
    (folder / "lib").symlink_to(COMPILER_ROOT / "lib")
    (folder / "proc").mkdir()
    count = len(os.sched_getaffinity(0))
    (folder / "proc" / "cpuinfo").write_text("".join(CORE.format(number=number) for number in range(count)))
    for number in range(count):
        registers = folder / "sys" / "devices" / "system" / "cpu" / f"cpu{number}" / "regs" / "identification"
        registers.mkdir(parents=True)
        (registers / "midr_el1").write_text(MIDR)
    return folder


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """The consumer example for aarch64, which tests an artifact; the command line is built with it."""
    folder = tmp_path_factory.mktemp("aarch64")
    options = {
        "CMAKE_TOOLCHAIN_FILE": ROOT / "cmake" / "toolchain-aarch64.cmake",
        "CMAKE_CXX_FLAGS": "-Werror",
        "RESEMOTE_PYTHON": sys.executable,
        "RESEMOTE_BACKEND_OPENVINO": "ON",
        "BUILD_SHARED_LIBS": "OFF",
    }
    run("cmake", "-S", ROOT, "-B", folder, *(f"-D{name}={value}" for name, value in options.items()))
    run(
        "cmake",
        "--build",
        folder,
        "--parallel",
        2,
        "--target",
        "resemote_example_consumer",
        "--target",
        "resemote_tools",
    )
    return folder / "runtimes" / "examples" / "consumer"


def test_a_wheel_bears_the_machine_of_its_library(program):
    # Here the library is part of a program, whose header has the same field.
    assert run(sys.executable, "-c", MACHINE, program, cwd=ROOT) == "aarch64\n"
    assert run(sys.executable, "-c", MACHINE, sys.executable, cwd=ROOT).strip() == platform.machine()


@pytest.mark.parametrize("backend", sorted(ENGINES))
def test_golden_crops_pass_under_emulation(backend, program, root, artifacts):
    _, variable, recipe = ENGINES[backend]
    environment = {variable: str(engine_folder(backend)), "PATH": "/usr/bin:/bin"}
    emulator = ("qemu-aarch64-static", "-cpu", "cortex-a57", "-L", root)
    output = run(*emulator, program, artifacts(recipe).path, env=environment)
    assert f"{backend}: cpu" in output
    assert "32 golden crops" in output


@pytest.mark.parametrize("backend", sorted(ENGINES))
def test_the_command_line_works_under_emulation(backend, program, root, artifacts, tmp_path):
    _, variable, recipe = ENGINES[backend]
    environment = {variable: str(engine_folder(backend)), "PATH": "/usr/bin:/bin"}
    tool = program.parents[1] / "tools" / "resemote"
    emulated = ("qemu-aarch64-static", "-cpu", "cortex-a57", "-L", root, tool)
    artifact = artifacts(recipe).path
    assert run(*emulated, "verify", artifact, env=environment).startswith("passed: 32 golden crops")
    once = ("--batch", 1, "--min-runs", 1, "--min-seconds", 0, "--warmup", 0, "--threads", 1)
    run(*emulated, "bench", artifact, *once, "-o", tmp_path / "board.json", env=environment)
    (row,) = import_report(tmp_path / "board.json").rows
    assert row.speed.device == "cpu"
    assert row.speed.model.runs >= 1
