"""Dataset: gray face images with labels, one split of one source."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from resemote_edge.errors import InputError
from resemote_edge.labels import index_mapping

__all__ = ["SPLITS", "Dataset"]

#: Names of the splits, everywhere.
SPLITS: tuple[str, ...] = ("train", "validation", "test")


@dataclass(frozen=True)
class Dataset:
    """One split.

    Attributes:
        name: Source and split, for messages and reports.
        split: One of `SPLITS`.
        images: uint8 (N, H, W), gray.
        targets: int64 (N,), indices into `labels`.
        labels: Class names.
        members: Where each image came from (zip member, path, or ``line 17``).
    """

    name: str
    split: str
    images: NDArray[np.uint8] = field(repr=False)
    targets: NDArray[np.int64] = field(repr=False)
    labels: tuple[str, ...]
    members: tuple[str, ...] = field(repr=False)

    def __len__(self) -> int:
        return len(self.images)

    def counts(self) -> dict[str, int]:
        """Images per class, by name."""
        counted = np.bincount(self.targets, minlength=len(self.labels))
        return dict(zip(self.labels, map(int, counted), strict=True))

    def targets_in(self, order: Sequence[str]) -> NDArray[np.int64]:
        """Targets as indices into another label order, mapped by name.

        Raises:
            InputError: The order lacks one of this dataset's labels.
        """
        try:
            mapping = index_mapping(self.labels, order)
        except InputError as error:
            raise InputError(
                f"{self.name}: its classes are {', '.join(self.labels)}, this network's {', '.join(order)}: {error}; "
                "pass data of the network's classes"
            ) from None
        return np.asarray(mapping, dtype=np.int64)[self.targets]

    def pixel_digests(self) -> list[bytes]:
        """One digest per image; equal digests mean equal pixels."""
        return [hashlib.sha256(np.ascontiguousarray(image).tobytes()).digest()[:16] for image in self.images]

    def sha256(self) -> str:
        """Hash of the split: its sorted (pixels, label) pairs, whatever the container or order they came in."""
        digest = hashlib.sha256()
        pairs = zip(self.pixel_digests(), self.targets, strict=True)
        for pixels, label in sorted((pixels, self.labels[target]) for pixels, target in pairs):
            digest.update(pixels + label.encode())
        return digest.hexdigest()

    def subset(self, indices: NDArray[np.int64]) -> "Dataset":
        """The images at these indices, in that order."""
        members = tuple(self.members[index] for index in indices)
        return Dataset(self.name, self.split, self.images[indices], self.targets[indices], self.labels, members)
