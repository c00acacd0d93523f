"""WorkerProcess: the parent's side of a contestant; every wait has a limit, and every failure names the contestant."""

import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, TypeVar

import msgspec

import resemote_edge
from resemote_edge import errors
from resemote_edge.artifacts.partial import scratch_folder
from resemote_edge.errors import ResEmoteEdgeError, memory_limit_bytes, not_enough_memory
from resemote_edge.measuring.processes.contestant import (
    PARENT_VARIABLE,
    Contestant,
    Failed,
    Job,
    Message,
    Ready,
    Timed,
    Turn,
)

__all__ = ["WorkerProcess", "run_apart"]

_POOLS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

#: Time over which a worker is watched, and the processor time that an idle one may use within it.
_MOMENT_S = 0.002
_IDLE_NS = 200_000

_Answer = TypeVar("_Answer", Ready, Timed)


def run_apart(contestant: Contestant, *, timeout_s: float, doing: str = "opening") -> dict[str, Any]:
    """Run a contestant whose opener does all the work, in a process of its own.

    Args:
        contestant: Contestant to run.
        timeout_s: Longest time it may take.
        doing: What the opener does, for messages, such as "measuring".

    Returns:
        The opener's facts.

    Raises:
        ResEmoteEdgeError: It failed (the class is that of its own error), died, or took too long. No process is left
            behind.
    """
    with WorkerProcess(contestant) as worker:
        return worker.open(timeout_s, doing)


class WorkerProcess:
    """A contestant in a process of its own; use it as a context manager, so that the process ends with the block.

    Args:
        contestant: Contestant that it opens.
    """

    def __init__(self, contestant: Contestant) -> None:
        self.contestant = contestant
        environment = {**os.environ, PARENT_VARIABLE: str(os.getpid())}
        self._kept = ExitStack()
        if contestant.python is not None:
            environment = _moved(environment, self._kept.enter_context(scratch_folder("path")))
        if contestant.threads is not None:
            environment.update(dict.fromkeys(_POOLS, str(contestant.threads)))
        # This is a file because the output is not read along: a pipe would fill up and block the child.
        self._log = tempfile.TemporaryFile()  # noqa: SIM115
        self._process = subprocess.Popen(
            [contestant.python or sys.executable, "-m", "resemote_edge.measuring.processes.contestant"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=environment,
            bufsize=0,
            start_new_session=True,  # so that what it started ends with it
        )
        self._received = b""

    def __enter__(self) -> "WorkerProcess":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """Id of the process."""
        return self._process.pid

    def open(self, timeout_s: float, doing: str = "opening") -> dict[str, Any]:
        """Open the contestant.

        Args:
            timeout_s: Longest time it may take.
            doing: What the opener does, for messages.

        Returns:
            The opener's facts.

        Raises:
            ResEmoteEdgeError: It failed (the class is that of its own error), died, or took too long.
        """
        given = self.contestant
        self._send(Job(opener=given.opener, arguments=given.arguments, cores=given.cores), doing)
        return self._receive(Ready, timeout_s, doing).facts

    def turn(self, warmup_runs: int, runs: int, timeout_s: float) -> list[int]:
        """Let the contestant take a turn.

        Returns:
            Times of each of `runs` calls, in nanoseconds, after `warmup_runs` that are not timed.

        Raises:
            ResEmoteEdgeError: It failed, died, or took too long; see `open`.
        """
        self._send(Turn(warmup_runs=warmup_runs, runs=runs), "a turn of")
        return self._receive(Timed, timeout_s, "a turn of").nanoseconds

    def wait_until_quiet(self, timeout_s: float) -> None:
        """Wait until none of its threads runs.

        Engines let their threads spin for a while after a call, to be quick at the next one. They may do so within a
        turn, but the next contestant begins only when the spinning is over.

        Raises:
            ResEmoteEdgeError: A thread still runs after `timeout_s`, and would take processor time from the next
                contestant.
        """
        end = time.monotonic() + timeout_s
        while not self._quiet():
            if time.monotonic() > end:
                raise ResEmoteEdgeError(
                    f"{self.contestant.name}: its threads still run {timeout_s:g} s after its turn, which would slow "
                    "the others",
                    hint="keep its thread pool from spinning without end (OMP_WAIT_POLICY, KMP_BLOCKTIME)",
                )

    def close(self) -> None:
        """End the process and all that it started, whatever they are doing; calling it again does nothing."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._log):
            if stream is not None:
                stream.close()
        self._kept.close()

    def _quiet(self) -> bool:
        """Whether no thread runs and the process uses no time for a moment.

        Both are checked. A spinning thread may wait for a core and use no time. Threads that pass work on may all be
        asleep when they are looked at.
        """
        before = self._processor_time_ns()
        if self._running_threads():
            time.sleep(_MOMENT_S)
            return False
        time.sleep(_MOMENT_S)
        return self._processor_time_ns() - before < _IDLE_NS and not self._running_threads()

    def _processor_time_ns(self) -> int:
        """Processor time of all its threads. Linux reads another process's clock under an id made from the pid."""
        try:
            return time.clock_gettime_ns((~self.pid << 3) | 2)
        except OSError:  # The process ended; its next turn will say so.
            return 0

    def _running_threads(self) -> bool:
        """Whether a thread is running or ready to run (state R)."""
        for path in Path(f"/proc/{self.pid}/task").glob("*/stat"):
            try:
                # The name, in parentheses, may hold anything; the state is the first field after it.
                if path.read_text(encoding="utf-8", errors="replace").rpartition(") ")[2].startswith("R"):
                    return True
            except (FileNotFoundError, ProcessLookupError):  # The thread ended meanwhile.
                continue
        return False

    def _send(self, message: Job | Turn, doing: str) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(msgspec.json.encode(message) + b"\n")
        except BrokenPipeError:
            raise self._died(doing) from None

    def _receive(self, kind: type[_Answer], timeout_s: float, doing: str) -> _Answer:
        line = self._line(timeout_s, doing)
        message = msgspec.json.decode(line, type=Message)
        if isinstance(message, Failed):
            raise _error_class(message.error)(f"{doing} {self.contestant.name} failed: {message.message}")
        assert isinstance(message, kind)
        return message

    def _line(self, timeout_s: float, doing: str) -> bytes:
        """The next line from the child; parts of it may come one by one."""
        assert self._process.stdout is not None
        end = time.monotonic() + timeout_s
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while b"\n" not in self._received:
                if not selector.select(max(0.0, end - time.monotonic())):
                    raise ResEmoteEdgeError(
                        f"{doing} {self.contestant.name} took longer than {timeout_s:g} s and was ended",
                        hint=f"{self.contestant.advice}, or look at what else runs on this machine",
                    )
                part = os.read(self._process.stdout.fileno(), 1 << 16)
                if not part:
                    raise self._died(doing)
                self._received += part
        line, _, self._received = self._received.partition(b"\n")
        return line

    def _died(self, doing: str) -> ResEmoteEdgeError:
        code = self._process.wait()
        self._log.seek(0)
        lines = self._log.read().decode("utf-8", errors="replace").strip().splitlines() or ["it wrote nothing"]
        where = "" if self.contestant.python is None else f" ({self.contestant.python})"
        ended = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        if memory_limit_bytes() is not None:  # Engines that are refused memory end like this.
            return not_enough_memory(f"{doing} {self.contestant.name}: its process{where} {ended}")
        return ResEmoteEdgeError(
            f"{doing} {self.contestant.name}: its process{where} {ended}", hint=f"its last words: {lines[-1]}"
        )


def _moved(environment: dict[str, str], folder: Path) -> dict[str, str]:
    """Environment variables for another Python: it imports this package, and nothing else from this environment.

    A copy installed there might be another version, which a report would not show. The folder gets a link to this
    package.
    """
    (folder / "resemote_edge").symlink_to(Path(resemote_edge.__file__).resolve().parent, target_is_directory=True)
    left = {name: value for name, value in environment.items() if not name.startswith("PYTHON")}
    # PYTHONSAFEPATH, known from Python 3.11 on, keeps the current folder off its path as well.
    return left | {"PYTHONPATH": str(folder), "PYTHONSAFEPATH": "1", "PYTHONDONTWRITEBYTECODE": "1"}


def _error_class(name: str) -> type[ResEmoteEdgeError]:
    """The error class of that name, so that a missing package stays a missing package on this side."""
    found = getattr(errors, name, ResEmoteEdgeError)
    return found if isinstance(found, type) and issubclass(found, ResEmoteEdgeError) else ResEmoteEdgeError
