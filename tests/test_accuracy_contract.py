"""Accuracy is a committed contract: benchmarks/reference.toml, measured again on the real test split."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest

import resemote_edge
from resemote_edge.evaluation.accuracy import AccuracyReport, predict_logits, summarize, train_copies
from resemote_edge.export.context import ExportContext
from resemote_edge.export.pipeline import ExportRequest, export_artifact
from resemote_edge.export.quantize.scheme import Scheme, find_scheme
from resemote_edge.export.recipe import find_recipe
from resemote_edge.models.checkpoint import load_checkpoint
from resemote_edge.runtimes.cpu_features import SAFE_WEIGHT_LEVELS, int8_sums_saturate
from resemote_edge.weights import EMBEDDED, embedded_checkpoint

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = msgspec.toml.decode((ROOT / "benchmarks" / "reference.toml").read_text())
BASELINE = "any-pytorch-fp32"
VARIANTS = list(dict.fromkeys(entry["variant"] for entry in REFERENCE["accuracy"]))

#: Variant whose fp32 network `make test` measures; `make test-all` measures all of the contract.
QUICK = "nano"


def of(variant: str) -> list[dict]:
    return [entry for entry in REFERENCE["accuracy"] if entry["variant"] == variant]


def scheme_of(recipe_name: str) -> Scheme | None:
    recipe = find_recipe(recipe_name)
    return None if recipe.quantize is None else find_scheme(recipe.quantize.scheme)


def has_seven_bits(recipe_name: str) -> bool:
    """Weights of seven bits, or activations that are never negative in signed bytes: twice as coarse as eight bits."""
    scheme = scheme_of(recipe_name)
    return scheme is not None and (scheme.weight_levels <= SAFE_WEIGHT_LEVELS or scheme.activations == "s8")


def runs_here(entry: dict) -> bool:
    """OpenVINO refuses artifacts whose int8 sums it would clip on this CPU."""
    scheme = scheme_of(entry["recipe"])
    if entry["runtime"] != "openvino" or scheme is None or scheme.activations == "none":
        return True
    return scheme.weight_levels <= SAFE_WEIGHT_LEVELS or not int8_sums_saturate()


def name(entry: dict) -> str:
    return f"{entry['variant']}-{entry['recipe']}"


def marks(variant: str, recipe: str) -> Any:
    return () if (variant, recipe) == (QUICK, BASELINE) else pytest.mark.slow


each_variant = pytest.mark.parametrize("variant", [pytest.param(one, marks=marks(one, BASELINE)) for one in VARIANTS])


def each_entry(entries: list[dict]) -> pytest.MarkDecorator:
    parameters = [
        pytest.param(entry, marks=marks(entry["variant"], entry["recipe"]), id=name(entry)) for entry in entries
    ]
    return pytest.mark.parametrize("entry", parameters)


@pytest.fixture(scope="module")
def context():
    """What the exports share: the images, and by variant the ranges and the logits of the reference."""
    return ExportContext()


@pytest.fixture(scope="module")
def splits(fer2013, context):
    return context.datasets.load(fer2013)


@pytest.fixture(scope="module")
def copies(splits):
    return train_copies(splits["test"], splits["train"])


@pytest.fixture(scope="module")
def measured(fer2013, context, splits, copies, tmp_path_factory):
    """Function of a variant and a recipe: accuracy of the embedded weights, in the runtime that the contract names."""
    folder = tmp_path_factory.mktemp("contract")
    logits = {}

    @cache
    def measure(variant: str, recipe_name: str) -> AccuracyReport:
        if recipe_name != BASELINE:
            measure(variant, BASELINE)
        (entry,) = (entry for entry in of(variant) if entry["recipe"] == recipe_name)
        checkpoint = load_checkpoint(embedded_checkpoint(variant))
        recipe = find_recipe(recipe_name)
        request = ExportRequest(checkpoint=checkpoint, recipe=recipe, destination=folder / name(entry), data=fer2013)
        artifact = export_artifact(request, context=context)
        assert artifact.passport.verification.inputs == "64 faces of fer2013 validation"
        assert artifact.passport.precision == "fp32" or artifact.passport.gate.status == "passed"
        with resemote_edge.load(artifact.path, runtime=entry["runtime"], threads=1) as classifier:
            found = logits[variant, recipe_name] = predict_logits(classifier, splits["test"])
        reference = (BASELINE, logits[variant, BASELINE])
        return summarize(found, splits["test"], checkpoint.labels, copies=copies, reference=reference)

    return measure


@each_variant
def test_the_contract_is_about_the_official_split(measured, variant):
    report = measured(variant, BASELINE)
    assert report.dataset_sha256 == REFERENCE["dataset_sha256"]
    assert report.samples == REFERENCE["samples"]
    assert report.samples_without_train_duplicates == REFERENCE["samples_without_train_duplicates"]


def test_the_contract_covers_all_embedded_weights():
    assert set(VARIANTS) == set(EMBEDDED)
    assert all(of(variant)[0]["recipe"] == BASELINE for variant in VARIANTS)


@each_entry(REFERENCE["accuracy"])
def test_accuracy_is_what_the_contract_says(measured, entry):
    if not runs_here(entry):
        pytest.skip("this CPU has no VNNI")
    report = measured(entry["variant"], entry["recipe"])
    assert report.accuracy == pytest.approx(entry["accuracy"], abs=entry["tolerance"])
    assert report.accuracy_without_train_duplicates == pytest.approx(
        entry["accuracy_without_train_duplicates"], abs=entry["tolerance"]
    )


@each_entry(REFERENCE["accuracy"])
def test_runtimes_agree_with_pytorch(measured, entry):
    if not runs_here(entry):
        pytest.skip("this CPU has no VNNI")
    variant, recipe = entry["variant"], entry["recipe"]
    limit = {"fp32": 0.0003, "fp16": 0.001}.get(recipe.rpartition("-")[2], 0.003 if has_seven_bits(recipe) else 0.0026)
    assert abs(measured(variant, recipe).accuracy - measured(variant, BASELINE).accuracy) <= limit


@each_entry([entry for entry in REFERENCE["accuracy"] if entry["recipe"].endswith(("int8", "w8"))])
def test_eight_bits_cost_next_to_nothing(measured, entry):
    if not runs_here(entry):
        pytest.skip("this CPU has no VNNI")
    change = measured(entry["variant"], entry["recipe"]).paired
    # Two tenths of a point, plus two images whose class depends on rounding in the CPU.
    assert change.drop_points <= (0.3 if has_seven_bits(entry["recipe"]) else 0.26)
    assert change.flip_rate <= (0.02 if has_seven_bits(entry["recipe"]) else 0.015)


@each_variant
def test_the_model_card_says_the_same(measured, variant):
    # The model card describes the weights as trained, in float32. The embedded ones may be stored in eight bits.
    card = json.loads(embedded_checkpoint(variant).with_suffix(".json").read_text())
    report = measured(variant, BASELINE)
    assert report.accuracy == pytest.approx(card["accuracy"]["fer2013_test"], abs=0.0007)
    without = card["accuracy"]["fer2013_test_without_train_duplicates"]
    assert report.accuracy_without_train_duplicates == pytest.approx(without, abs=0.0007)
    for label, recall in card["evaluation"]["test"]["recall"].items():
        assert report.recall[label] == pytest.approx(recall, abs=0.006)
