"""Accuracy is a committed contract: benchmarks/reference.toml, measured again on the real test split."""

import json
from pathlib import Path

import msgspec
import pytest

import resemote_edge
from resemote_edge.benchmarks.accuracy import predict_logits, summarize, train_copies
from resemote_edge.data.fer2013 import load_fer2013
from resemote_edge.export.pipeline import ExportRequest, export_artifact
from resemote_edge.export.recipe import find_recipe
from resemote_edge.models.checkpoint import load_checkpoint
from resemote_edge.weights import DEFAULT_NAME, default_checkpoint

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = msgspec.toml.decode((ROOT / "benchmarks" / "reference.toml").read_text())
BASELINE = "any-pytorch-fp32"


@pytest.fixture(scope="module")
def measured(fer2013, tmp_path_factory):
    """Accuracy of the embedded weights in every runtime and precision of the contract."""
    splits = load_fer2013(fer2013, splits=("train", "test"))
    checkpoint = load_checkpoint(default_checkpoint())
    folder = tmp_path_factory.mktemp("contract")
    copies = train_copies(splits["test"], splits["train"])
    reports, baseline = {}, None
    for entry in REFERENCE["accuracy"]:
        recipe = entry["recipe"]
        request = ExportRequest(
            checkpoint=checkpoint, recipe=find_recipe(recipe), destination=folder / recipe, data=fer2013
        )
        artifact = export_artifact(request)
        assert artifact.passport.verification.inputs == "64 faces of fer2013 validation"
        assert artifact.passport.precision == "fp32" or artifact.passport.gate.status == "passed"
        with resemote_edge.load(artifact.path, runtime=entry["runtime"], threads=2) as classifier:
            logits = predict_logits(classifier, splits["test"])
        baseline = logits if recipe == BASELINE else baseline
        reports[recipe] = summarize(
            logits, splits["test"], checkpoint.labels, copies=copies, reference=(BASELINE, baseline)
        )
    return reports


def test_the_contract_is_about_the_embedded_weights_and_the_official_split(measured):
    assert REFERENCE["weights"] == DEFAULT_NAME
    report = measured[BASELINE]
    assert report.dataset_sha256 == REFERENCE["dataset_sha256"]
    assert report.samples == REFERENCE["samples"]
    assert report.samples_without_train_duplicates == REFERENCE["samples_without_train_duplicates"]


@pytest.mark.parametrize("entry", REFERENCE["accuracy"], ids=lambda entry: entry["recipe"])
def test_accuracy_is_what_the_contract_says(measured, entry):
    report = measured[entry["recipe"]]
    assert report.accuracy == pytest.approx(entry["accuracy"], abs=entry["tolerance"])
    assert report.accuracy_without_train_duplicates == pytest.approx(
        entry["accuracy_without_train_duplicates"], abs=entry["tolerance"]
    )


def test_runtimes_agree_with_pytorch(measured):
    for recipe, report in measured.items():
        limit = {"fp32": 0.0003, "fp16": 0.001}.get(recipe.rpartition("-")[2], 0.002)
        assert abs(report.accuracy - measured[BASELINE].accuracy) <= limit, recipe


@pytest.mark.parametrize(
    "entry", [entry for entry in REFERENCE["accuracy"] if entry["recipe"].endswith(("int8", "w8"))],
    ids=lambda entry: entry["recipe"],
)  # fmt: skip
def test_eight_bits_cost_next_to_nothing(measured, entry):
    change = measured[entry["recipe"]].paired
    assert change.drop_points <= 0.2
    assert change.flip_rate <= 0.015


def test_the_model_card_says_the_same(measured):
    card = json.loads(default_checkpoint().with_suffix(".json").read_text())
    report = measured[BASELINE]
    assert report.accuracy == pytest.approx(card["accuracy"]["fer2013_test"], abs=0.0003)
    without = card["accuracy"]["fer2013_test_without_train_duplicates"]
    assert report.accuracy_without_train_duplicates == pytest.approx(without, abs=0.0003)
    for label, recall in card["recall_fer2013_test"].items():
        assert report.recall[label] == pytest.approx(recall, abs=0.006)
