"""Scaling of frames: the same bits in numpy and in OpenCV, and no shift."""

import numpy as np
import pytest

from resemote_edge.vision.opencv import opencv_if_installed
from resemote_edge.vision.scaling import scale

PAIRS = [
    ((720, 1280), (360, 640)),  # one halving
    ((1080, 1920), (360, 640)),  # a halving, then the rest
    ((2160, 3840), (360, 640)),
    ((480, 640), (384, 512)),
    ((721, 1283), (216, 384)),  # an odd row and column
    ((100, 70), (384, 269)),  # larger
    ((9, 16383), (8, 640)),
    ((64, 64), (1, 1)),
    ((1, 1), (5, 7)),
]


@pytest.mark.parametrize(("source", "target"), PAIRS)
@pytest.mark.parametrize("channels", [None, 2, 3])
def test_numpy_and_opencv_give_the_same_bits(source, target, channels):
    library = opencv_if_installed()
    if library is None:
        pytest.skip("opencv is not installed")
    shape = source if channels is None else (*source, channels)
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    ours = scale(pixels, *target)
    assert ours.shape == (target if channels is None else (*target, channels))
    assert np.array_equal(ours, scale(pixels, *target, library=library))


def test_a_halved_picture_holds_the_means_of_four():
    pixels = np.array([[0, 1, 10, 20], [2, 3, 30, 41]], np.uint8)
    assert scale(pixels, 1, 2).tolist() == [[2, 25]]  # 1.5 and 25.25, rounded to nearest


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_a_plain_picture_stays_plain(source, target):
    assert (scale(np.full(source, 77, np.uint8), *target) == 77).all()


def test_a_slope_is_not_shifted():
    slope = np.tile(np.arange(0, 250, dtype=np.uint8), (40, 1))
    scaled = scale(slope, 20, 100).astype(float)
    expected = (np.arange(100) + 0.5) * 2.5 - 0.5
    assert np.abs(scaled - expected)[:, 2:-2].max() <= 1.0


def test_a_picture_of_the_right_size_is_not_copied():
    pixels = np.zeros((10, 12, 3), np.uint8)
    assert scale(pixels, 10, 12) is pixels


def test_any_strides_will_do():
    pixels = np.random.default_rng(1).integers(0, 256, (80, 120, 3), dtype=np.uint8)
    turned = pixels[::-1, :, ::-1]
    assert np.array_equal(scale(turned, 30, 50), scale(turned.copy(), 30, 50))
