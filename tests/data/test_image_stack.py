import io

import numpy as np
import pytest
from face_files import face_image
from PIL import Image

from resemote_edge.data.image_stack import ImageSource, read_stack
from resemote_edge.data.members import Member
from resemote_edge.errors import DatasetError
from resemote_edge.vision.preprocessing import resize_triangle, to_gray


def member(image, name="face.png", **options):
    buffer = io.BytesIO()
    image.save(buffer, "PNG", **options)
    return Member(name, buffer.getvalue.__call__)


def read(*images, boxes=None):
    members = [member(image, f"{index}.png") for index, image in enumerate(images)]
    return read_stack([ImageSource(m, boxes and boxes[i]) for i, m in enumerate(members)], "set")


def test_small_images_of_one_size_stay_as_they_are():
    faces = [face_image(index) for index in range(3)]
    assert np.array_equal(read(*faces), np.stack([np.asarray(face) for face in faces]))


def test_large_images_become_what_the_network_sees():
    face = face_image(0, 100, "RGB")
    want = resize_triangle(to_gray(np.asarray(face), "rgb")[None], 64, 64)
    assert np.array_equal(read(face), want)


def test_one_image_of_another_size_brings_all_to_64():
    stack = read(face_image(0), face_image(1), face_image(2, 60))
    assert stack.shape == (3, 64, 64)
    assert np.array_equal(stack[0], resize_triangle(np.asarray(face_image(0))[None], 64, 64)[0])


def test_boxes_are_clipped_to_the_image():
    face = face_image(0)
    stack = read(face, boxes=[(-5, 10, 30, 60)])
    assert np.array_equal(stack[0], np.asarray(face)[10:48, 0:30])


def test_exif_orientation_is_undone():
    face = face_image(0)
    exif = Image.Exif()
    exif[0x0112] = 6  # stored rotated, to be shown a quarter turn clockwise
    stack = read_stack([ImageSource(member(face, exif=exif))], "set")
    assert np.array_equal(stack[0], np.rot90(np.asarray(face), -1))


@pytest.mark.parametrize(
    ("image", "box", "words"),
    [
        (Image.new("L", (7, 40)), None, r"set: 0.png: 7x40 pixels; a face must have at least 8x8"),
        (Image.new("RGB", (7, 40)), None, r"set: 0.png: 7x40 pixels"),
        (Image.new("L", (40, 40)), (38, 0, 60, 30), r"0.png: of the box 38,0 to 60,30 the image, 40x40, holds 2x30"),
        (Image.new("L", (40, 40)), (-30, -30, -10, -10), r"holds 0x0 pixels; labels and images do not belong"),
    ],
)
def test_too_little_of_a_face_is_refused(image, box, words):
    with pytest.raises(DatasetError, match=words):
        read(image, boxes=[box])


def test_what_is_no_image_names_the_file(tmp_path):
    with pytest.raises(DatasetError, match=r"set: a/b.jpg: not a readable image"):
        read_stack([ImageSource(Member("a/b.jpg", lambda: b"text"))], "set")
    with pytest.raises(DatasetError, match=r"set: gone.jpg: no such image file"):
        read_stack([ImageSource(Member("gone.jpg", (tmp_path / "gone.jpg").read_bytes))], "set")
