"""Commands where no optional package is installed: the line that names the extra, never a bug of ours."""

import subprocess
import sys
import textwrap

import pytest

from resemote_edge.errors import OPTIONAL

CODE = """
    import sys
    sys.modules.update(dict.fromkeys({packages!r}))
    from resemote_edge.cli import cli, run
    run(cli, "resemote-edge", sys.argv[1:])
"""


@pytest.mark.parametrize(
    "words",
    [
        "sensitivity --data data.csv",
        "export --target onnx",
        "export --target openvino --precision int8",
        "calibrate weights.pt --data data.csv",
        "checkpoint inspect weights.pt",
        "checkpoint pack weights.pt -o packed.safetensors --dtype int8",
        "train --data data.csv",
        "demo",
        "predict face.png",
        "bench --variant nano --runtime onnxruntime",
    ],
)
def test_a_command_names_the_extra_that_it_needs(words, tmp_path):
    for name in ("weights.pt", "face.png"):
        (tmp_path / name).write_bytes(b"x" * 100)
    pixels = " ".join("7" * (48 * 48))
    rows = [f"{label},{pixels},{usage}" for usage in ("Training", "PublicTest", "PrivateTest") for label in range(7)]
    (tmp_path / "data.csv").write_text("emotion,pixels,Usage\n" + "\n".join(rows) + "\n")
    code = textwrap.dedent(CODE).format(packages=sorted(OPTIONAL))
    done = subprocess.run(
        [sys.executable, "-c", code, *words.split()], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stderr
    assert "pip install 'resemote-edge[" in done.stderr
    assert "bug" not in done.stderr
