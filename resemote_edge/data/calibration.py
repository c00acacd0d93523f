"""Calibration sets: the training images whose activations set the scales of a quantized network.

They come from the training split alone, without images that also occur, pixel for pixel, in another split. Scales
fitted to validation or test images would make the figures measured on those too good. Classes take turns giving an
image, in alphabetical order of their names, as long as they have images. Within a class, a seed decides. The choice
depends on pixels and labels only, not on the form (CSV, folder, zip) or order of the dataset.
"""

import hashlib
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import chain, zip_longest
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from resemote_edge.artifacts.passport import CalibrationManifest
from resemote_edge.data.dataset import Dataset
from resemote_edge.data.registry import DatasetReader
from resemote_edge.errors import DatasetError, TooFewImagesError
from resemote_edge.labels import RESEMOTENET
from resemote_edge.vision.drawn import drawn_faces
from resemote_edge.vision.preprocessing import to_gray

__all__ = ["CalibrationSet", "calibration_from_dataset", "choose_calibration", "drawn_calibration"]

# Columns two apart: noise enlarged to grains of two pixels correlates between neighbours (0.51), as faces do, but not
# over this distance. Medians: FER2013 0.77, drawn faces 0.61; noise with grains of 1, 2 and 3 pixels 0.00, 0.00, 0.34.
_DISTANCE = 2
_LEAST_CORRELATION = 0.4

_HELD_OUT = ("validation", "test")


@dataclass(frozen=True)
class CalibrationSet:
    """Images to calibrate with.

    Attributes:
        images: Pixels, uint8 (N, H, W), gray; 48x48 for FER2013. Classes take turns, so that any part is mixed.
        manifest: Record of which images these are, for the passport.
    """

    images: NDArray[np.uint8] = field(repr=False)
    manifest: CalibrationManifest

    def __len__(self) -> int:
        return len(self.images)


def choose_calibration(
    data: str | Path,
    count: int = 512,
    seed: int = 0,
    *,
    labels: Sequence[str] | None = None,
    datasets: DatasetReader | None = None,
) -> CalibrationSet:
    """Choose calibration images from FER2013.

    Args:
        data: Dataset FER2013 in any form. The training split must be there; images of the other splits, if there are
            any, are kept out.
        count: Number of images wanted.
        seed: Seed of the choice; the same seed gives the same images in the same order.
        labels: Labels of the network to calibrate; None not to check whether the data has its classes.
        datasets: Reader that may hold the dataset; None for one of its own.

    Returns:
        The set.

    Raises:
        DatasetError: The dataset cannot be read, has too few images, or holds noise.
        InputError: The dataset has other classes than the labels.
    """
    splits = (datasets or DatasetReader()).load(data, splits=("train", *_HELD_OUT), optional=_HELD_OUT)
    if labels is not None:
        splits["train"].targets_in(labels)  # Refuses other classes.
    held_out = {digest for name in _HELD_OUT if name in splits for digest in splits[name].pixel_digests()}
    return calibration_from_dataset(splits["train"], count, seed, held_out)


def calibration_from_dataset(
    dataset: Dataset, count: int, seed: int, exclude: Collection[bytes] = ()
) -> CalibrationSet:
    """Choose calibration images from a training split.

    Args:
        dataset: Split to choose from; any size of image from 3 columns up.
        count: Number of images wanted.
        seed: Seed of the choice; the same seed gives the same images in the same order; 0 or more.
        exclude: Digests, as `Dataset.pixel_digests` gives them, of images that must not be chosen.

    Returns:
        The set; no two of its images have the same pixels.

    Raises:
        DatasetError: It is not a training split, there are too few images that may be chosen, the count is below 1 or
            the seed below 0, or the images are noise rather than pictures.
    """
    if dataset.split != "train":
        raise DatasetError(
            f"{dataset.name}: calibration takes the training split, this is split '{dataset.split}'",
            hint="a network fitted to validation or test images spoils what is measured on them. Pass the training "
            "split",
        )
    if count < 1 or seed < 0:
        raise DatasetError(
            f"{dataset.name}: cannot choose {count} images with seed {seed}", hint="ask for 1 or more, seed 0 or more"
        )
    digests = dataset.pixel_digests()
    forbidden = set(exclude)
    by_class = _candidates(dataset, digests, forbidden)
    available = sum(map(len, by_class.values()))
    if count > available:
        raise TooFewImagesError(
            f"{dataset.name}: {count} calibration images wanted, and {available} are there (of {len(dataset)} images, "
            "without repeats and copies of held-out ones)",
            hint=f"pass a larger dataset, or calibrate on fewer with: resemote-edge calibrate --images {available}; "
            "export then uses its record",
        )
    chosen = _take_turns(by_class, count, np.random.default_rng(seed))
    images = np.ascontiguousarray(dataset.images[chosen])
    _refuse_noise(dataset.name, images)
    counted = Counter(dataset.labels[dataset.targets[index]] for index in chosen)
    manifest = CalibrationManifest(
        dataset=dataset.name,
        split=dataset.split,
        split_sha256=dataset.sha256(),
        seed=seed,
        count=count,
        counts={label: counted[label] for label in dataset.labels},
        left_out=sum(digest in forbidden for digest in digests),
        image_sha256=tuple(hashlib.sha256(image.tobytes()).hexdigest()[:16] for image in images),
        sha256=hashlib.sha256(images.tobytes()).hexdigest(),
    )
    return CalibrationSet(images, manifest)


def drawn_calibration(count: int, seed: int = 0) -> CalibrationSet:
    """Make calibration images for networks that are trained on nothing: drawn faces, 64x64.

    Random networks are quantized only to time them, for which any scales will do. The classes of the set are the drawn
    expressions, whatever the network's are.

    Args:
        count: Number of images.
        seed: Seed of the drawings.

    Returns:
        The set; its manifest says that the faces are drawn.
    """
    images = np.stack([to_gray(face, "rgb") for face in drawn_faces(count, seed=seed)])
    members = tuple(f"drawn face {index}" for index in range(count))
    targets = np.arange(count, dtype=np.int64) % len(RESEMOTENET)
    return calibration_from_dataset(Dataset("drawn faces", "train", images, targets, RESEMOTENET, members), count, seed)


def _candidates(dataset: Dataset, digests: list[bytes], forbidden: set[bytes]) -> dict[str, list[int]]:
    """Indices that may be chosen, by class, in the order of class names and of digests; each digest once."""
    found: dict[str, list[int]] = {label: [] for label in sorted(dataset.labels)}
    seen = set(forbidden)
    labels = [dataset.labels[target] for target in dataset.targets]
    # Sorted by content, so that neither the container nor the order matters, even for repeated images.
    for digest, label, index in sorted(zip(digests, labels, range(len(dataset)), strict=True)):
        if digest not in seen:
            seen.add(digest)
            found[label].append(index)
    return found


def _take_turns(by_class: dict[str, list[int]], count: int, rng: np.random.Generator) -> list[int]:
    """Indices in turn from every class that has any left; the generator orders each class."""
    shuffled = [[indices[at] for at in rng.permutation(len(indices))] for indices in by_class.values()]
    turns = chain.from_iterable(zip_longest(*shuffled))
    return [index for index in turns if index is not None][:count]


def _refuse_noise(name: str, images: NDArray[np.uint8]) -> None:
    found = float(np.median([_correlation(image) for image in images]))
    if not found >= _LEAST_CORRELATION:
        raise DatasetError(
            f"{name}: these look like noise, not faces: the median correlation of pixels {_DISTANCE} columns apart "
            f"is {found:.2f}, faces have 0.6 and more, {_LEAST_CORRELATION} is needed",
            hint="scales set by noise would cost accuracy on faces. Pass real training images",
        )


def _correlation(image: NDArray[np.uint8]) -> float:
    """Correlation of pixels two columns apart, in [-1, 1]; 0 if all pixels of a side are equal."""
    left, right = (side.astype(np.float64).ravel() for side in (image[:, :-_DISTANCE], image[:, _DISTANCE:]))
    left -= left.mean()
    right -= right.mean()
    scale = float(np.sqrt((left @ left) * (right @ right)))
    return float(left @ right) / scale if scale > 0.0 else 0.0
