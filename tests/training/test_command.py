"""``resemote-edge train`` as users run it: files, and where it matters processes and signals."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from training.drawn_sets import drawn_folder
from typed import resemote_edge

from resemote_edge.classifier import load
from resemote_edge.export.command import ExportOptions, run_export
from resemote_edge.models.checkpoint import load_checkpoint
from resemote_edge.models.resemotenet import ResEmoteNet
from resemote_edge.vision.drawn import drawn_faces

RECIPE = """
width = 4
batch_size = 16
epochs = {epochs}
precision = "fp32"
"""
EXPRESSIONS = ("smile", "frown", "blank")


def train(*arguments: object) -> subprocess.CompletedProcess[str]:
    return resemote_edge("train", *arguments)


def recipe(folder: Path, epochs: int = 2) -> Path:
    path = folder / "recipe.toml"
    path.write_text(RECIPE.format(epochs=epochs))
    return path


def records(run: Path) -> list[dict]:
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def faces(tmp_path_factory) -> Path:
    return drawn_folder(tmp_path_factory.mktemp("faces"))


@pytest.fixture(scope="module")
def finished(faces, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    done = train(
        "--data", faces, "--dataset", "fer2013", "--config", recipe(folder), "--variant", "xs", "--out", folder / "run"
    )
    assert done.returncode == 0, done.stderr
    return folder / "run"


def test_a_run_leaves_weights_card_log_and_pictures(finished):
    name = "resemotenet-xs-fer2013"
    names = {path.name for path in finished.iterdir()}
    assert names == {
        *(f"{name}{suffix}" for suffix in (".pt", ".json", ".md")),
        *("state.pt", "log.jsonl", "curves.png", "confusion.png", "tensorboard"),
    }
    assert [record["epoch"] for record in records(finished)] == [1, 2]
    assert list((finished / "tensorboard").iterdir())
    card = json.loads((finished / f"{name}.json").read_text())
    assert card["accuracy"]["fer2013_test"] == card["evaluation"]["test"]["accuracy"]
    assert card["training"]["recipe"]["epochs"] == 2
    assert {"train_sha256", "validation_sha256", "test_sha256", "licence"} <= card["data"].keys()
    page = (finished / f"{name}.md").read_text()
    assert f"{card['accuracy']['fer2013_test'] * 100:.2f} %" in page
    assert "Limits" in page


def test_the_weights_are_in_the_published_layout_and_ours_to_read(finished):
    path = finished / "resemotenet-xs-fer2013.pt"
    loaded = torch.load(path, weights_only=True)
    ResEmoteNet(4).load_state_dict(loaded["model_state_dict"], strict=True)  # as the authors' own code does
    checkpoint = load_checkpoint(path)
    assert checkpoint.labels_source == "file"
    assert checkpoint.card.accuracy["fer2013_test"] > 0.0
    assert checkpoint.stored_layout == "published"


def test_a_finished_run_is_not_overwritten_and_can_be_asked_again(faces, finished):
    done = train("--data", faces, "--dataset", "fer2013", "--variant", "xs", "--out", finished)
    assert done.returncode == 1
    assert "--resume" in done.stderr
    again = train("--resume", finished, "--json")
    assert again.returncode == 0, again.stderr
    card = json.loads((finished / "resemotenet-xs-fer2013.json").read_text())
    assert json.loads(again.stdout)["test"]["accuracy"] == card["accuracy"]["fer2013_test"]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_and_the_run_goes_on(faces, finished, tmp_path, number):
    long = recipe(tmp_path, epochs=200)
    command = ["--data", faces, "--dataset", "fer2013", "--variant", "xs", "--config", long, "--out", tmp_path / "run"]
    process = subprocess.Popen(
        [sys.executable, "-m", "resemote_edge", "train", *map(str, command)], stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 120
    while not (tmp_path / "run" / "state.pt").exists():
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert f"--resume {tmp_path / 'run'}" in errors
    assert "Traceback" not in errors
    state = torch.load(tmp_path / "run" / "state.pt", weights_only=True)
    assert 1 <= state["epoch"] < 200
    assert len(records(tmp_path / "run")) == state["epoch"]
    refused = train("--resume", tmp_path / "run", "--epochs", 3)
    assert refused.returncode == 1
    assert "--epochs cannot be changed" in refused.stderr


def test_other_data_is_refused_on_resume(finished, tmp_path):
    other = drawn_folder(tmp_path / "other")
    next((other / "train" / "happy").iterdir()).unlink()
    done = train("--resume", finished, "--data", other)
    assert done.returncode == 1
    assert "other data" in done.stderr


@pytest.mark.slow
def test_two_processes_lose_what_one_loses(faces, finished, tmp_path):
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command += ["-m", "resemote_edge", "train", "--data", faces, "--dataset", "fer2013", "--variant", "xs"]
    command += ["--config", recipe(tmp_path), "--out", tmp_path / "run"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=300)
    assert done.returncode == 0, done.stderr
    for one, two in zip(records(finished), records(tmp_path / "run"), strict=True):
        near = 1e-3 if one["epoch"] == 1 else 5e-3  # rounding grows from step to step
        assert two["loss"] == pytest.approx(one["loss"], rel=near)
        assert two["validation_loss"] == pytest.approx(one["validation_loss"], rel=near)
    assert done.stderr.count("epoch   1") == 1  # one process speaks
    assert done.stdout.count("weights") == 1
    assert json.loads((tmp_path / "run" / "resemotenet-xs-fer2013.json").read_text())["training"]["processes"] == 2


def test_classes_of_ones_own_train_export_everywhere_and_predict(tmp_path):
    data = drawn_folder(tmp_path / "faces", EXPRESSIONS)
    done = train("--data", data, "--variant", "xs", "--config", recipe(tmp_path), "--out", tmp_path / "run", "--json")
    assert done.returncode == 0, done.stderr
    weights = Path(json.loads(done.stdout)["weights"])
    assert load_checkpoint(weights).labels == tuple(sorted(EXPRESSIONS))
    face = drawn_faces(1)[0]
    for target in ("onnx", "openvino", "pytorch", "tensorrt"):
        precision = "fp16" if target == "tensorrt" else "fp32"
        options = ExportOptions(checkpoint=weights, target=target, precision=precision, output=tmp_path / target)
        artifact = run_export(options)
        assert artifact.passport.labels == tuple(sorted(EXPRESSIONS))
        if target != "tensorrt":
            with load(artifact.path) as classifier:
                assert classifier(face, color="rgb")[0].label in EXPRESSIONS


def test_a_run_starts_from_weights_and_says_so(faces, finished, tmp_path):
    first = finished / "resemotenet-xs-fer2013.pt"
    still = recipe(tmp_path, epochs=1)
    still.write_text(still.read_text() + "learning_rate = 1e-9\n")
    arguments = ("--data", faces, "--dataset", "fer2013", "--variant", "xs", "--config", still)
    shutil.copy(first, tmp_path / "again.pt")
    teachers = ("--teacher", first, "--teacher", tmp_path / "again.pt")
    done = train(*arguments, "--init", first, *teachers, "--out", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    before, after = (load_checkpoint(path).state for path in (first, tmp_path / "run" / first.name))
    torch.testing.assert_close(after["conv1.weight"], before["conv1.weight"], rtol=0, atol=1e-6)
    card = json.loads((tmp_path / "run" / "resemotenet-xs-fer2013.json").read_text())
    known = {"name": first.stem, "sha256": load_checkpoint(first).sha256}
    assert card["training"]["init"] == known
    assert card["training"]["teachers"] == [known, known | {"name": "again"}]
    page = (tmp_path / "run" / "resemotenet-xs-fer2013.md").read_text()
    assert f"started from {first.stem} (sha256 `{known['sha256'][:16]}`), taught by {first.stem}" in page
    assert f" and again (sha256 `{known['sha256'][:16]}`)" in page
    assert str(finished) not in page + json.dumps(card)
    refused = train("--data", faces, "--dataset", "fer2013", "--variant", "xs", "--init", "s", "--out", tmp_path / "s")
    assert refused.returncode == 1
    assert "a network of width 32, and the run's is 16, no multiple of it; pass --variant s" in refused.stderr


@pytest.mark.slow
def test_a_teacher_of_another_architecture_is_recorded_once_and_replayed(faces, tmp_path):
    data = ("--data", faces, "--dataset", "fer2013")
    small = tmp_path / "teacher.toml"
    small.write_text(RECIPE.format(epochs=1).replace("width = 4", "width = 16"))
    done = train(*data, "--variant", "vgg", "--config", small, "--out", tmp_path / "vgg")
    assert done.returncode == 0, done.stderr
    teacher = tmp_path / "vgg" / "vgg-fer2013.pt"
    assert "VGG (a teacher), 16 channels" in teacher.with_suffix(".md").read_text()
    common = ("--config", recipe(tmp_path, epochs=1))
    keep = ("--teacher", teacher, "--record-teacher", tmp_path / "answers")
    done = train(*data, "--variant", "xs", *common, *keep, "--out", tmp_path / "xs")
    assert done.returncode == 0, done.stderr
    done = train(
        *data, "--variant", "xs", *common, "--replay-teacher", tmp_path / "answers", "--out", tmp_path / "again"
    )
    assert done.returncode == 0, done.stderr
    assert "on the validation split" in done.stderr
    recorded, replayed = (
        torch.load(tmp_path / name / "resemotenet-xs-fer2013.pt", weights_only=True)["model_state_dict"]
        for name in ("xs", "again")
    )
    assert all(torch.equal(recorded[key], replayed[key]) for key in recorded)
    cards = [json.loads((tmp_path / name / "resemotenet-xs-fer2013.json").read_text()) for name in ("xs", "again")]
    assert cards[0]["training"]["teachers"] == cards[1]["training"]["teachers"]
    assert cards[0]["training"]["teachers"][0]["name"] == teacher.stem
    assert 0.0 < cards[1]["training"]["teachers_validation_accuracy"] < 1.0


def test_poor_teachers_are_refused_before_anybody_learns_from_them(faces, finished, tmp_path):
    demanding = recipe(tmp_path)
    demanding.write_text(demanding.read_text() + "[distillation]\nfloor = 0.99\n")
    teacher = finished / "resemotenet-xs-fer2013.pt"
    done = train(
        *("--data", faces, "--dataset", "fer2013", "--variant", "xs", "--config", demanding, "--teacher", teacher),
        *("--out", tmp_path / "run"),
    )
    assert done.returncode == 1
    assert "distillation.floor" in done.stderr
    assert not (tmp_path / "run").exists()


def test_bad_options_are_one_readable_line(faces, tmp_path):
    (tmp_path / "bad.toml").write_text("epoch = 3")
    for arguments, words in (
        ((), "--data"),
        (("--data", tmp_path / "none"), "no such dataset"),
        (("--data", faces, "--config", tmp_path / "bad.toml"), "epoch"),
        (("--data", faces, "--device", "gpu"), "unknown device"),
        (("--resume", tmp_path), "no state.pt"),
        (("--data", faces, "--teacher", tmp_path / "none.pt"), "none.pt: no such teacher checkpoint"),
        (("--data", faces, "--init", tmp_path / "none.pt"), "none.pt: no such initial checkpoint"),
        (("--data", faces, "--record-teacher", tmp_path / "a"), "pass --teacher"),
        (("--data", faces, "--replay-teacher", tmp_path / "a"), "no recorded teacher"),
        (("--data", faces, "--replay-teacher", tmp_path / "a", "--teacher", "xs"), "pass one of them"),
        (("--data", faces, "--variant", "vgg", "--init", "xs"), "leave it out"),
    ):
        done = train(*arguments)
        assert done.returncode == 1, arguments
        assert words in done.stderr
        assert "Traceback" not in done.stderr
        assert done.stderr.count("Error:") == 1


def test_the_recipe_can_be_shown_without_training():
    done = train("--variant", "s", "--epochs", 3, "--show-recipe")
    shown = json.loads(done.stdout)
    assert (shown["width"], shown["epochs"]) == (32, 3)
