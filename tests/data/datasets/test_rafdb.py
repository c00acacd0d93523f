import pytest
from face_files import save_face

from resemote_edge.data.datasets.rafdb import load_rafdb
from resemote_edge.errors import DatasetError, InputError

# Labels 1 to 7 as the readme of RAF-DB numbers them.
NAMES = ("surprise", "fear", "disgust", "happy", "sad", "anger", "neutral")


@pytest.fixture
def rafdb(tmp_path):
    lines = []
    number = 0
    for pool, count in (("train", 4), ("test", 2)):
        for index in range(7 * count):
            name = f"{pool}_{index + 1:05d}"
            save_face(tmp_path / "Image" / "aligned" / f"{name}_aligned.jpg", number, 100, "RGB")
            lines.append(f"{name}.jpg {index % 7 + 1}")
            number += 1
    (tmp_path / "EmoLabel").mkdir()
    write(tmp_path, lines)
    return tmp_path


def write(root, lines):
    (root / "EmoLabel" / "list_patition_label.txt").write_text("\n".join(lines) + "\n")


def lines_of(root):
    return (root / "EmoLabel" / "list_patition_label.txt").read_text().splitlines()


def test_the_published_layout(rafdb):
    data = load_rafdb(rafdb)
    assert {split: len(found) for split, found in data.items()} == {"train": 21, "validation": 7, "test": 14}
    for found in data.values():
        assert found.labels == NAMES
        assert found.images.shape[1:] == (64, 64)
        assert set(found.counts().values()) in ({3}, {1}, {2})
    assert data["test"].members[4] == "Image/aligned/test_00005_aligned.jpg"
    assert data["test"].labels[data["test"].targets[4]] == "sad"
    drawn_from = set(data["train"].members) | set(data["validation"].members)
    assert drawn_from == {f"Image/aligned/train_{index + 1:05d}_aligned.jpg" for index in range(28)}


def test_validation_is_drawn_alike_whatever_the_order_of_the_list(rafdb):
    first = load_rafdb(rafdb)
    write(rafdb, lines_of(rafdb)[::-1])
    again = load_rafdb(rafdb, splits=("validation",))
    assert list(again) == ["validation"]
    assert again["validation"].sha256() == first["validation"].sha256()


def test_a_copy_of_a_training_image_follows_it(rafdb):
    images = rafdb / "Image" / "aligned"
    lines = lines_of(rafdb)
    for index in range(28):
        (images / f"train_{101 + index:05d}_aligned.jpg").write_bytes(
            (images / f"train_{index + 1:05d}_aligned.jpg").read_bytes()
        )
        lines.append(f"train_{101 + index:05d}.jpg {index % 7 + 1}")
    write(rafdb, lines)
    data = load_rafdb(rafdb, splits=("train", "validation"))
    assert not set(data["train"].pixel_digests()) & set(data["validation"].pixel_digests())
    assert len(data["validation"]) == 14


def test_the_whole_database_may_be_passed(rafdb, tmp_path_factory):
    whole = tmp_path_factory.mktemp("RAF-DB")
    rafdb.rename(whole / "basic")
    assert len(load_rafdb(whole, splits=("test",))["test"]) == 14


BAD_LINES = {
    "columns": ("train_00002.jpg", r"label.txt:2: expected '<image> <label>', found 'train_00002.jpg'"),
    "label": ("train_00002.jpg 8", r"label.txt:2: the label must be 1 to 7, found '8'"),
    "label text": ("train_00002.jpg happy", r"label.txt:2: the label must be 1 to 7, found 'happy'"),
    "name": ("valid_00002.jpg 1", r"label.txt:2: expected train_<number>.jpg or test_<number>.jpg, found 'valid_00002"),
    "twice": ("train_00001.jpg 1", r"label.txt:2: train_00001.jpg is listed twice"),
    "no image": ("train_99999.jpg 1", r"Image/aligned/train_99999_aligned.jpg: no such image file"),
}


@pytest.mark.parametrize("case", BAD_LINES)
def test_bad_lines(case, rafdb):
    text, words = BAD_LINES[case]
    lines = lines_of(rafdb)
    write(rafdb, [lines[0], text, *lines[2:]])
    with pytest.raises(DatasetError, match=words):
        load_rafdb(rafdb)


def test_bad_folders(rafdb):
    with pytest.raises(InputError, match="train, validation, test"):
        load_rafdb(rafdb, splits=("holdout",))
    image = rafdb / "Image" / "aligned" / "test_00003_aligned.jpg"
    image.write_bytes(image.read_bytes()[:300])
    with pytest.raises(DatasetError, match=r"test_00003_aligned.jpg: not a readable image"):
        load_rafdb(rafdb)
    write(rafdb, [line for line in lines_of(rafdb) if line.startswith("train")])
    with pytest.raises(DatasetError, match=r"no images in split 'test'"):
        load_rafdb(rafdb)
    assert list(load_rafdb(rafdb, optional=("test",))) == ["train", "validation"]
    write(rafdb, [line for line in lines_of(rafdb) if not line.endswith(" 3")])
    with pytest.raises(DatasetError, match=r"split 'train' has no images of class disgust"):
        load_rafdb(rafdb, splits=("train",))
    (rafdb / "EmoLabel" / "list_patition_label.txt").unlink()
    with pytest.raises(DatasetError, match=r"found no EmoLabel/list_patition_label.txt"):
        load_rafdb(rafdb)
