"""Stop: Ctrl-C, a termination request or a closed terminal, as an exception that ends any wait."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["Stop", "stoppable"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stop(BaseException):
    """The user asked the program to stop. Code that handles our errors must not catch it, so it is not one of them.

    Attributes:
        signal: Number of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.signal = number


@contextmanager
def stoppable() -> Iterator[None]:
    """Raise `Stop` in the block when a signal asks the program to stop.

    Only the first signal raises it. A second one acts as it did before the block, so that users need not wait for the
    clean-up. Outside the main thread, Python allows no signal handlers, and this does nothing.
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
