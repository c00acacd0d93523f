"""Files of a report: all of them from a run, and the same again from what was kept."""

import json
import sys

import pytest
from made_up_explanations import explanation, layer
from made_up_reports import made_up_report, row

from resemote_edge.benchmarks.explain.roofline import write_roofline
from resemote_edge.benchmarks.report.again import report_again
from resemote_edge.benchmarks.report.files import REPORT_FILES, VIEW_FILES, write_report
from resemote_edge.errors import InputError


@pytest.fixture
def report():
    return made_up_report(rows=(row("a", "openvino", "single-stream", 1, 2.0), row("b", "openvino", "camera", 4, 3.0)))


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_run_writes_every_file_and_the_page_links_to_the_others(report, tmp_path):
    written = write_report(report, tmp_path)
    assert {path.name for path in written.values()} == set(REPORT_FILES) == set(contents(tmp_path))
    page = written["page"].read_text()
    for name in ("report.json", "report.csv", "report.md", "latency.png"):
        assert f'<a href="{name}">' in page


def test_the_same_files_come_again_and_the_report_stays_as_it_is(report, tmp_path):
    write_report(report, tmp_path)
    first = contents(tmp_path)
    # Another version might write the same content in another form.
    (tmp_path / "report.json").write_text(json.dumps(json.loads(first["report.json"])))
    kept = (tmp_path / "report.json").read_bytes()
    for name in VIEW_FILES:
        (tmp_path / name).unlink()
    assert set(report_again(tmp_path)) == {"csv", "markdown", "picture", "page"}
    assert contents(tmp_path) == {**first, "report.json": kept}
    with pytest.raises(InputError, match="pass --force"):
        report_again(tmp_path / "report.json")
    report_again(tmp_path / "report.json", force=True)
    report_again(tmp_path, tmp_path / "other")
    assert contents(tmp_path / "other") == {**first, "report.json": kept}


def test_a_page_shows_rooflines_from_beside_the_report_and_those_named(report, tmp_path):
    write_report(report, tmp_path / "run")
    named = tmp_path / "elsewhere" / "roofline.svg"
    again = tmp_path / "run" / "explain" / "openvino-1.svg"
    for path in (named, again):
        write_roofline(explanation(layer("conv", megabytes=4.0)), path.with_suffix(".png"), path)
    written = report_again(tmp_path / "run", tmp_path / "out", rooflines=[named, again])
    page = written["page"].read_text()
    assert page.count(">G operations/s<") == 2
    assert "explain/openvino-1</figcaption>" in page
    assert "elsewhere/roofline</figcaption>" in page
    assert str(tmp_path) not in page


def test_what_cannot_be_drawn_here_is_left_out_with_what_an_earlier_report_left(report, tmp_path, monkeypatch):
    write_report(report, tmp_path)
    monkeypatch.setitem(sys.modules, "jinja2", None)
    assert set(write_report(report, tmp_path)) == {"json", "csv", "markdown", "picture"}
    assert "report.html" not in contents(tmp_path)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert set(write_report(report, tmp_path)) == {"json", "csv", "markdown"}
    assert set(contents(tmp_path)) == {"report.json", "report.csv", "report.md"}
