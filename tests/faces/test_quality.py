"""The quality gate: each reason, on a face that was degraded in that way alone."""

import math

import numpy as np
import pytest

from resemote_edge.errors import InputError
from resemote_edge.faces.face import Face
from resemote_edge.faces.quality import QualityGate, measure_quality
from resemote_edge.vision.drawn import drawn_faces

FRONTAL = ((70.0, 80.0), (110.0, 80.0), (90.0, 100.0), (75.0, 120.0), (105.0, 120.0))
CROP = drawn_faces(1, side=96, seed=3)[0]


def face(side=96.0, landmarks=FRONTAL):
    return Face(x=40, y=40, width=side, height=side, landmarks=landmarks)


def reason(crop=CROP, of=None):
    return QualityGate().why_not(measure_quality(of or face(), crop, "rgb"))


def blurred(crop, times):
    values = crop.astype(np.float64)
    for _ in range(times):
        values = sum(np.roll(values, shift, axis) for axis in (0, 1) for shift in (-1, 1)) / 4
    return values.astype(np.uint8)


def test_a_clear_frontal_face_is_judged():
    assert reason() is None
    assert reason(of=face(landmarks=())) is None  # nothing is known of its pose


@pytest.mark.parametrize(
    ("why", "crop", "of"),
    [
        ("too small", CROP, face(side=20.0)),
        ("too dark", (CROP * 0.03).astype(np.uint8), face()),
        ("too bright", (255 - CROP * 0.02).astype(np.uint8), face()),
        ("too little contrast", np.full((96, 96, 3), 128, np.uint8), face()),
        ("blurred", blurred(CROP, 60), face()),
        ("turned away", CROP, face(landmarks=(*FRONTAL[:2], (125.0, 100.0), *FRONTAL[3:]))),
        ("tilted", CROP, face(landmarks=((70.0, 80.0), (80.0, 120.0), (60.0, 110.0), *FRONTAL[3:]))),
    ],
)
def test_each_reason_is_found(why, crop, of):
    assert reason(crop, of) == why


def test_a_rolled_head_is_not_taken_for_a_turned_one():
    angle = math.radians(25)
    rolled = tuple(
        (90 + (x - 90) * math.cos(angle) - (y - 90) * math.sin(angle),
         90 + (x - 90) * math.sin(angle) + (y - 90) * math.cos(angle))
        for x, y in FRONTAL
    )  # fmt: skip
    quality = measure_quality(face(landmarks=rolled), CROP, "rgb")
    assert quality.turned == pytest.approx(0.0, abs=1e-9)
    assert quality.rolled == pytest.approx(25.0)


def test_measurements_of_one_face_do_not_depend_on_its_distance():
    near = measure_quality(face(), np.repeat(np.repeat(CROP, 3, axis=0), 3, axis=1), "rgb")
    far = measure_quality(face(), CROP, "rgb")
    assert near.sharpness == pytest.approx(far.sharpness, rel=0.1)
    assert near.brightness == pytest.approx(far.brightness, abs=1.0)


def test_gray_and_colour_crops_measure_alike():
    rgb, bgr = measure_quality(face(), CROP, "rgb"), measure_quality(face(), CROP[..., ::-1], "bgr")
    assert rgb == bgr


def test_eyes_in_one_place_tell_no_pose():
    quality = measure_quality(face(landmarks=((1.0, 1.0),) * 5), CROP, "rgb")
    assert quality.turned is quality.rolled is None


@pytest.mark.parametrize("limits", [{"min_size": -1.0}, {"max_rolled": math.nan}])
def test_limits_are_numbers(limits):
    with pytest.raises(InputError, match="limits of a quality gate"):
        QualityGate(**limits)
