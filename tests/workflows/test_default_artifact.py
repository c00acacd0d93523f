import subprocess
import sys

import numpy as np
import pytest
from PIL import Image


@pytest.mark.slow
def test_of_two_first_runs_at_once_one_exports_and_the_other_waits(tmp_path):
    Image.fromarray(np.full((64, 64), 90, np.uint8)).save(tmp_path / "face.png")
    words = ["predict", "--crop", "face.png", "--variant", "nano", "--runtime", "onnxruntime"]
    command = [sys.executable, "-m", "resemote_edge", *words]
    runs = [
        subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    ended = [run.communicate(timeout=300) for run in runs]
    said = [errors for _, errors in ended]
    assert [run.returncode for run in runs] == [0, 0], said
    assert ended[0][0] == ended[1][0]
    assert sum("exporting the embedded weights" in text for text in said) == 1
    assert sum("using artifacts" in text for text in said) == 1
    assert [path.name for path in (tmp_path / "artifacts").iterdir()] == ["resemotenet-nano-fer2013-onnx-fp32"]
