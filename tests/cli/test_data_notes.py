"""What is found in a dataset is said by every command that reads it, once, on stderr."""

import json
import shutil

import pytest
from training.drawn_sets import drawn_folder
from typed import exit_code

from resemote_edge.artifacts.prebuilt import prebuilt_path
from resemote_edge.cli import cli
from resemote_edge.data.findings import findings
from resemote_edge.data.registry import load_dataset

SAID = (
    "1 left out of split 'train': not an image (.md)",
    "1 left out of split 'validation': left by a system or program",
    "1 of 29 images in split 'validation' repeat an earlier one pixel for pixel; all count",
)

RECIPE = """
width = 4
batch_size = 16
epochs = 1
precision = "fp32"
"""

COMMANDS = {
    "eval": "eval {prebuilt} --data {data} --split validation --json",
    "export": "export {checkpoint} --target onnx --data {data} -o {folder}/out --json",
    "calibrate": "calibrate {checkpoint} --data {data} --images 64 -o {folder}/ranges.json --json",
    "pack": "data pack {data} --split validation -o {folder}/validation.crops --json",
    "sensitivity": "sensitivity {checkpoint} --data {data} --images 16 --json",
    "train": "train --data {data} --config {folder}/recipe.toml --variant xs --out {folder}/run --json",
}


@pytest.fixture
def littered(tmp_path):
    """Drawn faces, a page, a system's file, and one face twice."""
    root = drawn_folder(tmp_path / "faces")
    (root / "README.md").write_text("from a camera")
    (root / "validation" / "Thumbs.db").write_bytes(b"\xd0\xcf\x11\xe0")
    face = next((root / "validation" / "happy").iterdir())
    shutil.copy(face, face.with_name("copy of it.png"))
    return root


def test_findings_say_what_inspection_counts(littered):
    splits = load_dataset(littered)
    assert findings(splits.values()) == SAID
    assert {split: data.repeats() for split, data in splits.items()} == {"train": 0, "validation": 1, "test": 0}


@pytest.mark.parametrize("name", COMMANDS)
def test_commands_say_what_was_found_once(name, littered, checkpoint_path, tmp_path, capsys):
    (tmp_path / "recipe.toml").write_text(RECIPE)
    command = COMMANDS[name].format(
        prebuilt=prebuilt_path(), checkpoint=checkpoint_path, data=littered, folder=tmp_path
    )
    assert exit_code(cli, *command.split()) == 0
    said = capsys.readouterr()
    # An export to fp32 reads the validation split alone.
    for sentence in SAID[name == "export" :]:
        assert said.err.count(f"note: {sentence}\n") == 1
    if name in ("eval", "calibrate", "pack"):
        assert json.loads(said.out)["notes"] == list(SAID)


SUITE = """
schema = 1
name = "suite"
description = "One fast row."
runtimes = ["onnxruntime"]
batches = [1]
threads = [1]
artifacts = ["{artifact}"]

[settings]
warmup_seconds = 0.0
min_runs = 5
min_seconds = 0.1

[accuracy]
split = "test"
"""


@pytest.mark.parametrize("name", ["bench", "suite"])
def test_benchmarks_say_what_was_found_before_they_measure(name, tmp_path, capsys):
    root = drawn_folder(tmp_path / "faces")
    face = next((root / "test" / "sad").iterdir())
    shutil.copy(face, face.with_name("copy of it.png"))
    (tmp_path / "suite.toml").write_text(SUITE.format(artifact=prebuilt_path()))
    budget = "--min-runs 5 --min-seconds 0.1 --warmup 1"
    command = {
        "bench": f"bench {prebuilt_path()} --runtime onnxruntime {budget} --data {root} --json",
        "suite": f"bench suite {tmp_path / 'suite.toml'} --data {root} -o {tmp_path / 'out'} --json",
    }[name]
    assert exit_code(cli, *command.split()) == 0
    said = capsys.readouterr().err
    assert said.count("note: 1 of 29 images in split 'test' repeat an earlier one pixel for pixel; all count\n") == 1
