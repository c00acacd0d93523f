import math

import msgspec
import pytest

from resemote_edge.errors import DeviceUnavailableError, InputError
from resemote_edge.export.command import ExportOptions, resolve_recipe, run_export
from resemote_edge.runtimes.registry import get_runtime
from resemote_edge.workflows.autotune import choose_lowering


@pytest.mark.slow
def test_the_faster_form_is_kept_with_its_figures(checkpoint_path, tmp_path):
    options = ExportOptions(checkpoint=checkpoint_path, target="onnx", lowering="auto", output=tmp_path / "a")
    lines = []
    chosen = choose_lowering(options, resolve_recipe(options), notice=lines.append).graph
    assert [entry.batch for entry in chosen.evidence] == [1, 8]
    products = [math.prod(getattr(e, f"{form}_p50_ms") for e in chosen.evidence) for form in ("conv", "matmul")]
    # The figures are rounded; a tie may fall either way.
    assert chosen.lowering == ("conv", "matmul")[products.index(min(products))] or products[0] == pytest.approx(
        products[1], rel=2e-2
    )
    assert lines[-1] == f"autotune: {chosen.lowering}"
    assert not (tmp_path / "a").exists()
    recipe = run_export(
        options, measure=lambda _, recipe: msgspec.structs.replace(recipe, graph=chosen)
    ).passport.recipe
    assert recipe["graph"]["lowering"] == chosen.lowering
    assert recipe["graph"]["evidence"][0]["conv_p50_ms"] == chosen.evidence[0].conv_p50_ms
    assert recipe["graph"]["evidence"][0]["width"] == 4


def test_nothing_is_measured_unasked(checkpoint_path, tmp_path):
    asked = []
    options = ExportOptions(checkpoint=checkpoint_path, target="onnx", lowering="conv", output=tmp_path / "a")
    recipe = run_export(options, measure=lambda *given: asked.append(given)).passport.recipe
    assert (recipe["graph"]["lowering"], asked) == ("conv", [])


def test_figures_go_with_the_choice_they_decided():
    assert resolve_recipe(ExportOptions(recipe="cpu-onnxruntime-fp32")).graph.evidence
    other = resolve_recipe(ExportOptions(recipe="cpu-onnxruntime-fp32", lowering="conv"))
    assert (other.graph.lowering, other.graph.evidence) == ("conv", ())


def test_what_cannot_run_cannot_be_measured():
    if get_runtime("tensorrt").probe().available:
        pytest.skip("this machine has a GPU")
    with pytest.raises(DeviceUnavailableError, match="--lowering conv"):
        options = ExportOptions(target="tensorrt", lowering="auto")
        choose_lowering(options, resolve_recipe(options))


def test_auto_must_be_resolved_first(tmp_path):
    with pytest.raises(InputError, match="must be measured first"):
        run_export(ExportOptions(target="onnx", lowering="auto", output=tmp_path / "x"))
