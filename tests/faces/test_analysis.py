"""Faces of a frame: one definition of the crop, whoever asks."""

import numpy as np
import pytest
from portrait_frames import PLACES, crowd

import resemote_edge
from resemote_edge.faces.analysis import find_and_classify
from resemote_edge.faces.detectors import open_detector
from resemote_edge.faces.detectors.base import DetectorOptions
from resemote_edge.vision.frame import Frame, crops


@pytest.fixture(scope="module")
def classifier():
    with resemote_edge.load(runtime="onnxruntime", threads=1) as opened:
        yield opened


@pytest.fixture(scope="module")
def detector():
    with open_detector("yunet", DetectorOptions(runtime="onnxruntime", threads=1)) as opened:
        yield opened


def test_each_face_is_judged_by_the_square_of_its_detector_s_framing(detector, classifier):
    frame = Frame(crowd(), "rgb")
    found = find_and_classify(frame, detector, classifier)
    assert len(found) == len(PLACES)
    for face, emotion in found:
        square = detector.framing.square(*face.box)
        assert square.width == square.height == round(1.12 * (face.width * face.height) ** 0.5)
        (crop,), color = crops(frame, [square], color=False, edges="replicated")
        assert classifier([crop], color=color)[0].probabilities == pytest.approx(emotion.probabilities, abs=1e-6)


def test_the_same_face_is_judged_alike_wherever_it_is(detector, classifier):
    shares = []
    for left, top in ((100, 100), (700, 300)):
        frame = Frame(crowd(places=((left, top, 200),)), "rgb")
        ((_, emotion),) = find_and_classify(frame, detector, classifier)
        shares.append(list(emotion.probabilities.values()))
    np.testing.assert_allclose(*shares, atol=0.1)


def test_faces_over_the_border_are_judged_and_those_beyond_it_left_out(tmp_path, classifier):
    path = tmp_path / "boxes.jsonl"
    inside, over, beyond = (
        '{"x": 10, "y": 10, "width": 40, "height": 40}',
        '{"x": -20, "y": -20, "width": 40, "height": 40}',
        '{"x": 97, "y": 30, "width": 40, "height": 40}',
    )
    path.write_text(f'{{"faces": [{inside}, {over}, {beyond}]}}\n')
    with open_detector(path) as boxes:
        found = find_and_classify(Frame(np.full((90, 100), 80, np.uint8), "gray"), boxes, classifier)
    assert [face.x for face, _ in found] == [10, -20]


def test_a_frame_without_faces_gives_none(detector, classifier):
    assert find_and_classify(Frame(np.zeros((90, 100), np.uint8), "gray"), detector, classifier) == []
