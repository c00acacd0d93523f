"""ExportContext: what the exports of one run have in common, worked out once and dropped with the run."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from resemote_edge.data.registry import DatasetReader

if TYPE_CHECKING:
    from resemote_edge.export.tracing import Traced

__all__ = ["ExportContext", "Latest"]

_Value = TypeVar("_Value")


class Latest(Generic[_Value]):
    """The value that was worked out last, with the key that it was worked out for.

    It is dropped before another one is worked out: a traced graph holds the network twice, and both might not fit into
    memory.
    """

    def __init__(self) -> None:
        self._kept: tuple[object, _Value] | None = None

    def get(self, key: object, work_out: Callable[[], _Value]) -> _Value:
        """Return the value for a key; it is worked out unless it is the one that is kept."""
        if self._kept is None or self._kept[0] != key:
            self._kept = None
            self._kept = (key, work_out())
        return self._kept[1]


@dataclass(frozen=True)
class ExportContext:
    """Work that several exports share if the same context is passed to them.

    Attributes:
        datasets: Reader of the dataset, whose images calibration, verification and the gate take.
        traced: Graph with its proof, which takes longer than writing most targets.
        ranges: Activation ranges.
        references: Logits of the reference on the validation split.
    """

    datasets: DatasetReader = field(default_factory=DatasetReader, repr=False)
    traced: "Latest[Traced]" = field(default_factory=Latest, repr=False)
    ranges: Latest[dict[str, tuple[float, float]]] = field(default_factory=Latest, repr=False)
    references: Latest[NDArray[np.float32]] = field(default_factory=Latest, repr=False)
