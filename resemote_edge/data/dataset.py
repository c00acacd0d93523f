"""Dataset: gray face images with labels, one split of one source."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from resemote_edge.errors import DatasetError, InputError
from resemote_edge.labels import index_mapping

__all__ = ["SPLITS", "Dataset"]

#: Names of the splits, everywhere in this package.
SPLITS: tuple[str, ...] = ("train", "validation", "test")


@dataclass(frozen=True)
class Dataset:
    """One split of a dataset.

    Attributes:
        name: Name of source and split, for messages and reports.
        split: Name of the split, one of `SPLITS`.
        images: Pixels, uint8 (N, H, W), gray.
        targets: Classes, int64 (N,), indices into `labels`.
        labels: Class names.
        members: Origin of each image (zip member, path, or ``line 17``).
        soft_targets: Distribution of the annotators' opinions, float32 (N, classes), rows summing to 1, whose argmax is
            `targets`; None if there is one label per image.
        left_out: Number of images or files of the source that were left out of this split, by reason; those in no split
            are counted in the first.
        notes: Sentences on what was found in the source and how it was read.

    Raises:
        DatasetError: The soft targets have another shape, do not sum to 1, or contradict the targets.
    """

    name: str
    split: str
    images: NDArray[np.uint8] = field(repr=False)
    targets: NDArray[np.int64] = field(repr=False)
    labels: tuple[str, ...]
    members: tuple[str, ...] = field(repr=False)
    soft_targets: NDArray[np.float32] | None = field(default=None, repr=False)
    left_out: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        soft = self.soft_targets
        if soft is None:
            return
        shape = (len(self.images), len(self.labels))
        if soft.shape != shape or soft.dtype != np.float32:
            raise DatasetError(
                f"{self.name}: soft targets must be float32 {shape}, images by classes, got {soft.dtype} {soft.shape}"
            )
        if not np.allclose(soft.sum(axis=1), 1.0, atol=1e-5) or (soft < 0.0).any():
            raise DatasetError(f"{self.name}: every row of soft targets must be 0 or more and sum to 1")
        if len(soft) and not np.array_equal(soft.argmax(axis=1), self.targets):
            raise DatasetError(f"{self.name}: targets must be the argmax of the soft targets")

    def __len__(self) -> int:
        return len(self.images)

    def counts(self) -> dict[str, int]:
        """Number of images per class, by name."""
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
                f"{self.name}: its classes are {', '.join(self.labels)}, this network's {', '.join(order)}: {error}",
                hint="pass data of the network's classes",
            ) from None
        return np.asarray(mapping, dtype=np.int64)[self.targets]

    def pixel_digests(self) -> list[bytes]:
        """One digest per image; equal digests mean equal pixels."""
        return [hashlib.sha256(np.ascontiguousarray(image).tobytes()).digest()[:16] for image in self.images]

    def repeats(self) -> int:
        """Number of images that repeat an earlier one pixel for pixel."""
        return len(self) - len(set(self.pixel_digests()))

    def sha256(self) -> str:
        """Hash of the split: of its sorted (pixels, label) pairs, so that neither container nor order matters.

        If there are soft targets, they are part of the hash, in the alphabetical order of the labels.
        """
        digest = hashlib.sha256()
        opinions = [b""] * len(self)
        if self.soft_targets is not None:
            order = np.argsort(np.array(self.labels))
            opinions = [row.astype("<f4").tobytes() for row in self.soft_targets[:, order]]
        rows = zip(self.pixel_digests(), self.targets, opinions, strict=True)
        for pixels, label, opinion in sorted((pixels, self.labels[target], soft) for pixels, target, soft in rows):
            digest.update(pixels + label.encode() + opinion)
        return digest.hexdigest()

    def subset(self, indices: NDArray[np.int64]) -> "Dataset":
        """The images at these indices, in that order, with their targets and members."""
        return replace(
            self,
            images=self.images[indices],
            targets=self.targets[indices],
            members=tuple(self.members[index] for index in indices),
            soft_targets=None if self.soft_targets is None else self.soft_targets[indices],
        )
