"""The accuracy gate and repair, on a dataset that the small network knows by heart."""

import dataclasses
import json

import msgspec
import numpy as np
import pytest
import torch
from PIL import Image

from resemote_edge.artifacts.artifact import Artifact
from resemote_edge.data.calibration import drawn_calibration
from resemote_edge.data.registry import load_dataset
from resemote_edge.errors import DatasetError, GateError, InputError
from resemote_edge.export.context import ExportContext
from resemote_edge.export.gate import make_gate
from resemote_edge.export.pipeline import ExportRequest, export_artifact
from resemote_edge.export.quantize.quantization import calibrate
from resemote_edge.export.quantize.recorded import recorded_path, write_recorded
from resemote_edge.export.recipe import default_recipe, find_recipe
from resemote_edge.export.summary import describe, describe_lines
from resemote_edge.export.tracing import trace
from resemote_edge.labels import RESEMOTENET
from resemote_edge.models.checkpoint import load_checkpoint, save_checkpoint
from resemote_edge.models.random_network import random_network
from resemote_edge.vision.drawn import drawn_faces
from resemote_edge.vision.preprocessing import PreprocessSpec, to_gray

OPENVINO_INT8 = default_recipe("openvino", "int8")  # for the CPU at hand


def write_split(folder, model, count, seed):
    """Drawn faces labelled with the network's own answer, if that answer is clear."""
    images = np.stack([to_gray(face, "rgb") for face in drawn_faces(count, seed=seed)])
    with torch.inference_mode():
        logits = model(torch.from_numpy(PreprocessSpec()(list(images), "gray"))).numpy()
    best = np.sort(logits, axis=1)
    for index in np.flatnonzero(best[:, -1] - best[:, -2] > 0.15):
        label = folder / RESEMOTENET[logits[index].argmax()]
        label.mkdir(parents=True, exist_ok=True)
        Image.fromarray(images[index]).save(label / f"{index:04}.png")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A random network made to use all seven classes alike on drawn faces: its last layer is standardised on them."""
    model = random_network(4, seed=1)
    inputs = torch.from_numpy(PreprocessSpec()(list(drawn_faces(200, seed=3)), "rgb"))
    with torch.no_grad():
        logits = model(inputs)
        mean, deviation = logits.mean(dim=0), logits.std(dim=0)
        model.fc4.weight.div_(deviation[:, None])
        model.fc4.bias.sub_(mean).div_(deviation)
    path = tmp_path_factory.mktemp("balanced") / "balanced.safetensors"
    save_checkpoint(model.state_dict(), path, RESEMOTENET)
    return load_checkpoint(path)


@pytest.fixture(scope="module")
def known_faces(checkpoint, tmp_path_factory):
    folder = tmp_path_factory.mktemp("known")
    for split, count, seed in (("train", 300, 1), ("validation", 700, 2)):
        write_split(folder / split, checkpoint.build(), count, seed)
    return folder


@pytest.fixture(scope="module")
def spoilt(checkpoint):
    """The same function, to the last bit, with one layer that eight bits ruin.

    A channel that is always zero gets weights so large that the scale of every output channel follows them.
    """
    state = {key: value.clone() for key, value in checkpoint.state.items()}
    state["bn1.bias"][0] = -1000.0
    state["conv2.weight"][:, 0] = 0.0
    gentle = {key: value.clone() for key, value in state.items()}
    state["conv2.weight"][:, 0] = 2000.0
    make = dataclasses.replace
    return make(checkpoint, state=gentle, sha256="gentle"), make(checkpoint, state=state, sha256="spoilt")


def recipe_with(name, max_drop=5.0, repair=True):
    recipe = find_recipe(name)
    quantize = recipe.quantize and msgspec.structs.replace(recipe.quantize, calibration_images=64)
    gate = msgspec.structs.replace(recipe.gate, max_drop_points=max_drop, repair=repair)
    return msgspec.structs.replace(recipe, quantize=quantize, gate=gate)


@pytest.mark.parametrize(
    "name", ["cpu-onnxruntime-int8", OPENVINO_INT8, "cpu-onnxruntime-w8", "cpu-onnxruntime-fp16", "rtx-tensorrt-int8"]
)
def test_the_verdict_and_its_figures_are_in_the_passport(checkpoint, known_faces, tmp_path, name):
    request = ExportRequest(
        checkpoint=checkpoint, recipe=recipe_with(name), destination=tmp_path / "a", data=known_faces
    )
    export_artifact(request)
    passport = Artifact.load(tmp_path / "a").passport
    gate = passport.gate
    assert gate.status == "passed"
    assert gate.max_drop_points == 5.0
    assert gate.comparison.reference_accuracy == 1.0  # the labels are the network's own answers
    assert gate.comparison.drop_interval_95[1] <= 5.0
    assert gate.comparison.samples > 200
    assert gate.data == f"fer2013 validation, {gate.comparison.samples} images"
    assert set(gate.comparison.recall_change_points) == set(RESEMOTENET)
    assert (passport.quantization is not None) == (passport.precision in ("int8", "w8"))
    if passport.precision == "int8":
        manifest = passport.quantization.calibration
        assert (manifest.split, manifest.count, len(manifest.image_sha256)) == ("train", 64, 64)
        assert passport.quantization.ranges == "observed on 64 images of fer2013 train"


def test_the_reference_is_the_network_itself(checkpoint, known_faces):
    """The gate takes its answers from the rewritten graph, which is quicker."""
    recipe = recipe_with("cpu-onnxruntime-w8")
    recipe = msgspec.structs.replace(recipe, graph=msgspec.structs.replace(recipe.graph, input="gray-u8"))
    context = ExportContext()
    traced, _ = trace(checkpoint, recipe, known_faces, context)
    assert [rewrite.name for rewrite in traced.rewrites] == ["fold-batchnorm", "compact", "lower", "embed gray-u8"]
    gate = make_gate(checkpoint, traced, known_faces, recipe.gate, context)
    images = load_dataset(known_faces, splits=("validation",))["validation"].images
    with torch.inference_mode():
        want = checkpoint.build()(torch.from_numpy(PreprocessSpec()(list(images), "gray"))).numpy()
    np.testing.assert_allclose(gate.reference, want, rtol=0, atol=1e-4)


def test_fp32_is_held_to_rounding_and_not_to_the_gate(checkpoint, known_faces, tmp_path):
    recipe = find_recipe("cpu-onnxruntime-fp32")
    request = ExportRequest(checkpoint=checkpoint, recipe=recipe, destination=tmp_path / "a", data=known_faces)
    assert export_artifact(request).passport.gate is None


def test_without_images_the_gate_says_that_it_did_not_run(checkpoint, tmp_path):
    chosen = drawn_calibration(64)
    write_recorded(checkpoint, calibrate(checkpoint, chosen), chosen.manifest, recorded_path(checkpoint.path))
    request = ExportRequest(checkpoint=checkpoint, recipe=find_recipe(OPENVINO_INT8), destination=tmp_path / "a")
    artifact = export_artifact(request)
    assert artifact.passport.gate.status == "not run: no validation images were given; pass --data"
    assert artifact.passport.quantization.ranges == "recorded with the weights, on 64 images of drawn faces"
    assert "accuracy gate not run" in "\n".join(describe_lines(artifact))


@pytest.mark.parametrize("name", ["cpu-onnxruntime-int8", "cpu-openvino-w8"])
def test_a_failed_gate_names_the_layer_and_leaves_nothing(spoilt, known_faces, tmp_path, name):
    recipe = recipe_with(name, repair=False)
    destination = tmp_path / "out" / "a"
    request = ExportRequest(checkpoint=spoilt[1], recipe=recipe, destination=destination, data=known_faces)
    with pytest.raises(GateError, match=r"most sensitive layers, by signal to noise: conv2 \(") as caught:
        export_artifact(request)
    assert caught.value.exit_code == 3
    assert "its upper end must be within 5" in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_repair_keeps_the_spoilt_layer_floating_and_tells_the_cost(spoilt, known_faces, tmp_path):
    request = ExportRequest(
        checkpoint=spoilt[1], recipe=recipe_with("cpu-onnxruntime-int8"), destination=tmp_path / "a", data=known_faces
    )
    stages = []
    artifact = export_artifact(request, stages.append)
    passport = Artifact.load(artifact.path).passport
    assert passport.quantization.repaired_layers == ("conv2",)
    assert "conv2" not in passport.quantization.layers
    (step,) = passport.gate.repairs
    assert step.next_float_layer == "conv2"
    assert step.upper_drop_points > 5.0
    assert passport.gate.comparison.drop_interval_95[1] <= 5.0
    assert 0.1 < passport.gate.repair_latency_ratio < 10.0
    assert any(stage.startswith("repair: the drop may be") for stage in stages)
    lines = "\n".join(describe_lines(artifact))
    assert "kept floating to save accuracy: conv2" in lines
    assert "latency against the unrepaired model" in lines
    assert json.loads(json.dumps(describe(artifact)))["gate"]["status"] == "passed"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a"]


def test_the_spoilt_network_is_the_same_function(spoilt):
    inputs = torch.from_numpy(PreprocessSpec()(list(drawn_faces(8, seed=5)), "rgb"))
    with torch.inference_mode():
        gentle, harsh = (checkpoint.build()(inputs) for checkpoint in spoilt)
    assert torch.equal(gentle, harsh)


def test_int8_without_images_and_without_a_record_says_what_to_do(checkpoint, tmp_path):
    (tmp_path / "tiny.pt").write_bytes(checkpoint.path.read_bytes())
    alone = dataclasses.replace(checkpoint, path=tmp_path / "tiny.pt")
    request = ExportRequest(checkpoint=alone, recipe=find_recipe(OPENVINO_INT8), destination=tmp_path / "a")
    with pytest.raises(InputError, match=r"pass --data with the dataset, record them once with resemote-edge calib"):
        export_artifact(request)
    assert not (tmp_path / "a").exists()


def test_too_few_images_are_refused_before_any_work(checkpoint, known_faces, tmp_path):
    recipe = recipe_with("cpu-onnxruntime-w8", 0.001)
    request = ExportRequest(checkpoint=checkpoint, recipe=recipe, destination=tmp_path / "a", data=known_faces)
    with pytest.raises(DatasetError, match=r"images cannot show that less than 0\.001 points of accuracy are lost"):
        export_artifact(request)
    assert list(tmp_path.iterdir()) == []
