"""Drawn faces as datasets, for tests of training."""

from pathlib import Path

import numpy as np
from PIL import Image

from resemote_edge.data.dataset import SPLITS, Dataset
from resemote_edge.labels import RESEMOTENET
from resemote_edge.vision.drawn import drawn_faces
from resemote_edge.vision.preprocessing import to_gray

SIZES = {"train": 112, "validation": 28, "test": 28}


def drawn_dataset(split: str, count: int | None = None, labels: tuple[str, ...] = RESEMOTENET) -> Dataset:
    """Faces whose drawn expression is their label."""
    count = count or SIZES[split]
    faces = drawn_faces(count * 7 // len(labels), seed=SPLITS.index(split))
    kept = [index for index in range(len(faces)) if index % 7 < len(labels)]
    images = np.stack([to_gray(faces[index], "rgb") for index in kept])
    targets = np.array([index % 7 for index in kept], dtype=np.int64)
    return Dataset(f"drawn {split}", split, images, targets, labels, tuple(f"face {index}" for index in kept))


def drawn_folder(root: Path, labels: tuple[str, ...] = RESEMOTENET) -> Path:
    """The same as ``<split>/<class>/*.png``."""
    for split in SPLITS:
        dataset = drawn_dataset(split, labels=labels)
        for index, (image, target) in enumerate(zip(dataset.images, dataset.targets, strict=True)):
            folder = root / split / labels[target]
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(folder / f"{index:03d}.png")
    return root
