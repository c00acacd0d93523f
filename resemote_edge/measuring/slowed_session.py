"""SlowedSession: delays another session, to imitate a slower device or to make a known difference."""

import time
from typing import Any

from numpy.typing import NDArray

from resemote_edge.errors import InputError
from resemote_edge.measuring.scenarios.arrivals import SystemClock
from resemote_edge.runtimes.session import Session

__all__ = ["SlowedSession"]


class SlowedSession(Session):
    """Session that runs another session, and returns late.

    Args:
        other: Session that is run; it is closed along with this one.
        factor: Factor by which each call takes longer, from 1.
        at_least_ms: Shortest time of a call.

    Raises:
        InputError: The factor is below 1, or the time is negative.
    """

    def __init__(self, other: Session, *, factor: float = 1.0, at_least_ms: float = 0.0) -> None:
        if factor < 1.0 or at_least_ms < 0.0:
            raise InputError(f"a session can only be slowed, got factor {factor} and at least {at_least_ms} ms")
        super().__init__(other.runtime, other.device, other.artifact, other.file)
        self._other, self._factor, self._at_least_ns = other, factor, int(at_least_ms * 1e6)

    def _run(self, feeds: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        start = time.perf_counter_ns()
        outputs = self._other.run(feeds)
        taken = time.perf_counter_ns() - start
        end = start + max(int(taken * self._factor), self._at_least_ns)
        SystemClock().wait_until(end)
        return outputs

    def _close(self) -> None:
        self._other.close()
