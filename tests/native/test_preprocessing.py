"""The native preprocessing gives the same bits as Python's."""

import ctypes

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from native.preprocessing_library import (
    ARTIFACT_INVALID,
    FORMATS,
    INPUTS,
    INVALID_ARGUMENT,
    OK,
    FrameInMemory,
    NativeBox,
    NativePreprocessor,
    compile_library,
)

from resemote_edge.errors import InputError
from resemote_edge.vision.frame import MAX_FRAME_SIDE, Box, Frame, crops
from resemote_edge.vision.preprocessing import PreprocessSpec

INT_MAX, INT_MIN = 2**31 - 1, -(2**31)


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return compile_library(tmp_path_factory.mktemp("native"))


@pytest.fixture(scope="module")
def preprocessors(library):
    """A preprocessor per spec, kept: what one frame leaves behind in it must not change the next."""
    made = {}

    def get(edges="cut", **fields):
        key = PreprocessSpec(**fields), edges
        if key not in made:
            made[key] = NativePreprocessor(library, *key)
            assert made[key].status == OK, made[key].words
        return made[key]

    yield get
    for one in made.values():
        one.close()


def random_frame(format, width, height, seed, full_range=False):
    shapes = {"gray": (height, width), "nv12": (height // 2 * 3, width), "yuyv": (height, width, 2)}
    shape = shapes.get(format, (height, width, 3))
    return Frame(np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8), format, full_range)


def python_feed(spec, frame, boxes, edges="cut"):
    made, color = crops(frame, [Box(*box) for box in boxes], color=spec.takes_color, edges=edges)
    return spec(made, color)


def assert_same(native, frame, boxes, **memory):
    feed = native.empty_feed(len(boxes))
    assert native.run(FrameInMemory(frame, **memory).struct, boxes, feed) == OK, native.words
    want = python_feed(native.spec, frame, boxes, native.edges)
    assert feed.dtype == want.dtype
    assert np.array_equal(feed.view(np.uint8), want.view(np.uint8))


@st.composite
def boxes_over(draw, width, height):
    """A box with at least 8x8 pixels inside the frame; it may reach over any border."""
    left, top = draw(st.integers(0, width - 8)), draw(st.integers(0, height - 8))
    right, bottom = draw(st.integers(left + 8, width)), draw(st.integers(top + 8, height))
    over = st.sampled_from([0, 0, 0, 1, 17, 5000, INT_MAX // 4])
    x = left - draw(over) if left == 0 else left
    y = top - draw(over) if top == 0 else top
    right += draw(over) if right == width else 0
    bottom += draw(over) if bottom == height else 0
    return x, y, right - x, bottom - y


@settings(max_examples=100, deadline=None)
@given(data=st.data())
@pytest.mark.parametrize("input", INPUTS)
def test_feeds_equal_those_of_python(preprocessors, input, data):
    draw = data.draw
    format = draw(st.sampled_from(FORMATS))
    step = 2 if format in ("nv12", "yuyv") else 1
    width, height = (draw(st.integers(8 // step, 300 // step)) * step for _ in range(2))
    frame = random_frame(format, width, height, draw(st.integers(0, 2**32 - 1)), draw(st.booleans()))
    size = draw(st.sampled_from([(64, 64), (64, 64), (48, 48), (17, 33)]))
    uv_padding = draw(st.sampled_from([None, 0, 2, 31])) if format == "nv12" else None
    boxes = draw(st.lists(boxes_over(width, height), max_size=4))
    native = preprocessors(input=input, height=size[0], width=size[1])
    assert_same(native, frame, boxes, padding=draw(st.sampled_from([0, 0, 1, 64])), uv_padding=uv_padding)


@st.composite
def boxes_around(draw, width, height):
    """A box with at least 8x8 pixels inside the frame, which may be several times as large."""
    x, y = draw(st.integers(-400, width - 8)), draw(st.integers(-400, height - 8))
    right, bottom = draw(st.integers(max(x, 0) + 8, width + 400)), draw(st.integers(max(y, 0) + 8, height + 400))
    return x, y, right - x, bottom - y


@settings(max_examples=100, deadline=None)
@given(data=st.data())
@pytest.mark.parametrize("input", INPUTS)
def test_replicated_edges_equal_those_of_python(preprocessors, input, data):
    draw = data.draw
    format = draw(st.sampled_from(FORMATS))
    width, height = (draw(st.integers(4, 80)) * 2 for _ in range(2))
    frame = random_frame(format, width, height, draw(st.integers(0, 2**32 - 1)), draw(st.booleans()))
    size = draw(st.sampled_from([(64, 64), (48, 48), (17, 33)]))
    boxes = draw(st.lists(boxes_around(width, height), max_size=4))
    assert_same(preprocessors(input=input, height=size[0], width=size[1], edges="replicated"), frame, boxes)


@pytest.mark.parametrize("box", [(-20, -11, 64, 64), (90, 80, 64, 64), (-300, 30, 364, 64), (0, 0, 120, 110)])
def test_replicated_edges_of_crops_that_have_the_right_size_or_lie_within(preprocessors, box):
    for format in FORMATS:
        assert_same(preprocessors(edges="replicated"), random_frame(format, 120, 110, seed=13), [box])


def test_a_replicated_box_larger_than_any_face_is_refused(preprocessors):
    native, frame = preprocessors(edges="replicated"), random_frame("gray", 40, 40, seed=14)
    largest = (-(32768 - 40), 0, 32768, 40)
    assert_same(native, frame, [largest])
    for box in [(largest[0] - 1, 0, 32769, 40), (0, 0, 40, INT_MAX), (-INT_MAX, 0, INT_MAX, 40)]:
        assert native.run(FrameInMemory(frame).struct, [box], native.empty_feed(1)) == INVALID_ARGUMENT
        assert "leave the box out" in native.words


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("full_range", [False, True])
@pytest.mark.parametrize("input", ["gray-u8", "rgb-u8"])
def test_every_level_of_luma_and_chroma(preprocessors, format, full_range, input):
    # Tiles of 8 x 8 pixels at the network's size, so the network's input is the converted pixels themselves.
    native = preprocessors(input=input, height=8, width=8)
    levels = [*range(0, 256, 15), 16, 235, 127, 128, 129]
    pixels = np.array(np.meshgrid(levels, levels, levels), dtype=np.uint8).reshape(3, -1)
    first, second, third = (np.repeat(plane, 8)[None].repeat(8, axis=0) for plane in pixels)
    if format == "nv12":
        chroma = np.stack([second[:4, ::2], third[:4, ::2]], axis=-1).reshape(4, -1)
        shaped = np.concatenate([first, chroma])
    elif format == "yuyv":
        shaped = np.stack([first, np.where(np.arange(first.shape[1]) % 2, third, second)], axis=-1)
    else:
        shaped = first if format == "gray" else np.stack([first, second, third], axis=-1)
    for start in range(0, shaped.shape[1], MAX_FRAME_SIDE):
        frame = Frame(shaped[:, start : start + MAX_FRAME_SIDE], format, full_range)
        assert_same(native, frame, [(x, 0, 8, 8) for x in range(0, frame.width, 8)])


def test_widths_from_the_smallest_on(preprocessors):
    native = preprocessors(input="gray-u8", height=8, width=64)
    frame = random_frame("gray", 3000, 8, seed=1)
    assert_same(native, frame, [(0, 0, side, 8) for side in (*range(8, 260), *range(260, 3000, 97))])


@pytest.mark.parametrize("size", [(2000, 40), (40, 2000), (MAX_FRAME_SIDE, 8), (8, MAX_FRAME_SIDE), (2000, 300)])
@pytest.mark.parametrize("input", ["tensor", "bgr-u8"])
def test_long_crops(preprocessors, size, input):
    frame = random_frame("bgr", *size, seed=2)
    assert_same(preprocessors(input=input), frame, [(0, 0, *size), (0, 0, size[0], 8), (0, 0, 8, size[1])])


@pytest.mark.parametrize("input", INPUTS)
@pytest.mark.parametrize("box", [(1, 3, 64, 64), (1, 3, 64, 100), (1, 3, 100, 64), (1, 3, 65, 63)])
def test_crops_of_the_right_size_or_nearly(preprocessors, input, box):
    for format in FORMATS:
        assert_same(preprocessors(input=input), random_frame(format, 120, 110, seed=3), [box])


def test_other_normalisations(preprocessors):
    frame = random_frame("rgb", 90, 70, seed=4)
    for mean, std in [((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)), ((0.1, -3.7, 0.333), (1e-3, 255.0, 0.77))]:
        assert_same(preprocessors(mean=mean, std=std), frame, [(0, 0, 90, 70)])


@pytest.mark.parametrize("box", [(-5, -9, INT_MAX, INT_MAX), (-INT_MAX, 0, INT_MAX, 40), (INT_MIN, 0, INT_MAX, 40)])
def test_sides_of_boxes_do_not_overflow(preprocessors, box):
    frame = random_frame("gray", 40, 40, seed=5)
    native = preprocessors()
    if box[0] == -5:
        assert_same(native, frame, [box])
    else:
        assert native.run(FrameInMemory(frame).struct, [box], native.empty_feed(1)) == INVALID_ARGUMENT


@pytest.mark.parametrize(
    "box",
    [
        (0, 0, 7, 20),
        (0, 0, 20, 7),
        (-13, 0, 20, 20),
        (0, 33, 20, 20),
        (40, 0, 20, 20),
        (0, 0, 0, 0),
        (10, 10, -5, 20),
        (INT_MAX, INT_MAX, INT_MAX, INT_MAX),
        (INT_MIN, INT_MIN, INT_MIN, INT_MIN),
        (INT_MAX, 0, INT_MIN, 20),
    ],
)
def test_a_box_outside_is_refused_in_the_same_words_and_nothing_is_written(preprocessors, box):
    native = preprocessors()
    frame = random_frame("rgb", 40, 40, seed=6)
    boxes = [(0, 0, 40, 40), box]
    feed = native.empty_feed(2)
    assert native.run(FrameInMemory(frame).struct, boxes, feed) == INVALID_ARGUMENT
    assert (feed.view(np.uint8) == 0x5A).all()
    with pytest.raises(InputError) as caught:
        python_feed(native.spec, frame, boxes)
    assert native.words == str(caught.value)
    assert "box 1 (" in native.words
    assert "leave the box out" in native.words


FIELDS = [
    ("rgb", {"struct_size": 8}, "set it to sizeof(resemote_frame)"),
    ("rgb", {"struct_size": 80}, "struct_size is 80"),
    ("rgb", {"format": 5}, "format is 5"),
    ("rgb", {"format": -1}, "0 to 4"),
    ("rgb", {"width": 7}, "7x40"),
    ("rgb", {"height": 0}, "40x0"),
    ("rgb", {"height": -40}, "40x-40"),
    ("rgb", {"width": MAX_FRAME_SIDE + 1}, "8 to 16384"),
    ("rgb", {"height": INT_MAX}, "8 to 16384"),
    ("nv12", {"width": 39}, "even width and height"),
    ("nv12", {"height": 39}, "even width and height"),
    ("yuyv", {"width": 39}, "even width,"),
    ("rgb", {"data": None}, "data is null"),
    ("rgb", {"stride_bytes": 119}, "one row has 120 bytes"),
    ("rgb", {"stride_bytes": -120}, "bottom up"),
    ("rgb", {"stride_bytes": 2**63 - 1}, "0 where rows touch"),
    ("yuyv", {"stride_bytes": 79}, "one row has 80 bytes"),
    ("nv12", {"stride_bytes": 39}, "one row has 40 bytes"),
    ("nv12", {"uv_stride_bytes": 39}, "uv_stride_bytes is 39"),
    ("nv12", {"uv_stride_bytes": -40}, "uv_stride_bytes is -40"),
    ("nv12", {"full_range": 2}, "full_range is 2"),
]


@pytest.mark.parametrize(("format", "fields", "words"), FIELDS, ids=str)
def test_frames_that_cannot_be_read_are_refused(library, preprocessors, format, fields, words):
    native = preprocessors()
    memory = FrameInMemory(random_frame(format, 40, 40, seed=7))
    for name, value in fields.items():
        setattr(memory.struct, name, value)
    feed = native.empty_feed(1)
    assert native.run(memory.struct, [(0, 0, 8, 8)], feed) == INVALID_ARGUMENT
    assert words in native.words
    assert (feed.view(np.uint8) == 0x5A).all()
    message = ctypes.create_string_buffer(2000)
    assert library.shim_check_frame(ctypes.byref(memory.struct), message, ctypes.c_size_t(2000)) == INVALID_ARGUMENT
    assert message.value.decode() == native.words


def test_an_odd_height_is_fine_where_rows_do_not_share_chroma(preprocessors):
    assert_same(preprocessors(input="rgb-u8"), random_frame("yuyv", 40, 39, seed=8), [(3, 3, 37, 36)])


def test_null_pointers(preprocessors):
    native = preprocessors()
    struct = FrameInMemory(random_frame("gray", 40, 40, seed=9)).struct
    boxes = (NativeBox * 1)(NativeBox(0, 0, 40, 40))
    feed = ctypes.c_void_p(native.empty_feed(1).ctypes.data)
    assert native.call(struct, None, 0, None) == OK
    assert native.call(struct, None, 1, feed) == INVALID_ARGUMENT
    assert "boxes is null" in native.words
    assert native.call(struct, boxes, 1, None) == INVALID_ARGUMENT
    assert "feed is null" in native.words


@pytest.mark.parametrize("input", INPUTS)
def test_a_feed_may_lie_anywhere_and_its_ends_are_kept(preprocessors, input):
    native = preprocessors(input=input)
    frame = random_frame("nv12", 100, 80, seed=10)
    memory = np.full(native.feed_bytes + 3, 0x5A, dtype=np.uint8)
    boxes = (NativeBox * 1)(NativeBox(11, 7, 50, 60))
    struct = FrameInMemory(frame)
    assert native.call(struct.struct, boxes, 1, ctypes.c_void_p(memory.ctypes.data + 1)) == OK
    want = python_feed(native.spec, frame, [(11, 7, 50, 60)])
    assert native.feed_bytes == want.nbytes
    assert memory[1:-2].tobytes() == want.tobytes()
    assert memory[[0, -2, -1]].tolist() == [0x5A] * 3


@pytest.mark.parametrize("fields", [{"channels": 4}, {"channels": 0}, {"height": 0}, {"width": -1}])
def test_a_spec_that_nothing_can_be_fed_to_is_refused(library, fields):
    spec = PreprocessSpec()
    for name, value in fields.items():
        object.__setattr__(spec, name, value)  # Python refuses such a spec itself.
    native = NativePreprocessor(library, spec)
    assert native.status == ARTIFACT_INVALID
    assert "export the artifact again" in native.words


@pytest.mark.parametrize("input", INPUTS)
def test_nothing_is_allocated_after_the_first_frame(library, input):
    native = NativePreprocessor(library, PreprocessSpec(input=input))
    feed = native.empty_feed(3)
    before = library.shim_allocations()
    sizes = [(200, 160), (200, 160), (100, 158), (8, 8), (198, 10)]
    counts = []
    for format in ["gray", *FORMATS]:  # the first frame needs the least
        for width, height in sizes:
            boxes = [(0, 0, width, height), (-3, 0, width, height + 9), (0, 0, 8, 8)]
            frame = FrameInMemory(random_frame(format, width, height, seed=11), padding=5)
            boxes = [box for box in boxes if box[0] + box[2] >= 8]
            assert native.run(frame.struct, boxes, feed) == OK, native.words
            counts.append(library.shim_allocations() - before)
    assert counts[0] > 0
    assert counts == [counts[0]] * len(counts)
    bigger = FrameInMemory(random_frame("bgr", 210, 160, seed=12))
    assert native.run(bigger.struct, [(0, 0, 210, 160)], feed) == OK
    assert library.shim_allocations() - before > counts[0]
    native.close()
