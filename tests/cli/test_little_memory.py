"""Limits on memory (``ulimit -v``): one line that says so, however an engine takes it, or the work is done."""

import os
import resource
import signal
import subprocess
import sys
import time

import pytest
from apart import run_python

from resemote_edge import errors
from resemote_edge.artifacts.prebuilt import prebuilt_path

COMMANDS = {
    "export": "export --variant nano --target onnx -o {folder}/out",
    "verify": "verify {prebuilt} --runtime onnxruntime",
    "verify openvino": "verify {prebuilt} --runtime openvino",
    "data inspect": "data inspect {data}",
    "predict": "predict {data}/test/happy/0.png --artifact {prebuilt}",
    "eval": "eval {prebuilt} --data {data}",
    "bench": "bench {prebuilt} --runtime openvino --batch 1 --min-runs 3 --min-seconds 0",
}

#: Enough for Python, numpy and pictures; too little for any engine.
LEAST_MB = 200


def limited(megabytes, *words):
    """Run a command with so much address space, and thread pools of one thread, so that cores do not matter."""

    def limit():
        resource.setrlimit(resource.RLIMIT_AS, (megabytes * 1_000_000,) * 2)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    return subprocess.run(
        [sys.executable, "-m", "resemote_edge", *words],
        preexec_fn=limit,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
    )


@pytest.mark.parametrize("megabytes", [LEAST_MB, *(pytest.param(mb, marks=pytest.mark.slow) for mb in (300, 400, 500))])
@pytest.mark.parametrize("name", COMMANDS)
def test_commands_say_that_memory_is_limited(name, megabytes, tiny_fer2013, tmp_path):
    command = COMMANDS[name].format(folder=tmp_path, data=tiny_fer2013, prebuilt=prebuilt_path())
    done = limited(megabytes, *command.split())
    if megabytes == LEAST_MB:
        assert done.returncode == (name != "data inspect"), done.stderr
    if done.returncode == 0:
        return
    last = done.stderr.strip().splitlines()[-1]
    assert done.returncode == 1
    assert last.startswith("Error: ")
    assert f"not enough memory: the address space of this process is limited to {megabytes / 1000:.2f} GB" in last
    assert last.endswith("raise the limit (ulimit -v unlimited), or pass smaller batches or images")
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


#: How a guarded process ends, what its guard says and returns.
ENDS = {
    "well": ("pass", "", 0),
    "with a code": ("sys.exit(3)", "", 3),
    "by an error": ("raise SystemExit('Error: no such file')", "Error: no such file", 1),
    "by a fault": ("os.kill(os.getpid(), signal.SIGSEGV)", "the process of this command was ended by SIGSEGV: not", 1),
    "by itself": ("os._exit(1)", "the process of this command ended itself with exit code 1: not enough memory", 1),
    "by a fault after the work": ("atexit.register(os.kill, os.getpid(), signal.SIGSEGV)", "", 0),
}

GUARDED = """
import atexit, os, resource, signal, sys
from resemote_edge.cli.guard import guarded_run, is_guarded, reported_end
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
if not is_guarded():
    sys.exit(guarded_run())
with reported_end():
    {end}
"""


@pytest.mark.parametrize("how", ENDS)
def test_the_guard_tells_how_a_process_ended(how):
    end, says, code = ENDS[how]
    done = run_python(GUARDED.format(end=end))
    assert done.returncode == code
    assert says in done.stderr
    assert bool(says) == bool(done.stderr)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 7), (signal.SIGKILL, -signal.SIGKILL)])
def test_a_guarded_process_ends_with_its_guard(number, code, tmp_path):
    end = f"signal.signal(signal.SIGTERM, lambda *_: sys.exit(7)); open({str(tmp_path / 'pid')!r}, 'w').write("
    end += "str(os.getpid())); signal.pause()"
    guard = subprocess.Popen([sys.executable, "-c", GUARDED.format(end=end)])
    deadline = time.monotonic() + 60
    while not ((tmp_path / "pid").exists() and (tmp_path / "pid").read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    guard.send_signal(number)
    assert guard.wait(60) == code
    pid = int((tmp_path / "pid").read_text())
    while runs(pid):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def runs(pid):
    """Whether a process is there and has not ended; one that nobody waits for stays as a zombie."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as stream:
            return stream.read().rpartition(") ")[2][0] != "Z"
    except FileNotFoundError:
        return False


LACKING = [
    RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
    RuntimeError("std::bad_alloc"),
    MemoryError(),
    ImportError("libtorch_cpu.so: failed to map segment from shared object"),
    RuntimeError("can't start new thread"),
]


@pytest.mark.parametrize("error", LACKING, ids=str)
def test_errors_for_want_of_memory_are_told_from_others(error):
    found = errors.lack_of_memory(error, "loading it")
    assert isinstance(found, MemoryError)
    assert isinstance(found, errors.ResEmoteEdgeError)
    assert found.reason == "loading it: not enough memory"
    assert errors.lack_of_memory(found) is None


@pytest.mark.parametrize(
    "error",
    [
        ImportError("libtorch_cpu.so: failed to map segment from shared object: Operation not permitted"),
        RuntimeError("Resource temporarily unavailable"),
        errors.ArtifactError("a.onnx: std::bad_alloc"),
        ValueError("no such thing"),
    ],
    ids=str,
)
def test_other_errors_stay_as_they_are_where_memory_is_not_limited(error):
    assert errors.memory_limit_bytes() is None
    assert errors.lack_of_memory(error) is None


def test_where_memory_is_limited_an_engine_s_words_count():
    done = run_python(
        """
        import resource
        from resemote_edge import errors
        resource.setrlimit(resource.RLIMIT_AS, (10**9, 10**9))
        for error in (errors.ArtifactError("a.onnx: std::bad_alloc"), OSError("Resource temporarily unavailable")):
            print(errors.lack_of_memory(error))
        failed = errors.ArtifactError("a.onnx: the engine cannot run it: can't do that")
        print(errors.lack_of_memory(failed))
        failed.__cause__ = RuntimeError("can't do that")
        print(errors.lack_of_memory(failed))
        """
    )
    told = "not enough memory: the address space of this process is limited to 1.00 GB; raise the limit (ulimit -v"
    lines = done.stdout.splitlines()
    assert [told in line for line in lines] == [True, True, False, True]
    assert lines[3].startswith("a.onnx: the engine cannot run it: can't do that, perhaps for this reason: not")
