import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from resemote_edge.errors import InputError
from resemote_edge.vision.preprocessing import PreprocessSpec, resize_triangle, to_gray, triangle_weights

SIDES = st.integers(8, 300)


@settings(max_examples=60, deadline=None)
@given(SIDES, SIDES, st.integers(0, 2**32 - 1))
def test_resize_equals_pillow_to_one_level(height, width, seed):
    image = np.random.default_rng(seed).integers(0, 256, (height, width), dtype=np.uint8)
    want = np.asarray(Image.fromarray(image).resize((64, 64), Image.Resampling.BILINEAR))
    got = resize_triangle(image[None], 64, 64)[0]
    assert np.abs(got.astype(int) - want.astype(int)).max() <= 1


@settings(max_examples=60, deadline=None)
@given(SIDES, SIDES, st.integers(0, 2**32 - 1))
def test_resize_is_exact_integer_arithmetic(height, width, seed):
    # The computation of a C implementation with 64-bit integers, in any order.
    image = np.random.default_rng(seed).integers(0, 256, (height, width), dtype=np.uint8)
    rows, columns = (triangle_weights(side, 64).astype(np.int64) for side in (height, width))
    exact = rows @ image.astype(np.int64) @ columns.T
    assert np.array_equal(resize_triangle(image[None], 64, 64)[0], (exact + (1 << 31)) >> 32)


@given(SIDES, st.sampled_from([16, 48, 64, 96]))
def test_weights_sum_to_exactly_one_and_none_is_negative(source, target):
    weights = triangle_weights(source, target)
    assert (weights.sum(axis=1) == 1 << 16).all()
    assert weights.min() >= 0


@pytest.mark.parametrize("level", [0, 1, 127, 255])
def test_a_flat_image_stays_flat(level):
    assert (resize_triangle(np.full((1, 51, 200), level, dtype=np.uint8), 64, 64) == level).all()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_gray_equals_pillow_and_bgr_is_rgb_reversed(seed):
    image = np.random.default_rng(seed).integers(0, 256, (9, 17, 3), dtype=np.uint8)
    want = np.asarray(Image.fromarray(image).convert("L"))
    assert np.array_equal(to_gray(image, "rgb"), want)
    assert np.array_equal(to_gray(np.ascontiguousarray(image[..., ::-1]), "bgr"), want)


def test_channel_order_matters():
    red = np.zeros((8, 8, 3), dtype=np.uint8)
    red[..., 0] = 255
    assert to_gray(red, "rgb")[0, 0] == 76
    assert to_gray(red, "bgr")[0, 0] == 29


def test_normalisation_is_the_published_one():
    pixels = np.arange(4096, dtype=np.uint16).reshape(1, 64, 64).astype(np.uint8)
    got = PreprocessSpec().normalize(pixels)
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    want = (pixels[:, None] / 255.0 - mean[None, :, None, None]) / std[None, :, None, None]
    assert got.shape == (1, 3, 64, 64)
    assert got.dtype == np.float32
    assert np.array_equal(got, want.astype(np.float32))


def test_crops_of_mixed_sizes_equal_crops_alone():
    rng = np.random.default_rng(3)
    sizes = [(48, 48), (8, 8), (64, 64), (48, 48), (131, 77)]
    crops = [rng.integers(0, 256, (*size, 3), dtype=np.uint8) for size in sizes]
    together = PreprocessSpec()(crops, "bgr")
    for index, crop in enumerate(crops):
        assert np.array_equal(together[index], PreprocessSpec()([crop], "bgr")[0])


def test_strides_make_no_difference_and_the_crop_is_not_touched():
    frame = np.random.default_rng(4).integers(0, 256, (100, 120, 3), dtype=np.uint8)
    before = frame.copy()
    view = frame[10:70:2, 90:20:-1, ::-1]
    assert not view.flags.c_contiguous
    assert np.array_equal(PreprocessSpec()([view], "rgb"), PreprocessSpec()([view.copy()], "rgb"))
    assert np.array_equal(frame, before)


GOOD = np.zeros((20, 20, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("crop", "color", "words"),
    [
        (GOOD, "rgba", "color='gray', 'rgb' or 'bgr'"),
        (GOOD.astype(np.float32), "rgb", "float32"),
        ([[1, 2]], "gray", "list"),
        (GOOD, "gray", "(H, W)"),
        (GOOD[..., 0], "rgb", "(H, W, 3)"),
        (GOOD[..., :2], "rgb", "(H, W, 3)"),
        (GOOD[:7], "rgb", "8x8"),
        (GOOD[:, :0], "bgr", "8x8"),
    ],
)
def test_bad_crops_are_refused(crop, color, words):
    with pytest.raises(InputError, match=r".*") as caught:
        PreprocessSpec()([crop], color)
    assert words in str(caught.value)


@pytest.mark.parametrize("input", ["gray-u8", "rgb-u8", "bgr-u8"])
@pytest.mark.parametrize("color", ["gray", "rgb", "bgr"])
def test_crops_of_the_right_size_are_only_arranged(input, color):
    shape = (3, 64, 64) if color == "gray" else (3, 64, 64, 3)
    crops = np.random.default_rng(5).integers(0, 256, shape, dtype=np.uint8)
    spec = PreprocessSpec(input=input)
    feed = spec(crops, color)
    if input == "gray-u8":
        want = np.stack([to_gray(crop, color) for crop in crops])[..., None]
    elif color == "gray":
        want = np.repeat(crops[..., None], 3, axis=3)
    else:
        want = crops if input.startswith(color) else crops[..., ::-1]
    assert np.array_equal(feed, want)
    assert np.array_equal(feed, spec(list(crops), color))
    assert not np.shares_memory(feed, crops)


def test_one_crop_of_another_size_is_resized_and_a_bad_one_refused():
    spec = PreprocessSpec(input="bgr-u8")
    small, right = (np.random.default_rng(6).integers(0, 256, (s, s, 3), dtype=np.uint8) for s in (50, 64))
    feed = spec([right, small], "bgr")
    assert np.array_equal(feed[0], right)
    assert np.array_equal(feed[1], spec([small], "bgr")[0])
    with pytest.raises(InputError, match="float64"):
        spec([right, right.astype(np.float64)], "bgr")


@pytest.mark.parametrize("shape", [(1200, 1100), (3000, 700), (70, 16384), (8, 200_000)])
@pytest.mark.parametrize("color", ["gray", "rgb", "bgr"])
def test_photographs_are_computed_in_strips_to_the_same_bits(shape, color):
    rng = np.random.default_rng(0)
    crop = rng.integers(0, 256, shape if color == "gray" else (*shape, 3), dtype=np.uint8)
    gray = crop
    if color != "gray":
        weights = np.array([19595, 38470, 7471], dtype=np.int64)[:: 1 if color == "rgb" else -1]
        gray = ((crop.astype(np.int64) @ weights + 0x8000) >> 16).astype(np.uint8)
    assert np.array_equal(to_gray(crop, color), gray)
    vertical, horizontal = (triangle_weights(side, 64).astype(np.int64) for side in shape)
    exact = (vertical @ gray.astype(np.int64) @ horizontal.T + (1 << 31)) >> 32
    assert np.array_equal(PreprocessSpec().pixels([crop], color)[0], exact.astype(np.uint8))


def test_one_large_crop_of_a_batch_is_resized_as_it_is_alone():
    rng = np.random.default_rng(0)
    crops = [rng.integers(0, 256, (side, side), dtype=np.uint8) for side in (300, 100, 300, 64, 100)]
    spec = PreprocessSpec()
    together = spec.pixels(crops, "gray")
    assert np.array_equal(together, np.concatenate([spec.pixels([crop], "gray") for crop in crops]))
