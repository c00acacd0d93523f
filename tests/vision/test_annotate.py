"""Annotation: marks are drawn where the faces are, and the picture that was given stays as it was."""

import numpy as np
import pytest

from resemote_edge.vision.annotate import Mark, annotate, track_color

PROBABILITIES = {"happy": 0.7, "sad": 0.2, "neutral": 0.1}


@pytest.fixture
def picture():
    return np.full((240, 320, 3), 100, np.uint8)


def changed(picture, marks):
    return (annotate(picture, marks) != picture).any(axis=2)


def test_without_marks_the_picture_is_a_copy(picture):
    drawn = annotate(picture, [])
    assert np.array_equal(drawn, picture)
    drawn[0, 0] = 1  # writable, and the caller's
    assert picture[0, 0, 0] == 100


def test_the_box_is_drawn_in_the_colour_of_its_track(picture):
    drawn = annotate(picture, [Mark(box=(100, 120, 60, 80), label="happy", track=2)])
    assert (picture == 100).all()
    for x, y in ((100, 160), (160, 160), (130, 200), (130, 120)):
        assert tuple(drawn[y, x][::-1]) == track_color(2)
    assert (drawn[150:190, 110:150] == 100).all()  # the face itself stays visible
    assert track_color(1) != track_color(2)


def test_a_face_that_was_not_judged_is_gray(picture):
    drawn = annotate(picture, [Mark(box=(100, 120, 60, 80), note="too small")])
    assert len(set(drawn[160, 100].tolist())) == 1


def test_bars_are_as_long_as_the_probabilities(picture):
    widths = []
    for share in (0.9, 0.3):
        mark = Mark(box=(100, 120, 60, 80), label="happy", probabilities={"happy": share, "sad": 1 - share})
        drawn = annotate(picture, [mark]).astype(int)
        color = np.array(track_color(None)[::-1]) * 5 // 8
        widths.append((np.abs(drawn - color).max(axis=2) == 0)[:120].sum(axis=1).max())
    assert widths[0] > widths[1] > 0


@pytest.mark.parametrize(
    "box", [(-50, -40, 100, 90), (300, 220, 90, 90), (0, 0, 320, 240), (-900, 10, 40, 40), (5, 100, 0.5, 0.5)]
)
def test_boxes_over_the_border_are_drawn_as_far_as_they_go(box, picture):
    mark = Mark(box=box, label="surprise", score=0.5, probabilities=PROBABILITIES, track=1)
    assert changed(picture, [mark]).any()


def test_a_small_picture_is_enough():
    assert annotate(np.zeros((8, 8, 3), np.uint8), [Mark(box=(1, 1, 4, 4), label="happy")]).shape == (8, 8, 3)


def test_labels_in_any_script_are_drawn(picture):
    assert changed(picture, [Mark(box=(100, 120, 60, 80), label="m\u00fcde \u7b11\n<b>")]).any()
