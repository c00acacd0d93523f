"""The table of targets: what it says is so, nothing else knows targets by name, and one row and module add one."""

import ast
import importlib
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import resemote_edge.cli.export
from resemote_edge.artifacts.artifact import Artifact
from resemote_edge.benchmarks.suite.file import load_suite
from resemote_edge.export import recipe as recipes
from resemote_edge.export.recipe import PRECISIONS, Recipe, available_recipes, default_recipe, find_recipe
from resemote_edge.export.targets import TARGETS, TargetInfo, target_of
from resemote_edge.runtimes.registry import RUNTIMES, get_runtime
from resemote_edge.workflows.suite_exports import forecast_suite

PACKAGE = Path(resemote_edge.__file__).parent


@pytest.mark.parametrize("target", TARGETS)
def test_an_artifact_has_a_format_of_its_row_which_the_home_runtime_loads(artifacts, target):
    artifact = artifacts(default_recipe(target, "fp16"))
    info = TARGETS[target]
    assert artifact.find(info.formats) is not None
    for runtime in info.runtimes:
        assert artifact.find(get_runtime(runtime).formats) is not None


@pytest.mark.parametrize("target", TARGETS)
def test_a_row_names_recipes_that_are_there(target):
    info = TARGETS[target]
    for precision in {"fp32", "fp16", info.default_precision, *info.demo}:
        recipe = find_recipe(default_recipe(target, precision))
        assert (recipe.target, recipe.precision) == (target, precision)
    assert set(info.without_vnni) <= set(PRECISIONS)
    assert set(info.without_vnni.values()) <= set(available_recipes())
    assert info.section is None or info.section in Recipe.__struct_fields__


def test_every_runtime_has_one_default_artifact():
    assert sorted(runtime for info in TARGETS.values() for runtime in info.runtimes) == sorted(RUNTIMES)
    assert {runtime: target_of(runtime) for runtime in ("native", "tensorrt")} == {
        "native": "onnx",
        "tensorrt": "tensorrt",
    }


def test_extras_of_a_row_are_extras(pytestconfig):
    text = (pytestconfig.rootpath / "pyproject.toml").read_text(encoding="utf-8")
    for info in TARGETS.values():
        assert all(f"\n{extra} = [" in text for extra in info.extras)


TOY = '''
"""Target ``toy``: the ONNX under another name."""
import onnx
from resemote_edge.export.targets.base import Built, BuiltFile

class Toy:
    def onnx_precision(self, recipe):
        return "fp32"

    def build(self, inputs):
        onnx.save(inputs.onnx, inputs.folder / "toy.onnx")
        return Built(files=(BuiltFile("toy.onnx", "model", "onnx"),), tools={})
'''

RECIPE = """
schema = 1
name = "toy-onnxruntime-fp32"
description = "A toy."
target = "toy"
precision = "fp32"
opset = 17
[verify]
max_abs_logit_diff = 1e-3
min_top1_agreement = 1.0
"""

SUITE = """
schema = 1
name = "toys"
description = "One toy."
scenarios = ["single-stream"]
batches = [1]
[[export]]
variant = "nano"
target = "toy"
precision = "fp32"
"""


def test_a_new_target_is_a_module_and_a_row(tmp_path, monkeypatch):
    (tmp_path / "toy_target.py").write_text(TOY)
    (tmp_path / "toy-onnxruntime-fp32.toml").write_text(RECIPE)
    (tmp_path / "toys.toml").write_text(SUITE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(recipes, "_recipe_folder", lambda: tmp_path)
    row = TargetInfo(
        implementation="toy_target:Toy",
        formats=("onnx",),
        runtimes=("onnxruntime",),
        extras=("export", "onnxruntime"),
        recipes="toy-onnxruntime",
    )
    monkeypatch.setitem(TARGETS, "toy", row)
    assert default_recipe("toy", "fp32") == "toy-onnxruntime-fp32"
    planned = forecast_suite(load_suite(tmp_path / "toys.toml"), tmp_path / "kept").planned
    entry = planned[0].step.entry
    assert (entry.target, entry.formats) == ("toy", ("onnx",))
    command = importlib.reload(resemote_edge.cli.export).export
    given = ["--target", "toy", "--variant", "nano", "-o", str(tmp_path / "made"), "--json"]
    done = CliRunner().invoke(command, given, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["verification"]["runtime"] == "onnxruntime"
    assert Artifact.load(tmp_path / "made").passport.target == "toy"
    assert "toy" in CliRunner().invoke(command, ["--help"]).output


@pytest.fixture(autouse=True, scope="module")
def _whole_again():
    yield
    importlib.reload(resemote_edge.cli.export)


#: Tables whose keys or members are called as targets are, and what they are.
TABLES = {
    "export/targets/__init__.py": "the table itself",
    "deploy/board.py": "engines of a board",
    "deploy/scripts.py": "libraries of engines",
    "errors.py": "packages",
    "machine/environment.py": "packages",
    "experiments/contest/run.py": "packages",
    "runtimes/registry.py": "runtimes",
}


def knows_targets(source: str) -> list[int]:
    """Lines of tables of several targets, and of comparisons of something called a target with the name of one."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Dict):
            members = list(node.keys)
        elif isinstance(node, ast.Tuple | ast.List | ast.Set):
            # Of pairs, such as (target, precision), the first.
            members = [one.elts[0] if isinstance(one, ast.Tuple) and one.elts else one for one in node.elts]
        elif isinstance(node, ast.Compare):
            members = list(ast.walk(node)) if "target" in ast.unparse(node) else []
        else:
            continue
        named = {one.value for one in members if isinstance(one, ast.Constant)} & set(TARGETS)
        if len(named) > (0 if isinstance(node, ast.Compare) else 1):
            found.append(node.lineno)
    return found


def test_nothing_but_the_table_knows_targets_by_name():
    sources = {path.relative_to(PACKAGE).as_posix(): path.read_text("utf-8") for path in PACKAGE.rglob("*.py")}
    found = {name: lines for name, source in sources.items() if (lines := knows_targets(source))}
    assert set(found) == set(TABLES), found


@pytest.mark.parametrize(
    "source",
    [
        'RUNTIMES = {"onnx": "onnxruntime", "tensorrt": "tensorrt"}',
        'choice(["onnx", "openvino"])',
        'EXPORTS = (("onnx", "fp32"), ("openvino", "int8"))',
        'p = "fp16" if target == "tensorrt" else "fp32"',
        'if artifact.passport.target in ("tensorrt",): pass',
        'if "onnx" != recipe.target: pass',
    ],
)
def test_the_test_finds_who_knows_targets(source):
    assert knows_targets(source) == [1]
    assert knows_targets('get_runtime("onnxruntime"); runtime == "openvino"; {"openvino": 1, "onnxruntime": 2}') == []
