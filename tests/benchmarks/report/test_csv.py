"""The rows as CSV: a program reads the figures that were measured."""

import csv
import io

import pytest
from made_up_reports import FORMULA, SCRIPT, made_up_report, row

from resemote_edge.benchmarks.report.csv import csv_columns, csv_report


def read(report):
    return list(csv.DictReader(io.StringIO(csv_report(report))))


def test_a_line_for_every_row_with_figures_in_full():
    report = made_up_report()
    lines = read(report)
    assert len(lines) == len(report.rows)
    for line, found in zip(lines, report.rows, strict=True):
        model = found.speed.model
        assert (line["artifact"], line["runtime"], line["scenario"]) == (found.artifact, found.runtime, found.scenario)
        assert int(line["batch"]) == found.batch
        assert float(line["model_p50_ms"]) == model.p50_ms
        assert float(line["model_p50_interval_95_low_ms"]) == model.interval_95_ms["p50"][0]
        assert float(line["model_p50_interval_95_high_ms"]) == model.interval_95_ms["p50"][1]
        assert float(line["throughput_samples_per_s"]) == found.speed.throughput_samples_per_s
        assert float(line["stage_inference_mean_ms"]) == found.speed.stages["inference"].mean_ms
        assert (line["created_utc"], line["cpu_model"]) == (report.created_utc, report.environment["cpu_model"])
        assert (line["cores"], line["warm_up_settled"]) == ("0 1", "true")


def test_a_cell_is_empty_where_nothing_was_measured():
    lines = read(made_up_report())
    few = lines[-1]
    assert (few["model_p90_ms"], few["model_p99_ms"], few["git_commit"], few["precision_hint"]) == ("",) * 4
    assert few["stage_decode_p50_ms"] == ""
    judged = {line["artifact"]: line["accuracy"] for line in lines}
    assert judged == {SCRIPT: "0.71", FORMULA: "", "few": "0.65"}
    assert few["accuracy_interval_95_low"] == "0.62"


def test_what_only_a_scenario_says_has_columns_that_others_leave_empty():
    lines = {line["scenario"]: line for line in read(made_up_report()) if line["artifact"] == FORMULA}
    assert lines["camera"]["outcome_dropped_frames"] == "100"
    assert lines["camera"]["outcome_age_p99_ms"]
    assert lines["camera"]["outcome_late_share"] == ""
    assert lines["multi-stream"]["outcome_late_share"] == "0.05"
    assert lines["multi-stream"]["outcome_age_p99_ms"]
    assert lines["offline"]["outcome_fps"] == ""
    assert lines["sustained"]["outcome_memory_growth_bytes"] == str(3 << 20)


@pytest.mark.parametrize("name", ["a,b", 'a"b', "two\nlines", "ä", "\ufeff"])
def test_names_survive(name):
    (line,) = read(made_up_report(rows=(row(name, "openvino", "offline", 1, 2.0),)))
    assert line["artifact"] == name


def test_the_header_is_the_same_whatever_was_measured():
    header = ",".join(csv_columns())
    assert csv_report(made_up_report()).startswith(header + "\n")
    assert csv_report(made_up_report(rows=())) == header + "\n"
    assert len(set(csv_columns())) == len(csv_columns())


def test_names_of_columns_are_plain_words_that_end_in_their_unit():
    for name in csv_columns():
        assert name.replace("_", "").isalnum()
        assert name == name.lower()
        if "_ms_" in name:
            pytest.fail(f"{name}: its unit does not end it")


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1+1", "@SUM(A1)", "\t=1"])
def test_a_text_that_a_spreadsheet_would_compute_is_marked_as_text(name):
    (line,) = read(made_up_report(rows=(row(name, "onnxruntime", "single-stream", 1, 2.0),)))
    assert line["artifact"] == f"'{name}"
    assert float(line["model_p50_ms"]) > 0
