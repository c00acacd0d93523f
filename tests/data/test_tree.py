import json
import shutil
import zipfile
from unicodedata import normalize

import pytest
from click.testing import CliRunner
from face_files import save_face

from resemote_edge.cli import cli
from resemote_edge.data.registry import load_dataset
from resemote_edge.errors import DatasetError
from resemote_edge.labels import CANONICAL

ALL = ("train", "validation", "test")


def lay(root, names, side=48):
    """Different faces under these names."""
    for number, name in enumerate(names):
        save_face(root / name, number, side)
    return root


def pack(folder):
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(file for file in folder.rglob("*") if file.is_file()):
            archive.write(file, file.relative_to(folder).as_posix())
    return path


def found_in(path):
    data = load_dataset(path, optional=ALL)
    return {split: len(found) for split, found in data.items()}, {
        note for found in data.values() for note in found.notes
    }


def refused(path, words):
    with pytest.raises(DatasetError, match=words):
        load_dataset(path, optional=ALL)
    if path.is_dir():
        refused(pack(path), words)


def official(*pairs):
    """Seven images for each folder of a split and kind of name, one of each class."""
    return [
        f"{folder}/{label}/{name}_{number * 100 + index}.png"
        for index, (folder, name) in enumerate(pairs)
        for number, label in enumerate(CANONICAL)
    ]


READ_BY_NAME = {
    "two in test": (
        [("train", "Training"), ("test", "PublicTest"), ("test", "PrivateTest")],
        {"train": 7, "validation": 7, "test": 7},
        "7 images in the folder of split 'test' are read as split 'validation', which their names state",
    ),
    "two in train": (
        [("train", "Training"), ("train", "PublicTest"), ("test", "PrivateTest")],
        {"train": 7, "validation": 7, "test": 7},
        "7 images in the folder of split 'train' are read as split 'validation', which their names state",
    ),
    "three in train": (
        [("train", "Training"), ("train", "PublicTest"), ("train", "PrivateTest")],
        {"train": 7, "validation": 7, "test": 7},
        "7 images in the folder of split 'train' are read as split 'test', which their names state",
    ),
    "generic names": (
        [("train", "train"), ("test", "val"), ("test", "test")],
        {"train": 7, "validation": 7, "test": 7},
        "7 images in the folder of split 'test' are read as split 'validation', which their names state",
    ),
    "part of training held out": (
        [("train", "Training"), ("validation", "Training"), ("test", "PrivateTest")],
        {"train": 7, "validation": 7, "test": 7},
        "7 images of split 'validation' are training images by their names",
    ),
    "no folders of splits": (
        [("faces", "Training"), ("faces", "PublicTest"), ("faces", "PrivateTest")],
        {"train": 7, "validation": 7, "test": 7},
        "the splits are those that the files' names state, such as PrivateTest_2.png",
    ),
}


@pytest.mark.parametrize("case", READ_BY_NAME)
@pytest.mark.parametrize("side", [48, 60])
def test_splits_that_files_names_tell_apart(case, side, tmp_path):
    pairs, totals, note = READ_BY_NAME[case]
    root = lay(tmp_path / "set", official(*pairs), side)
    for path in (root, pack(root)):
        counted, notes = found_in(path)
        assert counted == totals
        assert note in notes


AGREEING = {
    "official": [("train", "Training"), ("validation", "PublicTest"), ("test", "PrivateTest")],
    "RAF-DB": [("train", "train"), ("val", "val"), ("test", "test")],
    "other spellings": [("Training", "img"), ("dev", "dev"), ("TEST", "img")],
    "numbers alone": [("train", "img"), ("valid", "img"), ("testing", "img")],
}


@pytest.mark.parametrize("case", AGREEING)
def test_names_that_agree_or_say_nothing_are_no_matter(case, tmp_path):
    root = lay(tmp_path / "set", official(*AGREEING[case]))
    assert found_in(root) == ({"train": 7, "validation": 7, "test": 7}, set())


CONTRADICTED = {
    "test images in train": [("train", "Training"), ("train", "PrivateTest"), ("test", "PrivateTest")],
    "training images in test": [("train", "Training"), ("test", "Training"), ("test", "PrivateTest")],
    "swapped": [("train", "PrivateTest"), ("test", "Training")],
    "validation in both": [("train", "train"), ("val", "val"), ("test", "val")],
}


@pytest.mark.parametrize("case", CONTRADICTED)
def test_splits_that_files_names_contradict_are_refused(case, tmp_path):
    refused(
        lay(tmp_path / "set", official(*CONTRADICTED[case])), r"lies in split '\w+', and its name says '\w+', as for"
    )


TWICE = {
    "one split, two folders": (["train/x/0.png", "Training/x/1.png", "train/y/2.png"], "both stand for split 'train'"),
    "upper case": (["Train/x/0.png", "train/x/1.png", "train/y/2.png"], "both stand for split 'train'"),
    "nested copy": (["set/train/x/0.png", "train/x/1.png", "train/y/2.png"], "do not lie in the same tree"),
    "two sets": (["a/x/0.png", "b/x/1.png", "a/y/2.png"], "do not lie in the same tree"),
    "flat": (["train/0.png", "train/1.png", "test/2.png"], r"lies directly in the folder of a split.*_labels\.csv"),
    "flat beside classes": (["train/0.png", "x/1.png", "y/2.png"], "lies directly in the folder of a split"),
    "spellings": (["anger/0.png", "angry/1.png", "happy/2.png"], r"'anger' and 'angry' differ in nothing .*spelling"),
    "case": (["Tired/0.png", "tired/1.png", "y/2.png"], "'Tired' and 'tired' differ in nothing but case"),
    "blanks": (["tired/0.png", "tired /1.png", "y/2.png"], "'tired' and 'tired ' differ in nothing but case"),
    "Unicode": (["\u00e9/0.png", "e\u0301/1.png", "y/2.png"], r"'e\\u0301' and '\\xe9' differ in nothing but"),
    "width": (["tired/0.png", "\uff54ired/1.png", "y/2.png"], r"differ in nothing but case, spaces, Unicode form"),
    "ligature": (["\ufb01t/0.png", "fit/1.png", "y/2.png"], r"differ in nothing but case, spaces, Unicode form"),
    "hidden characters": (["ti\u200bred/0.png", "y/1.png"], "cannot be shown; give every class a name"),
    "escape": (["ti\x1b[31mred/0.png", "y/1.png"], "cannot be shown; give every class a name"),
    "bytes": (["ti\udce9red/0.png", "y/1.png"], "cannot be shown; give every class a name"),
}  # fmt: skip


@pytest.mark.parametrize("case", TWICE)
def test_what_would_be_counted_twice_or_as_another_class_is_refused(case, tmp_path):
    names, words = TWICE[case]
    lay(tmp_path / "set", names)
    with pytest.raises(DatasetError, match=words):
        load_dataset(tmp_path / "set", optional=ALL)


@pytest.mark.parametrize("copy", ["x - Copy", "x (1)", "Copy of x", "y2"])
def test_a_copy_of_a_class_is_no_class(copy, tmp_path):
    root = lay(tmp_path / "set", [f"{label}/{index}.png" for label in "xy" for index in range(10)])
    shutil.copytree(root / "x", root / copy)
    refused(root, r"all 10 images of class '.+' are in class '.+' as well; leave one of the folders")


def test_copies_within_a_class_are_counted(tmp_path):
    root = lay(tmp_path / "set", [f"test/{label}/{index}.png" for label in "xy" for index in range(3)])
    shutil.copy(root / "test" / "x" / "0.png", root / "test" / "x" / "0 (1).png")
    shown = CliRunner().invoke(cli, ["data", "inspect", str(root), "--json"], catch_exceptions=False)
    assert json.loads(shown.stdout)["duplicates_within"] == {"test": 1}


def test_one_class_in_two_unicode_forms_is_one_class(tmp_path):
    forms = {"train": "NFC", "test": "NFD"}
    names = [
        f"{split}/{normalize(form, label)}/{index}.png"
        for split, form in forms.items() for label in ("müde", "wach") for index in range(10)
    ]  # fmt: skip
    root = lay(tmp_path / "set", names)
    for path in (root, pack(root)):
        data = load_dataset(path)
        assert {found.labels for found in data.values()} == {(normalize("NFC", "müde"), "wach")}
        assert {split: len(found) for split, found in data.items()} == {"train": 18, "validation": 2, "test": 20}
        assert data["test"].notes == (
            "names of classes are in Unicode form NFC, whatever form the folders' names have",
        )


def test_inspection_says_how_the_source_was_read(tmp_path):
    pairs, totals, note = READ_BY_NAME["two in test"]
    root = lay(tmp_path / "set", official(*pairs))
    (root / "README.md").write_text("from Kaggle")
    for arguments in ([], ["--json"]):
        shown = CliRunner().invoke(cli, ["data", "inspect", str(root), *arguments], catch_exceptions=False).stdout
        assert " ".join(note.split()[:6]) in shown
        assert "not an image (.md)" in shown
    assert json.loads(shown)["notes"] == [note]
    assert json.loads(shown)["totals"] == totals
    assert json.loads(shown)["left_out"]["train"] == {"not an image (.md)": 1}
