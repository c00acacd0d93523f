"""The table of devices: the fastest single crop of each that was measured, and nothing for the others."""

from pathlib import Path

import pytest
from made_up_reports import made_up_report

from resemote_edge.errors import InputError
from resemote_edge.experiments.tables.devices import device_table, read_devices
from resemote_edge.experiments.tables.documents import regenerate

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def devices(tmp_path):
    report = made_up_report()
    (tmp_path / "report.json").write_bytes(report.to_json())
    path = tmp_path / "devices.toml"
    path.write_text('[[device]]\nname = "ours"\nreport = "report.json"\n[[device]]\nname = "theirs"\n')
    return path, report


def test_the_fastest_row_stands_for_a_device_and_others_say_that_nothing_was_measured(devices):
    path, report = devices
    headers, _, ours, theirs = (line.strip("| ").split(" | ") for line in device_table(path).splitlines())
    single = [row for row in report.rows if row.scenario == "single-stream" and row.batch == 1]
    fastest = min(single, key=lambda row: row.speed.model.p50_ms)
    assert ours[0] == "ours"
    assert ours[headers.index("runtime")] == fastest.runtime
    assert ours[headers.index("p50 ms")] == f"{fastest.speed.model.p50_ms:.2f}"
    assert theirs[0] == "theirs"
    assert set(theirs[1:]) == {"not measured"}


def test_documents_take_it(devices):
    path, _ = devices
    document = path.with_name("page.md")
    document.write_text("<!-- table: devices.toml -->\n<!-- end of table -->\n")
    assert device_table(path) in regenerate(document)
    document.write_text("<!-- table: devices.toml#accuracy -->\n<!-- end of table -->\n")
    with pytest.raises(InputError, match="has one table"):
        regenerate(document)


def test_documents_take_what_a_scenario_says(devices):
    path, _ = devices
    document = path.with_name("page.md")
    document.write_text("<!-- table: report.json#camera -->\n<!-- end of table -->\n")
    assert "| dropped |" in regenerate(document)


def test_what_cannot_be_read_is_named(devices):
    path, _ = devices
    path.write_text("[[device]]\nnamed = 1\n")
    with pytest.raises(InputError, match=r"devices\.toml: not a list of devices"):
        read_devices(path)
    path.write_text('[[device]]\nname = "gone"\nreport = "gone.json"\n')
    with pytest.raises(InputError, match=r"gone\.json"):
        device_table(path)


def test_the_committed_list_can_be_read():
    assert len(read_devices(ROOT / "benchmarks" / "results" / "devices.toml")) > 3
