"""Stop: Ctrl-C, a termination request or a closed terminal, as an exception that ends any wait."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["Stop", "stoppable"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stop(BaseException):
    """The user asked for an end. This is not one of our errors, so code that handles those must not catch it.

    Attributes:
        signal: Number of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.signal = number


@contextmanager
def stoppable() -> Iterator[None]:
    """Raise `Stop` in the block when a signal asks for an end.

    Only the first signal raises it. A second one acts as it did before the block, so that nobody has to wait for a tidy
    end. Outside the main thread, where Python forbids it, nothing is caught.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in _SIGNALS}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def stop(number: int, frame: FrameType | None) -> None:
        restore()
        raise Stop(number)

    for number, handler in before.items():
        if handler != signal.SIG_IGN:  # nohup: the user wants the program to go on
            signal.signal(number, stop)
    try:
        yield
    finally:
        restore()
