import numpy as np
import pytest
from PIL import Image

from resemote_edge.errors import InputError
from resemote_edge.vision.drawn import drawn_faces
from resemote_edge.vision.image import read_face, read_rgb


@pytest.fixture
def gray():
    return np.asarray(Image.fromarray(drawn_faces(1)[0]).convert("L"))


def test_depth_and_mode_make_no_difference(gray, tmp_path):
    images = {
        "gray.png": Image.fromarray(gray),
        "rgb.png": Image.fromarray(gray).convert("RGB"),
        "rgba.png": Image.fromarray(gray).convert("RGBA"),
        "palette.gif": Image.fromarray(gray).convert("P"),
        "deep.png": Image.fromarray(gray.astype(np.uint16) * 257),
    }
    for name, image in images.items():
        image.save(tmp_path / name)
        assert np.array_equal(read_rgb(tmp_path / name), np.repeat(gray[..., None], 3, axis=2)), name


def test_pixels_without_a_range_are_refused(gray, tmp_path):
    Image.fromarray(gray.astype(np.float32) / 255).save(tmp_path / "float.tiff")
    with pytest.raises(InputError, match="no stated range"):
        read_rgb(tmp_path / "float.tiff")


def test_exif_orientation_is_followed(gray, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be rotated by 90 degrees clockwise
    Image.fromarray(gray[:30]).save(tmp_path / "turned.png", exif=exif)
    assert np.array_equal(read_rgb(tmp_path / "turned.png")[..., 0], np.rot90(gray[:30], -1))


def test_a_crop_too_small_is_named(tmp_path):
    Image.new("RGB", (5, 90)).save(tmp_path / "thin.png")
    with pytest.raises(InputError, match=r"thin\.png: 5x90"):
        read_face(tmp_path / "thin.png")
