"""DataReport: the contents of a dataset, and its faults."""

from collections import defaultdict
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from resemote_edge.data.dataset import Dataset
from resemote_edge.errors import DatasetError

__all__ = ["DataReport", "inspect_splits"]


@dataclass(frozen=True, kw_only=True)
class DataReport:
    """Facts about the splits of one dataset.

    Attributes:
        path: Path of the dataset.
        labels: Class names, in the order of the targets.
        soft_targets: Whether images carry a distribution over the classes.
        counts: Number of images per split and class.
        sha256: Hash of each split (pixels and labels; the container and the order do not matter).
        left_out: Number of images and files in the source that the loader does not take, per split and reason.
        notes: Sentences on what was found in the source and how it was read.
        duplicates_within: Number of images per split that repeat an earlier image of it pixel for pixel.
        duplicates_across: Number of images per ``"a -> b"``: those of split ``b`` that also occur in split ``a``.
        conflicting_labels: Number of distinct images that carry more than one label anywhere.
    """

    path: str
    labels: tuple[str, ...]
    soft_targets: bool
    counts: dict[str, dict[str, int]]
    sha256: dict[str, str]
    left_out: dict[str, dict[str, int]]
    notes: tuple[str, ...]
    duplicates_within: dict[str, int]
    duplicates_across: dict[str, int]
    conflicting_labels: int

    def to_dict(self) -> dict[str, Any]:
        """The report as plain JSON types."""
        facts = asdict(self)
        counts = {name: facts.pop(name) for name in ("path", "labels", "soft_targets", "counts")}
        totals = {split: sum(classes.values()) for split, classes in self.counts.items()}
        return {**counts, "totals": totals, **facts}


def inspect_splits(path: Path, splits: dict[str, Dataset]) -> DataReport:
    """Count, hash, and look for duplicates and contradictions.

    Args:
        path: Path that the splits were read from.
        splits: Datasets by split name, all with the same labels; one or more.

    Returns:
        The report.

    Raises:
        DatasetError: There is no split.
    """
    if not splits:
        raise DatasetError(f"{path}: no images in any split", hint="pass a dataset with train, validation or test")
    digests = {split: data.pixel_digests() for split, data in splits.items()}
    labels_of: dict[bytes, set[str]] = defaultdict(set)
    for split, data in splits.items():
        for digest, target in zip(digests[split], data.targets, strict=True):
            labels_of[digest].add(data.labels[target])
    across = {}
    names = list(splits)
    for position, first in enumerate(names):
        known = set(digests[first])
        for second in names[position + 1 :]:
            across[f"{first} -> {second}"] = sum(digest in known for digest in digests[second])
    return DataReport(
        path=str(path),
        labels=next(iter(splits.values())).labels,
        soft_targets=any(data.soft_targets is not None for data in splits.values()),
        counts={split: data.counts() for split, data in splits.items()},
        sha256={split: data.sha256() for split, data in splits.items()},
        left_out={split: dict(data.left_out) for split, data in splits.items()},
        notes=tuple(dict.fromkeys(note for data in splits.values() for note in data.notes)),
        duplicates_within={split: len(data) - len(set(digests[split])) for split, data in splits.items()},
        duplicates_across=across,
        conflicting_labels=sum(len(labels) > 1 for labels in labels_of.values()),
    )
