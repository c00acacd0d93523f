"""Listing: the faces that a dataset's files name, and the datasets made of them.

A loader reads its dataset's own files into a `Listing`. All further steps are the same for every dataset: reading
images, drawing missing splits, refusing gaps.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from resemote_edge.data.dataset import SPLITS, Dataset
from resemote_edge.data.image_stack import Box, ImageSource, Progress, read_stack
from resemote_edge.data.members import Member
from resemote_edge.data.splitting import draw_splits
from resemote_edge.errors import DatasetError, InputError
from resemote_edge.vision.image import read_file

__all__ = ["Face", "Listing", "check_splits", "file_member", "require_whole"]


@dataclass(frozen=True)
class Face:
    """One labelled face.

    Attributes:
        member: Image file of the face.
        target: Index of its class.
        box: Place of the face in the image; None if the image is the face.
        soft: Share of every class in the annotators' opinions; None if there is one label.
        note: Text that distinguishes it from other faces of the same image, for `Dataset.members`.
    """

    member: Member
    target: int
    box: Box | None = None
    soft: tuple[float, ...] | None = None
    note: str = ""


@dataclass
class Listing:
    """The faces of a dataset by pool. A pool is a published split, or a set that splits are drawn from.

    Attributes:
        kind: Name of the dataset, for names and messages.
        source: Path of the dataset, for messages.
        labels: Class names.
        draw: By pool, the shares of the splits that are drawn from it (see `draw_splits`). A pool without an entry is
            the split of its own name.
        faces: Faces by pool.
        left_out: Number of faces that are listed and not taken, by pool and reason.
        notes: Sentences for `Dataset.notes`.
        together: Whether to always read every pool, so that the size of images does not depend on the splits asked for.
    """

    kind: str
    source: Path
    labels: tuple[str, ...]
    draw: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    faces: dict[str, list[Face]] = field(default_factory=dict)
    left_out: dict[str, Counter[str]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    together: bool = False

    def add(self, pool: str, face: Face) -> None:
        """Add a face to a pool."""
        self.faces.setdefault(pool, []).append(face)

    def leave_out(self, pool: str, reason: str) -> None:
        """Count a face of a pool that is not taken."""
        self.left_out.setdefault(pool, Counter())[reason] += 1

    def pools_for(self, splits: tuple[str, ...]) -> list[str]:
        """Pools that these splits need, out of those there can be."""
        drawn = [pool for pool, shares in self.draw.items() if any(split in splits for split in shares)]
        taken = {split for pool in drawn for split in self.draw[pool]} | set(self.draw)
        return drawn + [split for split in splits if split not in taken]

    def datasets(
        self, splits: tuple[str, ...], progress: Progress | None = None, optional: tuple[str, ...] = ()
    ) -> dict[str, Dataset]:
        """Read the images of the pools these splits need, and make the splits.

        Args:
            splits: Splits wanted, out of `SPLITS`.
            progress: Function called with the number of images done.
            optional: Splits that may be lacking altogether.

        Returns:
            One dataset per split, except optional ones without an image; images of all of them have one size.

        Raises:
            DatasetError: An image is unreadable, a split has no images, or it has no images of some class.
        """
        pools = self.pools_for(SPLITS if self.together else splits)
        faces = [face for pool in pools for face in self.faces.get(pool, [])]
        stack = read_stack([ImageSource(face.member, face.box) for face in faces], str(self.source), progress)
        made: dict[str, Dataset] = {}
        start = 0
        for pool in pools:
            count = len(self.faces.get(pool, []))
            made |= self._splits_of(pool, Dataset(
                name=f"{self.kind} {pool}",
                split=pool,
                images=stack[start : start + count],
                targets=np.array([face.target for face in faces[start : start + count]], dtype=np.int64),
                labels=self.labels,
                members=tuple(face.member.name + face.note for face in faces[start : start + count]),
                soft_targets=_soft(faces[start : start + count]),
                left_out=dict(self.left_out.get(pool, {})),
                notes=self.notes,
            ))  # fmt: skip
            start += count
        wanted = [split for split in splits if len(made.get(split, ())) or split not in optional]
        drawn = {split for shares in self.draw.values() for split in shares}
        return {split: require_whole(made.get(split), split, self.source, drawn=split in drawn) for split in wanted}

    def _splits_of(self, pool: str, dataset: Dataset) -> dict[str, Dataset]:
        shares = self.draw.get(pool)
        if shares is None:
            return {pool: dataset}
        drawn = draw_splits(dataset.targets, dataset.pixel_digests(), shares)
        first = next(iter(shares))
        return {
            split: replace(
                dataset.subset(indices),
                name=f"{self.kind} {split}",
                split=split,
                left_out=dataset.left_out if split == first else {},
            )
            for split, indices in drawn.items()
        }


def require_whole(dataset: Dataset | None, split: str, source: Path, *, drawn: bool = False) -> Dataset:
    """Refuse a split without images, or without images of some class.

    Args:
        dataset: Split to check; None if there is none.
        split: Name of the split.
        source: Path that it was read from, for messages.
        drawn: Whether it was drawn from other images.

    Returns:
        The split.

    Raises:
        DatasetError: The split is not whole.
    """
    if dataset is None or not len(dataset):
        raise DatasetError(f"{source}: no images in split '{split}'", hint="pass the whole dataset")
    absent = [label for label, count in dataset.counts().items() if count == 0]
    if absent:
        cure = "the split is drawn, which takes more, and different, images of it" if drawn else "all are needed"
        raise DatasetError(f"{source}: split '{split}' has no images of class {', '.join(absent)}", hint=cure)
    return dataset


def check_splits(splits: tuple[str, ...]) -> None:
    """Refuse unknown splits.

    Raises:
        InputError: A name is not one of `SPLITS`.
    """
    unknown = [split for split in splits if split not in SPLITS]
    if unknown:
        raise InputError(f"unknown split {unknown[0]!r}", hint=f"choose from {', '.join(SPLITS)}")


def file_member(path: Path, root: Path) -> Member:
    """Make a member of a file, named relative to the dataset's root; it need not exist until it is read."""
    inside = path.is_relative_to(root)
    return Member(path.relative_to(root).as_posix() if inside else str(path), partial(read_file, path))


def _soft(faces: list[Face]) -> NDArray[np.float32] | None:
    if not faces or faces[0].soft is None:
        return None
    return np.array([face.soft for face in faces], dtype=np.float32)
