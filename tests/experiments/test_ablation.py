"""Ablations: the file, the trials, the report."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from training.drawn_sets import drawn_folder

from resemote_edge.errors import InputError
from resemote_edge.experiments.ablation.command import ablation
from resemote_edge.experiments.ablation.file import arm_config, load_ablation
from resemote_edge.experiments.ablation.report import (
    ABLATION_FILES,
    ablation_table,
    judge_trial,
    measured_gain,
    read_ablation_report,
)
from resemote_edge.experiments.tables.documents import regenerate

ROOT = Path(__file__).resolve().parents[2]
COMMITTED = sorted((ROOT / "benchmarks" / "ablations").glob("*.toml"))

GOOD = """
schema = 1
name = "drawn"
description = "A test."
variant = "xs"
seeds = [0, 1]

[recipe]
width = 4
batch_size = 16
epochs = {epochs}
precision = "fp32"

[[arm]]
name = "plain"
label = "the recipe"

[[arm]]
name = "weights"
label = "weighed"
recipe = {{ imbalance = "weights", augmentation = {{ flip = 0.0 }} }}
"""


def written(folder: Path, text: str = GOOD, epochs: int = 1) -> Path:
    path = folder / "drawn.toml"
    path.write_text(text.format(epochs=epochs))
    return path


@pytest.fixture(scope="module")
def faces(tmp_path_factory) -> Path:
    folder = drawn_folder(tmp_path_factory.mktemp("faces"))
    for image in (folder / "test").rglob("*.png"):
        image.write_bytes(b"not an image: whoever reads the test split fails")
    return folder


@pytest.fixture(scope="module")
def finished(faces, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("ablation")
    done = CliRunner().invoke(
        ablation, [str(written(folder)), "--data", str(faces), "--dataset", "fer2013", "-o", str(folder / "out")]
    )
    assert done.exit_code == 0, done.output
    return folder


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_committed_ablations_are_valid(path):
    ablation = load_ablation(path)
    assert ablation.name == path.stem
    recipes = [arm_config(ablation, arm, 0).to_dict() for arm in ablation.arms if arm.teacher is None]
    assert all(recipes.count(recipe) == 1 for recipe in recipes)  # an arm that changes nothing would compare nothing


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("flip = 0.0", "flop = 0.0", "arm weights.*flop"),
        ('name = "weights"', 'name = "plain"', "arm plain appears twice"),
        ("seeds = [0, 1]", "seeds = [1, 1]", "seed 1 appears twice"),
        ("width = 4", "width = 4\nseed = 3", "list the seeds at the top"),
        ('label = "weighed"', 'label = "weighed"\nteacher = "nobody"', "nobody.*neither embedded"),
        ("schema = 1", "schema = 9", "schema 9"),
        ('variant = "xs"', 'variant = "xl"', "xl"),
        ("seeds", "seeds = = ", "not a valid ablation"),
    ],
)
def test_a_bad_file_is_refused_by_name(tmp_path, old, new, words):
    assert old in GOOD
    with pytest.raises(InputError, match=words):
        load_ablation(written(tmp_path, GOOD.replace(old, new)))


def test_an_arm_changes_its_fields_and_keeps_the_others(tmp_path):
    ablation = load_ablation(written(tmp_path, epochs=5))
    plain, weights = (arm_config(ablation, arm, 7) for arm in ablation.arms)
    assert (plain.epochs, plain.seed, plain.imbalance, plain.augmentation.flip) == (5, 7, "none", 0.5)
    assert (weights.epochs, weights.seed, weights.imbalance, weights.augmentation.flip) == (5, 7, "weights", 0.0)
    assert weights.augmentation.rotation == plain.augmentation.rotation


def test_every_arm_is_judged_with_every_seed(finished):
    assert {path.name for path in (finished / "out").iterdir()} == {*ABLATION_FILES, "trials"}
    report = read_ablation_report(finished / "out" / "report.json")
    assert [[trial.seed for trial in arm.trials] for arm in report.arms] == [[0, 1], [0, 1]]
    first, second = report.arms
    assert first.accuracy_gain is None
    mean = {arm.name: np.mean([trial.accuracy for trial in arm.trials]) for arm in report.arms}
    assert second.accuracy_gain.points == pytest.approx((mean["weights"] - mean["plain"]) * 100)
    recall = {arm.name: np.mean([trial.mean_recall for trial in arm.trials]) for arm in report.arms}
    assert second.recall_gain.points == pytest.approx((recall["weights"] - recall["plain"]) * 100)
    assert first.trials[0] != first.trials[1]


def test_finished_trials_are_kept_and_others_made(faces, finished, tmp_path):
    shutil.copytree(finished, tmp_path / "again")
    trials = tmp_path / "again" / "out" / "trials"
    (trials / "weights-1.json").unlink()
    before = {path.name: path.stat().st_mtime_ns for path in trials.iterdir()}
    report = read_ablation_report(finished / "out" / "report.json")
    arguments = [
        str(tmp_path / "again" / "drawn.toml"),
        "--data",
        str(faces),
        "--dataset",
        "fer2013",
        "-o",
        str(tmp_path / "again" / "out"),
    ]
    done = CliRunner().invoke(ablation, arguments)
    assert done.exit_code == 0, done.output
    after = {path.name: path.stat().st_mtime_ns for path in trials.iterdir()}
    assert before == {name: time for name, time in after.items() if name != "weights-1.json"}
    repeated = read_ablation_report(tmp_path / "again" / "out" / "report.json")
    assert repeated.arms[1].trials[1].curve == report.arms[1].trials[1].curve


def test_trials_of_another_recipe_are_not_mixed_in(faces, finished, tmp_path):
    shutil.copytree(finished / "out", tmp_path / "out")
    arguments = [
        str(written(tmp_path, epochs=2)),
        "--data",
        str(faces),
        "--dataset",
        "fer2013",
        "-o",
        str(tmp_path / "out"),
    ]
    done = CliRunner().invoke(ablation, arguments)
    assert isinstance(done.exception, InputError)
    assert "plain-0.json" in str(done.exception)


def test_a_signal_keeps_what_is_finished(faces, tmp_path):
    text = GOOD.replace('imbalance = "weights"', "epochs = 500")
    command = ["ablation", written(tmp_path, text), "--data", faces, "--dataset", "fer2013", "-o", tmp_path / "out"]
    process = subprocess.Popen(
        [sys.executable, "-m", "resemote_edge.experiments", *map(str, command)],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    deadline = time.monotonic() + 120
    while not (tmp_path / "out" / "trials" / "plain-0.json").exists():
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGINT
    assert "the same command continues" in errors
    assert "Traceback" not in errors
    assert {path.name for path in (tmp_path / "out").rglob("*.json")} == {"plain-0.json"}


def test_the_report_for_programs_is_the_file(faces, finished, tmp_path):
    shutil.copytree(finished / "out", tmp_path / "out")
    arguments = [
        str(finished / "drawn.toml"),
        "--data",
        str(faces),
        "--dataset",
        "fer2013",
        "-o",
        str(tmp_path / "out"),
        "--json",
    ]
    done = CliRunner().invoke(ablation, arguments)
    assert json.loads(done.stdout)["kind"] == "ablation"
    assert done.stdout == (tmp_path / "out" / "report.json").read_text()


def test_a_document_gets_the_table(finished, tmp_path):
    document = tmp_path / "page.md"
    document.write_text(f"<!-- table: {finished}/out/report.json -->\n<!-- end of table -->\n")
    text = regenerate(document)
    assert ablation_table(read_ablation_report(finished / "out" / "report.json")) in text
    assert "seeds 0, 1" in text


def test_a_gain_pairs_images_and_counts_each_once():
    before = [np.array([True, False, False, False]), np.array([True, False, False, True])]
    after = [np.array([True, True, False, False]), np.array([True, True, False, False])]
    gain = measured_gain(before, after)
    assert gain.points == pytest.approx((0.0 + 1.0 + 0.0 - 0.5) / 4 * 100)
    assert gain.interval_95[0] < gain.points < gain.interval_95[1]
    same = measured_gain(before, before)
    assert (same.points, same.interval_95) == (0.0, (0.0, 0.0))


def test_a_gain_in_recall_counts_classes_alike():
    before = [np.zeros(10, dtype=bool)]
    after = [np.arange(10) == 9]
    truth = np.array([0] * 9 + [1])
    assert measured_gain(before, after).points == pytest.approx(10.0)
    assert measured_gain(before, after, truth).points == pytest.approx(50.0)


def test_a_trial_is_judged_by_class_as_well():
    truth = np.array([0, 0, 0, 1])
    logits = np.array([[5, 0, 0], [5, 0, 0], [0, 5, 0], [5, 0, 0]], dtype=np.float32)
    trial = judge_trial(logits, truth, ("a", "b", "absent"), seed=3, curve=(0.1, 0.5), seconds=1.0)
    assert trial.accuracy == 0.5
    assert trial.recall == {"a": pytest.approx(2 / 3), "b": 0.0}
    assert trial.mean_recall == pytest.approx(1 / 3)
