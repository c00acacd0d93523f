"""pack_split: one split of a dataset as one file, which ``resemote eval`` reads on machines without Python.

docs/crops-file.md describes the format. It is binary and simple, so that a program in C++ can read it within bounds.
"""

import hashlib
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from resemote_edge.artifacts.files import write_file
from resemote_edge.data.dataset import Dataset
from resemote_edge.data.findings import findings
from resemote_edge.data.registry import AUTO, load_dataset
from resemote_edge.errors import DatasetError

__all__ = ["CROPS_VERSION", "MAGIC", "PackedSplit", "pack_split", "packed_bytes"]

#: The first bytes of the file. Some of them change if it is copied as text.
MAGIC = b"\x89CROPS\r\n"

#: Version of the format.
CROPS_VERSION = 1

_HEAD = struct.Struct("<8sIIIIII32s")
#: The file says which images are copies of training images.
_MARKS_COPIES = 1
#: The image is, pixel for pixel, one of the training split.
_IS_COPY = 1

_MOST_IMAGES = 1 << 24
_MOST_LABELS = 255
_MOST_NAME_BYTES = 1024
_SIDES = (8, 1024)


@dataclass(frozen=True, kw_only=True)
class PackedSplit:
    """Facts about a file of crops.

    Attributes:
        path: Path of the file.
        dataset: Name of the dataset and split.
        dataset_sha256: Hash of the split, as in a report of `eval`.
        samples: Number of images.
        size: Width and height of the images, in pixels.
        train_copies: Number of images that are pixel-identical to a training image; None where it is not known.
        size_bytes: Size of the file.
        sha256: Hash of the file.
        notes: What was found in the data, from `findings`.
    """

    path: str
    dataset: str
    dataset_sha256: str
    samples: int
    size: tuple[int, int]
    train_copies: int | None
    size_bytes: int
    sha256: str
    notes: tuple[str, ...]


def pack_split(
    source: Path, split: str, destination: Path, *, kind: str = AUTO, progress: Callable[[int, int], None] | None = None
) -> PackedSplit:
    """Write one split of a dataset into one file, whole or not at all.

    Images that are also in the training split are marked, if the dataset has one.

    Args:
        source: Dataset.
        split: Split to pack.
        destination: File to write.
        kind: Kind of the dataset; ``auto`` to recognise it.
        progress: Function called with the number of images read.

    Raises:
        DatasetError: The dataset cannot be read, or the format cannot hold the split; the message says why.
    """
    wanted = (split,) if split == "train" else ("train", split)
    splits = load_dataset(
        source, kind, splits=wanted, progress=progress, optional=("train",) if len(wanted) > 1 else ()
    )
    test, train = splits[split], splits.get("train") if split != "train" else None
    copies = None
    if train is not None and len(train):
        known = set(train.pixel_digests())
        copies = np.array([digest in known for digest in test.pixel_digests()], dtype=np.bool_)
    content = packed_bytes(test, copies)
    write_file(destination, content)
    rows, columns = test.images.shape[1:3]
    return PackedSplit(
        path=str(destination),
        dataset=test.name,
        dataset_sha256=test.sha256(),
        samples=len(test),
        size=(columns, rows),
        train_copies=None if copies is None else int(copies.sum()),
        size_bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        notes=findings(splits.values()),
    )


def packed_bytes(test: Dataset, copies: NDArray[np.bool_] | None) -> bytes:
    """Content of the file of a split.

    Args:
        test: Split to pack; gray images, uint8 (N, rows, columns).
        copies: Mask (N,) of the images that are also in the training split; None where it is not known.

    Raises:
        DatasetError: The format cannot hold the split; the message says why.
    """
    name, labels = test.name.encode(), [label.encode() for label in test.labels]
    _refuse_unfit(test, [name, *labels])
    rows, columns = test.images.shape[1:3]
    flags = 0 if copies is None else _MARKS_COPIES
    sha256 = bytes.fromhex(test.sha256())
    head = _HEAD.pack(MAGIC, CROPS_VERSION, flags, len(test), columns, rows, len(labels), sha256)
    names = b"".join(struct.pack("<H", len(text)) + text for text in (name, *labels))
    marks = np.zeros(len(test), np.uint8) if copies is None else copies.astype(np.uint8) * np.uint8(_IS_COPY)
    targets = test.targets.astype(np.uint8)
    body = head + names + targets.tobytes() + marks.tobytes() + np.ascontiguousarray(test.images).tobytes()
    return body + hashlib.sha256(body).digest()


def _refuse_unfit(test: Dataset, texts: list[bytes]) -> None:
    """Refuse what a reader of the format would refuse."""
    if not 1 <= len(test) <= _MOST_IMAGES:
        raise DatasetError(f"{test.name}: {len(test)} images, and a file of crops holds 1 to {_MOST_IMAGES}")
    if test.images.ndim != 3 or not all(_SIDES[0] <= side <= _SIDES[1] for side in test.images.shape[1:]):
        shape = "x".join(map(str, test.images.shape[1:]))
        raise DatasetError(
            f"{test.name}: images of {shape}, and a file of crops holds gray ones of {_SIDES[0]} to {_SIDES[1]} pixels"
        )
    if not 2 <= len(test.labels) <= _MOST_LABELS:
        raise DatasetError(f"{test.name}: {len(test.labels)} classes, and a file of crops holds 2 to {_MOST_LABELS}")
    long = next((text for text in texts if not 1 <= len(text) <= _MOST_NAME_BYTES), None)
    if long is not None:
        raise DatasetError(
            f"{test.name}: the name {long[:40].decode(errors='replace')!r} has {len(long)} bytes, and a file of crops "
            f"holds names of 1 to {_MOST_NAME_BYTES}"
        )
