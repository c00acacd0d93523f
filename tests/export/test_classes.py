"""A network of other classes than the seven emotions, through every target and back to its own labels."""

import json

import msgspec
import numpy as np
import pytest
import torch

import resemote_edge
from resemote_edge.data.calibration import choose_calibration, drawn_calibration
from resemote_edge.errors import InputError
from resemote_edge.export.pipeline import ExportRequest, export_artifact
from resemote_edge.export.quantize.quantization import calibrate
from resemote_edge.export.quantize.recorded import recorded_path, write_recorded
from resemote_edge.export.recipe import default_recipe, find_recipe
from resemote_edge.models.checkpoint import load_checkpoint, save_checkpoint
from resemote_edge.models.random_network import random_network
from resemote_edge.runtimes.registry import runtimes_for, why_unavailable
from resemote_edge.vision.drawn import drawn_faces
from resemote_edge.vision.preprocessing import PreprocessSpec

LABELS = ("smile", "frown", "blank")


@pytest.fixture(scope="module")
def network3():
    """Random, its last layer standardised on drawn faces, so that each of the three classes is predicted for some."""
    model = random_network(4, seed=2, num_classes=3)
    with torch.no_grad():
        logits = model(torch.from_numpy(PreprocessSpec()(list(drawn_faces(96)), "rgb")))
        model.fc4.weight /= logits.std(0)[:, None]
        model.fc4.bias.copy_((model.fc4.bias - logits.mean(0)) / logits.std(0))
    return model


@pytest.fixture(scope="module")
def checkpoint3(network3, tmp_path_factory):
    path = tmp_path_factory.mktemp("three") / "mood.safetensors"
    save_checkpoint(network3.state_dict(), path, LABELS)
    loaded = load_checkpoint(path)
    chosen = drawn_calibration(64)
    write_recorded(loaded, calibrate(loaded, chosen), chosen.manifest, recorded_path(path))
    return loaded


@pytest.fixture(scope="module")
def export3(checkpoint3, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exports")

    def export(target, precision, **graph):
        recipe = find_recipe(default_recipe(target, precision))
        recipe = msgspec.structs.replace(recipe, graph=msgspec.structs.replace(recipe.graph, **graph))
        name = "-".join([target, precision, *graph.values()])
        return export_artifact(ExportRequest(checkpoint=checkpoint3, recipe=recipe, destination=folder / name))

    return export


# The `pytorch` runtime has no integer arithmetic, so w8 is its eight-bit precision.
CASES = [
    ("onnx", "fp32", "logits"),
    ("onnx", "int8", "probabilities"),
    ("onnx", "w8", "logits"),
    ("openvino", "fp32", "probabilities"),
    ("openvino", "fp16", "logits"),
    ("openvino", "int8", "logits"),
    ("pytorch", "fp32", "probabilities"),
    ("pytorch", "w8", "logits"),
    ("tensorrt", "fp32", "logits"),
    ("tensorrt", "int8", "logits"),
]


@pytest.mark.parametrize(("target", "precision", "output"), CASES)
def test_three_classes_come_out_of_every_target(target, precision, output, export3, network3):
    if target == "tensorrt":
        pytest.importorskip("tensorrt_rtx")
    artifact = export3(target, precision, output=output)
    assert artifact.passport.labels == LABELS
    assert artifact.passport.outputs[0].shape == ("batch", 3)
    assert artifact.passport.verification.status == "passed"
    crops = drawn_faces(64, seed=11)
    with torch.inference_mode():
        logits = network3(torch.from_numpy(PreprocessSpec()(list(crops), "rgb"))).numpy()
    want = [LABELS[index] for index in logits.argmax(axis=1)]
    assert set(want) == set(LABELS)
    runnable = [name for name in runtimes_for(artifact) if why_unavailable(name, artifact) is None]
    assert runnable or target == "tensorrt"
    for runtime in runnable:
        with resemote_edge.load(artifact.path, runtime=runtime, device="cpu") as classifier:
            got = classifier(crops, color="rgb")
        assert {tuple(emotion.probabilities) for emotion in got} == {LABELS}
        agreement = np.mean([emotion.label == label for emotion, label in zip(got, want, strict=True)])
        assert agreement >= (0.85 if precision in ("int8", "w8") else 1.0), runtime


def test_the_passport_and_the_onnx_metadata_name_the_classes(export3):
    onnx = pytest.importorskip("onnx")
    artifact = export3("onnx", "fp32", input="gray-u8")
    model = onnx.load(artifact.path / "model.onnx")
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    assert tuple(json.loads(metadata["resemote_edge.labels"])) == LABELS
    assert artifact.golden()[1].shape == (32, 3)


@pytest.mark.parametrize("precision", ["fp32", "w8"])
def test_data_of_other_classes_is_refused(precision, checkpoint3, drawn_fer2013, tmp_path):
    recipe = find_recipe(default_recipe("onnx", precision))
    request = ExportRequest(checkpoint=checkpoint3, recipe=recipe, destination=tmp_path / "out", data=drawn_fer2013)
    with pytest.raises(InputError, match=r"validation: its classes are anger.*network's smile, frown, blank"):
        export_artifact(request)
    assert list(tmp_path.iterdir()) == []


def test_calibration_images_of_other_classes_are_refused(drawn_fer2013):
    with pytest.raises(InputError, match="fer2013 train: its classes are anger"):
        choose_calibration(drawn_fer2013, 32, labels=LABELS)
