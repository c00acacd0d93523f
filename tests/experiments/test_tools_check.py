"""Holding `resemote bench` to Python's bench: what is compared, and when it does not agree."""

import pytest
from resemote_tool import PROGRAM, resemote
from typed import exit_code

from resemote_edge.experiments.tools_check import check
from resemote_edge.experiments.tools_check.check import read_tools_check, tools_check_table
from resemote_edge.experiments.tools_check.command import tools_check

ONCE = ("--rounds", 2, "--seconds", 0, "--runs", 50)


def test_both_measure_the_same_file(artifacts, tmp_path, capsys, monkeypatch):
    resemote("--version")  # skips where it is not built
    # The small network takes as long as a call from Python does, so their times are not held to each other here.
    monkeypatch.setattr(check, "MARGIN", 1e9)
    output, artifact = tmp_path / "tools.json", artifacts("cpu-onnxruntime-fp32")
    assert exit_code(tools_check, artifact.path, "-o", output, "--program", PROGRAM, *ONCE) == 0
    found = read_tools_check(output)
    (subject,) = found.subjects
    assert (subject.artifact, subject.file) == (artifact.passport.name, "model.onnx")
    ratios = [tool / python for python, tool in zip(subject.python_p50_ms, subject.tool_p50_ms, strict=True)]
    assert len(ratios) == found.rounds == 2
    assert subject.ratio == pytest.approx(sum(ratios) / 2)
    assert subject.ratio_range == (min(ratios), max(ratios))
    assert capsys.readouterr().out == tools_check_table(found)
    monkeypatch.setattr(check, "MARGIN", -1.0)
    assert exit_code(tools_check, artifact.path, "-o", output, "--program", PROGRAM, *ONCE, "--force") == 3


def test_a_program_that_is_not_there_is_named(artifacts, tmp_path, capsys):
    words = ("-o", tmp_path / "tools.json", "--program", tmp_path / "nothing")
    assert exit_code(tools_check, artifacts("cpu-onnxruntime-fp32").path, *words) == 1
    assert "make native" in capsys.readouterr().err
    assert not (tmp_path / "tools.json").exists()


def test_a_program_that_fails_is_an_error(artifacts, tmp_path, capsys):
    program = tmp_path / "resemote"
    program.write_text("#!/bin/sh\necho broken >&2\nexit 1\n")
    program.chmod(0o755)
    words = ("-o", tmp_path / "tools.json", "--program", program, *ONCE)
    assert exit_code(tools_check, artifacts("cpu-onnxruntime-fp32").path, *words) == 1
    assert "broken" in capsys.readouterr().err
