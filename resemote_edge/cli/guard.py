"""Guard: runs a command in a process of its own where memory is limited, and says so if that process dies.

An engine that is refused memory may end its process without a word: OpenVINO by a fault, OpenBLAS by an exit of its
own. No handler in that process can be relied on then. So, under ``ulimit -v``, a parent waits for it.
"""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from resemote_edge.errors import not_enough_memory

__all__ = ["guarded_run", "is_guarded", "reported_end"]

#: Environment variable with the guard's process id and the pipe on which it is told the exit code.
_VARIABLE = "RESEMOTE_EDGE_GUARD"

_PR_SET_PDEATHSIG = 1


def is_guarded() -> bool:
    """Whether this process was started by `guarded_run`."""
    return _VARIABLE in os.environ


def guarded_run() -> int:
    """Run this process's own command line again, in a child.

    Returns:
        The child's exit code. If it died on its way, the reason is on stderr, and the code is 1.
    """
    reading, writing = os.pipe()
    environment = {**os.environ, _VARIABLE: f"{os.getpid()} {writing}"}
    child = subprocess.Popen([sys.executable, *sys.orig_argv[1:]], env=environment, pass_fds=[writing])
    os.close(writing)

    def pass_on(number: int, frame: FrameType | None) -> None:
        child.send_signal(number)

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # The terminal sends it to both.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, pass_on)
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read()
    code = child.wait()
    if told:
        return int(told)
    how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended itself with exit code {code}"
    sys.stderr.write(f"Error: {not_enough_memory(f'the process of this command {how}')}\n")
    return 1


@contextmanager
def reported_end() -> Iterator[None]:
    """Tell the guard, if there is one, the exit code that the block ends with; an engine may still fail after that."""
    parent, _, pipe = os.environ.pop(_VARIABLE, "").partition(" ")
    if not parent:
        yield
        return
    os.set_inheritable(int(pipe), False)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != int(parent):
        sys.exit(1)  # It died before the kernel was asked.
    # Any other exception is memory that was lacking even for the line that says so: the guard then writes it.
    try:
        yield
    except SystemExit as ended:
        _report(int(pipe), ended.code or 0)
        if isinstance(ended.code, int) and ended.code:
            sys.stderr.flush()
            os._exit(ended.code)  # Engines that lack memory complain once more when Python takes them down.
        raise
    _report(int(pipe), 0)


def _report(pipe: int, code: object) -> None:
    sys.stdout.flush()
    os.write(pipe, str(code if isinstance(code, int) else 1).encode())
