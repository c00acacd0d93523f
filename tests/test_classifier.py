import numpy as np
import pytest
from PIL import Image
from typed import exit_code

import resemote_edge
from resemote_edge.artifacts.artifact import Artifact, file_sha256
from resemote_edge.artifacts.output_format import softmax
from resemote_edge.cli.predict import predict
from resemote_edge.errors import ArtifactMismatchError, DeviceUnavailableError, InputError, SessionClosedError
from resemote_edge.vision.drawn import drawn_faces

RECIPE = "cpu-onnxruntime-fp32"


@pytest.fixture
def classifier(artifacts):
    with resemote_edge.load(artifacts(RECIPE).path, device="cpu", threads=1) as classifier:
        yield classifier


def test_an_artifact_that_is_open_is_not_hashed_again(artifacts, monkeypatch):
    opened = Artifact.load(artifacts(RECIPE).path)
    monkeypatch.setattr(Artifact, "load", lambda path: pytest.fail("it was read again"))
    with resemote_edge.load(opened, device="cpu") as classifier:
        assert classifier.passport is opened.passport


def test_predict_hashes_the_artifact_once(artifacts, monkeypatch, tmp_path):
    hashed = []

    def counted(path):
        hashed.append(path.name)
        return file_sha256(path)

    face = tmp_path / "face.png"
    Image.new("RGB", (48, 48)).save(face)
    monkeypatch.setattr("resemote_edge.artifacts.artifact.file_sha256", counted)
    assert exit_code(predict, "--crop", face, "--artifact", artifacts(RECIPE).path, "--device", "cpu") == 0
    assert sorted(hashed) == sorted(set(hashed))
    assert hashed


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


@pytest.mark.parametrize("recipe", ["cpu-onnxruntime-fp32", "cpu-openvino-fp32", "any-pytorch-fp32"])
@pytest.mark.parametrize("input", ["tensor", "gray-u8", "rgb-u8", "bgr-u8"])
def test_both_outputs_mean_the_same(artifacts, recipe, input):
    crops = drawn_faces(6, side=64)
    given = artifacts(recipe, input=input, output="probabilities")
    with (
        resemote_edge.load(artifacts(recipe, input=input).path, device="cpu") as logits,
        resemote_edge.load(given.path, device="cpu") as probabilities,
    ):
        want, got = logits.logits(crops, color="rgb"), probabilities.probabilities(crops, color="rgb")
        assert got.dtype == np.float32
        np.testing.assert_allclose(got.sum(axis=1), 1.0, rtol=0, atol=1e-6)
        np.testing.assert_allclose(got, softmax(want), rtol=0, atol=1e-6)
        shift = want - probabilities.logits(crops, color="rgb")
        assert np.ptp(shift, axis=1).max() < 1e-4
        for one, other in zip(logits(crops, color="rgb"), probabilities(crops, color="rgb"), strict=True):
            assert one.label == other.label
            assert one.probabilities == pytest.approx(other.probabilities, abs=1e-6)


def test_probabilities_of_the_engine_are_handed_on_as_they_are(artifacts):
    crops = drawn_faces(3)
    with resemote_edge.load(artifacts(RECIPE, output="probabilities").path, device="cpu") as classifier:
        outputs = classifier.outputs(crops, color="rgb")
        assert np.array_equal(classifier.probabilities(crops, color="rgb"), outputs)
        for emotion, row in zip(classifier(crops, color="rgb"), outputs, strict=True):
            assert list(emotion.probabilities.values()) == row.tolist()
            assert emotion.label == classifier.labels[row.argmax()]
            assert emotion.score == row.max()


@pytest.mark.parametrize("output", ["logits", "probabilities"])
def test_nan_is_no_answer(with_nan, output):
    artifact = with_nan("cpu-onnxruntime-fp32", output=output)
    with resemote_edge.load(artifact, runtime="onnxruntime") as classifier:
        for call in (classifier, classifier.logits, classifier.probabilities):
            with pytest.raises(ArtifactMismatchError, match="gives NaN or Inf; run resemote-edge verify"):
                call(np.zeros((1, 48, 48), np.uint8), color="gray")
