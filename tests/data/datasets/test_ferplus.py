import csv
import zipfile

import numpy as np
import pytest
from face_files import face_image

from resemote_edge.data.datasets.ferplus import LABELS, emotion_shares, load_ferplus
from resemote_edge.errors import DatasetError
from resemote_edge.labels import FER2013

HEADER = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
FOLDERS = {"Training": "FER2013Train", "PublicTest": "FER2013Valid", "PrivateTest": "FER2013Test"}
USAGES = ["Training"] * 22 + ["PublicTest"] * 15 + ["PrivateTest"] * 14


def votes_for(row):
    """Every split begins with a clear vote for each of the seven; the rest is what must be sorted out."""
    usage = USAGES[row]
    at = row - USAGES.index(usage)
    votes = [0] * 10
    if at < 14:
        votes[at % 7], votes[(at + 1) % 7], votes[8] = 7, 2, 1
    elif usage == "PublicTest":
        votes[0], votes[1], votes[2] = 4, 3, 3  # neutral has the largest share, but no majority
    else:
        other = at - 14
        votes = [
            [0, 0, 0, 0, 0, 0, 0, 0, 0, 10],  # not a face: no image name
            [0, 0, 2, 0, 0, 0, 0, 0, 8, 0],
            [0, 0, 0, 0, 3, 0, 0, 6, 1, 0],
            [1, 1, 1, 1, 1, 1, 1, 1, 1, 1],
            [4, 3, 3, 0, 0, 0, 0, 0, 0, 0],  # divided, but among emotions only: kept for training
            [3, 2, 0, 0, 0, 0, 0, 0, 3, 2],  # an emotion leads, but all emotions together have only half: dropped
            [2, 1, 1, 1, 5, 0, 0, 0, 0, 0],
            [0, 0, 0, 0, 0, 0, 0, 0, 2, 8],
        ][other]
    return votes


@pytest.fixture
def votes():
    """Rows of fer2013new.csv; names count on past the row that is not a face, as the published ones do."""
    rows, number = [], 0
    for row, usage in enumerate(USAGES):
        counts = votes_for(row)
        name = "" if counts[9] == 10 else f"fer{number:07d}.png"
        number += bool(name)
        rows.append([usage, name, *map(str, counts)])
    return rows


@pytest.fixture
def with_csv(tmp_path, votes):
    write_votes(tmp_path, votes)
    write_pixels(tmp_path, votes)
    return tmp_path


@pytest.fixture
def with_images(tmp_path, votes):
    write_votes(tmp_path, votes)
    for row, (usage, name, *_) in enumerate(votes):
        if name:
            (tmp_path / FOLDERS[usage]).mkdir(exist_ok=True)
            face_image(row).save(tmp_path / FOLDERS[usage] / name)
    return tmp_path


def write_votes(root, rows, name="fer2013new.csv"):
    (root / name).write_text("\n".join([HEADER, *(",".join(row) for row in rows)]) + "\n")


def write_pixels(root, rows):
    """fer2013.csv for these rows, labelled as the votes lead."""
    lines = ["emotion,pixels,Usage"]
    for row, (usage, _, *counts) in enumerate(rows):
        leader = max(range(7), key=lambda index: int(counts[index]))
        pixels = " ".join(map(str, np.asarray(face_image(row % 80)).ravel()))
        lines.append(f"{FER2013.index(LABELS[leader])},{pixels},{usage}")
    (root / "fer2013.csv").write_text("\n".join(lines) + "\n")


def test_votes_become_shares():
    assert emotion_shares([4, 0, 0, 1, 3, 2, 0, 0, 0, 0], 7, majority=False) == (4 / 9, 0, 0, 0, 3 / 9, 2 / 9, 0)
    assert emotion_shares([4, 0, 0, 1, 3, 2, 0, 0, 0, 0], 7, majority=True) == "no majority"
    assert emotion_shares([6, 0, 0, 1, 0, 0, 0, 2, 1, 0], 7, majority=True) == (1.0, 0, 0, 0, 0, 0, 0)
    assert emotion_shares([2, 0, 0, 0, 0, 0, 0, 6, 2, 0], 7, majority=True) == "mostly contempt"
    assert emotion_shares([2, 0, 0, 0, 0, 0, 0, 6, 2, 0], 8, majority=True) == (0.25, 0, 0, 0, 0, 0, 0, 0.75)
    assert emotion_shares([1, 1, 1, 1, 1, 1, 1, 1, 1, 1], 7, majority=False) == "no two people agree"
    assert emotion_shares([3, 0, 0, 0, 0, 0, 0, 0, 7, 0], 7, majority=False) == "mostly unknown"
    assert emotion_shares([0, 0, 0, 0, 0, 0, 0, 0, 0, 10], 7, majority=False) == "mostly not a face"
    # A draw between an emotion and "unknown" goes to the emotion, as it does in the published script.
    assert emotion_shares([4, 2, 0, 0, 0, 0, 0, 0, 4, 0], 7, majority=False) == (4 / 6, 2 / 6, 0, 0, 0, 0, 0)


@pytest.mark.parametrize("form", ["with_csv", "with_images"])
def test_the_published_layouts(form, request):
    data = load_ferplus(request.getfixturevalue(form))
    assert {split: len(found) for split, found in data.items()} == {"train": 16, "validation": 14, "test": 14}
    train = data["train"]
    assert train.labels == LABELS
    assert train.left_out == {
        "not a face": 1, "mostly unknown": 1, "mostly contempt": 1, "no two people agree": 1, "no majority": 1,
        "mostly not a face": 1,
    }  # fmt: skip
    assert data["validation"].left_out == {"no majority": 1}
    for found in data.values():
        assert found.soft_targets.dtype == np.float32
        assert np.allclose(found.soft_targets.sum(axis=1), 1.0)
        assert np.array_equal(found.soft_targets.argmax(axis=1), found.targets)
    assert np.allclose(train.soft_targets[0], [7 / 9, 2 / 9, 0, 0, 0, 0, 0])
    # The images match the votes: row 18 is the divided one, after four rows that are dropped.
    assert np.array_equal(train.images[14], np.asarray(face_image(18)))
    assert np.allclose(train.soft_targets[14], [0.4, 0.3, 0.3, 0, 0, 0, 0])


def test_both_forms_hold_the_same(with_csv, votes, tmp_path_factory):
    archive = tmp_path_factory.mktemp("zip") / "images.zip"
    with zipfile.ZipFile(archive, "w") as content:
        for row, (usage, name, *_) in enumerate(votes):
            if name:
                face_image(row).save(archive.parent / name)
                content.write(archive.parent / name, f"{FOLDERS[usage]}/{name}")
                (archive.parent / name).unlink()
    table = with_csv / "fer2013new.csv"
    by_row = load_ferplus(with_csv)
    by_name = load_ferplus(archive, labels_file=table)
    beside = load_ferplus(with_csv / "fer2013.csv", labels_file=table)
    write_votes(archive.parent, votes)
    found = load_ferplus(archive.parent)
    for split, data in by_row.items():
        assert data.sha256() == by_name[split].sha256() == beside[split].sha256() == found[split].sha256()


def test_contempt_as_an_eighth_class(with_csv, votes):
    for row in (0, 22, 37):
        votes[row][2:] = [*"1000000900"]
    write_votes(with_csv, votes)
    data = load_ferplus(with_csv, contempt=True)
    assert data["test"].labels == (*LABELS, "contempt")
    assert data["test"].counts()["contempt"] == 1
    assert "mostly contempt" not in data["train"].left_out


def test_a_name_in_two_rows(with_images, votes):
    votes[1], votes[3] = votes[0], [*votes[2][:2], *"0070000021"]
    for name in ("fer0000001.png", "fer0000003.png"):
        (with_images / "FER2013Train" / name).unlink()
    write_votes(with_images, votes)
    train = load_ferplus(with_images)["train"]
    assert train.members.count("FER2013Train/fer0000000.png") == 1
    assert "FER2013Train/fer0000002.png" not in train.members
    assert train.left_out["named in a row before"] == 1
    assert train.left_out["two rows with different votes"] == 2
    votes[30][1] = votes[0][1]
    write_votes(with_images, votes)
    with pytest.raises(DatasetError, match=r"new.csv:32: fer0000000.png has another Usage in line 2"):
        load_ferplus(with_images)


def test_one_split_alone(with_images):
    assert list(load_ferplus(with_images, splits=("test",))) == ["test"]


BAD_VOTES = {
    "columns": (["Training", "fer0000000.png", "10"], r"new.csv:2: expected 12 columns, found 3"),
    "usage": (["Train", "fer0000000.png", *"7000000021"], r"new.csv:2: unknown Usage 'Train'"),
    "number": (["Training", "fer0000000.png", *"7x00000021"], r"new.csv:2: votes must be whole numbers of 0 to 10"),
    "too many": (["Training", "fer0000000.png", "11", *"000000000"], r"new.csv:2: votes must be whole numbers"),
}


@pytest.mark.parametrize("case", BAD_VOTES)
def test_bad_votes(case, with_csv, votes):
    row, words = BAD_VOTES[case]
    write_votes(with_csv, [row, *votes[1:]])
    with pytest.raises(DatasetError, match=words):
        load_ferplus(with_csv)


def test_tables_out_of_step_are_refused(with_csv, votes):
    write_votes(with_csv, votes[:-1])
    with pytest.raises(DatasetError, match=r"new.csv: does not belong to .*fer2013.csv: it has 50 rows, .* has 51"):
        load_ferplus(with_csv)
    write_votes(with_csv, votes[1:] + votes[:1])
    with pytest.raises(DatasetError, match=r"line \d+ is \w+ here and \w+ there"):
        load_ferplus(with_csv)


def test_rows_shuffled_within_their_split_are_refused(tmp_path, votes):
    many = [row for row in votes for _ in range(8)]
    for number, row in enumerate(many):
        many[number] = [row[0], f"fer{number:07d}.png", *row[2:]]
    write_votes(tmp_path, many)
    write_pixels(tmp_path, many)
    assert len(load_ferplus(tmp_path)["test"]) == 112
    # The splits are the same, but every label is shifted by one class, as if the images were shifted by one row.
    rows = list(csv.reader((tmp_path / "fer2013.csv").read_text().splitlines()))
    shifted = [rows[0], *([str((int(emotion) + 1) % 7), pixels, usage] for emotion, pixels, usage in rows[1:])]
    (tmp_path / "fer2013.csv").write_text("\n".join(map(",".join, shifted)))
    with pytest.raises(
        DatasetError, match=r"only 0 of \d+ leading votes are FER2013's label, as if rows were shuffled"
    ):
        load_ferplus(tmp_path)


def test_images_that_cannot_be_joined_are_refused(with_images):
    first = with_images / "FER2013Train" / "fer0000000.png"
    renamed = first.rename(first.with_name("Training_3908.png"))
    with pytest.raises(DatasetError, match=r"Training_3908.png: no image name in fer2013new.csv; .* Pass Kaggle's"):
        load_ferplus(with_images)
    moved = renamed.rename(with_images / "FER2013Test" / "fer0000000.png")
    with pytest.raises(DatasetError, match=r"FER2013Test/fer0000000.png: fer2013new.csv:2 has it in split 'train'"):
        load_ferplus(with_images)
    copied = moved.rename(first)
    (with_images / "more").mkdir()
    (with_images / "more" / first.name).write_bytes(copied.read_bytes())
    with pytest.raises(DatasetError, match=r"more/fer0000000.png: the same name as FER2013Train/fer0000000.png"):
        load_ferplus(with_images)
    (with_images / "more" / first.name).unlink()
    first.unlink()
    with pytest.raises(DatasetError, match=r"fer0000000.png, fer2013new.csv:2, has no image; add it"):
        load_ferplus(with_images)
    assert list(load_ferplus(with_images, splits=("test",))) == ["test"]


def test_bad_folders(with_images, tmp_path):
    for name in ("a.zip", "b.zip"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(DatasetError, match=r"found a.zip, b.zip; leave the one with FER2013's images"):
        load_ferplus(with_images)
    (tmp_path / "fer2013new.csv").unlink()
    with pytest.raises(DatasetError, match=r"fer2013new.csv: no such file; put fer2013new.csv .*--labels-file"):
        load_ferplus(with_images)


def test_the_dataset_at_hand_is_refused_rather_than_joined_wrongly(fer2013, tmp_path, votes):
    write_votes(tmp_path, votes)
    with pytest.raises(DatasetError, match=r"no image name in fer2013new.csv"):
        load_ferplus(fer2013, labels_file=tmp_path / "fer2013new.csv")
