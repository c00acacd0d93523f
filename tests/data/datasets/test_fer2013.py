import shutil
import zipfile

import numpy as np
import pytest
from PIL import Image

from resemote_edge.data.datasets.fer2013 import load_fer2013
from resemote_edge.data.inspect import inspect_splits
from resemote_edge.data.locate import FER2013_VARIABLE, find_fer2013
from resemote_edge.errors import DatasetError, InputError
from resemote_edge.labels import FER2013

USAGES = {"train": "Training", "validation": "PublicTest", "test": "PrivateTest"}


def as_csv(folder, path, spoil=lambda rows: rows):
    """The same images in the layout of Kaggle's fer2013.csv."""
    rows = ["emotion,pixels,Usage"]
    for split, data in load_fer2013(folder).items():
        for image, target in zip(data.images, data.targets, strict=True):
            rows.append(f"{target},{' '.join(map(str, image.ravel()))},{USAGES[split]}")
    path.write_text("\n".join(spoil(rows)) + "\n")
    return path


def as_zip(folder, path, prefix=""):
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*.png")):
            archive.write(file, prefix + file.relative_to(folder).as_posix())
    return path


def test_the_three_forms_hold_the_same_splits(tiny_fer2013, tmp_path):
    folder = load_fer2013(tiny_fer2013)
    others = [
        load_fer2013(as_csv(tiny_fer2013, tmp_path / "fer2013.csv")),
        load_fer2013(as_zip(tiny_fer2013, tmp_path / "a.zip")),
        load_fer2013(as_zip(tiny_fer2013, tmp_path / "b.zip", prefix="fer2013/")),
    ]
    for split, data in folder.items():
        assert len(data) == 14
        assert data.counts() == dict.fromkeys(FER2013, 2)
        for other in others:
            assert other[split].sha256() == data.sha256()


def test_the_first_csv_row_is_not_lost(tiny_fer2013, tmp_path):
    data = load_fer2013(as_csv(tiny_fer2013, tmp_path / "fer2013.csv"))["train"]
    assert data.members[0] == "line 2"


def test_forms_seen_in_the_wild(tiny_fer2013, tmp_path):
    want = load_fer2013(tiny_fer2013)["test"].sha256()
    path = as_csv(tiny_fer2013, tmp_path / "bom.csv")
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert load_fer2013(path)["test"].sha256() == want
    rows = [row.split(",") for row in as_csv(tiny_fer2013, tmp_path / "order.csv").read_text().splitlines()]
    (tmp_path / "order.csv").write_text("\n".join(f"{usage},{emotion},{pixels}" for emotion, pixels, usage in rows))
    assert load_fer2013(tmp_path / "order.csv")["test"].sha256() == want
    archive = as_zip(tiny_fer2013, tmp_path / "mac.zip")
    with zipfile.ZipFile(archive, "a") as content:
        content.writestr("__MACOSX/test/happy/._0.png", b"resource fork")
        content.writestr("test/happy/._0.png", b"resource fork")
    assert load_fer2013(archive)["test"].sha256() == want


def test_one_split_alone(tiny_fer2013):
    assert list(load_fer2013(tiny_fer2013, splits=("test",))) == ["test"]
    with pytest.raises(InputError, match="train, validation, test"):
        load_fer2013(tiny_fer2013, splits=("holdout",))


def line(number, text):
    def spoil(rows):
        rows[number - 1] = text
        return rows

    return spoil


PIXELS = " ".join(["0"] * 2304)
BAD_CSV = {
    "no header": (line(1, f"0,{PIXELS},Training"), r"csv:1: expected the header"),
    "columns": (line(5, "0,1 2 3"), r"csv:5: expected 3 columns"),
    "usage": (line(3, f"0,{PIXELS},Holdout"), r"csv:3: unknown Usage 'Holdout'"),
    "emotion": (line(4, f"7,{PIXELS},Training"), r"csv:4: emotion must be 0 to 6, found '7'"),
    "emotion text": (line(4, f"happy,{PIXELS},Training"), r"csv:4: emotion"),
    "few pixels": (line(2, "0,1 2 3,Training"), r"csv:2: expected 2304 pixels \(48x48\), found 3"),
    "not numbers": (line(2, f"0,{PIXELS[:-1]}x,Training"), r"csv:2: pixels must be whole numbers"),
    "too bright": (line(2, f"0,{PIXELS[:-1]}256,Training"), r"csv:2: pixels must be 0 to 255"),
    "missing class": (lambda rows: [row for row in rows if not row.startswith("1,")], r"no images of class disgust"),
    "missing split": (lambda rows: [row for row in rows if "PrivateTest" not in row], r"no images in split 'test'"),
}


@pytest.mark.parametrize("case", BAD_CSV)
def test_bad_rows_name_file_and_line(case, tiny_fer2013, tmp_path):
    spoil, words = BAD_CSV[case]
    with pytest.raises(DatasetError, match=words):
        load_fer2013(as_csv(tiny_fer2013, tmp_path / "fer.csv", spoil))


def test_bad_folders(tiny_fer2013, tmp_path):
    broken = tiny_fer2013 / "test" / "happy" / "1.png"
    whole = broken.read_bytes()
    broken.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DatasetError, match=r"test/happy/1.png: not a readable image"):
        load_fer2013(tiny_fer2013)
    Image.new("L", (40, 48)).save(broken)
    with pytest.raises(DatasetError, match=r"test/happy/1.png: image of \(48, 40\)"):
        load_fer2013(tiny_fer2013)
    broken.unlink()
    (tiny_fer2013 / "train" / "happy").rename(tiny_fer2013 / "train" / "joyful")
    with pytest.raises(DatasetError, match=r"train/joyful/0.png: unknown emotion label 'joyful'"):
        load_fer2013(tiny_fer2013)
    shutil.rmtree(tiny_fer2013 / "train" / "joyful")
    with pytest.raises(DatasetError, match=r"split 'train' has no images of class happy"):
        load_fer2013(tiny_fer2013)
    Image.new("L", (48, 48)).save(tiny_fer2013 / "stray.png")
    with pytest.raises(DatasetError, match=r"stray.png: expected <split>/<class>/<image>"):
        load_fer2013(tiny_fer2013)


def test_what_is_no_dataset(tmp_path):
    with pytest.raises(DatasetError, match="no such dataset"):
        load_fer2013(tmp_path / "none")
    (tmp_path / "x.txt").write_text("hello")
    with pytest.raises(DatasetError, match="neither a folder"):
        load_fer2013(tmp_path / "x.txt")
    as_zip(tmp_path, tmp_path / "cut.zip")
    raw = b"PK\x03\x04" + b"\0" * 100
    (tmp_path / "cut.zip").write_bytes(raw)
    with pytest.raises(DatasetError, match="whole zip"):
        load_fer2013(tmp_path / "cut.zip")


def test_inspection_finds_duplicates_and_contradictions(tiny_fer2013, tmp_path):
    train = tiny_fer2013 / "train"
    shutil.copy(train / "happy" / "0.png", train / "happy" / "again.png")
    shutil.copy(train / "happy" / "0.png", tiny_fer2013 / "test" / "sad" / "leak.png")
    report = inspect_splits(tiny_fer2013, load_fer2013(tiny_fer2013))
    assert report.counts["train"]["happy"] == 3
    assert report.duplicates_within == {"train": 1, "validation": 0, "test": 0}
    assert report.duplicates_across == {"train -> validation": 0, "train -> test": 1, "validation -> test": 0}
    assert report.conflicting_labels == 1


def test_a_split_s_hash_minds_pixels_and_labels_not_order(tiny_fer2013):
    data = load_fer2013(tiny_fer2013)["test"]
    shuffled = data.subset(np.random.default_rng(0).permutation(len(data)))
    assert shuffled.sha256() == data.sha256()
    other = data.subset(np.arange(len(data)))
    other.targets[0] = (other.targets[0] + 1) % 7
    assert other.sha256() != data.sha256()


def test_the_variable_names_the_dataset(tmp_path, monkeypatch):
    monkeypatch.setenv(FER2013_VARIABLE, str(tmp_path))
    assert find_fer2013() == tmp_path
    monkeypatch.setenv(FER2013_VARIABLE, str(tmp_path / "gone"))
    with pytest.raises(DatasetError, match=FER2013_VARIABLE):
        find_fer2013()


@pytest.mark.slow
def test_the_real_dataset_is_the_known_one(fer2013):
    report = inspect_splits(fer2013, load_fer2013(fer2013))
    totals = {split: sum(classes.values()) for split, classes in report.counts.items()}
    assert totals == {"train": 28709, "validation": 3589, "test": 3589}
    assert report.duplicates_across["train -> test"] == 288
    assert report.duplicates_across["train -> validation"] == 280
    assert report.conflicting_labels == 57
