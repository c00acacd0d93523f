"""SIGKILL at random moments: what stands at the destination is whole, and the next run clears away what is left."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from training.drawn_sets import drawn_folder

from resemote_edge.artifacts.artifact import Artifact
from resemote_edge.measuring.results import read_report

pytestmark = pytest.mark.slow

SUITE = """
schema = 1
name = "kills"
description = "A suite that is killed."
runtimes = ["onnxruntime"]
scenarios = ["single-stream"]
threads = [1]
device = "cpu"
batches = [1, 2]
[settings]
warmup_runs = 1
warmup_seconds = 0.0
min_runs = 5
min_seconds = 0.0
[[export]]
variant = "nano"
target = "onnx"
precision = "fp32"
"""

RECIPE = """
width = 4
batch_size = 16
epochs = 2
precision = "fp32"
"""


#: Share of the time that is tried when a command was done before its kill: it goes faster than it was measured.
SHORTER = 0.8


def packed(path: Path) -> None:
    assert "conv1.weight" in load_file(path)


def recorded(path: Path) -> None:
    assert json.loads(path.read_bytes())["ranges"]


def reported(path: Path) -> None:
    for row in (path / "rows").glob("*.json"):
        json.loads(row.read_bytes())
    if (path / "report.json").exists():
        assert len(read_report(path / "report.json").rows) in (1, 2)


#: Command, its destination, and a check that what stands there is whole.
COMMANDS = {
    "export": ("export {weights} --target onnx -o {folder}/out --force", "out", Artifact.load),
    "checkpoint pack": (
        "checkpoint pack {weights} -o {folder}/out.safetensors --dtype int8 --force",
        "out.safetensors",
        packed,
    ),
    "calibrate": ("calibrate {weights} --data {data} --images 64 -o {folder}/out.json --force", "out.json", recorded),
    "bench suite": ("bench suite {suite} -o {folder}/out", "out", reported),
}


def start(command: str, **places) -> subprocess.Popen:
    words = command.format(**places).split()
    # In a session of its own, so that a pytest that is stopped cannot leave half of it.
    return subprocess.Popen(
        [sys.executable, "-m", "resemote_edge", *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        start_new_session=True,
    )


def whole_run(command: str, **places) -> float:
    """Seconds that it takes."""
    began = time.monotonic()
    process = start(command, **places)
    error = process.communicate()[1]
    assert process.returncode == 0, error.decode()
    return time.monotonic() - began


def killed_run(command: str, after_s: float, **places) -> bool:
    """Whether the kill came before the end."""
    process = start(command, **places)
    try:
        process.wait(after_s)
    except subprocess.TimeoutExpired:
        os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    return process.returncode == -signal.SIGKILL


@pytest.mark.parametrize("name", COMMANDS)
def test_a_killed_command_leaves_its_destination_whole(name, request, checkpoint_path, tmp_path):
    command, destination, check = COMMANDS[name]
    folder = tmp_path / "work"
    folder.mkdir()
    (tmp_path / "suite.toml").write_text(SUITE)
    places = {
        "weights": checkpoint_path,
        "data": drawn_folder(tmp_path / "faces") if name == "calibrate" else "",
        "suite": tmp_path / "suite.toml",
    }
    took = whole_run(command, folder=tmp_path / "first", **places)
    rng = random.Random(name)
    killed = absent = 0
    while killed < request.config.getoption("--kills"):
        if killed_run(command, rng.uniform(0.1, 1.0) * took, folder=folder, **places):
            killed += 1
        else:
            took *= SHORTER
        if (folder / destination).exists():
            check(folder / destination)
        else:
            absent += 1
    left = [path.name for path in folder.iterdir() if path.name != destination]
    whole_run(command, folder=folder, **places)
    check(folder / destination)
    assert [path.name for path in folder.iterdir()] == [destination]
    print(f"{name}: {killed} killed, {absent} times nothing there after it, left before the last run: {left}")


def test_a_killed_training_goes_on_to_the_same_weights(request, tmp_path):
    faces = drawn_folder(tmp_path / "faces")
    (tmp_path / "recipe.toml").write_text(RECIPE)
    command = f"train --data {faces} --dataset fer2013 --config {tmp_path / 'recipe.toml'} --variant xs --out {{out}}"
    weights = "resemotenet-xs-fer2013.pt"
    took = whole_run(command, out=tmp_path / "undisturbed")
    wanted = torch.load(tmp_path / "undisturbed" / weights, weights_only=True)
    rng = random.Random("train")
    out, kills, killed, finished = tmp_path / "run", request.config.getoption("--kills"), 0, 0
    while killed < kills:
        going_on = f"train --resume {out}" if (out / "state.pt").exists() else command
        if killed_run(going_on, rng.uniform(0.3, 1.0) * took, out=out):
            killed += 1
        else:
            took *= SHORTER
        if (out / weights).exists():  # It was done: the next kill begins anew.
            finished += 1
            same(torch.load(out / weights, weights_only=True), wanted)
            out = tmp_path / f"run-{finished}"
    whole_run(f"train --resume {out}" if (out / "state.pt").exists() else command, out=out)
    same(torch.load(out / weights, weights_only=True), wanted)
    assert len((out / "log.jsonl").read_text().splitlines()) == 2
    assert not list(out.parent.rglob("*.partial-*"))
    print(f"train: {killed} killed, {finished + 1} runs finished with the weights of an undisturbed one")


def same(found: dict, wanted: dict) -> None:
    states = [value.get("model_state_dict", value) for value in (found, wanted)]
    assert states[0].keys() == states[1].keys()
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[1])
