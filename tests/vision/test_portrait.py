"""Drawn portraits: detectors take them for faces, and the classifier sees at least the plain expressions."""

import numpy as np
import pytest
from portrait_frames import crowd

import resemote_edge
from resemote_edge.errors import InputError
from resemote_edge.faces.analysis import find_and_classify
from resemote_edge.faces.detectors import open_detector
from resemote_edge.faces.detectors.base import DetectorOptions
from resemote_edge.vision.frame import Frame
from resemote_edge.vision.portrait import PORTRAIT_EXPRESSIONS, drawn_portrait, paste


@pytest.fixture(scope="module")
def yunet():
    with open_detector("yunet", DetectorOptions(runtime="onnxruntime", threads=1)) as detector:
        yield detector


def test_the_same_seed_gives_the_same_bytes_and_another_another_person():
    first = drawn_portrait(64, seed=3, expression="sad")
    assert np.array_equal(first, drawn_portrait(64, seed=3, expression="sad"))
    assert not np.array_equal(first, drawn_portrait(64, seed=4, expression="sad"))


def test_an_expression_changes_the_face_and_nothing_else():
    happy, sad = (drawn_portrait(96, seed=1, expression=name).astype(int) for name in ("happy", "sad"))
    assert np.array_equal(happy[..., 3], sad[..., 3])
    changed = np.abs(happy - sad).sum(axis=2) > 0
    rows, columns = np.nonzero(changed)
    assert rows.min() > 25  # below the forehead
    assert columns.min() > 20
    assert columns.max() < 76


def test_a_portrait_is_pasted_where_it_is_opaque():
    portrait = drawn_portrait(64)
    picture = np.full((100, 120, 3), 7, np.uint8)
    paste(picture, portrait, 20, 30)
    area = picture[30:94, 20:84]
    assert np.array_equal(area[portrait[..., 3] == 255], portrait[portrait[..., 3] == 255][:, :3])
    assert (area[portrait[..., 3] == 0] == 7).all()
    assert (picture[:30] == 7).all()


@pytest.mark.parametrize("side", [48, 96, 200, 370])
def test_detectors_find_them(side, yunet):
    for seed, expression in enumerate(PORTRAIT_EXPRESSIONS):
        picture = np.full((384, 640, 3), 110, np.uint8)
        paste(picture, drawn_portrait(side, seed=seed, expression=expression), 100, 5)
        (face,) = yunet.detect(Frame(picture, "rgb"))
        assert face.score > 0.65
        assert face.x - 100 == pytest.approx(0.25 * side, abs=0.06 * side)
        assert face.width == pytest.approx(0.51 * side, abs=0.07 * side)


@pytest.mark.parametrize("expression", ["happy", "surprise", "neutral"])
def test_the_prebuilt_classifier_sees_plain_expressions(expression, yunet):
    frame = Frame(crowd(expression=expression), "rgb")
    with resemote_edge.load(runtime="onnxruntime", threads=1) as classifier:
        labels = [emotion.label for _, emotion in find_and_classify(frame, yunet, classifier)]
    assert labels.count(expression) >= 3, labels


@pytest.mark.parametrize(("side", "expression", "message"), [(64, "bored", "pass happy"), (8, "sad", "at least")])
def test_what_cannot_be_drawn_is_refused(side, expression, message):
    with pytest.raises(InputError, match=message):
        drawn_portrait(side, expression=expression)
