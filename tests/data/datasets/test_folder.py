import shutil
import zipfile

import numpy as np
import pytest
from face_files import save_face

from resemote_edge.data.datasets.folder import load_folder
from resemote_edge.errors import DatasetError


def tree(root, classes, per_class=10, splits=(None,), side=48):
    number = 0
    for split in splits:
        for name in classes:
            for index in range(per_class):
                save_face(root / (split or "") / name / f"{index}.png", number, side)
                number += 1
    return root


def totals(data):
    return {split: len(found) for split, found in data.items()}


def as_zip(folder, path):
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*.png")):
            archive.write(file, "faces/" + file.relative_to(folder).as_posix())
    return path


def test_splits_are_drawn_from_a_tree_of_classes(tmp_path):
    data = load_folder(tree(tmp_path / "a", ["tired", "awake "], 20))
    assert totals(data) == {"train": 32, "validation": 4, "test": 4}
    for found in data.values():
        assert found.labels == ("awake", "tired")
        assert len(set(found.counts().values())) == 1
        for member, target in zip(found.members, found.targets, strict=True):
            assert found.labels[target] == member.split("/")[0].strip()


def test_the_draw_depends_on_pixels_alone(tmp_path):
    first = load_folder(tree(tmp_path / "a", ["x", "y", "z"]))
    other = tmp_path / "b"
    for number, path in enumerate(sorted((tmp_path / "a").rglob("*.png"), reverse=True)):
        (other / path.parent.name).mkdir(parents=True, exist_ok=True)
        shutil.copy(path, other / path.parent.name / f"renamed{number}.png")
    for again in (load_folder(other), load_folder(as_zip(tmp_path / "a", tmp_path / "a.zip"))):
        assert {split: found.sha256() for split, found in again.items()} == {
            split: found.sha256() for split, found in first.items()
        }


def test_equal_images_land_in_one_split(tmp_path):
    tree(tmp_path, ["x", "y"], 30)
    for name in ("x", "y"):
        for index in range(30):
            shutil.copy(tmp_path / name / f"{index}.png", tmp_path / name / f"again{index}.png")
    # One image has both labels.
    shutil.copy(tmp_path / "x" / "0.png", tmp_path / "y" / "other.png")
    data = load_folder(tmp_path)
    digests = [set(found.pixel_digests()) for found in data.values()]
    assert sum(map(len, digests)) == len(set.union(*digests)) == 60
    assert sum(totals(data).values()) == 121


def test_given_splits_are_kept(tmp_path):
    data = load_folder(tree(tmp_path, ["x", "y"], 3, ("Train", "val", "test")))
    assert totals(data) == {"train": 6, "validation": 6, "test": 6}
    assert all(member.startswith("val/") for member in data["validation"].members)


def test_validation_is_drawn_where_it_alone_is_missing(tmp_path):
    data = load_folder(tree(tmp_path, ["x", "y"], 10, ("train", "test")))
    assert totals(data) == {"train": 18, "validation": 2, "test": 20}
    assert all(member.startswith("train/") for member in data["validation"].members)


def test_a_single_split(tmp_path):
    tree(tmp_path, ["x", "y"], 3, ("test",))
    assert totals(load_folder(tmp_path, optional=("train", "validation", "test"))) == {"test": 6}
    assert totals(load_folder(tmp_path, splits=("test",))) == {"test": 6}
    with pytest.raises(DatasetError, match=r"no images in split 'train'"):
        load_folder(tmp_path)


@pytest.mark.parametrize(
    ("folders", "labels"),
    [
        (["Happiness", "angry", "SAD"], ("anger", "happy", "sad")),
        (["Happiness", "angry", "bored"], ("Happiness", "angry", "bored")),
        (["10", "9"], ("10", "9")),
    ],
)
def test_class_names(folders, labels, tmp_path):
    assert load_folder(tree(tmp_path, folders))["train"].labels == labels


def test_sizes(tmp_path):
    tree(tmp_path, ["x", "y"], 5, ("train", "test"))
    assert load_folder(tmp_path)["train"].images.shape[1:] == (48, 48)
    save_face(tmp_path / "test" / "x" / "large.png", 0, 100)
    # Every split has the size that the whole dataset needs, even if it is loaded alone.
    train = load_folder(tmp_path, splits=("train",))["train"]
    assert train.images.shape[1:] == (64, 64)
    assert train.images.dtype == np.uint8


def test_bad_trees(tmp_path):
    def refused(words):
        with pytest.raises(DatasetError, match=words):
            load_folder(tmp_path)

    refused("classes found: none")
    tree(tmp_path, ["x"])
    refused("classes found: x")
    tree(tmp_path, ["y"])
    stray = save_face(tmp_path / "stray.png", 0)
    refused(r"stray.png: expected <split>/<class>/<image> or <class>/<image>")
    stray.unlink()
    save_face(tmp_path / "test" / "x" / "0.png", 0)
    refused(r"test/x/0.png lies in a split, x/0.png in none")
    shutil.rmtree(tmp_path / "test")
    save_face(tmp_path / "y" / "deeper" / "0.png", 0)
    refused(r"y/deeper/0.png and x/0.png do not lie in the same tree")
    shutil.rmtree(tmp_path / "y" / "deeper")
    save_face(tmp_path / "X" / "0.png", 0)
    refused(r"the classes 'X' and 'x' differ in nothing but case")
    shutil.rmtree(tmp_path / "X")
    save_face(tmp_path / "z" / "0.png", 0)
    refused(r"split 'validation' has no images of class z; the split is drawn, which takes more")
    (tmp_path / "z" / "0.png").write_bytes(b"text")
    refused(r"z/0.png: not a readable image")


def test_a_class_that_a_split_lacks_is_refused(tmp_path):
    tree(tmp_path, ["x", "y"], 3, ("train", "validation", "test"))
    (tmp_path / "test" / "y").rename(tmp_path / "test" / "why")
    with pytest.raises(DatasetError, match=r"split '\w+' has no images of class \w+, others have; every split needs"):
        load_folder(tmp_path)


def test_what_is_no_folder(tmp_path):
    (tmp_path / "x.txt").write_text("hello")
    with pytest.raises(DatasetError, match="neither a folder nor a whole zip"):
        load_folder(tmp_path / "x.txt")
