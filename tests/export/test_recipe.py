from pathlib import Path

import pytest

from resemote_edge.errors import InputError
from resemote_edge.export.command import ExportOptions, resolve_recipe
from resemote_edge.export.quantize.scheme import find_scheme
from resemote_edge.export.recipe import available_recipes, default_recipe, find_recipe, load_recipe
from resemote_edge.export.targets import TARGETS, find_target
from resemote_edge.runtimes.cpu_features import SAFE_WEIGHT_LEVELS, int8_sums_saturate

GOOD = """
schema = 1
name = "test"
description = "A test."
target = "onnx"
precision = "fp32"
opset = 17
[verify]
max_abs_logit_diff = 1e-3
min_top1_agreement = 1.0
"""


@pytest.mark.parametrize("name", available_recipes())
def test_recipes_are_named_after_what_they_say(name):
    recipe = find_recipe(name)
    assert recipe.name == name
    assert name.endswith(recipe.precision)
    assert recipe.description.endswith(".")


def test_int8_for_openvino_is_for_the_cpu_at_hand():
    name = default_recipe("openvino", "int8")
    assert name == ("cpu-no-vnni-openvino-int8" if int8_sums_saturate() else "cpu-openvino-int8")
    recipes = ("cpu-openvino-int8", TARGETS["openvino"].without_vnni["int8"])
    levels = [find_scheme(find_recipe(recipe).quantize.scheme).weight_levels for recipe in recipes]
    assert levels == [127, SAFE_WEIGHT_LEVELS]


def test_jetson_nano_gets_what_tensorrt_8_2_reads():
    recipe = find_recipe("jetson-nano-tensorrt-fp16")
    assert recipe.opset <= 13
    assert recipe.tensorrt.typing == "flags"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("opset = 17", "opset = 'new'"), "opset"),
        (("opset = 17", "opsett = 17"), "opset"),
        (("opset = 17", ""), "opset"),
        (("fp32", "fp8"), "precision"),
        (("[verify]", "[graph]\noutput = 'scores'\n[verify]"), "graph.output"),
        (("schema = 1", "schema = 2"), "schema 2"),
        (("[verify]", "[verify"), "not a valid recipe"),
        (('"onnx"', '"tensorrt"'), r"\[tensorrt\] section"),
        (("[verify]", "[tensorrt]\n[verify]"), r"\[tensorrt\] section"),
        (('"onnx"', '"coreml"'), "bad.toml: unknown target 'coreml'; choose one of onnx, openvino"),
    ],
)
def test_a_bad_recipe_names_the_key(tmp_path, change, words):
    path = tmp_path / "bad.toml"
    path.write_text(GOOD.replace(*change))
    with pytest.raises(InputError, match=words):
        load_recipe(path)


def test_a_path_is_a_recipe_too(tmp_path):
    (tmp_path / "mine.toml").write_text(GOOD, encoding="utf-8-sig")  # with a mark, as editors for Windows write it
    assert find_recipe(tmp_path / "mine.toml").name == "test"


def test_an_unknown_recipe_lists_the_known_ones():
    with pytest.raises(InputError, match="cpu-openvino-fp32"):
        find_recipe(Path("nowhere.toml"))
    with pytest.raises(InputError, match="onnx, openvino"):
        find_target("coreml")
    with pytest.raises(InputError, match="onnx, openvino"):
        default_recipe("coreml", "fp32")


@pytest.mark.parametrize("of_recipe", ["logits", "probabilities"])
def test_the_output_is_the_recipe_s_unless_asked_for(tmp_path, of_recipe):
    path = tmp_path / "mine.toml"
    path.write_text(GOOD + f'[graph]\noutput = "{of_recipe}"\n')
    assert resolve_recipe(ExportOptions(recipe=str(path))).graph.output == of_recipe
    for wanted in ("logits", "probabilities"):
        assert resolve_recipe(ExportOptions(recipe=str(path), output_format=wanted)).graph.output == wanted
    assert find_recipe("cpu-onnxruntime-fp32").graph.output == "logits"
