import hashlib
import shutil
import warnings

import msgspec
import numpy as np
import pytest

from resemote_edge.artifacts.passport import CalibrationManifest
from resemote_edge.data.calibration import calibration_from_dataset, choose_calibration
from resemote_edge.data.dataset import Dataset
from resemote_edge.data.datasets.fer2013 import load_fer2013
from resemote_edge.errors import DatasetError
from resemote_edge.labels import FER2013
from resemote_edge.vision.drawn import drawn_faces
from resemote_edge.vision.preprocessing import to_gray


def dataset(images, targets=None, split="train"):
    images = np.asarray(images, dtype=np.uint8)
    targets = np.arange(len(images)) % 7 if targets is None else np.asarray(targets)
    members = tuple(f"line {index + 2}" for index in range(len(images)))
    return Dataset(f"drawn {split}", split, images, targets.astype(np.int64), FER2013, members)


def faces(count, seed=0):
    return np.stack([to_gray(face, "rgb") for face in drawn_faces(count, seed=seed)])


def noise(count, grain, seed=0):
    cells = -(-48 // grain)
    coarse = np.random.default_rng(seed).integers(0, 256, (count, cells, cells), dtype=np.uint8)
    return coarse.repeat(grain, axis=1).repeat(grain, axis=2)[:, :48, :48]


def digests(images):
    return [image.tobytes() for image in images]


def test_classes_are_balanced_as_far_as_they_have_images():
    have = dict(zip(FER2013, [30, 1, 30, 30, 4, 30, 30], strict=True))
    targets = np.repeat(np.arange(7), list(have.values()))
    chosen = calibration_from_dataset(dataset(faces(len(targets)), targets), 57, 0)
    counts = chosen.manifest.counts
    assert counts["disgust"] == 1
    assert counts["sad"] == 4
    others = [count for label, count in counts.items() if label not in ("disgust", "sad")]
    assert sorted(others) == [10, 10, 10, 11, 11]
    assert sum(counts.values()) == len(chosen) == 57


def test_every_part_of_it_is_mixed():
    data = dataset(faces(70))
    chosen = calibration_from_dataset(data, 35, 0)
    label_of = dict(zip(digests(data.images), data.targets, strict=True))
    for start in range(0, 35, 7):
        assert len({label_of[key] for key in digests(chosen.images[start : start + 7])}) == 7


def test_a_seed_decides():
    data = dataset(faces(70))
    first, again, other = (calibration_from_dataset(data, 21, seed) for seed in (3, 3, 4))
    assert first.manifest == again.manifest
    assert np.array_equal(first.images, again.images)
    assert first.manifest.sha256 != other.manifest.sha256
    assert set(first.manifest.image_sha256) != set(other.manifest.image_sha256)


def test_the_order_of_the_dataset_does_not_matter():
    data = dataset(faces(70))
    turned = data.subset(np.random.default_rng(0).permutation(70))
    assert calibration_from_dataset(turned, 30, 1).manifest == calibration_from_dataset(data, 30, 1).manifest


def test_the_manifest_describes_the_images():
    data = dataset(faces(42))
    chosen = calibration_from_dataset(data, 20, 5)
    manifest = chosen.manifest
    assert chosen.images.shape == (20, 48, 48)
    assert chosen.images.dtype == np.uint8
    assert list(manifest.image_sha256) == [hashlib.sha256(image.tobytes()).hexdigest()[:16] for image in chosen.images]
    assert manifest.sha256 == hashlib.sha256(chosen.images.tobytes()).hexdigest()
    assert (manifest.dataset, manifest.split, manifest.seed, manifest.count) == ("drawn train", "train", 5, 20)
    assert manifest.split_sha256 == data.sha256()
    assert msgspec.json.decode(msgspec.json.encode(manifest), type=CalibrationManifest) == manifest


def test_the_images_are_the_caller_s():
    data = dataset(faces(14))
    chosen = calibration_from_dataset(data, 14, 0)
    before = data.images.copy()
    chosen.images[...] = 0
    assert np.array_equal(data.images, before)


def test_repeats_count_once():
    images = faces(10)
    data = dataset(np.concatenate([images, images, images]))
    assert len(set(digests(calibration_from_dataset(data, 10, 0).images))) == 10
    with pytest.raises(DatasetError, match="11 calibration images wanted, and 10 are there"):
        calibration_from_dataset(data, 11, 0)


def test_excluded_images_are_left_out():
    data = dataset(faces(21))
    exclude = data.pixel_digests()[:5]
    chosen = calibration_from_dataset(data, 16, 0, exclude)
    assert not set(digests(chosen.images)) & set(digests(data.images[:5]))
    assert chosen.manifest.left_out == 5
    with pytest.raises(DatasetError, match="and 16 are there"):
        calibration_from_dataset(data, 17, 0, exclude)


@pytest.mark.parametrize("split", ["validation", "test"])
def test_other_splits_are_refused_with_the_reason(split):
    with pytest.raises(DatasetError, match=f"split '{split}'.*spoils what is measured"):
        calibration_from_dataset(dataset(faces(7), split=split), 7, 0)


@pytest.mark.parametrize("count", [0, -1])
def test_nothing_wanted_is_refused(count):
    with pytest.raises(DatasetError, match="1 or more"):
        calibration_from_dataset(dataset(faces(7)), count, 0)


def test_a_negative_seed_is_refused():
    with pytest.raises(DatasetError, match="seed -1"):
        calibration_from_dataset(dataset(faces(7)), 7, -1)


def test_an_empty_dataset_is_refused():
    with pytest.raises(DatasetError, match="and 0 are there"):
        calibration_from_dataset(dataset(np.empty((0, 48, 48))), 1, 0)


@pytest.mark.parametrize("grain", [1, 2, 3])
def test_noise_is_refused_with_the_figure_found(grain):
    with pytest.raises(DatasetError, match=r"look like noise.*columns apart is -?0\.[0-3]\d"):
        calibration_from_dataset(dataset(noise(70, grain)), 70, 0)


def test_mostly_noise_is_refused_and_mostly_faces_pass():
    with pytest.raises(DatasetError, match="look like noise"):
        calibration_from_dataset(dataset(np.concatenate([noise(40, 1), faces(20)])), 60, 0)
    assert len(calibration_from_dataset(dataset(np.concatenate([noise(10, 1), faces(50)])), 60, 0)) == 60


def test_flat_images_are_no_pictures_and_no_warnings():
    flat = np.arange(70, dtype=np.uint8)[:, None, None] * np.ones((1, 48, 48), dtype=np.uint8)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(DatasetError, match=r"is 0\.00"):
            calibration_from_dataset(dataset(flat), 70, 0)
        assert len(calibration_from_dataset(dataset(np.concatenate([flat[:3], faces(25)])), 28, 0)) == 28


def test_the_tiny_dataset_is_noise(tiny_fer2013):
    with pytest.raises(DatasetError, match="fer2013 train: these look like noise"):
        choose_calibration(tiny_fer2013, count=8)
    with pytest.raises(DatasetError, match="512 calibration images wanted, and 14 are there"):
        choose_calibration(tiny_fer2013)


@pytest.fixture
def drawn_fer2013(tmp_path):
    """Drawn faces in FER2013's folder layout; in each class, one training image is also in another split."""
    from PIL import Image

    for split, seed in (("train", 0), ("validation", 1), ("test", 2)):
        for index, face in enumerate(faces(21, seed)):
            folder = tmp_path / "drawn" / split / FER2013[index % 7]
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(face).save(folder / f"{index}.png")
    for index in range(7):
        copy = tmp_path / "drawn" / "train" / FER2013[index] / f"{index}.png"
        shutil.copy(copy, tmp_path / "drawn" / ("test" if index % 2 else "validation") / FER2013[index] / "copy.png")
    return tmp_path / "drawn"


def test_copies_of_held_out_images_are_left_out(drawn_fer2013):
    chosen = choose_calibration(drawn_fer2013, count=14)
    splits = load_fer2013(drawn_fer2013)
    held_out = {key for name in ("validation", "test") for key in digests(splits[name].images)}
    assert not held_out & set(digests(chosen.images))
    assert chosen.manifest.counts == dict.fromkeys(FER2013, 2)
    assert chosen.manifest.left_out == 7
    with pytest.raises(DatasetError, match="and 14 are there"):
        choose_calibration(drawn_fer2013, count=15)


def test_the_training_split_alone_is_enough_and_must_be_there(drawn_fer2013):
    for split in ("validation", "test"):
        shutil.rmtree(drawn_fer2013 / split)
    assert choose_calibration(str(drawn_fer2013), count=21).manifest.left_out == 0
    (drawn_fer2013 / "train").rename(drawn_fer2013 / "test")
    with pytest.raises(DatasetError, match="no images in split 'train'"):
        choose_calibration(drawn_fer2013, count=1)


@pytest.mark.slow
@pytest.mark.fer2013
def test_fer2013(fer2013):
    splits = load_fer2013(fer2013)
    held_out = {key for name in ("validation", "test") for key in splits[name].pixel_digests()}
    chosen = choose_calibration(fer2013)
    again, other = (calibration_from_dataset(splits["train"], 512, seed, held_out) for seed in (0, 1))
    assert chosen.images.shape == (512, 48, 48)
    assert sorted(chosen.manifest.counts.values()) == [73] * 6 + [74]
    assert chosen.manifest == again.manifest
    assert chosen.manifest.sha256 != other.manifest.sha256
    train = {digest.hex()[:16] for digest in splits["train"].pixel_digests()}
    assert len(set(chosen.manifest.image_sha256)) == 512
    assert set(chosen.manifest.image_sha256) <= train - {digest.hex()[:16] for digest in held_out}
    assert chosen.manifest.left_out > 0
