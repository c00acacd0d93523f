"""First steps of a measuring process: take its cores, and make sure that it does not outlive its parent."""

import ctypes
import os
import signal
import sys
from collections.abc import Iterable

__all__ = ["end_with_parent", "pin"]

_PR_SET_PDEATHSIG = 1


def end_with_parent() -> None:
    """Have the kernel end this process when the one that started it dies, even by SIGKILL.

    A measurement that nobody waits for would slow the next one. On systems without this call, nothing is done.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def pin(cores: Iterable[int]) -> None:
    """Keep this process on these cores; called before a runtime is loaded, because its thread pools look at this."""
    chosen = tuple(cores)
    if chosen and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, chosen)
