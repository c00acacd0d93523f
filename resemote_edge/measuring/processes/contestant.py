"""Contestant: what is measured, and the process it lives in, which runs this module.

The parent writes lines of JSON to its stdin and reads lines of JSON from its stdout. Between its turns it waits for the
next line, blocked, so that the contestant whose turn it is has the machine. It ends with its stdin or its parent. If
opening it does all the work, as in an export, it takes no turns.
"""

import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from pkgutil import resolve_name
from typing import Any, TextIO

import msgspec

from resemote_edge.errors import ResEmoteEdgeError, lack_of_memory

__all__ = ["PARENT_VARIABLE", "Contestant", "Failed", "Job", "Message", "Opened", "Ready", "Timed", "Turn", "main"]


_PR_SET_PDEATHSIG = 1

#: Environment variable with the id of the process that starts this one.
PARENT_VARIABLE = "RESEMOTE_EDGE_PARENT"


@dataclass(frozen=True, kw_only=True)
class Contestant:
    """A contestant to measure.

    Attributes:
        name: Name for messages and results.
        opener: Function that opens it, as ``module:function``. It is called in a process of its own with `arguments` as
            keywords, and returns an `Opened`.
        arguments: Keyword arguments of JSON types.
        threads: Number of threads to announce in the environment (``OMP_NUM_THREADS``, ...); None to announce none.
        cores: Cores to pin its process to; empty for no pinning.
        advice: Advice for the error message if it takes too long.
        python: Python to run it in, whose environment needs numpy and msgspec; None for the parent's Python.
    """

    name: str
    opener: str
    arguments: dict[str, Any] = field(default_factory=dict)
    threads: int | None = None
    cores: tuple[int, ...] = ()
    advice: str = "leave it out"
    python: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Opened:
    """Result of an opener.

    Attributes:
        call: Function that does the work once and blocks until it is done; None if opening did all the work.
        facts: Facts of JSON types, sent to the parent.
    """

    call: Callable[[], object] | None = None
    facts: dict[str, Any] = field(default_factory=dict)


class Job(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Parent to child, once: the contestant to open."""

    opener: str
    arguments: dict[str, Any]
    cores: tuple[int, ...]


class Turn(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Parent to child: make some untimed calls, then some timed ones."""

    warmup_runs: int
    runs: int


class Ready(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Child to parent: the contestant is open."""

    facts: dict[str, Any]


class Timed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Child to parent: wall time of each timed call, in nanoseconds."""

    nanoseconds: list[int]


class Failed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Child to parent: one of our errors, by class and message."""

    error: str
    message: str


Message = Ready | Timed | Failed


def main(stream: TextIO) -> int:
    """Open the job on the first line, then take a turn per line until the stream ends."""
    _end_with_parent()
    # Libraries print; their output must not end up between the messages.
    channel = os.dup(1)
    os.dup2(2, 1)

    def send(message: Message) -> None:
        os.write(channel, msgspec.json.encode(message) + b"\n")

    job = msgspec.json.decode(stream.readline(), type=Job)
    if job.cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, job.cores)  # before a runtime is loaded, because its thread pools look at this
    try:
        opened: Opened = resolve_name(job.opener)(**job.arguments)
        send(Ready(facts=opened.facts))
        for line in iter(stream.readline, ""):
            assert opened.call is not None  # A contestant with nothing to call is given no turn.
            send(Timed(nanoseconds=_take_turn(opened.call, msgspec.json.decode(line, type=Turn))))
    except (ResEmoteEdgeError, MemoryError) as error:
        told = lack_of_memory(error) or error
        send(Failed(error=type(told).__name__, message=str(told)))
    except OSError as error:  # such as a full disk or a missing file
        message = f"{error.filename or 'reading or writing'}: {error.strerror or error}"
        send(Failed(error=ResEmoteEdgeError.__name__, message=message))
    return 0


def _end_with_parent() -> None:
    """Have the kernel end this process when the one that started it dies, even by SIGKILL.

    A measurement that nobody waits for would slow the next one. On systems without this call, the process ends when it
    next waits for a turn.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != int(os.environ.get(PARENT_VARIABLE, os.getppid())):
        sys.exit(1)  # It died before the kernel was asked, while this module was imported.


def _take_turn(call: Callable[[], object], turn: Turn) -> list[int]:
    for _ in range(turn.warmup_runs):
        call()
    clock = time.perf_counter_ns
    taken = []
    for _ in range(turn.runs):
        start = clock()
        call()
        taken.append(clock() - start)
    return taken


if __name__ == "__main__":
    sys.exit(main(sys.stdin))
