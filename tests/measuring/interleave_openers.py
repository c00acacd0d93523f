"""Contestants for the tests of interleaving; worker processes import this module by name."""

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import resemote_edge
from resemote_edge.errors import DeviceUnavailableError
from resemote_edge.measuring.processes.contestant import Opened

#: Cores of the process at the moment this module is imported, when a runtime would be.
CORES = sorted(os.sched_getaffinity(0))


def sleeper(ms, pid_file=None, noise=False):
    if pid_file:
        with Path(pid_file).open("a") as stream:
            stream.write(f"{os.getpid()}\n")
    if noise:
        print("libraries print")
    return Opened(call=lambda: time.sleep(ms / 1e3), facts={"ms": ms, "omp": os.environ.get("OMP_NUM_THREADS")})


def whereabouts():
    package = str(Path(resemote_edge.__file__).resolve().parent)
    return Opened(facts={"package": package, "path": sys.path, "mark": os.environ.get("MARK")})


def mayfly(calls):
    """Dies at the call after so many."""
    left = iter(range(calls))

    def call():
        if next(left, None) is None:
            print("so it ends", flush=True)
            os._exit(9)

    return Opened(call=call)


def hanger():
    return Opened(call=lambda: time.sleep(3600))


def slow_opener():
    time.sleep(3600)


def spinner(seconds):
    """Leaves a thread that runs on for so long after each call."""

    def spin():
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            pass

    return Opened(call=lambda: threading.Thread(target=spin, daemon=True).start())


def refuser():
    raise DeviceUnavailableError("there is no such device")


def crasher():
    raise ValueError("an unexpected value")


def pinned():
    return Opened(facts={"cores": CORES, "now": sorted(os.sched_getaffinity(0))})


def full_disk():
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/samples.npz")


def aborter():
    print("last words", flush=True)
    os.kill(os.getpid(), signal.SIGABRT)


def parent(pid_file):
    """Starts a process that would outlive it, and works on."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])
    Path(pid_file).write_text(f"{os.getpid()} {child.pid}")
    time.sleep(3600)
