"""Interruption: Ctrl-C and termination as a flag that the loop checks between steps."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["Interruption"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interruption:
    """The signal that asked the run to stop, if any. A second Ctrl-C raises KeyboardInterrupt at once."""

    def __init__(self) -> None:
        self.signal: int | None = None

    @contextmanager
    def caught(self) -> Iterator["Interruption"]:
        """Catch the signals inside the block; does nothing outside the main thread, where Python forbids it."""
        if threading.current_thread() is not threading.main_thread():
            yield self
            return
        before = {number: signal.signal(number, self._note) for number in _SIGNALS}
        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.signal is not None and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.signal = number
