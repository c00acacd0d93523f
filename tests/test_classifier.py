import numpy as np
import pytest

import resemote_edge
from resemote_edge.classifier import softmax
from resemote_edge.data.drawn import drawn_faces
from resemote_edge.errors import DeviceUnavailableError, InputError, SessionClosedError

RECIPE = "cpu-onnxruntime-fp32"


@pytest.fixture
def classifier(artifacts):
    with resemote_edge.load(artifacts(RECIPE).path, device="cpu", threads=1) as classifier:
        yield classifier


def test_auto_records_what_it_chose(artifacts):
    with resemote_edge.load(artifacts(RECIPE).path) as classifier:
        assert classifier.session.runtime in ("onnxruntime", "openvino")
        assert classifier.session.device == "cpu"


def test_one_crop_gives_a_list_of_one(classifier):
    crop = drawn_faces(1)[0]
    (emotion,) = classifier(crop, color="rgb")
    assert emotion.label in classifier.labels
    assert list(emotion.probabilities) == list(classifier.labels)
    assert sum(emotion.probabilities.values()) == pytest.approx(1.0, abs=1e-12)
    assert emotion.score == emotion.probabilities[emotion.label] == max(emotion.probabilities.values())


def test_a_batch_equals_its_crops_one_by_one(classifier):
    crops = [*drawn_faces(5), *drawn_faces(3, side=97)]
    together = classifier(crops, color="rgb")
    for crop, emotion in zip(crops, together, strict=True):
        alone = classifier(crop, color="rgb")[0]
        assert alone.label == emotion.label
        assert list(alone.probabilities.values()) == pytest.approx(list(emotion.probabilities.values()), abs=1e-5)


def test_bgr_is_rgb_reversed(classifier):
    crops = drawn_faces(4)
    rgb = classifier.logits(crops, color="rgb")
    assert np.allclose(rgb, classifier.logits(crops[..., ::-1], color="bgr"), atol=1e-6)
    assert not np.allclose(rgb, classifier.logits(crops, color="bgr"), atol=1e-3)


def test_more_crops_than_the_largest_batch_are_split(artifacts):
    artifact = artifacts("jetson-nano-tensorrt-fp16")
    assert artifact.passport.batch.max == 16
    crops = drawn_faces(37)
    with resemote_edge.load(artifact.path, runtime="onnxruntime") as classifier:
        assert classifier.logits(crops, color="rgb").shape == (37, 7)


def test_nothing_in_nothing_out(classifier):
    assert classifier([], color="gray") == []


def test_color_must_be_said(classifier):
    with pytest.raises(TypeError):
        classifier(drawn_faces(1)[0])
    with pytest.raises(InputError, match="'rgb' or 'bgr'"):
        classifier(drawn_faces(1)[0], color="auto")


def test_closed_means_closed(artifacts):
    classifier = resemote_edge.load(artifacts(RECIPE).path)
    classifier.close()
    classifier.close()
    with pytest.raises(SessionClosedError):
        classifier(drawn_faces(1)[0], color="rgb")


def test_no_silent_fallback(artifacts):
    with pytest.raises(DeviceUnavailableError, match="npu"):
        resemote_edge.load(artifacts(RECIPE).path, device="npu")


def test_softmax_survives_large_logits():
    assert softmax(np.array([[1e4, 1e4, -1e4]], dtype=np.float32)).tolist() == [[0.5, 0.5, 0.0]]
