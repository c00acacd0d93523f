"""Suites: the file, and what it comes to on a machine."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from resemote_edge.benchmarks.suite import plan as suite_plan
from resemote_edge.benchmarks.suite.clock import SuiteClock, duration_text
from resemote_edge.benchmarks.suite.file import Exclude, load_suite
from resemote_edge.benchmarks.suite.plan import SuiteArtifact, make_plan
from resemote_edge.errors import InputError
from resemote_edge.export.recipe import default_recipe, find_recipe
from resemote_edge.measuring.scenarios import PRESETS, ScenarioSettings

ROOT = Path(__file__).resolve().parents[3]
COMMITTED = sorted((ROOT / "benchmarks" / "suites").glob("*.toml"))

GOOD = """
schema = 1
name = "test"
description = "A test."
preset = "quick"
artifacts = ["one", "two"]
runtimes = ["onnxruntime", "openvino"]
scenarios = ["single-stream", "offline", "camera"]
batches = [1, 8]
threads = [1, 2]
streams = [1, 2]
fps = [15.0, 30.0]
[[export]]
variant = "s"
recipe = "cpu-openvino-fp32"
[[exclude]]
scenario = "camera"
batch = 8
[[validity]]
artifact = "*"
runtime = "openvino"
"""


def write(folder, text=GOOD):
    path = folder / "test.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_committed_suites_are_valid_and_named_after_their_file(path):
    suite = load_suite(path).suite
    assert suite.name == path.stem
    assert suite.description.endswith(".")
    for entry in suite.exports:
        if entry.recipe is None:
            assert find_recipe(default_recipe(entry.target, entry.precision)).target == entry.target
        else:
            assert (
                find_recipe(entry.recipe).name == entry.recipe
            )  # an error of a table, which is the same in every file
    if suite.accuracy is not None:
        assert suite.accuracy.reference in [entry.artifact for entry in suite.exports]


def test_there_are_a_suite_for_a_machine_and_one_for_a_minute():
    assert {path.stem for path in COMMITTED} >= {"machine", "smoke"}


def test_settings_come_from_a_preset_or_stand_in_the_file(tmp_path):
    assert load_suite(write(tmp_path)).suite.effective_settings == PRESETS["quick"]
    plain = load_suite(write(tmp_path, GOOD.replace('preset = "quick"', ""))).suite
    assert plain.effective_settings == PRESETS["standard"]
    (tmp_path / "marked.toml").write_text(GOOD, encoding="utf-8-sig")
    assert load_suite(tmp_path / "marked.toml").suite == load_suite(write(tmp_path)).suite
    own = GOOD.replace('preset = "quick"', "") + "[settings]\nmin_runs = 7\n"
    assert load_suite(write(tmp_path, own)).suite.effective_settings == ScenarioSettings(min_runs=7)


@dataclass
class Wrong:
    id: str
    old: str
    new: str
    says: str


@pytest.mark.parametrize(
    "wrong",
    [
        Wrong("misspelt key", "threads =", "threds =", "unknown field `threds`"),
        Wrong("misspelt key in an export", "variant =", "variety =", "unknown field `variety`"),
        Wrong("misspelt key in an exclusion", "batch = 8", "batches = 8", "unknown field `batches`"),
        Wrong("schema", "schema = 1", "schema = 9", "suite schema 9, this version reads schema 1"),
        Wrong("no TOML", "schema = 1", "schema 1", "not a valid suite"),
        Wrong("name", '"test"', '"../test"', "`$.name`"),
        Wrong("unknown preset", '"quick"', '"quack"', "unknown preset 'quack'"),
        Wrong("unknown runtime", '"openvino"]', '"tpu"]', "unknown runtime 'tpu'"),
        Wrong("unknown scenario", '"camera"]', '"cinema"]', "unknown scenario 'cinema'"),
        Wrong("unknown weights", 'variant = "s"', 'variant = "xxl"', "no weights of variant 'xxl'"),
        Wrong("a batch of none", "batches = [1, 8]", "batches = [0]", "`$.batches"),
        Wrong("the same batch", "batches = [1, 8]", "batches = [8, 8]", "batch size 8 appears twice"),
        Wrong("the same artifact", '"two"', '"one"', "artifact one appears twice"),
        Wrong("settings twice", "[[export]]", "[settings]\nmin_runs = 5\n[[export]]", "a preset and [settings]"),
        Wrong("endless", 'preset = "quick"', "settings = {min_seconds = inf}", "finite number"),
        Wrong("no recipe", 'recipe = "cpu-openvino-fp32"', "", "name a recipe, or a target and a precision"),
        Wrong("half of both", "recipe = ", 'target = "onnx"\nrecipe = ', "name a recipe, or a target and a precision"),
        Wrong("no run", 'preset = "quick"', "settings = {min_runs = 0}", "start at 1"),
        Wrong("streams alone", '"offline", ', "", "streams above 1 need the scenario offline"),
        Wrong("frames alone", ', "camera"]', "]", "fps is for camera and multi-stream"),
        Wrong("excludes all", 'scenario = "camera"\nbatch = 8\n', "", "has no field"),
        Wrong("excludes nothing", "batch = 8", "batch = 9", "[[exclude]] 1: batch '9' is not one of 1, 8"),
        Wrong("excludes a typing error", '"camera"\n', '"camrea"\n', "scenario 'camrea' is not one of single-stream"),
        Wrong("check of another", '"*"\nruntime = "openvino"', '"*"\nruntime = "pytorch"', "`$.validity[0].runtime`"),
    ],
    ids=lambda wrong: wrong.id,
)
def test_a_wrong_suite_is_refused_with_the_reason(wrong, tmp_path):
    assert wrong.old in GOOD
    path = write(tmp_path, GOOD.replace(wrong.old, wrong.new, 1))
    with pytest.raises(InputError) as caught:
        load_suite(path)
    assert wrong.says in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_suite_of_nothing_is_refused(tmp_path):
    with pytest.raises(InputError, match="names nothing to measure"):
        load_suite(write(tmp_path, 'schema = 1\nname = "test"\ndescription = "A test."\n'))


def test_exclusions_match_every_field_they_name():
    fields = {"artifact": "s-cpu-onnx-fp32", "scenario": "camera", "batch": 16, "fps": 30.0, "streams": None}
    assert Exclude(artifact="*-fp32").matches(fields)
    assert Exclude(artifact="*-fp32", batch=16).matches(fields)
    assert Exclude(batch="[!1]*", scenario=("offline", "camera")).matches({**fields, "batch": 32})
    assert Exclude(fps=30).matches(fields)
    assert not Exclude(batch="[!1]*").matches(fields)
    assert not Exclude(batch=1).matches(fields)
    assert not Exclude(artifact="*-fp32", scenario="offline").matches(fields)
    assert not Exclude(streams="*").matches(fields)


def entry(artifacts, recipe):
    return SuiteArtifact.of(artifacts(recipe))


def test_rows_of_all_artifacts_take_turns(artifacts, tmp_path):
    suite = load_suite(write(tmp_path)).suite
    entries = [entry(artifacts, "cpu-onnxruntime-fp32"), entry(artifacts, "cpu-openvino-fp32")]
    plan = make_plan(suite, entries, with_accuracy=True)
    assert plan.unmeasured == ()
    rows = [step for step in plan.steps if step.kind == "speed"]
    first = [(step.entry.name, step.runtime) for step in rows[:6]]
    # The ONNX file runs in both runtimes, the IR in one.
    turn = [
        ("cpu-onnxruntime-fp32", "onnxruntime"), ("cpu-onnxruntime-fp32", "openvino"), ("cpu-openvino-fp32", "openvino")
    ]  # fmt: skip
    assert first == turn * 2
    one = [step for step in rows if (step.entry.name, step.runtime) == turn[0]]
    assert {(step.scenario, step.threads, step.batch, step.streams, step.fps) for step in one} == {
        *(("single-stream", threads, batch, 1, None) for threads in (1, 2) for batch in (1, 8)),
        *(("offline", threads, batch, streams, None) for threads in (1, 2) for batch in (1, 8) for streams in (1, 2)),
        *(("camera", threads, 1, 1, fps) for threads in (1, 2) for fps in (15.0, 30.0)),
    }
    assert len({step.stem for step in plan.steps}) == len(plan.steps)
    assert [step.kind for step in plan.steps[len(rows) :]] == ["validity"] * 2 + ["accuracy"] * 3
    assert not any(step.kind == "accuracy" for step in make_plan(suite, entries, with_accuracy=False).steps)


def test_a_runtime_that_the_suite_names_was_asked_for(artifacts, tmp_path):
    engine = entry(artifacts, "rtx-tensorrt-fp16")
    if make_plan(load_suite(write(tmp_path)).suite, [engine], with_accuracy=False).steps:
        pytest.skip("this machine has a GPU")
    named = GOOD.replace('"onnxruntime", "openvino"', '"onnxruntime", "tensorrt", "openvino"')
    (failed,) = make_plan(load_suite(write(tmp_path, named)).suite, [engine], with_accuracy=False).unmeasured
    assert (failed.runtime, failed.state) == ("tensorrt", "failed")
    anyone = GOOD.replace('runtimes = ["onnxruntime", "openvino"]', "")
    (skipped,) = make_plan(load_suite(write(tmp_path, anyone)).suite, [engine], with_accuracy=False).unmeasured
    assert (skipped.runtime, skipped.state) == ("tensorrt", "skipped")
    (none,) = make_plan(load_suite(write(tmp_path)).suite, [engine], with_accuracy=False).unmeasured
    assert "none of the suite's runtimes loads tensorrt-rtx-engine" in none.reason


def test_what_is_excluded_altogether_need_not_be_able_to_run(artifacts, tmp_path, monkeypatch):
    monkeypatch.setattr(suite_plan, "why_unavailable", lambda runtime, *_: "no VNNI" if runtime == "openvino" else None)
    entries = [entry(artifacts, "cpu-onnxruntime-fp32")]
    unchecked = GOOD[: GOOD.index("[[validity]]")]
    plan = make_plan(load_suite(write(tmp_path, unchecked)).suite, entries, with_accuracy=False)
    assert [(row.runtime, row.reason) for row in plan.unmeasured] == [("openvino", "no VNNI")]
    excluded = unchecked + '[[exclude]]\nruntime = "openvino"\n'
    plan = make_plan(load_suite(write(tmp_path, excluded)).suite, entries, with_accuracy=False)
    assert plan.unmeasured == ()
    assert {step.runtime for step in plan.steps} == {"onnxruntime"}
    checked = excluded + '[[validity]]\nartifact = "*"\nruntime = "openvino"\n'
    plan = make_plan(load_suite(write(tmp_path, checked)).suite, entries, with_accuracy=False)
    assert [row.runtime for row in plan.unmeasured] == ["openvino"]


def test_a_batch_beyond_an_artifact_is_a_row_with_the_reason(artifacts, tmp_path):
    small = replace(entry(artifacts, "cpu-openvino-fp32"), largest_batch=4)
    plan = make_plan(load_suite(write(tmp_path)).suite, [small], with_accuracy=False)
    assert {step.batch for step in plan.steps} == {1}
    assert {row.batch for row in plan.unmeasured} == {8}
    assert all("its largest batch is 4" in row.reason for row in plan.unmeasured)


def test_two_artifacts_of_one_name_are_refused(artifacts, tmp_path):
    twice = [entry(artifacts, "cpu-openvino-fp32")] * 2
    with pytest.raises(InputError, match="two artifacts are called cpu-openvino-fp32"):
        make_plan(load_suite(write(tmp_path)).suite, twice, with_accuracy=False)


def test_the_time_left_comes_from_rows_like_those_to_come(artifacts, tmp_path):
    suite = load_suite(write(tmp_path)).suite
    steps = make_plan(suite, [entry(artifacts, "cpu-openvino-fp32")], with_accuracy=True).steps
    clock = SuiteClock(suite.effective_settings)
    assert all(clock.expect(step) > 1.0 for step in steps)
    single = [step for step in steps if step.scenario == "single-stream"]
    before = clock.left(steps)
    clock.note(single[0], 100.0)
    assert [clock.expect(step) for step in single] == [100.0] * 4  # rows of the same scenario, at any batch size
    assert clock.left(steps) > before
    other = next(step for step in single if step.batch != single[0].batch)
    clock.note(other, 200.0)
    assert [clock.expect(step) for step in single] == [100.0 if s.batch == single[0].batch else 200.0 for s in single]


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (89.0, "89 s"), (90.0, "2 min"), (3570.0, "1 h 00 min"), (7500.0, "2 h 05 min")]
)
def test_durations_read_well(seconds, text):
    assert duration_text(seconds) == text
