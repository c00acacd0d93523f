"""The TensorRT target, with NVIDIA's own parser and ahead-of-time builder; no GPU is needed."""

from pathlib import Path

import msgspec
import pytest

from resemote_edge.errors import ExportError, InputError, MissingDependencyError, ResEmoteEdgeError
from resemote_edge.export.pipeline import ExportRequest, export_artifact
from resemote_edge.export.recipe import find_recipe

ROOT = Path(__file__).resolve().parents[2]

trt = pytest.importorskip(
    "tensorrt_rtx", reason="tensorrt-rtx is not installed: pip install 'resemote-edge[tensorrt-rtx]'"
)


def recipe_for(precision, *capabilities, **options):
    recipe = find_recipe(f"rtx-tensorrt-{precision}")
    section = msgspec.structs.replace(
        recipe.tensorrt, compute_capabilities=capabilities, **{"builder": "tensorrt-rtx", **options}
    )
    return msgspec.structs.replace(recipe, tensorrt=section)


@pytest.fixture
def build(checkpoint, tmp_path):
    def run(recipe):
        destination = tmp_path / "out" / "engine"
        return export_artifact(ExportRequest(checkpoint=checkpoint, recipe=recipe, destination=destination))

    yield run
    leftovers = [path.name for path in (tmp_path / "out").glob("*")]
    assert leftovers in ([], ["engine"])


@pytest.mark.parametrize(
    ("precision", "capability"),
    [
        ("fp16", "7.5"),
        ("fp16", "8.6"),
        ("fp16", "8.9"),
        ("fp16", "12.0"),
        ("fp32", "8.6"),
        ("fp32", "8.9"),
        ("fp32", "12.0"),
    ],
)
def test_engines_build_without_a_gpu(build, precision, capability):
    artifact = build(recipe_for(precision, capability))
    engine = artifact.passport.engine
    assert engine.builder == "tensorrt-rtx"
    assert engine.version == trt.__version__
    assert engine.compute_capabilities == (capability,)
    assert (artifact.path / "model.engine").stat().st_size > 100_000
    roles = {entry.path: (entry.role, entry.format) for entry in artifact.passport.files}
    assert roles["model.engine"] == ("model", "tensorrt-rtx-engine")
    assert roles["model.onnx"] == ("source", "onnx")


@pytest.mark.parametrize("precision", ["fp16", "fp32"])
def test_engines_that_give_probabilities_build_without_a_gpu(build, precision):
    recipe = recipe_for(precision, "8.9")
    graph = msgspec.structs.replace(recipe.graph, input="bgr-u8", output="probabilities")
    artifact = build(msgspec.structs.replace(recipe, graph=graph))
    assert artifact.passport.engine.compute_capabilities == ("8.9",)
    assert artifact.passport.output == "probabilities"


def test_the_default_recipe_covers_four_generations(artifacts):
    assert artifacts("rtx-tensorrt-fp16").passport.engine.compute_capabilities == ("7.5", "8.6", "8.9", "12.0")


def test_verification_tells_that_the_engine_was_not_run(artifacts):
    from resemote_edge.runtimes.registry import get_runtime

    result = artifacts("rtx-tensorrt-fp16").passport.verification
    if get_runtime("tensorrt").probe().available:
        assert (result.runtime, result.engine_verified) == ("tensorrt", "yes")
    else:
        assert (result.runtime, result.file) == ("onnxruntime", "model.onnx")
        assert result.engine_verified.startswith("no: ")


def test_fp32_is_refused_on_turing_with_the_reason(build):
    with pytest.raises(ExportError, match=r"no FP32 matrix product for Turing.*--precision fp16"):
        build(recipe_for("fp32", "7.5", "8.6"))


@pytest.mark.parametrize("capabilities", [("5.3",), ()])
def test_gpus_the_builder_does_not_know_are_refused(build, capabilities):
    with pytest.raises(ExportError, match=r"7\.5, 8\.0.*correct tensorrt.compute_capabilities"):
        build(recipe_for("fp16", *capabilities))


def test_precision_by_flags_is_refused_where_there_are_none(build):
    with pytest.raises(ExportError, match='typing = "strong"'):
        build(recipe_for("fp16", "8.6", typing="flags"))


def test_an_engine_needs_a_largest_batch(build):
    recipe = recipe_for("fp16", "8.6")
    with pytest.raises(ExportError, match=r"batch\.max"):
        build(msgspec.structs.replace(recipe, batch=find_recipe("cpu-onnxruntime-fp32").batch))


def test_with_no_builder_the_error_names_both_extras(build, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "tensorrt_rtx", None)
    monkeypatch.setitem(__import__("sys").modules, "tensorrt", None)
    with pytest.raises(MissingDependencyError) as caught:
        build(recipe_for("fp16", "8.6", builder="auto"))
    assert "resemote-edge[tensorrt]" in str(caught.value)
    assert "resemote-edge[tensorrt-rtx]" in str(caught.value)


def test_a_recipe_that_wants_a_gpu_does_not_fall_back(build):
    from resemote_edge.runtimes.registry import get_runtime

    if get_runtime("tensorrt").probe().available:
        pytest.skip("this machine has a GPU")
    with pytest.raises(ResEmoteEdgeError, match=r"resemote-edge\[tensorrt\]|no NVIDIA GPU"):
        build(recipe_for("fp16", "8.6", builder="tensorrt"))


def test_on_device_builds_nothing_here(artifacts):
    artifact = artifacts("jetson-nano-tensorrt-fp16")
    assert artifact.passport.engine is None
    assert not (artifact.path / "model.engine").exists()
    assert "built on the device" in artifact.passport.notes[0]
    assert artifact.passport.verification.engine_verified.startswith("no: ")


def test_a_gpu_the_engine_was_not_built_for_does_not_stop_the_export(build, monkeypatch):
    # The driver's answer on a machine with such a GPU. No engine is loaded on this path.
    from resemote_edge.benchmarks.suite.file import SUITE_SCHEMA, Suite
    from resemote_edge.benchmarks.suite.in_memory import run_in_memory
    from resemote_edge.errors import DeviceUnavailableError
    from resemote_edge.runtimes import tensorrt as runtime

    monkeypatch.setattr(runtime, "gpu_count", lambda: 1)
    monkeypatch.setattr(runtime, "compute_capability", lambda index=0: "9.0")
    artifact = build(recipe_for("fp16", "8.6"))
    result = artifact.passport.verification
    assert result.runtime == "onnxruntime"
    assert result.engine_verified.startswith("no: the engine was built for compute capability 8.6, this GPU has 9.0")
    assert "partial" not in result.engine_verified
    with pytest.raises(DeviceUnavailableError, match=r"nothing to measure here.*this GPU has 9.0"):
        run_in_memory(Suite(schema=SUITE_SCHEMA, name="test", description="A test."), [artifact])


@pytest.mark.parametrize("remainder", ["fp16", "fp32"])
def test_int8_parses_and_builds_with_either_remainder(build, remainder):
    recipe = recipe_for("int8", "8.6", "8.9", "12.0")
    quantize = msgspec.structs.replace(recipe.quantize, remainder=remainder)
    opset = 19 if remainder == "fp16" else 13
    artifact = build(msgspec.structs.replace(recipe, quantize=quantize, opset=opset))
    assert artifact.passport.engine.compute_capabilities == ("8.6", "8.9", "12.0")
    assert artifact.passport.quantization.activations == "int8"


def test_the_graph_for_an_orin_builds_here_too(artifacts, build):
    # The board builds its own engine. Without a board, the test shows that the same graph can be parsed and built.
    board = artifacts("jetson-orin-tensorrt-int8")
    assert board.passport.engine is None
    recipe = recipe_for("int8", "8.6")
    quantize = msgspec.structs.replace(recipe.quantize, remainder="fp32")
    here = build(msgspec.structs.replace(recipe, quantize=quantize, opset=board.passport.recipe["opset"]))
    import onnx

    graphs = [onnx.load(artifact.path / "model.onnx").graph for artifact in (board, here)]
    assert graphs[0] == graphs[1]


@pytest.mark.parametrize("capability", ["5.3", "6.0", "6.2"])
@pytest.mark.parametrize("precision", ["int8", "w8"])
def test_boards_without_int8_are_refused_with_an_offer(tmp_path, capability, precision):
    name = "rtx-tensorrt-int8" if precision == "int8" else "rtx-tensorrt-w8"
    text = (ROOT / "export" / f"{name}.toml").read_text()
    (tmp_path / "board.toml").write_text(text.replace('["8.6", "8.9", "12.0"]', f'["{capability}"]'))
    with pytest.raises(InputError, match=f"compute capability {capability} has no int8.*export fp16 instead"):
        find_recipe(tmp_path / "board.toml")
