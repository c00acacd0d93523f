"""Nothing of ours, nor of an engine underneath, asks for a name, opens a connection or leaves a file behind."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from resemote_edge.artifacts.prebuilt import prebuilt_path

#: Stands before libc, and writes down who asks for an address or connects beyond this machine's own sockets.
SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
static void note(const char* what, const char* of) {
  FILE* log = fopen(getenv("QUIET_LOG"), "a");
  if (log) { fprintf(log, "%s %s\n", what, of ? of : "?"); fclose(log); }
}
int getaddrinfo(const char* node, const char* service, const struct addrinfo* hints, struct addrinfo** found) {
  note("getaddrinfo", node);
  return EAI_FAIL;
}
int connect(int descriptor, const struct sockaddr* address, socklen_t length) {
  static int (*real)(int, const struct sockaddr*, socklen_t);
  if (!real) real = (int (*)(int, const struct sockaddr*, socklen_t))dlsym(RTLD_NEXT, "connect");
  if (address->sa_family != AF_UNIX) note("connect", "a network address");
  return real(descriptor, address, length);
}
"""


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler")
    folder = tmp_path_factory.mktemp("shim")
    (folder / "shim.c").write_text(SHIM)
    subprocess.run([compiler, "-shared", "-fPIC", "-o", folder / "shim.so", folder / "shim.c", "-ldl"], check=True)
    return folder / "shim.so"


@pytest.fixture
def run(shim, tmp_path):
    """A function that runs Python with a home and a temporary folder of its own, and holds it to leaving them empty."""

    def go(*arguments: object, leaves_nothing: bool = True) -> str:
        for name in ("home", "tmp", "work"):
            (tmp_path / name).mkdir()
        environment = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
        environment.pop("ORT_DISABLE_TELEMETRY", None)  # Another test of this process may have imported it.
        environment |= {
            "HOME": str(tmp_path / "home"),
            "TMPDIR": str(tmp_path / "tmp"),
            "LD_PRELOAD": str(shim),
            "QUIET_LOG": str(tmp_path / "log"),
        }
        done = subprocess.run(
            [sys.executable, *map(str, arguments)],
            env=environment, cwd=tmp_path / "work", capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        log = tmp_path / "log"
        assert not log.exists(), log.read_text()
        assert left(tmp_path / "home") == []
        assert left(tmp_path / "tmp") == []
        if leaves_nothing:
            assert left(tmp_path / "work") == []
        return done.stdout

    return go


def left(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_the_shim_sees_a_question_for_a_name(run):
    with pytest.raises(AssertionError, match=r"getaddrinfo example\.com"):
        run("-c", "import socket\ntry: socket.getaddrinfo('example.com', 80)\nexcept OSError: pass")


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
@pytest.mark.parametrize("command", ["predict", "verify"])
def test_an_artifact_is_run_in_silence(run, tmp_path, runtime, command):
    face = tmp_path / "face.png"
    Image.fromarray(np.full((64, 64), 90, np.uint8)).save(face)
    path = prebuilt_path()
    words = ["predict", "--crop", face, "--artifact", path] if command == "predict" else ["verify", path]
    run("-m", "resemote_edge", *words, "--runtime", runtime)


@pytest.mark.parametrize("words", [["runtimes"], ["doctor"], ["inspect", prebuilt_path()], ["--help"]])
def test_commands_that_look_at_the_machine_are_silent(run, words):
    run("-m", "resemote_edge", *words)


@pytest.mark.slow
@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_a_measurement_is_silent(run, runtime):
    words = ["--preset", "quick", "--min-seconds", "0.1", "--batch", "1", "--threads", "1"]
    run("-m", "resemote_edge", "bench", prebuilt_path(), "--runtime", runtime, *words)


@pytest.mark.slow
@pytest.mark.parametrize("target", ["onnx", "openvino", "pytorch"])
def test_an_export_is_silent_and_leaves_its_artifact(run, tmp_path, target):
    run("-m", "resemote_edge", "export", "--variant", "nano", "--target", target, "-o", "out", leaves_nothing=False)
    assert all(name.split("/")[0] == "out" for name in left(tmp_path / "work"))


def test_the_module_alone_is_silent(run):
    run("-c", "import resemote_edge; resemote_edge.load(runtime='onnxruntime').close()")
