"""The experiment on comparisons: what is kept, what goes on, and what counts as right."""

import json
import shutil

import pytest
from typed import exit_code

from resemote_edge.errors import InputError
from resemote_edge.experiments.tables.documents import regenerate
from resemote_edge.experiments.verdict_check.check import COMPARISONS_FOLDER, SUMMARY_FILES
from resemote_edge.experiments.verdict_check.command import verdict_check
from resemote_edge.experiments.verdict_check.report import (
    LIMIT_SECONDS,
    Trial,
    comparison_validity_table,
    count_verdicts,
    passed,
    read_comparison_validity,
)

#: A margin, and a slow-down beyond it, that are larger than the noise of any machine.
QUICK = ["--runtime", "onnxruntime", "--threads", 1, "--count", 1, "--seconds", 0.3, "--restarts", 6]
COARSE = ["--margin", 0.9, "--slow-by", 4]


def start(artifact, folder, *more):
    return exit_code(verdict_check, artifact.path, "-o", folder, *QUICK, *COARSE, *more)


@pytest.fixture(scope="module")
def artifact(artifacts):
    return artifacts("cpu-onnxruntime-fp32")


@pytest.fixture(scope="module")
def finished(artifact, tmp_path_factory):
    folder = tmp_path_factory.mktemp("experiment") / "out"
    assert start(artifact, folder) == 0
    return folder


@pytest.fixture
def folder(finished, tmp_path):
    """A copy that a test may change."""
    return shutil.copytree(finished, tmp_path / "out")


def change(path, **changes):
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_one_comparison_of_each_kind(finished, artifact):
    assert sorted(path.name for path in finished.iterdir()) == [COMPARISONS_FOLDER, *SUMMARY_FILES]
    assert sorted(path.name for path in (finished / COMPARISONS_FOLDER).iterdir()) == [
        "nothing-01.json",
        "slow-down-01.json",
    ]
    summary = read_comparison_validity(finished / "summary.json")
    assert summary.passed
    assert summary.verdicts == {
        "nothing": {"no difference shown": 1, "slower": 0, "faster": 0},
        "slow-down": {"no difference shown": 0, "slower": 1, "faster": 0},
    }
    assert [trial.planted for trial in summary.trials] == ["nothing", "slow-down"]
    assert (summary.artifact, summary.threads, summary.slowed_by) == (artifact.passport.name, 1, 4.0)
    assert (summary.restarts, summary.measuring_seconds, summary.margin) == (6, 0.3, 0.9)
    assert not summary.default_settings
    assert summary.environment["cpu_model"]
    for trial in summary.trials:
        assert trial.interval[0] <= trial.ratio <= trial.interval[1]
        assert trial.total_seconds > 0.3
    text = (finished / "summary.md").read_text()
    assert "**yes**" in text
    assert "| slow-down of 300 % | 1 | 1 |" in text
    assert comparison_validity_table(summary) in text


def test_a_second_start_goes_on_with_what_is_missing(folder, artifact, capsys):
    kept = {path: path.read_bytes() for path in (folder / COMPARISONS_FOLDER).iterdir()}
    (folder / "summary.json").unlink()
    assert start(artifact, folder) == 0
    assert {path: path.read_bytes() for path in (folder / COMPARISONS_FOLDER).iterdir()} == kept
    said = capsys.readouterr()
    assert said.err == f"2 of 2 comparisons are kept in {folder}\n"
    assert said.out == (folder / "summary.md").read_text()
    missing = folder / COMPARISONS_FOLDER / "slow-down-01.json"
    missing.unlink()
    assert start(artifact, folder) == 0
    assert missing.read_bytes() != kept.pop(missing)
    assert all(path.read_bytes() == content for path, content in kept.items())
    said = capsys.readouterr().err
    assert "slow-down-01: begins; about " in said
    assert "slow-down-01: right: slower, " in said
    assert "nothing-01: begins" not in said


@pytest.mark.parametrize(
    "changes", [{"verdict": "slower"}, {"verdict": "faster"}, {"total_seconds": LIMIT_SECONDS}], ids=str
)
def test_the_exit_code_is_3_where_one_is_wrong_or_takes_too_long(folder, artifact, changes):
    change(folder / COMPARISONS_FOLDER / "nothing-01.json", **changes)
    assert start(artifact, folder) == 3
    assert not read_comparison_validity(folder / "summary.json").passed
    assert "**no**" in (folder / "summary.md").read_text()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--seconds", 0.4], "nothing-01.json: was measured otherwise (seconds 0.3, now 0.4); pass another -o"),
        (["--restarts", 7], "restarts 6, now 7"),
        (["--margin", 0.8], "margin 0.9, now 0.8"),
        (["--slow-by", 3], "slow-down-01.json: was measured otherwise (slow-down 4.0, now 3.0)"),
        (["--runtime", "openvino"], "runtime onnxruntime "),
        (["--threads", 2], "threads 1, now 2"),
        (["--count", 0], "at least one comparison of each kind, got 0"),
        (["--slow-by", 1.5], "a slow-down by 1.5 is within the margin of 0.9"),
        (["--slow-by", "nan"], "a slow-down by nan is within the margin"),
    ],
    ids=str,
)
def test_what_was_measured_otherwise_is_refused(folder, artifact, options, says, capsys):
    before = {path: path.read_bytes() for path in folder.rglob("*.json")}
    assert start(artifact, folder, *options) == 1
    said = capsys.readouterr().err
    assert said.startswith("Error: ")
    assert says in said
    assert {path: path.read_bytes() for path in folder.rglob("*.json")} == before


def test_another_artifact_is_refused(folder, artifacts, capsys):
    assert start(artifacts("rtx-tensorrt-fp16"), folder) == 1
    assert "was measured otherwise (passports " in capsys.readouterr().err


def test_what_is_no_artifact(tmp_path, capsys):
    assert exit_code(verdict_check, tmp_path, "-o", tmp_path / "out") == 1
    assert "no passport.json in this folder" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def trials(right, wrong, *, planted="nothing", seconds=60.0):
    verdicts = ["no difference shown" if planted == "nothing" else "slower"] * right + ["faster"] * wrong
    facts = {"created_utc": "", "load_average_1m": 0.0, "ratio": 1.0, "interval": (0.9, 1.1), "total_seconds": seconds}
    return [Trial(planted=planted, verdict=verdict, **facts) for verdict in verdicts]


def test_nineteen_of_twenty_are_enough_of_either_kind():
    enough, too_few = trials(19, 1), trials(18, 2)
    found = trials(20, 0, planted="slow-down")
    assert passed(enough + found)
    assert not passed(too_few + found)  # though 38 of 40 are right
    assert not passed(enough + trials(18, 2, planted="slow-down"))
    assert not passed(trials(20, 0, seconds=120.0) + found)
    assert count_verdicts(enough + found)["nothing"] == {"no difference shown": 19, "slower": 0, "faster": 1}


def test_a_document_may_hold_its_table(finished, tmp_path):
    document = tmp_path / "page.md"
    document.write_text(f"<!-- table: {finished}/summary.json -->\n<!-- end of table -->\n")
    table = comparison_validity_table(read_comparison_validity(finished / "summary.json"))
    assert table in regenerate(document)
    document.write_text(f"<!-- table: {finished}/summary.json#x -->\n<!-- end of table -->\n")
    with pytest.raises(InputError, match="has one table"):
        regenerate(document)


@pytest.mark.parametrize("content", [None, "{}", '{"kind": "comparison-validity"}'])
def test_what_is_no_summary(content, tmp_path):
    path = tmp_path / "summary.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(InputError, match="a summary of comparisons: "):
        read_comparison_validity(path)
