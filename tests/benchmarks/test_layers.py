"""explain: the engine's profile beside our layers."""

import json
import subprocess
import sys

import msgspec
import pytest

from resemote_edge.benchmarks.layers import BETWEEN, Explanation, explain, layer_markdown
from resemote_edge.benchmarks.probes import probe_machine, product_model
from resemote_edge.benchmarks.tables import regenerate
from resemote_edge.errors import InputError
from resemote_edge.export.defaults import default_recipe
from resemote_edge.telemetry import import_openvino

LAYERS = 18  # three convolutions, nine of the blocks, four linear, two of the attention branch


@pytest.mark.parametrize(
    ("recipe", "runtime", "kernel"),
    [(default_recipe("openvino", "int8"), "openvino", "I8"), ("cpu-onnxruntime-int8", "onnxruntime", "QGemm")],
)
def test_every_layer_has_a_time_and_a_floor(artifacts, recipe, runtime, kernel):
    found = explain(artifacts(recipe), runtime, batch=2, threads=1)
    assert len(found.layers) == LAYERS + 1
    assert found.layers[-1].name == BETWEEN
    named = {layer.name: layer for layer in found.layers}
    for name in ("conv1", "conv3", "res_block1.conv2", "res_block3.shortcut", "fc1", "logits"):
        assert named[name].time_us > 0, name
        assert named[name].floor_us > 0, name
    assert kernel.lower() in named["fc1"].kernel.lower()
    assert named["fc1"].weight_bytes == 128 * 64
    assert named["conv1"].multiply_adds == 2 * 64 * 64 * 4 * 27
    assert "times as long" in found.conclusion
    encoded = msgspec.json.encode(found)
    assert msgspec.json.encode(msgspec.json.decode(encoded, type=Explanation)) == encoded
    assert len(layer_markdown(found).splitlines()) == LAYERS + 5


def test_a_runtime_without_a_profile_is_refused(artifacts):
    with pytest.raises(InputError, match="runtime pytorch gives no profile; choose one of openvino, onnxruntime"):
        explain(artifacts("any-pytorch-fp32"), "pytorch", batch=1, threads=1)


@pytest.mark.parametrize("in_integers", [True, False])
def test_the_probe_computes_in_what_it_says(in_integers):
    core = import_openvino("a test").Core()
    compiled = core.compile_model(product_model(in_integers=in_integers), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    kernels = [
        node.get_rt_info()["primitiveType"].astype(str).lower()
        for node in compiled.get_runtime_model().get_ops()
        if node.get_rt_info()["layerType"].astype(str).startswith(("FullyConnected", "MatMul"))
    ]
    assert len(kernels) == 1
    assert kernels[0].endswith("i8" if in_integers else "f32")


def test_the_machine_can_do_something():
    found = probe_machine(1)
    assert min(found.memory_gb_per_s, found.fp32_gmac_per_s, found.int8_gmac_per_s) > 0


def test_the_command_and_the_table_of_a_document(artifacts, tmp_path):
    artifact = artifacts(default_recipe("openvino", "int8"))
    command = [sys.executable, "-m", "resemote_edge", "bench", "explain", str(artifact.path)]
    options = ["--runtime", "openvino", "--threads", "1", "-o", "out.json", "--json"]
    done = subprocess.run([*command, *options], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == json.loads((tmp_path / "out.json").read_text())
    document = tmp_path / "doc.md"
    document.write_text("<!-- table: out.json -->\n<!-- end of table -->\n")
    assert "| res_block2.conv2 |" in regenerate(document)
    again = subprocess.run([*command, *options], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert again.returncode == 1
    assert "--force" in again.stderr
