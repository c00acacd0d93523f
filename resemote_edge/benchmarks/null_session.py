"""NullSession: computes nothing, so that what is left of its time is the harness's own."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from resemote_edge.runtimes.session import Session
from resemote_edge.tensor_spec import BATCH

__all__ = ["NullSession"]


class NullSession(Session):
    """Takes and gives what another session does, with zeros for numbers.

    Args:
        other: Whose artifact, file and specs it takes on.
    """

    def __init__(self, other: Session) -> None:
        super().__init__("null", other.device, other.artifact, other.file)

    def _run(self, feeds: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        batch = len(next(iter(feeds.values())))
        sides = {spec.name: [batch if side == BATCH else int(side) for side in spec.shape] for spec in self.outputs}
        return {spec.name: np.zeros(sides[spec.name], spec.dtype) for spec in self.outputs}

    def _close(self) -> None:
        """It holds nothing."""
