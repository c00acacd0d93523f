"""What a measuring process does before anything else: take its cores, and see to it that it does not outlive us."""

import ctypes
import os
import signal
import sys
from collections.abc import Iterable

__all__ = ["end_with_parent", "pin"]

_PR_SET_PDEATHSIG = 1


def end_with_parent() -> None:
    """Have the kernel end this process when the one that started it dies, even by SIGKILL.

    A measurement that nobody waits for would slow the next one. Where there is no such call, nothing is done.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def pin(cores: Iterable[int]) -> None:
    """Keep this process on these cores; call it before a runtime is loaded, whose thread pools look at this."""
    chosen = tuple(cores)
    if chosen and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, chosen)
