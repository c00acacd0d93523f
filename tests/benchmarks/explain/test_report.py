"""Explanations on screen, in Markdown and in files; the command."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from made_up_explanations import explanation, layer
from rich.console import Console

from resemote_edge.benchmarks.explain.explanation import read_explanation
from resemote_edge.benchmarks.explain.report import (
    EXPLANATION_FILES,
    layer_markdown,
    machine_lines,
    markdown_explanation,
    write_explanation,
)
from resemote_edge.cli.views.layers import layer_table
from resemote_edge.experiments.tables.documents import regenerate

COMMITTED = sorted(Path(__file__).resolve().parents[3].glob("benchmarks/results/*/explain/*.json"))


def test_a_deviation_is_marked_and_told():
    found = explanation(layer("fc1", megabytes=1, promised="int8"), layer("fc2", megabytes=1))
    text = layer_markdown(found)
    assert "| fp32 (not int8) | kernel |" in text
    assert "Precision: fc1 ran in fp32, where the artifact promises int8." in text
    console = Console(width=80, file=io.StringIO())
    console.print(layer_table(found))
    shown = " ".join(console.file.getvalue().split())  # lines are wrapped
    assert "fp32 !" in shown
    assert "where the artifact promises int8" in shown


def test_columns_that_were_not_recorded_are_left_out():
    bare = layer("fc1", megabytes=1, precision=None, promised=None, activation_bytes=None, kernel="gemm_f32")
    header = layer_markdown(explanation(bare)).splitlines()[2]
    assert header == "| layer | time us | share | floor us | times floor | weights MB | kernel |"
    full = layer_markdown(explanation(layer("fc1", megabytes=1, mega_multiply_adds=1))).splitlines()[2]
    assert "activations MB | M multiply-adds | operations per byte | precision | kernel" in full


def test_what_the_machine_can_do_and_what_was_not_measured():
    lines = machine_lines(explanation(layer("a", megabytes=1)).machine)
    assert lines == [
        "memory: 10.0 GB/s, reading",
        "fp32: 100 G multiply-adds/s, gemm_f32 of openvino 1",
        "bf16: not measured (this CPU has no bf16 arithmetic)",
        "int8: 400 G multiply-adds/s, gemm_i8 of openvino 1",
    ]


def test_the_report_names_the_picture_only_if_there_is_one():
    found = explanation(layer("a", megabytes=1))
    assert "](roofline.png)" in markdown_explanation(found, "roofline.png")
    assert "](" not in markdown_explanation(found)


def test_files_are_written_and_read_back(tmp_path):
    found = explanation(layer("a", megabytes=1, mega_multiply_adds=1))
    written = write_explanation(found, tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(EXPLANATION_FILES)
    assert set(written) == {"json", "markdown", "picture", "vector picture"}
    assert read_explanation(written["json"]) == found


def test_without_matplotlib_an_older_picture_does_not_stay(tmp_path, monkeypatch):
    found = explanation(layer("a", megabytes=1, mega_multiply_adds=1))
    write_explanation(found, tmp_path)
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    written = write_explanation(found, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["explanation.json", "explanation.md"]
    assert set(written) == {"json", "markdown"}


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_committed_explanations_are_of_this_schema_and_can_be_drawn(path, tmp_path):
    found = read_explanation(path)
    assert found.machine.gmac_per_s("bf16") is None
    assert {layer.activation_bytes for layer in found.layers} == {None}
    assert layer_markdown(found).count("\n") == len(found.layers) + 4
    assert "picture" in write_explanation(found, tmp_path)


@pytest.mark.slow
def test_the_command_and_the_table_of_a_document(artifacts, tmp_path):
    artifact = artifacts("cpu-onnxruntime-fp32")
    command = [sys.executable, "-m", "resemote_edge", "bench", "explain", str(artifact.path), "--threads", "1"]

    def run(*options):
        return subprocess.run([*command, *options], capture_output=True, text=True, cwd=tmp_path, check=False)

    done = run("-o", "out", "--json")
    assert done.returncode == 0, done.stderr
    assert "runtime: openvino " in done.stderr
    assert "(auto)" in done.stderr
    assert json.loads(done.stdout) == json.loads((tmp_path / "out" / "explanation.json").read_text())
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(EXPLANATION_FILES)
    document = tmp_path / "doc.md"
    document.write_text("<!-- table: out/explanation.json -->\n<!-- end of table -->\n")
    assert "| res_block2.conv2 |" in regenerate(document)
    again = run("-o", "out")
    assert again.returncode == 1
    assert "--force" in again.stderr
    forced = run("-o", "out", "--force", "--runtime", "onnxruntime", "--batch", "2")
    assert forced.returncode == 0, forced.stderr
    assert "memory: " in forced.stdout
    assert "ound by" in forced.stdout
    assert read_explanation(tmp_path / "out" / "explanation.json").batch == 2
