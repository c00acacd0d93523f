"""What ``resemote camera`` computes about faces is what Python computes, to the bit wherever both can be."""

import ctypes
import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from native.camera.faces_library import NativeSchedule, NativeSmoother, NativeTracker, compile_library, doubles, row_of
from native.preprocessing_library import FrameInMemory, NativeBox
from portrait_frames import crowd

from resemote_edge.artifacts.artifact import DetectorArtifact
from resemote_edge.artifacts.prebuilt import prebuilt_detector_path
from resemote_edge.camera.schedule import AUTO, DetectionSchedule
from resemote_edge.camera.sources.base import FrameClock, SourceOptions
from resemote_edge.camera.sources.pattern import PatternSource
from resemote_edge.errors import InputError
from resemote_edge.faces.detectors.centerface import CenterFace
from resemote_edge.faces.detectors.network import Candidates, keep_best
from resemote_edge.faces.detectors.picture import fit
from resemote_edge.faces.detectors.yunet import YuNet
from resemote_edge.faces.face import Face
from resemote_edge.faces.quality import QualityGate, measure_quality
from resemote_edge.faces.smoothing import Smoother, SmoothingOptions
from resemote_edge.faces.tracker import Tracker, TrackerOptions
from resemote_edge.runtimes.registry import open_session
from resemote_edge.runtimes.session import SessionOptions
from resemote_edge.vision.frame import Frame
from resemote_edge.vision.framing import Framing


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return compile_library(tmp_path_factory.mktemp("faces"))


@pytest.fixture(scope="module")
def detector():
    """YuNet of the package, run by ONNX Runtime."""
    artifact = DetectorArtifact.load(prebuilt_detector_path("yunet", 640, 384))
    with YuNet(open_session(artifact, "onnxruntime", SessionOptions(threads=1)), artifact.passport) as opened:
        yield opened


@pytest.fixture(scope="module")
def recorded(detector):
    """Boxes and landmarks that the detector found in a film of three people, with the times of its frames."""
    source = PatternSource("pattern://?faces=3", SourceOptions(size=(640, 360)), FrameClock())
    source.open()
    return [(number / 25, detector.detect(Frame(source.draw(number / 25), "bgr"))) for number in range(50)]


def assert_same_tracks(library, frames, **options):
    """Every number of every track in every frame is the same double."""
    python, native = Tracker(TrackerOptions(**options)), NativeTracker(library, TrackerOptions(**options))
    spoken = 0
    for seconds, faces in frames:
        want, got = python.update(faces, seconds), native.update(faces, seconds)
        assert (got.tracks, got.ended) == (want.tracks, want.ended), seconds
        spoken += len(got.tracks)
    native.close()
    return spoken


@pytest.mark.parametrize("every", [1, 2, 5])
@pytest.mark.parametrize("options", [{}, {"smoothing_s": 0.0}, {"min_detections": 1, "patience_s": 0.1}])
def test_recorded_boxes_give_the_same_tracks(library, recorded, every, options):
    frames = [(seconds, faces if place % every == 0 else None) for place, (seconds, faces) in enumerate(recorded)]
    assert assert_same_tracks(library, frames, **options) > 50


@pytest.mark.parametrize("seed", range(20))
def test_crowds_that_come_and_go_give_the_same_tracks(library, seed):
    # Jumps, misses, false alarms, irregular times and crossings: all that a greedy assignment can get wrong.
    rng = random.Random(seed)
    people = [
        [rng.uniform(0, 1200), rng.uniform(0, 700), rng.uniform(-300, 300), rng.uniform(30, 200)] for _ in "12345"
    ]
    frames, seconds = [], 0.0
    for _ in range(200):
        seconds += rng.choice((1 / 30, 1 / 30, 1 / 15, 0.4, 1e-4))  # held back, and in a burst
        faces = []
        for person in people:
            person[0] += person[2] / 30 + rng.gauss(0, 2)
            if rng.random() < 0.85:
                side = person[3] * rng.uniform(0.9, 1.1)
                faces.append(Face(x=person[0], y=person[1], width=side, height=1.2 * side, score=rng.random()))
        if rng.random() < 0.1:
            faces.append(Face(x=rng.uniform(0, 1200), y=rng.uniform(0, 700), width=50, height=50, score=0.6))
        frames.append((seconds, None if rng.random() < 0.3 else faces))
    assert assert_same_tracks(library, frames) > 100


def test_a_tracker_refuses_time_that_does_not_go_on(library):
    native = NativeTracker(library, TrackerOptions())
    native.update([], 1.0)
    for seconds in (1.0, 0.5, math.nan):
        with pytest.raises(InputError, match="cannot follow"):
            native.update([], seconds)
    native.close()


@pytest.mark.parametrize(
    "options", [{}, {"time_constant_s": 0.0}, {"hold_s": 0.0, "min_score": 0.0}, {"min_score": 1.0}]
)
def test_expressions_are_smoothed_alike(library, options):
    options = SmoothingOptions(**options)
    python, native = Smoother(options=options), NativeSmoother(library, options)
    rng, seconds, labels = np.random.default_rng(7), 0.0, set()
    for turn in range(300):
        seconds += float(rng.choice((1 / 30, 1 / 15, 0.5)))
        shares = rng.dirichlet(np.where(np.arange(7) == turn // 40 % 7, 3.0, 0.3))
        shares = dict(zip("abcdefg", map(float, shares), strict=True))
        want = python.update(shares, seconds)
        assert native.update(shares, seconds) == want
        labels.add(want.label)
    assert len(labels) >= (1 if options.min_score == 1.0 else 5)
    with pytest.raises(InputError, match="cannot follow"):
        native.update(shares, seconds)
    native.close()


_PLACE = st.floats(-16384, 16384)
_SIDE = st.floats(0.01, 16384)


@settings(max_examples=500, deadline=None)
@given(x=_PLACE, y=_PLACE, width=_SIDE, height=_SIDE, scale=st.floats(0.5, 2), shift=st.floats(-0.2, 0.2))
def test_squares_are_the_same_whole_numbers(library, x, y, width, height, scale, shift):
    box = NativeBox()
    face = doubles(row_of(Face(x=x, y=y, width=width, height=height)))
    scales = ctypes.c_double(scale), ctypes.c_double(shift)
    assert library.framing_square(*scales, face, ctypes.byref(box))
    want = Framing(scale=scale, shift=shift).square(x, y, width, height)
    assert (box.x, box.y, box.width, box.height) == (want.x, want.y, want.width, want.height)


@pytest.mark.parametrize("box", [(0, 0, 20000, 10), (1e9, 0, 10, 10), (0, -16385, 10, 10)])
def test_a_box_beyond_any_frame_has_no_square(library, box):
    face = doubles([*box, 1.0, *[0.0] * 10])
    assert not library.framing_square(ctypes.c_double(1), ctypes.c_double(0), face, ctypes.byref(NativeBox()))
    with pytest.raises(InputError, match="beyond any frame"):
        Framing().square(*box)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
@pytest.mark.parametrize("format", ["gray", "bgr", "nv12"])
def test_a_frame_is_scaled_to_the_same_bits(library, format, data):
    width, height = (2 * data.draw(st.integers(4, 400)) for _ in range(2))
    size = data.draw(st.sampled_from([(640, 384), (320, 192), (64, 32), (32, 96)]))
    shape = {"gray": (height, width), "bgr": (height, width, 3), "nv12": (height // 2 * 3, width)}[format]
    pixels = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1))).integers(0, 256, shape, dtype=np.uint8)
    frame = Frame(pixels, format, data.draw(st.booleans()))
    memory = FrameInMemory(frame, padding=data.draw(st.sampled_from([0, 6])))
    got, scale = np.empty((size[1], size[0], 3), np.uint8), (ctypes.c_double * 2)()
    library.picture_take(ctypes.byref(memory.struct), *size, ctypes.c_void_p(got.ctypes.data), scale)
    want = fit(frame, *size)
    assert np.array_equal(got, want.pixels)
    assert tuple(scale) == (want.across, want.down)


def native_candidates(library, family, outputs, width, min_score, max_overlap):
    names = (ctypes.c_char_p * len(outputs))(*(name.encode() for name in outputs))
    arrays = [np.ascontiguousarray(values, np.float32) for values in outputs.values()]
    pointers = (ctypes.c_void_p * len(arrays))(*(array.ctypes.data for array in arrays))
    dims = (ctypes.c_int64 * (4 * len(arrays)))()
    for place, array in enumerate(arrays):
        dims[4 * place : 4 * place + array.ndim] = array.shape
    ranks = (ctypes.c_int * len(arrays))(*(array.ndim for array in arrays))
    rows, message = np.zeros((500, 15)), ctypes.create_string_buffer(1000)
    count = library.candidates_read(
        *(family.encode(), names, pointers, dims, ranks, len(arrays), width),
        *(ctypes.c_double(min_score), ctypes.c_double(max_overlap), ctypes.c_void_p(rows.ctypes.data), 500, message),
    )
    if count < 0:
        raise InputError(message.value.decode())
    return rows[:count]


def assert_same_candidates(got, found: Candidates, max_overlap):
    kept = keep_best(found.boxes, found.scores, max_overlap)
    assert len(got) == len(kept) > 0
    want = np.hstack([found.boxes, found.scores[:, None], found.landmarks.reshape(-1, 10)])[kept]
    # Python's exponential of float32 is numpy's, which may differ from the C library's in the last bits.
    np.testing.assert_allclose(got, want, rtol=2e-6, atol=1e-4)


@pytest.mark.parametrize("min_score", [0.6, 0.05, 0.001])
def test_outputs_of_yunet_are_read_alike(library, detector, min_score, monkeypatch):
    monkeypatch.setattr(detector, "min_score", min_score)
    passport = detector.passport
    outputs = detector.session.run({"input": passport.feed(fit(Frame(crowd(), "rgb"), 640, 384).pixels)})
    got = native_candidates(library, "yunet", outputs, 640, min_score, passport.max_overlap)
    assert_same_candidates(got, detector.read(outputs), passport.max_overlap)
    assert len(got) >= 4


def test_outputs_of_centerface_are_read_alike(library):
    rng = np.random.default_rng(11)
    shapes = {"heatmap": 1, "size": 2, "offset": 2, "landmarks": 10}
    outputs = {name: rng.random((1, count, 24, 40), np.float32) for name, count in shapes.items()}
    outputs["heatmap"] **= 8
    reader = CenterFace.__new__(CenterFace)  # what reads needs no session
    reader.min_score = 0.5
    got = native_candidates(library, "centerface", outputs, 160, 0.5, 0.3)
    assert_same_candidates(got, reader.read(outputs), 0.3)


def test_outputs_that_are_no_detectors_are_refused(library):
    with pytest.raises(InputError, match="the family 'haar', which this version does not know"):
        native_candidates(library, "haar", {"a": np.zeros((1, 1))}, 64, 0.5, 0.3)
    with pytest.raises(InputError, match="no output 'cls_8'"):
        native_candidates(library, "yunet", {"a": np.zeros((1, 1))}, 64, 0.5, 0.3)
    outputs = {f"{part}_8": np.zeros((1, 64, size)) for part, size in (("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 9))}
    with pytest.raises(InputError, match="'kps_8' does not belong"):
        native_candidates(library, "yunet", outputs, 64, 0.5, 0.3)


@pytest.mark.parametrize("seed", range(30))
def test_faces_are_judged_or_not_for_the_same_reason(library, seed):
    rng = np.random.default_rng(seed)
    noise = rng.integers(0, 256, (64, 64)) * rng.choice((0.02, 0.1, 1.0)) + rng.choice((0, 5, 100, 240))
    gray = noise.clip(0, 255).astype(np.uint8)
    if seed % 3 == 0:
        gray = np.add.outer(np.arange(64), np.arange(64)).astype(np.uint8)  # smooth, so blurred
    points = tuple((float(x), float(y)) for x, y in rng.uniform(0, 60, (5, 2))) if seed % 2 else ()
    face = Face(x=0, y=0, width=float(rng.uniform(10, 90)), height=50.0, landmarks=points)
    measured = (ctypes.c_double * 6)()
    reason = library.quality_measure(doubles(row_of(face)), bool(points), ctypes.c_void_p(gray.ctypes.data), measured)
    want = measure_quality(face, gray, "gray")
    pose = (want.turned, want.rolled) if points else (0.0, 0.0)
    np.testing.assert_allclose(
        measured, (want.size, want.brightness, want.contrast, want.sharpness, *pose), rtol=1e-9, atol=1e-9
    )
    assert (reason.decode() if reason else None) == QualityGate().why_not(want)


@pytest.mark.parametrize("every", [1, 3, AUTO])
def test_the_detector_looks_in_the_same_frames(library, every):
    python, native = DetectionSchedule(every), NativeSchedule(library, 0 if every == AUTO else every)
    rng = random.Random(5)
    for turn in range(400):
        due = python.due()
        assert native.due() is due
        detecting = rng.uniform(0.002, 0.05) if due else None
        rest, interval = rng.uniform(0.001, 0.03), rng.choice((None, 1 / 30, 1 / 15 if turn > 200 else 1 / 30))
        python.record(detecting=detecting, rest=rest, interval=interval)
        assert native.record(detecting, rest, interval) == python.every
    native.close()
