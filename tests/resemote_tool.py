"""`resemote`, the command line without Python, as `make native` builds it; tests skip where it is not built."""

import os
import subprocess
from pathlib import Path

import pytest

from resemote_edge.runtimes.native.library import engine_library

__all__ = ["PROGRAM", "engine_environment", "resemote"]

PROGRAM = Path(__file__).parent.parent / "build" / "native-release" / "runtimes" / "tools" / "resemote"


def engine_environment() -> dict[str, str]:
    """Where the engines of this Python environment are."""
    places = {name: engine_library(name) for name in ("openvino", "onnxruntime")}
    return {**os.environ, **{f"RESEMOTE_{name.upper()}_LIBRARY": place for name, place in places.items() if place}}


def resemote(*words: object, cwd: Path | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the program; more environment variables by name."""
    if not PROGRAM.is_file():
        pytest.skip("resemote is not built; run: make native")
    return subprocess.run(
        [PROGRAM, *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env={**engine_environment(), **variables},
        timeout=300,
    )
