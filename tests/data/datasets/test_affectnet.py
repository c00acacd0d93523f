import numpy as np
import pytest
from face_files import face_image, save_face
from PIL import Image

from resemote_edge.data.datasets.affectnet import load_affectnet
from resemote_edge.errors import DatasetError

NAMES = ("neutral", "happy", "sad", "surprise", "fear", "disgust", "anger")
HEADER = "subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks,expression,valence,arousal"


@pytest.fixture
def lists(tmp_path):
    """The first layout: 28 and 14 images with boxes, and one row of each label that is no emotion."""
    folder = tmp_path / "Manually_Annotated_file_lists"
    folder.mkdir()
    number = 0
    for name, count in (("training.csv", 4), ("validation.csv", 2)):
        rows = [HEADER]
        for index in range(7 * count):
            image = Image.new("RGB", (90, 80))
            image.paste(face_image(number), (20, 10))
            path = tmp_path / "Manually_Annotated_Images" / str(number % 3) / f"{number:04x}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            image.save(path)
            rows.append(f"{number % 3}/{path.name},20,10,48,48,1.5;2.5;3.5;4.5,{index % 7},0.1,-0.2")
            number += 1
        # Images of these labels need not exist, and need no box.
        rows += [f"9/none{label}.jpg,NULL,NULL,NULL,NULL,NULL,{label},-2,-2" for label in (7, 8, 9, 10)]
        (folder / name).write_text("\n".join(rows) + "\n")
    return tmp_path


@pytest.fixture
def sets(tmp_path):
    """The later layout: faces already cut out, labels as text in .npy files, eight classes."""
    number = 0
    for name, count in (("train_set", 4), ("val_set", 2)):
        (tmp_path / name / "annotations").mkdir(parents=True)
        for index in range(8 * count):
            save_face(tmp_path / name / "images" / f"{index}.jpg", number, 64, "RGB")
            np.save(tmp_path / name / "annotations" / f"{index}_exp.npy", np.array(str(index % 8)))
            np.save(tmp_path / name / "annotations" / f"{index}_val.npy", np.array("0.5"))
            number += 1
    return tmp_path


def test_lists_of_boxes(lists):
    data = load_affectnet(lists)
    assert {split: len(found) for split, found in data.items()} == {"train": 21, "validation": 7, "test": 14}
    others = {"contempt": 1, "none": 1, "uncertain": 1, "no face": 1}
    assert data["train"].left_out == data["test"].left_out == others
    test = data["test"]
    assert test.labels == NAMES
    assert test.targets.tolist() == [*range(7), *range(7)]
    assert test.members[0] == "Manually_Annotated_Images/1/001c.png"
    assert np.array_equal(test.images[0], np.asarray(face_image(28)))


def test_one_file_per_annotation(sets):
    data = load_affectnet(sets)
    assert {split: len(found) for split, found in data.items()} == {"train": 21, "validation": 7, "test": 14}
    assert data["train"].left_out == {"contempt": 4}
    assert data["test"].left_out == {"contempt": 2}
    at = data["test"].members.index("val_set/images/12.jpg")
    assert data["test"].labels[data["test"].targets[at]] == "fear"
    np.save(sets / "val_set" / "annotations" / "12_exp.npy", np.array(1))  # a number is accepted as well as text
    changed = load_affectnet(sets, splits=("test",))["test"]
    assert changed.labels[changed.targets[changed.members.index("val_set/images/12.jpg")]] == "happy"


@pytest.mark.parametrize("layout", ["lists", "sets"])
def test_validation_is_the_same_when_it_is_asked_for_alone(layout, request):
    root = request.getfixturevalue(layout)
    alone = load_affectnet(root, splits=("validation",))
    assert list(alone) == ["validation"]
    assert alone["validation"].sha256() == load_affectnet(root)["validation"].sha256()


def test_only_the_published_validation_set(lists):
    (lists / "Manually_Annotated_file_lists" / "training.csv").unlink()
    assert len(load_affectnet(lists, splits=("test",))["test"]) == 14
    with pytest.raises(DatasetError, match=r"no images in split 'train'"):
        load_affectnet(lists)


BAD_ROWS = {
    "columns": ("1/001c.png,20,10,48", r"validation.csv:2: expected 9 columns as in the header, found 4"),
    "box": ("1/001c.png,20,x,48,48,0,0,0,0", r"validation.csv:2: the box of the face must be 4 whole numbers"),
    "label": ("1/001c.png,20,10,48,48,0,11,0,0", r"validation.csv:2: expression must be 0 to 10, found '11'"),
    "no image": ("1/gone.png,20,10,48,48,0,0,0,0", r"validation.csv:2: 1/gone.png is in none of Manually_Annotated_Im"),
    "outside": ("1/001c.png,200,10,48,48,0,0,0,0", r"1/001c.png: of the box 200,10 to 248,58 the image, 90x80, holds"),
}


@pytest.mark.parametrize("case", BAD_ROWS)
def test_bad_rows(case, lists):
    text, words = BAD_ROWS[case]
    path = lists / "Manually_Annotated_file_lists" / "validation.csv"
    header, _, *rows = path.read_text().splitlines()
    path.write_text("\n".join([header, text, *rows]))
    with pytest.raises(DatasetError, match=words):
        load_affectnet(lists)


def test_a_box_too_small_is_counted(lists):
    path = lists / "Manually_Annotated_file_lists" / "validation.csv"
    path.write_text(path.read_text() + "1/001c.png,20,10,5,48,0,0,0,0\n")
    assert load_affectnet(lists, splits=("test",))["test"].left_out["box with a side below 8 pixels"] == 1


def test_bad_headers_and_images(lists):
    path = lists / "Manually_Annotated_file_lists" / "validation.csv"
    whole = path.read_text()
    path.write_text(whole.replace("expression,", "emotion,"))
    with pytest.raises(DatasetError, match=r"validation.csv:1: expected a header .*; expression is missing"):
        load_affectnet(lists)
    path.write_text(whole)
    (lists / "Manually_Annotated_Images" / "2" / "001d.png").write_bytes(b"")
    with pytest.raises(DatasetError, match=r"Manually_Annotated_Images/2/001d.png: not a readable image"):
        load_affectnet(lists)


def test_bad_annotations(sets, tmp_path_factory):
    path = sets / "val_set" / "annotations" / "3_exp.npy"
    for content in (b"", b"text"):
        path.write_bytes(content)
        with pytest.raises(DatasetError, match=r"3_exp.npy: not an annotation, one number as .npy"):
            load_affectnet(sets)
    np.save(path, np.array([1, 2]))
    with pytest.raises(DatasetError, match=r"3_exp.npy: not an annotation"):
        load_affectnet(sets)
    np.save(path, np.array("12"))
    with pytest.raises(DatasetError, match=r"3_exp.npy: expression must be 0 to 10, found '12'"):
        load_affectnet(sets)
    path.unlink()
    with pytest.raises(DatasetError, match=r"val_set: 1 ids have .*; 3 lacks an annotation"):
        load_affectnet(sets)
    (sets / "training.csv").write_text(HEADER + "\n")
    with pytest.raises(DatasetError, match=r"found both"):
        load_affectnet(sets)
    with pytest.raises(DatasetError, match=r"found neither"):
        load_affectnet(tmp_path_factory.mktemp("empty"))
