import dataclasses

import numpy as np
import pytest

from resemote_edge.cli.views.sensitivity import sensitivity_table
from resemote_edge.data.calibration import drawn_calibration
from resemote_edge.export.context import ExportContext
from resemote_edge.export.quantize.insert import layers_of
from resemote_edge.export.quantize.quantization import plan_quantization
from resemote_edge.export.quantize.report import SensitivityReport, write_sensitivity
from resemote_edge.export.quantize.sensitivity import rank_layers
from resemote_edge.export.recipe import QuantizeOptions
from resemote_edge.models.compact import compact
from resemote_edge.models.graph import build_eval_graph
from resemote_edge.models.lowering import lower
from resemote_edge.models.proof import evaluate_graph
from resemote_edge.vision.preprocessing import PreprocessSpec

pytest.importorskip("matplotlib")


@pytest.fixture(scope="module")
def feeds():
    return PreprocessSpec()(list(drawn_calibration(40, seed=4).images), "gray")


def plan_for(checkpoint, scheme):
    return plan_quantization(checkpoint, QuantizeOptions(scheme=scheme), None, ExportContext())


@pytest.mark.parametrize("form", [compact, lambda graph: lower(compact(graph))], ids=["conv", "matmul"])
def test_each_layer_alone_is_what_quantizing_it_alone_gives(checkpoint, feeds, form):
    graph = form(build_eval_graph(checkpoint.build()))
    plan = plan_for(checkpoint, "unsigned")
    ranked = rank_layers(graph, plan, feeds)
    assert sorted(entry.layer for entry in ranked) == sorted(layers_of(graph))
    assert [entry.signal_to_noise_db for entry in ranked] == sorted(entry.signal_to_noise_db for entry in ranked)
    want = evaluate_graph(graph, feeds)
    for entry in (ranked[0], ranked[-1]):
        others = [layer for layer in layers_of(graph) if layer != entry.layer]
        got = evaluate_graph(plan.apply(graph, others), feeds)
        assert entry.max_abs_logit_diff == pytest.approx(np.abs(got - want).max(), rel=1e-3, abs=1e-5)
        assert entry.flip_rate == pytest.approx((got.argmax(1) != want.argmax(1)).mean())


def test_a_planted_layer_comes_first(checkpoint, feeds):
    state = {key: value.clone() for key, value in checkpoint.state.items()}
    state["bn2.bias"][0] = -1000.0
    state["conv3.weight"][:, 0] = 2000.0
    spoilt = dataclasses.replace(checkpoint, state=state)
    graph = compact(build_eval_graph(spoilt.build()))
    ranked = rank_layers(graph, plan_for(checkpoint, "weights"), feeds)
    assert ranked[0].layer == "conv3"
    assert ranked[0].signal_to_noise_db < ranked[1].signal_to_noise_db - 10


def test_the_report_is_a_table_json_and_a_picture(checkpoint, feeds, tmp_path):
    graph = compact(build_eval_graph(checkpoint.build()))
    layers = rank_layers(graph, plan_for(checkpoint, "weights"), feeds)
    report = SensitivityReport(
        checkpoint="tiny.pt", checkpoint_sha256="0", recipe="r", scheme="weights", data="drawn faces", layers=layers
    )
    data, picture = write_sensitivity(report, tmp_path)
    assert [entry["layer"] for entry in report.to_dict()["layers"]] == [entry.layer for entry in layers]
    assert layers[0].layer in data.read_text()
    assert picture.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert sensitivity_table(report).row_count == len(layers)
