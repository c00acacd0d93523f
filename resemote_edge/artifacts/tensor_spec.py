"""TensorSpec: name, dtype and shape of one input or output of a session."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from resemote_edge.errors import InputError

__all__ = ["BATCH", "BatchRange", "TensorSpec"]

#: Name of the one dynamic dimension.
BATCH: Literal["batch"] = "batch"

_MOST_RANK = 8  # RESEMOTE_MAX_RANK
_MOST_SIDE = 65536


@dataclass(frozen=True, kw_only=True)
class BatchRange:
    """Batch sizes an artifact accepts.

    Attributes:
        min: Smallest batch.
        opt: Batch it was tuned for.
        max: Largest batch; None when there is no limit but memory.
    """

    min: int = 1
    opt: int = 1
    max: int | None = None

    def __post_init__(self) -> None:
        """Refuse a range that holds nothing; raises ValueError, as decoders expect."""
        if not 1 <= self.min <= self.opt or (self.max is not None and self.opt > self.max):
            raise ValueError(f"batch sizes need 1 <= min <= opt <= max, got {self.min}, {self.opt}, {self.max}")

    def chunks(self, count: int, *, at_most: int) -> Iterator[slice]:
        """Cut a number of samples into batches of nearly equal size, so that the last one is not a leftover.

        Args:
            count: Samples.
            at_most: Samples per batch, where the range sets no smaller limit.

        Yields:
            Slices that cover the samples in order.
        """
        largest = min(self.max or at_most, at_most)
        parts = -(-count // largest)
        for part in range(parts):
            yield slice(count * part // parts, count * (part + 1) // parts)

    def check(self, batch: int) -> None:
        """Raise `InputError` when a batch size is outside the range."""
        if batch < self.min or (self.max is not None and batch > self.max):
            upper = "any" if self.max is None else self.max
            raise InputError(
                f"batch size {batch} is outside the artifact's range {self.min}..{upper}",
                hint="split the batch, or export with another range in the recipe",
            )


@dataclass(frozen=True, kw_only=True)
class TensorSpec:
    """One input or output.

    Attributes:
        name: Tensor name, the same in every runtime.
        dtype: Name of the numpy dtype.
        shape: Dimensions; the string ``"batch"`` stands for the dynamic first one.
    """

    name: str
    dtype: Literal["float32", "uint8"]
    shape: tuple[int | Literal["batch"], ...]

    def __post_init__(self) -> None:
        """Refuse shapes that no tensor has; raises ValueError, as decoders expect."""
        sides = self.shape[1:] if self.shape[:1] == (BATCH,) else self.shape
        sound = 1 <= len(self.shape) <= _MOST_RANK and all(type(s) is int and 1 <= s <= _MOST_SIDE for s in sides)
        if not sound:
            raise ValueError(f"a shape is at most {_MOST_RANK} sizes, the first of which may be {BATCH!r}")

    def check(self, array: Any) -> NDArray[Any]:
        """Return the array if it fits this spec.

        Args:
            array: Array the caller feeds; never converted silently.

        Returns:
            The same array, made contiguous if it was not.

        Raises:
            InputError: The array is not a numpy array, or has another dtype or shape.
        """
        if not isinstance(array, np.ndarray):
            raise InputError(f"input '{self.name}' must be a numpy array, got {type(array).__name__}")
        if array.dtype != self.numpy_dtype:
            raise InputError(
                f"input '{self.name}' must be {self.dtype}, got {array.dtype}", hint="convert it before the call"
            )
        start, sides = self._fixed
        if array.ndim != len(self.shape) or array.shape[start:] != sides:
            raise InputError(f"input '{self.name}' must have shape {self._shape_text()}, got {tuple(array.shape)}")
        return array if array.flags.c_contiguous else np.ascontiguousarray(array)

    def sides(self, batch: int) -> tuple[int, ...]:
        """The shape of an array with this many samples."""
        start, sides = self._fixed
        return (batch, *sides) if start else sides

    # This is looked up at every call of a session, where a microsecond counts.
    @cached_property
    def numpy_dtype(self) -> np.dtype[Any]:
        """`dtype` as numpy's own type."""
        return np.dtype(self.dtype)

    @cached_property
    def _fixed(self) -> tuple[int, tuple[int, ...]]:
        """The index at which the fixed dimensions begin, and those dimensions."""
        start = 1 if self.shape[:1] == (BATCH,) else 0
        return start, tuple(int(side) for side in self.shape[start:])

    def _shape_text(self) -> str:
        return "(" + ", ".join(str(dim) for dim in self.shape) + ")"
