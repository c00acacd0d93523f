"""The file of crops holds what docs/crops-file.md says, and only what that format can hold."""

import hashlib
import struct
from dataclasses import replace

import numpy as np
import pytest

from resemote_edge.data.dataset import Dataset
from resemote_edge.data.packing import pack_split, packed_bytes
from resemote_edge.data.registry import load_dataset
from resemote_edge.errors import DatasetError


def dataset(count: int = 3, shape: tuple[int, int] = (48, 40), labels: tuple[str, ...] = ("happy", "sad")) -> Dataset:
    rng = np.random.default_rng(1)
    return Dataset(
        name="made test",
        split="test",
        images=rng.integers(0, 256, (count, *shape), dtype=np.uint8),
        targets=np.arange(count) % len(labels),
        labels=labels,
        members=tuple(map(str, range(count))),
    )


def test_every_byte_is_where_the_document_says():
    made = dataset()
    content = packed_bytes(made, np.array([False, True, False]))
    assert content[:8] == bytes.fromhex("89 43 52 4F 50 53 0D 0A")
    version, flags, images, width, height, classes = struct.unpack("<6I", content[8:32])
    assert (version, flags, images, width, height, classes) == (1, 1, 3, 40, 48, 2)
    assert content[32:64].hex() == made.sha256()
    names = b"\x09\0made test\x05\0happy\x03\0sad"
    assert content[64:].startswith(names)
    rest = content[64 + len(names) :]
    assert rest[:3] == bytes([0, 1, 0])
    assert rest[3:6] == bytes([0, 1, 0])
    assert rest[6:-32] == made.images.tobytes()
    assert rest[-32:] == hashlib.sha256(content[:-32]).digest()


def test_copies_are_unknown_without_a_training_split():
    assert packed_bytes(dataset(), None)[12:16] == bytes(4)


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (dataset(0), "0 images"),
        (dataset(shape=(4, 48)), "4x48"),
        (dataset(shape=(48, 2000)), "48x2000"),
        (dataset(labels=("one",)), "1 classes"),
        (dataset(labels=tuple(map(str, range(256)))), "256 classes"),
        (dataset(labels=("happy", "x" * 1025)), "1025 bytes"),
        (replace(dataset(), name=""), "0 bytes"),
    ],
)
def test_what_the_format_cannot_hold_is_refused(made, words):
    with pytest.raises(DatasetError, match=words):
        packed_bytes(made, None)


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_a_split_is_packed(split, tiny_fer2013, tmp_path):
    packed = pack_split(tiny_fer2013, split, tmp_path / "out.crops")
    source = load_dataset(tiny_fer2013, splits=(split,))[split]
    assert (packed.samples, packed.size, packed.dataset_sha256) == (len(source), (48, 48), source.sha256())
    assert packed.train_copies == (None if split == "train" else 0)
    assert packed.size_bytes == (tmp_path / "out.crops").stat().st_size
