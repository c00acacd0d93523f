import numpy as np
import pytest
from face_files import face_image
from PIL import Image

from resemote_edge.data.datasets.expw import load_expw
from resemote_edge.errors import DatasetError
from resemote_edge.vision.preprocessing import resize_triangle

NAMES = ("anger", "disgust", "fear", "happy", "sad", "surprise", "neutral")


@pytest.fixture
def expw(tmp_path):
    """35 photographs of two faces each, side by side, both of the photograph's expression."""
    origin = tmp_path / "image" / "origin"
    origin.mkdir(parents=True)
    lines = []
    for number in range(35):
        photograph = Image.new("RGB", (130, 60))
        photograph.paste(face_image(2 * number), (5, 3))
        photograph.paste(face_image(2 * number + 1), (70, 3))
        name = f"actor_{number}.png"
        photograph.save(origin / name)
        # top left right bottom, in this order
        lines.append(f"{name} 0 3 5 53 51 30.5 {number % 7}")
        lines.append(f"{name} 1 3 70 118 51 8.25 {number % 7}")
    write(tmp_path, lines)
    return tmp_path


def write(root, lines):
    (root / "label").mkdir(exist_ok=True)
    (root / "label" / "label.lst").write_text("\n".join(lines) + "\n")


def lines_of(root):
    return (root / "label" / "label.lst").read_text().splitlines()


def test_the_published_layout(expw):
    data = load_expw(expw)
    assert {split: len(found) for split, found in data.items()} == {"train": 42, "validation": 14, "test": 14}
    photographs = [{member.split()[0] for member in found.members} for found in data.values()]
    assert sum(map(len, photographs)) == len(set.union(*photographs)) == 35
    for found in data.values():
        assert found.labels == NAMES
        for member, image, target in zip(found.members, found.images, found.targets, strict=True):
            number, face = int(member.split("_")[1].split(".")[0]), int(member[-1])
            assert np.array_equal(image, np.asarray(face_image(2 * number + face)))
            assert target == number % 7


def test_the_draw_depends_on_names_alone(expw):
    first = load_expw(expw)
    write(expw, lines_of(expw)[::-1])
    assert load_expw(expw, splits=("test",))["test"].sha256() == first["test"].sha256()


def test_boxes_reach_beyond_the_image(expw):
    lines = lines_of(expw)
    lines[0] = "actor_0.png 0 -20 -10 53 51 30.5 0"
    write(expw, lines)
    data = load_expw(expw)
    (image,) = [
        found.images[found.members.index("image/origin/actor_0.png face 0")]
        for found in data.values()
        if "image/origin/actor_0.png face 0" in found.members
    ]
    whole = np.asarray(Image.open(expw / "image" / "origin" / "actor_0.png").convert("L"))
    assert np.array_equal(image, resize_triangle(whole[None, :51, :53], 64, 64)[0])


def test_what_is_left_out_is_counted(expw):
    lines = lines_of(expw)
    lines[1] = "actor_0.png 1 3 70 75 51 8.25 0"
    write(expw, [*lines, lines[0]])
    everything = load_expw(expw)
    reasons = [reason for found in everything.values() for reason in found.left_out.items()]
    assert sorted(reasons) == [("box with a side below 8 pixels", 1), ("line that repeats another", 1)]
    sure = load_expw(expw, min_confidence=10.0)
    assert {split: len(found) for split, found in sure.items()} == {"train": 21, "validation": 7, "test": 7}
    assert all(member.endswith("face 0") for found in sure.values() for member in found.members)


BAD_LINES = {
    "columns": ("actor_0.png 0 3 5 53 51 0", r"label.lst:1: expected 8 columns .*, found 7"),
    "box": (
        "actor_0.png 0 3 x 53 51 30.5 0",
        r"label.lst:1: box and confidence must be numbers, found '3 x 53 51 30.5'",
    ),
    "label": ("actor_0.png 0 3 5 53 51 30.5 7", r"label.lst:1: the label must be 0 to 6, found '7'"),
    "no image": ("actor_99.png 0 3 5 53 51 30.5 0", r"image/origin/actor_99.png: no such image file"),
    "elsewhere": ("/actor_99.png 0 3 5 53 51 30.5 0", r"/actor_99.png: no such image file"),
    "outside": ("actor_0.png 0 200 5 53 300 30.5 0", r"actor_0.png: of the box 5,200 to 53,300 the image, 130x60"),
}


@pytest.mark.parametrize("case", BAD_LINES)
def test_bad_lines(case, expw):
    text, words = BAD_LINES[case]
    write(expw, [text, *lines_of(expw)[1:]])
    with pytest.raises(DatasetError, match=words):
        load_expw(expw)


def test_bad_folders(expw):
    (expw / "image" / "origin").rename(expw / "origin")
    assert len(load_expw(expw, splits=("test",))["test"]) == 14
    (expw / "origin").rename(expw / "photographs")
    with pytest.raises(DatasetError, match=r"found no image/origin/"):
        load_expw(expw)
