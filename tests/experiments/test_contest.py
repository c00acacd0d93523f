"""Contests: the file, the run and the report."""

import json
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from resemote_edge import load
from resemote_edge.artifacts.artifact import Artifact
from resemote_edge.data.datasets.fer2013 import load_fer2013
from resemote_edge.errors import InputError
from resemote_edge.evaluation.accuracy import measure_accuracy
from resemote_edge.experiments.contest.command import contest as command
from resemote_edge.experiments.contest.file import choose_rows, load_contest
from resemote_edge.experiments.contest.report import (
    difference_table,
    latency_table,
    ratio_table,
    row_accuracy_table,
    write_contest_report,
)
from resemote_edge.experiments.contest.results import ContestReport, read_contest_report
from resemote_edge.experiments.contest.run import build_checkpoint, quick, run_contest
from resemote_edge.experiments.tables.documents import regenerate
from resemote_edge.export.command import ExportOptions, run_export
from resemote_edge.export.recipe import default_recipe
from resemote_edge.weights import embedded_checkpoint
from resemote_edge.workflows.suite_exports import build_artifact

ROOT = Path(__file__).resolve().parents[2]
COMMITTED = sorted((ROOT / "benchmarks" / "contests").glob("*.toml"))

GOOD = """
schema = 1
name = "test"
description = "A test."
width = 4
batches = [1, 2]
threads = [1]
seconds = 0.0
min_rounds = 3
[[row]]
name = "eager"
label = "PyTorch"
peer = "pytorch-eager"
[[row]]
name = "ours"
label = "Ours"
recipe = "cpu-onnxruntime-fp32"
runtime = "onnxruntime"
[[ratio]]
name = "ours vs eager"
ours = "ours"
against = "eager"
"""


def write(folder, text=GOOD):
    path = folder / "test.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_committed_contests_are_valid_and_named_after_their_file(path):
    contest = load_contest(path)
    assert contest.name == path.stem
    assert contest.description.endswith(".")


def test_the_committed_contest_is_of_the_papers_width():
    contest = load_contest(ROOT / "benchmarks" / "contests" / "compaction-int8.toml")
    assert (contest.width, contest.batches, contest.threads) == (64, (1, 8), (1, 2))


@dataclass
class Wrong:
    id: str
    old: str
    new: str
    says: str


@pytest.mark.parametrize(
    "wrong",
    [
        Wrong("misspelt key", "min_rounds", "min_round", "unknown field `min_round`"),
        Wrong("misspelt key in a row", "peer =", "pier =", "unknown field `pier`"),
        Wrong("unknown peer", '"pytorch-eager"', '"tpu"', "row eager: unknown peer 'tpu'; choose one of pytorch-eager"),
        Wrong("unknown runtime", 'runtime = "onnxruntime"', 'runtime = "tpu"', "row ours: unknown runtime 'tpu'"),
        Wrong("unknown row", 'against = "eager"', 'against = "edgar"', "'ours vs eager' names row 'edgar'"),
        Wrong("same name", 'name = "ours"', 'name = "eager"', "row eager appears twice"),
        Wrong("same batch", "[1, 2]", "[1, 1]", "batch size 1 appears twice"),
        Wrong("neither", 'peer = "pytorch-eager"', "", "row eager needs either a peer, or a recipe and a runtime"),
        Wrong("both", "recipe =", 'peer = "pytorch-eager"\nrecipe =', "row ours needs either a peer, or a recipe"),
        Wrong("half", 'recipe = "cpu-onnxruntime-fp32"', "", "needs a recipe and a runtime, and has no recipe"),
        Wrong("hint", "recipe =", 'hint = "bf16"\nrecipe =', "runtime onnxruntime knows no precision hint"),
        Wrong("hint for a peer", "peer =", 'hint = "bf16"\npeer =', "row eager: a hint belongs to a row with a recipe"),
        Wrong("width", "width = 4", "width = 5", "`$.width`"),
        Wrong("no threads", "threads = [1]", "threads = []", "`$.threads`"),
        Wrong("schema", "schema = 1", "schema = 9", "contest schema 9, this version reads schema 1"),
        Wrong("no width", "width = 4", "", "row eager runs a random network; say its width"),
        Wrong(
            "unknown weights", "recipe =", 'checkpoint = "xxl"\nrecipe =', "row ours: no weights of variant 'xxl' are"
        ),
        Wrong(
            "weights for a peer", "peer =", 'checkpoint = "s"\npeer =', "row eager: a checkpoint belongs to a row with"
        ),
        Wrong("no TOML", "schema = 1", "schema 1", "not a valid contest"),
    ],
    ids=lambda wrong: wrong.id,
)
def test_a_wrong_contest_is_refused_with_the_reason(wrong, tmp_path):
    assert wrong.old in GOOD
    path = write(tmp_path, GOOD.replace(wrong.old, wrong.new, 1))
    with pytest.raises(InputError) as caught:
        load_contest(path)
    assert wrong.says in str(caught.value)
    assert str(path) in str(caught.value)


def test_choosing_rows_keeps_the_ratios_between_them(tmp_path):
    contest = load_contest(write(tmp_path))
    assert choose_rows(contest, "ours, eager") == contest
    alone = choose_rows(contest, "ours")
    assert [row.name for row in alone.rows] == ["ours"]
    assert alone.ratios == ()
    with pytest.raises(InputError, match="has no row 'mine'; choose among eager, ours"):
        choose_rows(contest, "ours,mine")


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """A quick run from the command line: its folder, its result."""
    folder = tmp_path_factory.mktemp("contest")
    result = CliRunner().invoke(command, [str(write(folder)), "-o", str(folder / "out"), "--quick", "--json"])
    assert result.exit_code == 0, result.output
    return folder / "out", result


def test_a_run_writes_the_report_in_three_forms(ran):
    folder, result = ran
    assert sorted(path.name for path in folder.iterdir()) == ["ratios.png", "report.json", "report.md"]
    assert json.loads(result.stdout) == json.loads((folder / "report.json").read_text())
    assert (folder / "ratios.png").read_bytes().startswith(b"\x89PNG")
    text = (folder / "report.md").read_text()
    for part in ("PyTorch", "Ours", "ours vs eager", "ratios.png", "width 4"):
        assert part in text


def test_figures_hold_together(ran):
    report = read_contest_report(ran[0] / "report.json")
    assert [(cell.row, cell.batch) for cell in report.cells] == [("eager", 1), ("ours", 1), ("eager", 2), ("ours", 2)]
    for cell in report.cells:
        assert (cell.threads, cell.rounds, cell.runs) == (1, 3, 9)
        assert 0 < cell.latency_p50_ms < 1000
        assert cell.latency_p90_ms is cell.latency_p99_ms is None  # nine calls cannot show them
        assert cell.runtime.startswith("pytorch 2." if cell.row == "eager" else "onnxruntime 1.")
    sizes = {cell.row: cell.model_size_bytes for cell in report.cells}
    assert sizes["ours"] < 0.6 * sizes["eager"]  # compaction drops more than half of the weights
    p50 = {(cell.row, cell.batch): cell.latency_p50_ms for cell in report.cells}
    for result in report.ratios:
        assert result.ratio == pytest.approx(p50["eager", result.batch] / p50["ours", result.batch])
        assert result.interval_95[0] <= result.interval_95[1]
    assert [result.batch for result in report.ratios] == [1, 2]
    assert report.contest.seconds == 0.0
    assert report.tools["torch"]
    assert report.environment["cpu_model"]
    assert report.skipped == ()


def test_a_document_gets_its_tables_from_the_report(ran, tmp_path):
    document = ran[0] / "document.md"
    marks = "".join(f"<!-- table: report.json{part} -->\nold\n<!-- end of table -->\n" for part in ("", "#ratios"))
    document.write_text(marks)
    text = regenerate(document)
    report = read_contest_report(ran[0] / "report.json")
    assert latency_table(report) in text
    assert ratio_table(report) in text
    assert "old" not in text
    document.write_text(marks.replace("#ratios", "#rations"))
    with pytest.raises(InputError, match="#rations: a contest has no such table"):
        regenerate(document)
    document.unlink()


def test_an_existing_report_stands_unless_forced(ran):
    before = (ran[0] / "report.json").read_bytes()
    result = CliRunner().invoke(command, [str(ran[0].parent / "test.toml"), "-o", str(ran[0])])
    assert isinstance(result.exception, InputError)
    assert "report.json exists; pass --force" in str(result.exception)
    assert (ran[0] / "report.json").read_bytes() == before


def test_tables_name_what_was_not_measured(ran):
    report = read_contest_report(ran[0] / "report.json")
    kept = tuple(cell for cell in report.cells if cell.row == "ours")
    lines = latency_table(msgspec.structs.replace(report, cells=kept)).splitlines()
    assert lines[0] == "| who | runtime | p50 ms, batch 1, 1 thread | p50 ms, batch 2, 1 thread | model MB |"
    assert lines[2] == "| PyTorch | - | not measured | not measured | - |"
    assert lines[3].startswith("| Ours | onnxruntime 1.")


def test_a_report_without_ratios_draws_none(ran, tmp_path):
    report = read_contest_report(ran[0] / "report.json")
    (tmp_path / "ratios.png").write_bytes(b"of an earlier run")
    written = write_contest_report(msgspec.structs.replace(report, ratios=()), tmp_path)
    assert set(written) == {"json", "markdown"}
    assert not (tmp_path / "ratios.png").exists()
    assert "ratios.png" not in written["markdown"].read_text()


def test_another_schema_is_refused(ran, tmp_path):
    content = json.loads((ran[0] / "report.json").read_text())
    (tmp_path / "report.json").write_text(json.dumps({**content, "schema": 99}))
    with pytest.raises(InputError, match="report schema 99, this version reads schema 1"):
        read_contest_report(tmp_path / "report.json")
    assert isinstance(read_contest_report(ran[0] / "report.json"), ContestReport)


def test_an_unknown_recipe_is_refused_before_anything_is_built(tmp_path):
    contest = load_contest(write(tmp_path, GOOD.replace("cpu-onnxruntime-fp32", "cpu-onnxruntime-int1")))
    told = []
    with pytest.raises(InputError, match="no such recipe"):
        run_contest(quick(contest), told.append)
    assert told == []


def test_int8_rows_use_the_ranges_recorded_beside_the_network(tmp_path):
    build_checkpoint(4, 0, str(tmp_path / "network.safetensors"))
    build_artifact(str(tmp_path / "network.safetensors"), default_recipe("openvino", "int8"), str(tmp_path / "out"))
    artifact = Artifact.load(tmp_path / "out")
    assert artifact.passport.quantization.ranges == "recorded with the weights, on 64 images of drawn faces"
    assert artifact.passport.gate.status.startswith("not run: ")


TRAINED = """
schema = 1
name = "test"
description = "A test."
batches = [1]
threads = [1]
seconds = 0.0
min_rounds = 3
[[row]]
name = "ours"
label = "Ours"
checkpoint = "xs"
recipe = "cpu-onnxruntime-fp32"
runtime = "onnxruntime"
[[row]]
name = "ours in OpenVINO"
label = "Ours too"
checkpoint = "xs"
recipe = "cpu-onnxruntime-fp32"
runtime = "openvino"
[[ratio]]
name = "one vs other"
ours = "ours"
against = "ours in OpenVINO"
""".replace("ours in OpenVINO", "ours-openvino")


def test_a_width_that_no_row_needs_is_refused(tmp_path):
    assert load_contest(write(tmp_path, TRAINED)).width is None
    path = write(tmp_path, TRAINED.replace("batches", "width = 64\nbatches", 1))
    with pytest.raises(InputError, match="width is that of the random network, which no row runs; remove it"):
        load_contest(path)


@pytest.fixture(scope="module")
def judged(tmp_path_factory, drawn_fer2013):
    """A quick run of trained rows from the command line, with data: its folder."""
    folder = tmp_path_factory.mktemp("trained")
    arguments = [str(write(folder, TRAINED)), "-o", str(folder / "out"), "--quick", "--data", str(drawn_fer2013)]
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 0, result.output
    return folder / "out"


def test_trained_rows_are_judged_on_the_test_split(judged, drawn_fer2013):
    report = read_contest_report(judged / "report.json")
    assert [entry.row for entry in report.accuracy] == ["ours", "ours-openvino"]
    test = load_fer2013(drawn_fer2013, splits=("test",))["test"]
    with load(xs_artifact(drawn_fer2013.parent), runtime="onnxruntime") as classifier:
        expected = measure_accuracy(classifier, test)
    for entry in report.accuracy:
        assert (entry.report.dataset, entry.report.samples) == ("fer2013 test", 70)
        assert entry.report.labels == test.labels
        assert entry.report.accuracy == expected.accuracy
        assert entry.report.recall == expected.recall  # by name: the two label orders differ
        assert entry.report.samples_without_train_duplicates == 70
    (difference,) = report.differences
    assert (difference.ours, difference.against) == ("ours", "ours-openvino")
    assert difference.paired.drop_points == 0.0
    assert difference.paired.samples == 70


def xs_artifact(folder):
    checkpoint = embedded_checkpoint("xs")
    options = ExportOptions(recipe="cpu-onnxruntime-fp32", checkpoint=checkpoint, output=folder / "xs", force=True)
    return run_export(options).path


def test_accuracy_stands_in_the_report_and_the_tables(judged):
    report = read_contest_report(judged / "report.json")
    shown = f"{report.accuracy[0].report.accuracy * 100:.2f} %"
    latency = latency_table(report).splitlines()
    assert latency[0].endswith("| model MB | accuracy |")
    assert latency[2].endswith(f"| {shown} |")
    text = (judged / "report.md").read_text()
    for part in ("embedded trained weights, xs", "On fer2013 test, 70 images", shown, "| one vs other | +0.00 |"):
        assert part in text
    assert "random weights" not in text
    document = judged / "document.md"
    names = ("accuracy", "differences")
    document.write_text("".join(f"<!-- table: report.json#{name} -->\n<!-- end of table -->\n" for name in names))
    tables = regenerate(document)
    assert row_accuracy_table(report) in tables
    assert difference_table(report) in tables
    document.unlink()


def test_what_was_not_judged_is_said(judged):
    report = read_contest_report(judged / "report.json")
    lines = latency_table(msgspec.structs.replace(report, accuracy=report.accuracy[1:])).splitlines()
    assert lines[2].endswith("| not measured |")
    (judged / "without.json").write_bytes(msgspec.structs.replace(report, accuracy=(), differences=()).to_json())
    document = judged / "document.md"
    document.write_text("<!-- table: without.json#accuracy -->\n<!-- end of table -->\n")
    with pytest.raises(InputError, match="no accuracy was measured; run the contest again with --data"):
        regenerate(document)
    document.unlink()


def test_data_without_a_trained_row_is_refused(tmp_path, drawn_fer2013):
    told = []
    with pytest.raises(InputError, match="run a random network, whose accuracy means nothing; leave --data out"):
        run_contest(quick(load_contest(write(tmp_path))), told.append, data=drawn_fer2013)
    assert told == []


def test_committed_reports_still_load():
    paths = [
        path
        for path in (ROOT / "benchmarks" / "results").rglob("report.json")
        if json.loads(path.read_text()).get("kind") == "contest"
    ]
    assert paths
    for path in paths:
        report = read_contest_report(path)
        assert report.cells
        assert ("accuracy" in latency_table(report)) == bool(report.accuracy)


TRAINING = """
schema = 1
name = "test"
description = "A test."
width = 4
batches = [4]
threads = [2]
seconds = 0.0
min_rounds = 2
[[row]]
name = "published"
label = "published"
training = { form = "reference", precision = "fp32" }
[[row]]
name = "two"
label = "two processes"
training = { form = "patches", precision = "fp32", processes = 2 }
[[ratio]]
name = "two vs published"
ours = "two"
against = "published"
"""


@pytest.mark.slow
def test_training_steps_are_measured_like_everything_else(tmp_path):
    report = run_contest(quick(load_contest(write(tmp_path, TRAINING))))
    published, two = report.cells
    assert two.model_size_bytes < published.model_size_bytes / 2
    assert [ratio.name for ratio in report.ratios] == ["two vs published"]
    table = latency_table(report)
    assert "images/s, batch 4, 2 threads" in table
    assert f"| {4 / published.latency_p50_ms * 1000:.0f} |" in table


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('form = "reference"', 'form = "folded"', "folded"),
        ('label = "published"', 'label = "published"\nruntime = "openvino"', "names a runtime"),
        ("width = 4\n", "", "width"),
    ],
)
def test_bad_training_rows_are_refused(tmp_path, old, new, says):
    with pytest.raises(InputError, match=says):
        load_contest(write(tmp_path, TRAINING.replace(old, new)))


def test_threads_that_cannot_be_shared_are_told(tmp_path):
    odd = TRAINING.replace("threads = [2]", "threads = [1]")
    with pytest.raises(InputError, match="cannot be shared equally by 2 processes"):
        run_contest(quick(load_contest(write(tmp_path, odd))))
