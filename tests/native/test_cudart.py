"""The C library's CUDA functions, compiled with CUDA's headers and run on a GPU; skipped where either is missing."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from resemote_edge.runtimes.cuda_memory import compute_capability, gpu_count

ROOT = Path(__file__).resolve().parents[2]
RUNTIMES = ROOT / "runtimes"
PROGRAM = Path(__file__).parent / "tensorrt" / "cudart_program.cpp"
NOTHING_HERE = 77

SOURCES = [
    RUNTIMES / "backends" / "tensorrt" / "cudart.cpp",
    RUNTIMES / "backends" / "tensorrt" / "engine_fit.cpp",
    *(RUNTIMES / "src" / f"{name}.cpp" for name in ("error", "file", "sha256", "shared_library")),
]


def cuda_headers() -> Path | None:
    """Folder that holds ``cuda_runtime_api.h``: CUDA_HOME's, the toolkit's, or that beside nvcc."""
    nvcc = shutil.which("nvcc")
    homes = [os.environ.get("CUDA_HOME"), "/usr/local/cuda", nvcc and Path(nvcc).resolve().parents[1]]
    folders = (Path(home) / "include" for home in homes if home)
    return next((folder for folder in folders if (folder / "cuda_runtime_api.h").is_file()), None)


def test_memory_streams_and_graphs(tmp_path):
    compiler, headers = shutil.which(os.environ.get("CXX", "c++")), cuda_headers()
    if compiler is None or headers is None:
        pytest.skip("needs a C++ compiler and CUDA's headers")
    program = tmp_path / "cudart_program"
    folders = [RUNTIMES / "include", RUNTIMES / "src", RUNTIMES / "backends" / "tensorrt", headers, PROGRAM.parent]
    command = [compiler, "-std=c++14", "-Wall", "-Wextra", *(f"-I{folder}" for folder in folders)]
    subprocess.run([*command, PROGRAM, *SOURCES, "-o", program, "-ldl", "-pthread"], check=True)
    done = subprocess.run([program], capture_output=True, text=True, check=False)
    print(done.stdout)
    if done.returncode == NOTHING_HERE and not gpu_count():
        pytest.skip(done.stdout.strip())
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"compute capability {compute_capability()}" in done.stdout
    assert "too much memory: CUDA failed at taking memory of the GPU: out of memory" in done.stdout
