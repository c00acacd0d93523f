"""explain: the engine's profile beside our layers."""

import json

import msgspec
import pytest

from resemote_edge.benchmarks.explain.conclusion import deviations
from resemote_edge.benchmarks.explain.explanation import BETWEEN, Explanation, explain, read_explanation
from resemote_edge.errors import DeviceUnavailableError, InputError
from resemote_edge.export.recipe import default_recipe
from resemote_edge.measuring.probes import probe_machine
from resemote_edge.runtimes.cpu_features import why_no_bf16

LAYERS = 18  # three convolutions, nine layers of the blocks, four linear layers, two of the attention branch
BATCH = 16  # so that a small layer takes microseconds, the unit of OpenVINO's counters


@pytest.fixture(scope="module")
def machine():
    return probe_machine(1, side=512)


@pytest.mark.parametrize(
    ("recipe", "runtime", "kernel"),
    [(default_recipe("openvino", "int8"), "openvino", "I8"), ("cpu-onnxruntime-int8", "onnxruntime", "QGemm")],
)
def test_every_layer_has_a_time_a_floor_and_the_precision_it_ran_in(artifacts, machine, recipe, runtime, kernel):
    found = explain(artifacts(recipe), runtime, batch=BATCH, threads=1, machine=machine)
    assert len(found.layers) == LAYERS + 1
    assert found.layers[-1].name == BETWEEN
    assert found.runtime.startswith(runtime)
    named = {layer.name: layer for layer in found.layers}
    for name in ("conv1", "conv3", "res_block1.conv2", "res_block3.shortcut", "fc1"):
        assert named[name].time_us > 0, name
    for layer in found.layers[:-1]:
        assert layer.floor_us > 0, layer.name
        assert layer.operations_per_byte > 0, layer.name
    assert kernel.lower() in named["fc1"].kernel.lower()
    assert (named["fc1"].precision, named["fc1"].promised) == ("int8", "int8")
    assert (named["se.fc.0"].precision, named["se.fc.0"].promised) == ("fp32", "fp32")  # by design, so not flagged
    assert deviations(found) is None
    assert named["fc1"].weight_bytes == named["fc1"].weight_bytes_read == 128 * 64
    assert named["conv1"].multiply_adds == BATCH * 64 * 64 * 4 * 27
    reading_us = 128 * 64 / machine.memory_gb_per_s / 1e3
    computing_us = BATCH * 128 * 64 / machine.gmac_per_s("int8") / 1e3
    assert named["fc1"].floor_us == pytest.approx(max(reading_us, computing_us))
    assert found.time_us == pytest.approx(sum(layer.time_us for layer in found.layers))
    assert msgspec.json.encode(msgspec.json.decode(found.to_json(), type=Explanation)) == msgspec.json.encode(found)


def test_half_precision_that_ran_in_single_is_told(artifacts, machine):
    found = explain(artifacts("cpu-openvino-fp16"), "openvino", batch=1, threads=1, machine=machine)
    assert deviations(found) == f"all {LAYERS} layers ran in fp32, where the artifact promises fp16"
    named = {layer.name: layer for layer in found.layers}
    assert named["fc1"].deviates
    assert named["fc1"].unpacked_weight_bytes == 2 * named["fc1"].weight_bytes_read


def test_layers_of_an_int8_artifact_that_ran_in_fp32_are_told(artifacts, machine):
    # ONNX Runtime's eight-bit convolutions must write eight bits; those whose sums go into an addition cannot.
    artifact = artifacts("cpu-onnxruntime-int8", lowering="conv")
    found = explain(artifact, "onnxruntime", batch=1, threads=1, machine=machine)
    assert deviations(found) == (
        "res_block1.conv2, res_block1.shortcut, res_block2.conv2, res_block2.shortcut and 2 more ran in fp32, "
        "where the artifact promises int8"
    )


def test_the_precision_hint_is_followed_or_refused(artifacts, machine):
    artifact = artifacts("cpu-openvino-fp32")
    if why_no_bf16() is not None:
        with pytest.raises(DeviceUnavailableError, match="has no bf16"):
            explain(artifact, "openvino", batch=1, threads=1, precision_hint="bf16", machine=machine)
        return
    found = explain(artifact, "openvino", batch=1, threads=1, precision_hint="bf16", machine=machine)
    named = {layer.name: layer for layer in found.layers}
    assert (named["conv2"].precision, named["conv2"].promised) == ("bf16", "bf16")
    assert named["conv2"].weight_bytes_read == named["conv2"].weight_bytes // 2


def test_what_cannot_be_explained_is_refused_before_anything_is_measured(artifacts):
    with pytest.raises(InputError, match="runtime pytorch gives no profile"):
        explain(artifacts("any-pytorch-fp32"), "pytorch", batch=1, threads=1)
    with pytest.raises(InputError, match="threads must be from 1 to"):
        explain(artifacts("cpu-openvino-fp32"), batch=1, threads=0)
    with pytest.raises(InputError, match="batch size 0 is outside"):
        explain(artifacts("cpu-openvino-fp32"), batch=0, threads=1)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"{", "not an explanation"),
        (b"\xff", "not an explanation"),
        (
            json.dumps({"schema": 1, "kind": "explanation"}).encode(),
            "explanation schema 1, this version reads schema 2; make it again",
        ),
        (json.dumps({"schema": 2, "kind": "explanation"}).encode(), "missing required field"),
    ],
)
def test_other_files_are_refused(tmp_path, content, says):
    path = tmp_path / "explanation.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=says):
        read_explanation(path)
    with pytest.raises(InputError, match="cannot be read"):
        read_explanation(tmp_path / "nothing.json")
