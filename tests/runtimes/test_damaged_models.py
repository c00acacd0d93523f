"""Damaged model files whose hashes are right, so that they reach the engine: an error of ours, or the right answer."""

import os
import subprocess
import sys
import time
from pathlib import Path

import damage_models
import pytest

#: Recipe of the artifact, file that is damaged, runtime that loads it.
KINDS = {
    "ONNX in ONNX Runtime": ("cpu-onnxruntime-fp32", "model.onnx", "onnxruntime"),
    "ONNX in OpenVINO": ("cpu-onnxruntime-fp32", "model.onnx", "openvino"),
    "IR": ("cpu-openvino-fp32", "model.xml", "openvino"),
    "IR's weights": ("cpu-openvino-fp32", "model.bin", "openvino"),
    "PyTorch graph": ("any-pytorch-fp32", "model.safetensors", "pytorch"),
}

#: Seconds that one copy may take.
LIMIT_S = 20


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_models_end_in_an_error_or_the_right_answer(kind, request, artifacts, tmp_path):
    recipe, file, runtime = KINDS[kind]
    source = artifacts(recipe).path
    wanted = request.config.getoption("--fuzz-rounds")
    ends: list[list[str]] = []
    died = []
    paths = os.pathsep.join([str(Path(damage_models.__file__).parent), os.environ.get("PYTHONPATH", "")])
    while len(ends) + len(died) < wanted:
        first = len(ends) + len(died)
        began = time.monotonic()
        child = subprocess.run(
            [sys.executable, damage_models.__file__, source, file, runtime, tmp_path / "copy", str(first),
             str(wanted - first)],
            capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": paths},
            timeout=60 + LIMIT_S * wanted,
        )  # fmt: skip
        lines = [line.split(maxsplit=2) for line in child.stdout.splitlines()]
        ends += [line for line in lines if len(line) > 1]
        if child.returncode:
            died.append(f"{lines[-1][0] if lines else first}: {child.returncode} {child.stderr[-300:]}")
        else:
            assert time.monotonic() - began < 60 + LIMIT_S * wanted
    assert died == []
    assert [end for end in ends if end[1] not in ("0", "1", "3")] == []
    assert all(len(end) == 3 for end in ends)  # each says something
    counted = {code: sum(end[1] == code for end in ends) for code in "013"}
    print(f"{kind}: {counted['0']} right, {counted['1']} refused, {counted['3']} failed the self-test")
