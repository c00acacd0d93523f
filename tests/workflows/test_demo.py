"""The demo, on a tiny dataset: what `make demo` does."""

import os
import subprocess
import sys

import pytest

from resemote_edge.measuring.results import read_report
from resemote_edge.runtimes.registry import probe_all


@pytest.mark.slow
def test_the_main_job_end_to_end(drawn_fer2013, tmp_path):
    command = [sys.executable, "-m", "resemote_edge", "demo", "--data", str(drawn_fer2013)]
    environment = {**os.environ, "COLUMNS": "80"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert max(len(line) for line in done.stdout.splitlines()) <= 80
    assert done.stderr.count("verified in ") == 5
    assert done.stderr.count("accuracy gate passed over fer2013 validation, 700 images") == 3
    assert "FAILED" not in done.stderr
    report = read_report(tmp_path / "demo" / "report.json")
    measured = {(row.target, row.precision, row.runtime) for row in report.rows}
    # Each is measured in the runtime its target is made for; TensorRT only if there is a GPU.
    assert measured - {("tensorrt", "fp16", "tensorrt")} == {
        ("onnx", "fp32", "onnxruntime"),
        ("openvino", "fp32", "openvino"),
        ("onnx", "int8", "onnxruntime"),
        ("openvino", "int8", "openvino"),
    }
    # A runtime that does not work here is mentioned in one line, however many artifacts it would run.
    words = done.stderr + done.stdout
    for name, found in probe_all().items():
        assert words.count(f"runtime {name} cannot work here: ") == (not found.available)
        assert found.available or f"in {name}:" not in words
    assert "resemote-edge demo --variant base" in done.stdout
    assert {row.accuracy.samples for row in report.rows} == {70}
    for kind in ("json", "markdown", "picture"):
        assert f"{kind}: demo/" in done.stdout
    again = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert again.returncode == 1
    assert "--force" in again.stderr
