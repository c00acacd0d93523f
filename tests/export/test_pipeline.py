import dataclasses
import json

import msgspec
import numpy as np
import pytest

import resemote_edge
from resemote_edge.artifacts.artifact import Artifact, file_sha256
from resemote_edge.errors import DatasetError, ExportError, GateError, InputError
from resemote_edge.export import tracing
from resemote_edge.export.context import ExportContext
from resemote_edge.export.pipeline import ExportRequest, export_artifact
from resemote_edge.export.recipe import available_recipes, find_recipe
from resemote_edge.models.checkpoint import load_checkpoint
from resemote_edge.runtimes.telemetry import import_openvino
from resemote_edge.vision.drawn import drawn_faces


@pytest.fixture
def request_for(checkpoint, tmp_path):
    def make(recipe, **changes):
        return ExportRequest(checkpoint=checkpoint, recipe=recipe, destination=tmp_path / "out" / "artifact", **changes)

    return make


def with_limits(name, **limits):
    recipe = find_recipe(name)
    return msgspec.structs.replace(recipe, verify=msgspec.structs.replace(recipe.verify, **limits))


@pytest.mark.parametrize("name", available_recipes())
def test_every_recipe_exports_and_says_so(artifacts, name, checkpoint_path):
    artifact = Artifact.load(artifacts(name).path)
    passport = artifact.passport
    assert passport.recipe["name"] == name
    assert passport.target == passport.recipe["target"]
    assert passport.lineage.checkpoint_sha256 == file_sha256(checkpoint_path)
    assert passport.lineage.width == 4
    result = passport.verification
    assert result.status == "passed"
    assert result.samples == 64
    assert result.compared == "logits"
    assert result.max_abs_diff <= result.max_abs_diff_limit
    assert {path.name for path in artifact.path.iterdir()} == {entry.path for entry in passport.files} | {
        "passport.json"
    }
    assert [path.stat().st_mode & 0o777 for path in artifact.path.iterdir()] == [0o644] * (len(passport.files) + 1)


@pytest.mark.parametrize("name", available_recipes())
def test_golden_crops_are_drawn_and_complete(artifacts, name):
    crops, logits = artifacts(name).golden()
    assert crops.shape == (32, 48, 48, 3)
    assert logits.shape == (32, 7)
    assert len({crop.tobytes() for crop in crops}) == 32
    assert np.ptp(logits, axis=0).min() > 0.05  # the inputs make a difference, so the self-test can fail


def test_facts_in_the_ir(artifacts):
    artifact = artifacts("cpu-openvino-fp16")
    model = import_openvino("a test").Core().read_model(str(artifact.path / "model.xml"))
    assert json.loads(model.get_rt_info(["resemote_edge", "labels"]).astype(str)) == list(artifact.passport.labels)


def test_compression_halves_the_ir(artifacts):
    full, half = ((artifacts(f"cpu-openvino-{p}").path / "model.bin").stat().st_size for p in ("fp32", "fp16"))
    assert half / full == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("limits", [{"max_abs_logit_diff": 1e-12}, {"min_top1_agreement": 1.01}])
@pytest.mark.parametrize("name", ["cpu-onnxruntime-fp16", "cpu-openvino-fp16", "rtx-tensorrt-fp16"])
def test_a_missed_limit_leaves_nothing(request_for, name, limits):
    request = request_for(with_limits(name, **limits))
    with pytest.raises(GateError, match="nothing was exported"):
        export_artifact(request)
    assert not request.destination.parent.exists()


def test_weights_that_overflow_are_caught(checkpoint, tmp_path):
    state = {**checkpoint.state, "fc4.weight": checkpoint.state["fc4.weight"] * 1e38}
    spoilt = dataclasses.replace(checkpoint, state=state)
    request = ExportRequest(
        checkpoint=spoilt, recipe=find_recipe("cpu-onnxruntime-fp32"), destination=tmp_path / "out" / "artifact"
    )
    with pytest.raises(GateError, match="NaN or Inf"):
        export_artifact(request)
    assert not (tmp_path / "out").exists()


def test_verification_takes_faces_of_the_validation_split(request_for, tiny_fer2013):
    artifact = export_artifact(request_for(find_recipe("cpu-onnxruntime-fp32"), data=tiny_fer2013))
    assert artifact.passport.verification.inputs == "14 faces of fer2013 validation"


def test_a_broken_dataset_leaves_nothing(request_for, tmp_path):
    request = request_for(find_recipe("cpu-onnxruntime-fp32"), data=tmp_path / "gone")
    with pytest.raises(DatasetError):
        export_artifact(request)
    assert not request.destination.parent.exists()


def test_force_replaces_and_only_force(request_for):
    first = export_artifact(request_for(find_recipe("cpu-onnxruntime-fp32")))
    with pytest.raises(InputError, match="--force"):
        export_artifact(request_for(find_recipe("cpu-onnxruntime-fp16")))
    assert Artifact.load(first.path).passport.precision == "fp32"
    export_artifact(request_for(find_recipe("cpu-onnxruntime-fp16"), force=True))
    assert Artifact.load(first.path).passport.precision == "fp16"
    assert [path.name for path in first.path.parent.iterdir()] == ["artifact"]


def test_two_exports_of_the_same_weights_are_the_same_bytes(request_for, artifacts):
    again = export_artifact(request_for(find_recipe("cpu-onnxruntime-fp32"))).passport
    once = artifacts("cpu-onnxruntime-fp32").passport
    assert [entry.sha256 for entry in again.files] == [entry.sha256 for entry in once.files]


def test_an_assumed_label_order_is_noted(checkpoint, artifacts, tmp_path):
    assert artifacts("cpu-onnxruntime-fp32").passport.notes == ()
    assumed = dataclasses.replace(checkpoint, labels_source="assumed")
    request = ExportRequest(
        checkpoint=assumed, recipe=find_recipe("cpu-onnxruntime-fp32"), destination=tmp_path / "artifact"
    )
    assert "label order" in export_artifact(request).passport.notes[0]


def test_an_opset_nobody_knows(request_for):
    request = request_for(msgspec.structs.replace(find_recipe("cpu-onnxruntime-fp32"), opset=99))
    with pytest.raises(ExportError, match="opset 99"):
        export_artifact(request)


@pytest.mark.parametrize("name", ["cpu-onnxruntime-fp32", "cpu-openvino-fp16", "any-pytorch-fp32", "rtx-tensorrt-fp16"])
@pytest.mark.parametrize("compact", [True, False])
@pytest.mark.parametrize("lowering", ["conv", "matmul"])
def test_every_form_of_the_graph_in_every_target(request_for, name, compact, lowering):
    recipe = find_recipe(name)
    graph = msgspec.structs.replace(recipe.graph, compact=compact, lowering=lowering)
    passport = export_artifact(request_for(msgspec.structs.replace(recipe, graph=graph))).passport
    steps = ["fold-batchnorm"] + ["compact"] * compact + ["lower"] * (lowering == "matmul")
    assert [rewrite.name for rewrite in passport.rewrites] == steps
    assert (passport.rewrites[-1].parameters_after < 0.5 * passport.lineage.parameters) == compact
    assert passport.recipe["graph"]["lowering"] == lowering


def test_the_proof_is_over_random_and_given_inputs(request_for, tiny_fer2013):
    passport = export_artifact(request_for(find_recipe("cpu-onnxruntime-fp32"), data=tiny_fer2013)).passport
    assert passport.rewrites[1].inputs == "8 seeded random inputs, and 14 of 14 faces of fer2013 validation"


@pytest.mark.parametrize(
    "name",
    [
        f"{prefix}-{precision}"
        for prefix in ("cpu-onnxruntime", "cpu-openvino", "any-pytorch", "rtx-tensorrt")
        for precision in ("fp32", "fp16")
    ],
)
@pytest.mark.parametrize("format", ["gray-u8", "rgb-u8", "bgr-u8"])
def test_pixels_in_every_target(request_for, name, format):
    recipe = find_recipe(name)
    graph = msgspec.structs.replace(recipe.graph, input=format)
    artifact = export_artifact(request_for(msgspec.structs.replace(recipe, graph=graph)))
    (spec,) = artifact.passport.inputs
    assert (spec.dtype, spec.shape[-1]) == ("uint8", 1 if format == "gray-u8" else 3)
    assert artifact.passport.rewrites[-1].name == f"embed {format}"
    assert artifact.passport.rewrites[-1].max_abs_logit_diff_float64 < 1e-11
    runtime = artifact.passport.verification.runtime
    with resemote_edge.load(artifact.path, runtime=runtime, device="auto") as classifier:
        crops = drawn_faces(5, side=70)
        embedded = classifier.logits(crops, color="rgb")
        assert np.allclose(embedded, classifier.logits(crops[..., ::-1], color="bgr"), atol=1e-4)


@pytest.mark.parametrize("format", ["gray-u8", "rgb-u8", "bgr-u8"])
@pytest.mark.parametrize("name", ["cpu-onnxruntime-fp32", "cpu-openvino-fp32", "any-pytorch-fp32"])
def test_pixels_give_what_tensors_give(request_for, artifacts, name, format):
    recipe = find_recipe(name)
    graph = msgspec.structs.replace(recipe.graph, input=format)
    artifact = export_artifact(request_for(msgspec.structs.replace(recipe, graph=graph)))
    crops = drawn_faces(9, side=64)  # nothing is resized, so the gray levels are the same for every input format
    with (
        resemote_edge.load(artifact.path, device="cpu") as pixels,
        resemote_edge.load(artifacts(name).path, device="cpu") as tensors,
    ):
        got, want = (classifier.logits(crops, color="rgb") for classifier in (pixels, tensors))
    np.testing.assert_allclose(got, want, rtol=0, atol=2e-4)


TARGETS = ["cpu-onnxruntime-fp32", "cpu-onnxruntime-fp16", "cpu-openvino-fp32", "cpu-openvino-fp16", "any-pytorch-fp32",
           "any-pytorch-fp16", "rtx-tensorrt-fp16", "jetson-nano-tensorrt-fp16"]  # fmt: skip


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("format", ["tensor", "bgr-u8"])
def test_probabilities_in_every_target(artifacts, name, format):
    artifact = artifacts(name, input=format, output="probabilities")
    passport, logits = artifact.passport, artifacts(name, input=format).passport
    assert [(spec.name, spec.dtype, spec.shape) for spec in passport.outputs] == [
        ("probabilities", "float32", ("batch", 7))
    ]
    assert passport.recipe["graph"]["output"] == passport.output == passport.verification.compared == "probabilities"
    # The golden file still holds logits, and the limits are half of those for logits.
    assert np.array_equal(artifact.golden()[1], artifacts(name, input=format).golden()[1])
    assert passport.golden.max_abs_diff == 0.5 * logits.golden.max_abs_diff
    assert passport.verification.max_abs_diff_limit == 0.5 * logits.verification.max_abs_diff_limit
    assert passport.rewrites == logits.rewrites
    assert passport.verification.max_abs_diff <= 0.5 * passport.verification.max_abs_diff_limit


@pytest.mark.parametrize("name", ["cpu-onnxruntime-fp16", "cpu-openvino-fp16", "rtx-tensorrt-fp16"])
def test_probabilities_that_miss_the_limit_leave_nothing(request_for, name):
    recipe = with_limits(name, max_abs_logit_diff=1e-12)
    recipe = msgspec.structs.replace(recipe, graph=msgspec.structs.replace(recipe.graph, output="probabilities"))
    request = request_for(recipe)
    with pytest.raises(GateError, match="difference of probabilities"):
        export_artifact(request)
    assert not request.destination.parent.exists()


def test_a_graph_is_proved_once_in_a_run_and_anew_when_anything_differs(checkpoint_path, monkeypatch, tmp_path):
    proofs, prove, context = [], tracing.prove, ExportContext()
    monkeypatch.setattr(tracing, "prove", lambda *given: (proofs.append(given), prove(*given))[1])
    checkpoint = load_checkpoint(checkpoint_path)

    def export(name):
        request = ExportRequest(
            checkpoint=checkpoint, recipe=find_recipe(name), destination=tmp_path / "out", force=True
        )
        return export_artifact(request, context=context).passport.rewrites

    first = export("cpu-onnxruntime-fp32")
    assert export("cpu-openvino-fp32") == first
    assert len(proofs) == 1
    assert context.traced.get(None, lambda: "another run's") == "another run's"
    assert export("cpu-openvino-fp32") == first  # nothing outlives the context
    assert len(proofs) == 2
    assert len(export("rtx-tensorrt-fp16")) < len(first)  # its convolutions stay
    assert len(proofs) == 3
    checkpoint.state["fc4.weight"] += 1.0
    export("cpu-onnxruntime-fp32")
    assert len(proofs) == 4
    checkpoint.state["fc4.weight"][0, 0] = float("nan")
    with pytest.raises(GateError, match="NaN"):
        export("cpu-onnxruntime-fp32")
