"""`bench import` takes reports of boards, names the field that is wrong, and puts them beside others."""

import json

import pytest
from made_up_reports import made_up_report, row
from typed import resemote_edge

from resemote_edge.benchmarks.report.files import REPORT_FILES
from resemote_edge.benchmarks.report.imported import import_report
from resemote_edge.errors import InputError
from resemote_edge.experiments.tables.devices import device_table
from resemote_edge.measuring.results import read_report


@pytest.fixture
def board(tmp_path):
    report = made_up_report(rows=(row("a", "native", "single-stream", 1, 2.0), row("a", "native", "camera", 4, 3.0)))
    path = tmp_path / "board.json"
    path.write_bytes(report.to_json())
    return path


def change(path, place: str, value) -> None:
    """Set a field, such as ``rows.0.speed.model.p50_ms``; a value of ... takes it away."""
    report = json.loads(path.read_bytes())
    *way, last = [int(part) if part.isdigit() else part for part in place.split(".")]
    part = report
    for step in way:
        part = part[step]
    if value is ...:
        del part[last]
    else:
        part[last] = value
    path.write_text(json.dumps(report))


def test_a_good_report_is_read(board):
    assert import_report(board) == read_report(board)


WRONG = {
    "schema": ("schema", 1, "schema 1"),
    "missing": ("rows.0.speed.model", ..., "model"),
    "unknown": ("rows.0.speed.nothing", 1, "nothing"),
    "type": ("rows.0.batch", "one", r"\$.rows\[0\].batch"),
    "negative": ("rows.1.speed.peak_memory_bytes", -1, r"\$.rows\[1\].speed.peak_memory_bytes"),
    "environment": ("environment.cpu_model", ..., "environment.cpu_model is missing"),
    "none": ("rows", [], "rows: there are none"),
    "scenario": ("rows.0.scenario", "server", r"rows\[0\].scenario: 'server' is not one of"),
    "outcome": ("rows.0.scenario", "offline", r"rows\[0\].speed.outcome.type: 'single-stream'"),
    "frames": ("rows.1.speed.outcome.dropped_frames", 7, r"rows\[1\].speed.outcome.age.runs: \d+, and there were"),
    "order": ("rows.0.speed.model.p90_ms", 0.001, r"rows\[0\].speed.model.p90_ms: 0.001 ms lies below p50_ms"),
    "largest": ("rows.0.speed.crop_to_decision.max_ms", 0.001, r"rows\[0\].speed.crop_to_decision.max_ms"),
    "mean": ("rows.0.speed.model.mean_ms", 1e6, r"rows\[0\].speed.model.mean_ms"),
    "interval": (
        "rows.0.speed.model.interval_95_ms.p50",
        [9, 3],
        r"rows\[0\].speed.model.interval_95_ms.p50: begins at 9",
    ),
    "throughput": ("rows.0.speed.throughput_samples_per_s", 1e5, r"rows\[0\].speed.throughput_samples_per_s: 100000"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_field_that_is_wrong_is_named(name, board):
    place, value, words = WRONG[name]
    change(board, place, value)
    with pytest.raises(InputError, match=words) as caught:
        import_report(board)
    assert str(board) in str(caught.value)


def test_a_row_that_is_there_twice_is_refused(board):
    rows = json.loads(board.read_bytes())["rows"]
    change(board, "rows", [*rows, rows[0]])
    with pytest.raises(InputError, match=r"rows\[2\]: measures the same as rows\[0\]"):
        import_report(board)


def test_other_files_are_refused(board, tmp_path):
    for content in (b"", b"{", b"[]", b"\xff\xfe", b"[" * 200_000):
        (tmp_path / "other.json").write_bytes(content)
        done = resemote_edge("bench", "import", tmp_path / "other.json")
        assert done.returncode == 1, content
        assert "other.json: not a benchmark report" in done.stderr


def test_reports_are_put_beside_others(board, tmp_path):
    (tmp_path / "second.json").write_bytes(board.read_bytes())
    folder = tmp_path / "reports"
    done = resemote_edge("bench", "import", board, tmp_path / "second.json", "-o", folder)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in folder.iterdir()} == {"board", "second"}
    assert {path.name for path in (folder / "board").iterdir()} == set(REPORT_FILES)
    assert read_report(folder / "board" / "report.json") == read_report(board)
    again = resemote_edge("bench", "import", board, "-o", folder)
    assert again.returncode == 1
    assert "--force" in again.stderr
    assert resemote_edge("bench", "import", board, "-o", folder, "--force", "--json").returncode == 0
    assert resemote_edge("bench", "report", folder / "board", "--force").returncode == 0
    assert resemote_edge("bench", "compare", folder / "board", folder / "second").returncode == 0
    (folder / "devices.toml").write_text('[[device]]\nname = "Board"\nreport = "board/report.json"\n')
    assert "| Board | a | native |" in device_table(folder / "devices.toml")


def test_two_reports_of_one_name_are_refused(board, tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "board.json").write_bytes(board.read_bytes())
    done = resemote_edge("bench", "import", board, tmp_path / "other" / "board.json")
    assert done.returncode == 1
    assert "the name board appears twice" in done.stderr
