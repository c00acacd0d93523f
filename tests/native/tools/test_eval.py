"""`resemote eval` finds what Python's `eval` finds, image for image, and refuses files of crops that are not whole."""

import csv
import hashlib
import json
import struct

import numpy as np
import pytest
from resemote_tool import resemote
from typed import resemote_edge

from resemote_edge.artifacts.artifact import Artifact
from resemote_edge.classifier import load
from resemote_edge.data.packing import pack_split
from resemote_edge.data.registry import load_dataset
from resemote_edge.evaluation.accuracy import measure_accuracy, predict_logits
from resemote_edge.export.context import ExportContext
from resemote_edge.export.pipeline import ExportRequest, export_artifact
from resemote_edge.export.recipe import find_recipe
from resemote_edge.models.checkpoint import load_checkpoint
from resemote_edge.weights import embedded_checkpoint


@pytest.fixture(scope="module")
def crops(drawn_fer2013, tmp_path_factory):
    path = tmp_path_factory.mktemp("crops") / "test.crops"
    pack_split(drawn_fer2013, "test", path)
    return path


def compare(artifact: Artifact, data, crops, backend: str, tmp_path) -> dict:
    """Let both evaluate; return the report of `resemote`, after everything in it was compared."""
    predictions = tmp_path / "predictions.csv"
    done = resemote("eval", artifact.path, crops, "--json", "--backend", backend, "--predictions", predictions)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    splits = load_dataset(data, splits=("train", "test"))
    with load(artifact.path, runtime=backend) as classifier:
        want = measure_accuracy(classifier, splits["test"], train=splits["train"])
        predicted = predict_logits(classifier, splits["test"]).argmax(axis=1)
        labels = classifier.labels
    rows = list(csv.DictReader(predictions.read_text().splitlines()))
    assert [row["predicted"] for row in rows] == [labels[at] for at in predicted]
    assert [row["class"] for row in rows] == [labels[at] for at in splits["test"].targets_in(labels)]
    exact = want.to_dict()
    for name in ("agreement", "reference", "paired"):
        assert exact.pop(name) is None
    assert found["ece"] == pytest.approx(exact.pop("ece"), abs=1e-6)
    assert found["accuracy_interval_95"] == pytest.approx(exact.pop("accuracy_interval_95"), abs=1e-12)
    for name, value in exact.items():
        assert found[name] == (
            list(map(list, value)) if name == "confusion" else list(value) if name == "labels" else value
        )
    assert (found["artifact"], found["backend"], found["device"]) == (artifact.passport.name, backend, "cpu")
    return found


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_it_finds_what_python_finds(backend, artifacts, drawn_fer2013, crops, tmp_path):
    compare(artifacts(f"cpu-{backend}-fp32"), drawn_fer2013, crops, backend, tmp_path)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """The embedded network xs by recipe."""
    checkpoint = load_checkpoint(embedded_checkpoint("xs"))
    context, folder = ExportContext(), tmp_path_factory.mktemp("xs")

    def export(recipe: str) -> Artifact:
        return export_artifact(
            ExportRequest(checkpoint=checkpoint, recipe=find_recipe(recipe), destination=folder / recipe),
            context=context,
        )

    return export


@pytest.fixture(scope="module")
def fer2013_crops(fer2013, tmp_path_factory):
    path = tmp_path_factory.mktemp("fer2013") / "test.crops"
    assert pack_split(fer2013, "test", path).samples == 3589
    return path


@pytest.mark.slow
@pytest.mark.fer2013
@pytest.mark.parametrize("precision", ["fp32", "int8"])
@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_it_finds_what_python_finds_on_all_of_fer2013(backend, precision, exported, fer2013, fer2013_crops, tmp_path):
    artifact = exported(f"cpu-{backend}-{precision}")
    found = compare(artifact, fer2013, fer2013_crops, backend, tmp_path)
    assert found["samples"] == 3589
    assert found["samples_without_train_duplicates"] < 3589


def test_it_prints_a_table(artifacts, crops):
    text = resemote("eval", artifacts("cpu-onnxruntime-fp32").path, crops).stdout
    assert "70 of fer2013 test" in text
    assert "95 % interval" in text


def test_predictions_are_not_replaced_unasked(artifacts, crops, tmp_path):
    (tmp_path / "old.csv").write_text("mine")
    words = ("eval", artifacts("cpu-onnxruntime-fp32").path, crops, "--predictions", tmp_path / "old.csv")
    done = resemote(*words)
    assert done.returncode == 1
    assert "--force" in done.stderr
    assert (tmp_path / "old.csv").read_text() == "mine"
    assert resemote(*words, "--force").returncode == 0
    assert (tmp_path / "old.csv").read_text().startswith("image,class,predicted,confidence\n0,")
    assert [path.name for path in tmp_path.iterdir()] == ["old.csv"]


def resealed(content: bytes) -> bytes:
    return content[:-32] + hashlib.sha256(content[:-32]).digest()


def changed(content: bytes, at: int, value: bytes) -> bytes:
    return resealed(content[:at] + value + content[at + len(value) :])


def u32(value: int) -> bytes:
    return struct.pack("<I", value)


HOSTILE = {
    "empty": lambda content: (b"", "0 bytes"),
    "cut head": lambda content: (content[:60], "60 bytes"),
    "as text": lambda content: (content.replace(b"\r\n", b"\n"), "begins with other bytes"),
    "version": lambda content: (changed(content, 8, u32(2)), "version is 2"),
    "flags": lambda content: (changed(content, 12, u32(0x80000001)), "flags"),
    "no image": lambda content: (changed(content, 16, u32(0)), "0 images"),
    "many images": lambda content: (changed(content, 16, u32(0xFFFFFFFF)), "4294967295 images"),
    "more images": lambda content: (changed(content, 16, u32(71)), "needs"),
    "wide": lambda content: (changed(content, 20, u32(0xFFFFFFFF)), "pixels"),
    "narrow": lambda content: (changed(content, 24, u32(4)), "48x4 pixels"),
    "no class": lambda content: (changed(content, 28, u32(0)), "0 classes"),
    "more classes": lambda content: (changed(content, 28, u32(255)), "name"),
    "long name": lambda content: (changed(content, 64, b"\xff\xff"), "65535 bytes"),
    "no name": lambda content: (changed(content, 64, b"\0\0"), "0 bytes"),
    "cut": lambda content: (content[:-1], "needs"),
    "longer": lambda content: (content + b"\0", "needs"),
    "cut names": lambda content: (resealed(content[:78] + b"\xe8\x03" + bytes(64)), "ends within its names"),
    "changed pixel": lambda content: (content[:-40] + bytes([content[-40] ^ 1]) + content[-39:], "sha256"),
    "twice": lambda content: (resealed(content.replace(b"\x08\0surprise", b"\x05\0anger")), "twice"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_that_is_not_whole_is_refused(name, artifacts, crops, tmp_path):
    content, words = HOSTILE[name](crops.read_bytes())
    (tmp_path / "bad.crops").write_bytes(content)
    done = resemote("eval", artifacts("cpu-onnxruntime-fp32").path, tmp_path / "bad.crops")
    assert done.returncode == 1, done.stdout
    assert done.stderr.startswith(f"Error: {tmp_path / 'bad.crops'}: ")
    assert words in done.stderr
    assert "resemote-edge data pack" in done.stderr


def test_any_damage_is_noticed(artifacts, crops, tmp_path):
    content, rng = crops.read_bytes(), np.random.default_rng(7)
    path = artifacts("cpu-onnxruntime-fp32").path
    for at in [*range(0, 130, 9), *rng.integers(130, len(content), 8)]:
        damaged = bytearray(content)
        damaged[at] ^= 1 << int(rng.integers(8))
        (tmp_path / "bad.crops").write_bytes(damaged)
        assert resemote("eval", path, tmp_path / "bad.crops").returncode == 1, at


def test_other_classes_are_refused(artifacts, crops, tmp_path):
    content = resealed(crops.read_bytes().replace(b"surprise", b"startled"))
    (tmp_path / "other.crops").write_bytes(content)
    done = resemote("eval", artifacts("cpu-onnxruntime-fp32").path, tmp_path / "other.crops")
    assert done.returncode == 1
    assert "its class startled is not one of the network's classes" in done.stderr


def test_pack_says_what_it_wrote(drawn_fer2013, tmp_path):
    path = tmp_path / "new" / "test.crops"
    done = resemote_edge("data", "pack", drawn_fer2013, "--split", "test", "-o", path, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["samples"], told["size"], told["dataset"]) == (70, [48, 48], "fer2013 test")
    assert told["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    again = resemote_edge("data", "pack", drawn_fer2013, "-o", path)
    assert again.returncode == 1
    assert "--force" in again.stderr
    assert resemote_edge("data", "pack", drawn_fer2013, "-o", path, "--force").returncode == 0
