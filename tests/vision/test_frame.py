import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import resemote_edge
from resemote_edge.errors import InputError
from resemote_edge.vision.drawn import drawn_faces
from resemote_edge.vision.frame import MAX_FRAME_SIDE, Box, Frame, crops
from resemote_edge.vision.preprocessing import to_gray

SIDES = st.integers(4, 40).map(lambda half: 2 * half)
FORMATS = ["gray", "rgb", "bgr", "nv12", "yuyv"]


def frame_of(format, height=20, width=30, seed=0, full_range=False):
    shapes = {"gray": (height, width), "nv12": (height // 2 * 3, width), "yuyv": (height, width, 2)}
    shape = shapes.get(format, (height, width, 3))
    return Frame(np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8), format, full_range)


def planes_of(frame):
    """Luma and chroma of every pixel, by repeating what pixels share."""
    if frame.format == "nv12":
        luma, below = frame.pixels[: frame.height], frame.pixels[frame.height :]
        shared = below.reshape(frame.height // 2, frame.width // 2, 2).repeat(2, axis=0)
    else:
        luma = frame.pixels[..., 0]
        shared = frame.pixels[..., 1].reshape(frame.height, frame.width // 2, 2)
    return np.concatenate([luma[..., None], shared.repeat(2, axis=1)], axis=2)


def float_colors(planes, full_range):
    """BT.601 by its definition: red and blue weigh 0.299 and 0.114, the ranges are 219 and 224 levels or all."""
    luma, u, v = np.moveaxis(planes.astype(np.float64), 2, 0)
    light = luma / 255 if full_range else (luma - 16) / 219
    u, v = ((chroma - 128) / (255 if full_range else 224) for chroma in (u, v))
    red, blue = light + 2 * (1 - 0.299) * v, light + 2 * (1 - 0.114) * u
    green = (light - 0.299 * red - 0.114 * blue) / 0.587
    return np.clip(255 * np.stack([red, green, blue], axis=-1), 0, 255)


@settings(max_examples=60, deadline=None)
@given(SIDES, SIDES, st.sampled_from(["nv12", "yuyv"]), st.booleans(), st.integers(0, 2**32 - 1))
def test_colours_are_those_of_bt601_to_one_level(height, width, format, full_range, seed):
    frame = frame_of(format, height, width, seed, full_range)
    (whole,), color = crops(frame, [Box(0, 0, width, height)], color=True)
    assert color == "rgb"
    assert np.abs(whole - float_colors(planes_of(frame), full_range)).max() <= 1.0


@pytest.mark.parametrize("format", ["nv12", "yuyv"])
def test_colours_of_the_full_range_are_those_of_pillow_to_one_level(format):
    frame = frame_of(format, 64, 80, full_range=True)
    want = np.asarray(Image.fromarray(planes_of(frame), mode="YCbCr").convert("RGB"))
    (whole,), _ = crops(frame, [Box(0, 0, 80, 64)], color=True)
    assert np.abs(whole.astype(int) - want.astype(int)).max() <= 1


@pytest.mark.parametrize("format", ["nv12", "yuyv"])
@pytest.mark.parametrize("full_range", [False, True])
def test_grays_have_no_colour_and_black_and_white_are_reached(format, full_range):
    frame = frame_of(format, full_range=full_range)
    pixels = np.full_like(frame.pixels, 128)
    luma = pixels[:20] if format == "nv12" else pixels[..., 0]
    black, white = (0, 255) if full_range else (16, 235)
    luma[:, :15], luma[:, 15:] = black, white
    frame = Frame(pixels, format, full_range)
    (colors,), _ = crops(frame, [Box(0, 0, 30, 20)], color=True)
    (gray,), color = crops(frame, [Box(0, 0, 30, 20)], color=False)
    assert color == "gray"
    assert np.array_equal(colors, np.repeat(gray[..., None], 3, axis=2))
    assert (gray[:, :15] == 0).all()
    assert (gray[:, 15:] == 255).all()


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(FORMATS), st.booleans(), st.booleans(), st.data())
def test_a_crop_is_a_cut_of_the_whole(format, full_range, color, data):
    frame = frame_of(format, 24, 40, seed=1, full_range=full_range)
    (whole,), order = crops(frame, [Box(0, 0, 40, 24)], color=color)
    x, y = data.draw(st.integers(-50, 32)), data.draw(st.integers(-50, 16))
    right, bottom = (data.draw(st.integers(max(x, 0) + 8, 10**12)), data.draw(st.integers(max(y, 0) + 8, 10**12)))
    (crop,), same_order = crops(frame, [Box(x, y, right - x, bottom - y)], color=color)
    assert order == same_order
    assert np.array_equal(crop, whole[max(y, 0) : bottom, max(x, 0) : right])


@pytest.mark.parametrize("format", ["gray", "rgb", "bgr"])
@pytest.mark.parametrize("color", [False, True])
def test_plain_formats_are_cut_not_copied(format, color):
    frame = frame_of(format)
    made, order = crops(frame, [Box(3, 5, 10, 12), Box(-4, -4, 100, 14)], color=color)
    assert order == format
    assert all(np.shares_memory(crop, frame.pixels) for crop in made)
    assert np.array_equal(made[0], frame.pixels[5:17, 3:13])
    assert np.array_equal(made[1], frame.pixels[:10])


def test_luma_of_the_full_range_is_taken_as_it_is():
    for format in ("nv12", "yuyv"):
        frame = frame_of(format, full_range=True)
        (gray,), _ = crops(frame, [Box(1, 1, 11, 13)], color=False)
        assert np.array_equal(gray, planes_of(frame)[1:14, 1:12, 0])


def test_luma_is_the_gray_of_its_colours_to_two_levels():
    # Colours near gray, for which nothing is clamped.
    pixels = np.random.default_rng(2).integers(118, 139, (30, 30), dtype=np.uint8)
    frame = Frame(pixels, "nv12")
    (gray,), _ = crops(frame, [Box(0, 0, 30, 20)], color=False)
    (colors,), _ = crops(frame, [Box(0, 0, 30, 20)], color=True)
    assert np.abs(gray.astype(int) - to_gray(colors, "rgb").astype(int)).max() <= 2


def test_strides_make_no_difference():
    for format in FORMATS:
        frame = frame_of(format, 24, 40, seed=3)
        big = np.zeros((frame.pixels.shape[0] * 2, frame.pixels.shape[1] * 3, *frame.pixels.shape[2:]), dtype=np.uint8)
        view = big[::2, ::3]
        view[...] = frame.pixels
        boxes = [Box(3, 3, 21, 13)]
        for color in (False, True):
            (want,), _ = crops(frame, boxes, color=color)
            (got,), _ = crops(Frame(view, format), boxes, color=color)
            assert np.array_equal(got, want)


def test_size_of_a_frame():
    for format in FORMATS:
        frame = frame_of(format, 22, 40)
        assert (frame.width, frame.height) == (40, 22)
    assert frame_of("yuyv", 21, 40).height == 21
    assert crops(frame_of("gray"), [], color=False) == ([], "gray")


@pytest.mark.parametrize(
    ("pixels", "format", "words"),
    [
        (np.zeros((20, 20), np.uint8), "i420", "gray, rgb, bgr, nv12, yuyv"),
        (np.zeros((20, 20), np.float32), "gray", "float32"),
        ([[0]], "gray", "list"),
        (np.zeros((20, 20, 3), np.uint8), "gray", "(H, W), got (20, 20, 3)"),
        (np.zeros((20, 20), np.uint8), "bgr", "(H, W, 3)"),
        (np.zeros((20, 20, 4), np.uint8), "rgb", "(H, W, 3)"),
        (np.zeros((20, 20, 3), np.uint8), "yuyv", "(H, W, 2)"),
        (np.zeros((20, 20), np.uint8), "nv12", "(H * 3 / 2, W)"),
        (np.zeros((21, 19), np.uint8), "nv12", "19x14 pixels; nv12 needs an even width"),
        (np.zeros((21, 19, 2), np.uint8), "yuyv", "yuyv needs an even width"),
        (np.zeros((9, 20), np.uint8), "nv12", "20x6 pixels; pass sides of 8 to 16384"),
        (np.zeros((7, 20), np.uint8), "gray", "20x7 pixels"),
        (np.zeros((8, MAX_FRAME_SIDE + 1), np.uint8), "gray", "16385x8 pixels"),
    ],
)
def test_bad_frames_are_refused(pixels, format, words):
    with pytest.raises(InputError) as caught:
        Frame(pixels, format)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("box", "left"),
    [
        (Box(0, 0, 7, 20), "7x20"),
        (Box(23, 0, 20, 20), "7x20"),
        (Box(0, -13, 20, 20), "20x7"),
        (Box(30, 0, 20, 20), "0x20"),
        (Box(5, 5, -10, 20), "0x15"),
        (Box(10**30, 0, 20, 20), "0x20"),
    ],
)
def test_boxes_outside_are_refused(box, left):
    with pytest.raises(InputError) as caught:
        crops(frame_of("gray"), [Box(0, 0, 30, 20), box], color=False)
    message = str(caught.value)
    assert f"box 1 (x={box.x}, y={box.y}, width={box.width}, height={box.height}) has {left} pixels" in message
    assert "frame of 30x20; at least 8x8 must lie there: leave the box out" in message


def test_boxes_are_whole_numbers():
    box = Box(*np.array([1, 2, 30, 40], dtype=np.int32))
    assert box == Box(1, 2, 30, 40)
    assert type(box.x) is int
    with pytest.raises(InputError, match=r"width of a box must be a whole number, got 30\.5; round it"):
        Box(1, 2, 30.5, 40)


@pytest.mark.parametrize("input", ["tensor", "gray-u8", "rgb-u8", "bgr-u8"])
def test_classify_frame_is_a_call_with_its_crops(artifacts, input):
    face = drawn_faces(1, side=96)[0]
    boxes = [Box(-10, -10, 100, 100), Box(10, 13, 60, 70)]
    with resemote_edge.load(artifacts("cpu-onnxruntime-fp32", input=input).path, device="cpu") as classifier:
        want = classifier([face[:90, :90], face[13:83, 10:70]], color="rgb")
        assert classifier.classify_frame(Frame(face, "rgb"), boxes) == want
        assert classifier.classify_frame(Frame(face[..., ::-1], "bgr"), boxes) == want
        gray = to_gray(face, "rgb")
        nv12 = Frame(np.concatenate([gray, np.full((48, 96), 128, dtype=np.uint8)]), "nv12", full_range=True)
        of_gray = classifier([gray[:90, :90], gray[13:83, 10:70]], color="gray")
        assert classifier.classify_frame(nv12, boxes) == of_gray
        assert classifier.classify_frame(Frame(gray, "gray"), boxes) == of_gray
        assert classifier.classify_frame(Frame(face, "rgb"), []) == []
        with pytest.raises(InputError, match="box 0"):
            classifier.classify_frame(Frame(face, "rgb"), [Box(90, 0, 20, 20)])
