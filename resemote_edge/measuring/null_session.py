"""NullSession: a session that computes nothing, so that timing it shows the cost of the harness."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from resemote_edge.runtimes.session import Session

__all__ = ["NullSession"]


class NullSession(Session):
    """Session with another session's inputs and outputs; its numbers are zeros.

    Args:
        other: Session whose artifact, file and specs are taken over.
    """

    def __init__(self, other: Session) -> None:
        super().__init__("null", other.device, other.artifact, other.file)
        self._shapes: dict[int, list[tuple[str, tuple[int, ...], np.dtype[Any]]]] = {}

    def _run(self, feeds: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        batch = len(next(iter(feeds.values())))
        if batch not in self._shapes:  # Kept, because an engine knows its output shapes too.
            self._shapes[batch] = [(spec.name, spec.sides(batch), spec.numpy_dtype) for spec in self.outputs]
        return {name: np.zeros(sides, dtype) for name, sides, dtype in self._shapes[batch]}

    def _close(self) -> None:
        """Do nothing: there is nothing to release."""
