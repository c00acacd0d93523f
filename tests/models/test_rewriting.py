"""Compaction and lowering: the same function, proved; and nothing but the same function gets through."""

import copy
import dataclasses

import numpy as np
import pytest
import torch
from conftest import random_network
from hypothesis import given, settings
from hypothesis import strategies as st

from resemote_edge.errors import ExportError, GateError
from resemote_edge.models.compact import COMPACT_TAPS, compact, expand
from resemote_edge.models.graph import EvalGraph, build_eval_graph
from resemote_edge.models.lowering import lower
from resemote_edge.models.proof import FLOAT64_LIMIT, evaluate_graph, prove
from resemote_edge.models.resemotenet import ResEmoteNet
from resemote_edge.models.shapes import infer_shapes
from resemote_edge.vision.preprocessing import PreprocessSpec

REWRITINGS = {
    "compact": compact,
    "lower": lower,
    "compact, lower": lambda graph: lower(compact(graph)),
    "lower, compact": lambda graph: compact(lower(graph)),
}


def inputs(batch, seed=0):
    return np.random.default_rng(seed).standard_normal((batch, 3, 64, 64))


@settings(max_examples=12, deadline=None)
@given(
    width=st.sampled_from([4, 8, 12, 16]),
    seed=st.integers(0, 2**16),
    batch=st.integers(1, 5),
    rewriting=st.sampled_from(sorted(REWRITINGS)),
)
def test_any_network_any_batch_same_function(width, seed, batch, rewriting):
    model = random_network(width, seed).double()
    x = inputs(batch, seed)
    with torch.inference_mode():
        want = model(torch.from_numpy(x)).numpy()
    got = evaluate_graph(REWRITINGS[rewriting](build_eval_graph(model)), x)
    assert np.abs(got - want).max() <= FLOAT64_LIMIT * max(1.0, np.abs(want).max())


def test_the_paper_s_network_loses_44_million_parameters():
    with torch.device("meta"):
        shapes = {key: tuple(value.shape) for key, value in ResEmoteNet(64).state_dict().items()}
    dropped = 0
    for key, (kept, _) in COMPACT_TAPS.items():
        out, into, rows, columns = shapes[key]
        dropped += out * into * (rows * columns - kept[0] * kept[1])
    assert dropped == 44_040_192
    # The graph of a small network drops the same taps, found by arithmetic on shapes.
    before = build_eval_graph(random_network(4))
    after = {node.name: node for node in compact(before).nodes}
    for key, (kept, _) in COMPACT_TAPS.items():
        assert after[key.removesuffix(".weight")].params["weight"].shape[2:] == kept
    assert "pool" not in after
    untouched = [node for node in before.nodes if node.op == "conv" and not node.name.startswith("res_block3")]
    for node in untouched:
        assert after[node.name].params["weight"] is node.params["weight"]


def test_what_upstream_leaves_in_dead_taps_makes_no_difference():
    model = random_network(8)
    other = copy.deepcopy(model)
    with torch.no_grad():
        other.res_block3.conv1.weight[:, :, 0, :] = 1e3
        other.res_block3.conv1.weight[:, :, :, 0] = -1e3
        centre = other.res_block3.conv2.weight[:, :, 1, 1].clone()
        other.res_block3.conv2.weight.fill_(7.0)
        other.res_block3.conv2.weight[:, :, 1, 1] = centre
    first, second = (compact(build_eval_graph(net)) for net in (model, other))
    for a, b in zip(first.nodes, second.nodes, strict=True):
        for key in a.params:
            assert np.array_equal(a.params[key], b.params[key])


def test_expand_restores_every_live_tap():
    state = random_network(4).state_dict()
    small = {**state, **{key: state[key][(..., *taps)].clone() for key, (_, taps) in COMPACT_TAPS.items()}}
    large = expand(small)
    for key, (_, taps) in COMPACT_TAPS.items():
        assert large[key].shape == state[key].shape
        assert torch.equal(large[key][(..., *taps)], state[key][(..., *taps)])
    assert expand(dict(state)).keys() == state.keys()


@pytest.mark.parametrize("rewriting", [compact, lower, infer_shapes])
@pytest.mark.parametrize("side", [48, 63, 65, 128])
def test_any_other_size_is_refused(rewriting, side):
    with pytest.raises(ExportError, match="64x64 input only"):
        rewriting(build_eval_graph(random_network(4)), side)


def test_lowering_leaves_convolutions_to_the_large_maps():
    graph = lower(compact(build_eval_graph(random_network(4))))
    convolutions = [node.name for node in graph.nodes if node.op == "conv"]
    assert convolutions == ["conv1", "conv2", "conv3", "se.fc.0", "se.fc.2"]
    assert {"res_block1.conv1", "res_block3.shortcut"} <= {node.name for node in graph.nodes if node.op == "linear"}


def test_lowered_weights_are_the_same_numbers():
    before = {node.name: node for node in compact(build_eval_graph(random_network(4))).nodes}
    for node in lower(EvalGraph(tuple(before.values()))).nodes:
        if node.op == "linear":
            was = before[node.name].params["weight"]
            assert np.array_equal(np.sort(node.params["weight"].ravel()), np.sort(was.ravel()))


def test_a_proof_records_both_precisions():
    model = random_network(4)
    steps = [("compact", compact), ("lower", lower)]
    graph, rewrites = prove(model, steps, PreprocessSpec(), inputs(3).astype(np.float32), "a test")
    assert [rewrite.name for rewrite in rewrites] == ["fold-batchnorm", "compact", "lower"]
    assert rewrites[0].parameters_before == sum(p.numel() for p in model.parameters())
    assert rewrites[-1].parameters_after == graph.parameters < rewrites[0].parameters_after
    for rewrite in rewrites:
        assert rewrite.max_abs_logit_diff_float64 < 1e-11
        assert rewrite.max_abs_logit_diff_float32 < 1e-3
    assert model.conv1.weight.dtype == torch.float32


def spoil(graph):
    """A rewriting that is almost right: one tap is forgotten."""
    nodes = list(graph.nodes)
    index = next(i for i, node in enumerate(nodes) if node.name == "res_block1.conv2")
    weight = nodes[index].params["weight"].copy()
    weight[:, :, 0, 0] = 0.0
    nodes[index] = dataclasses.replace(nodes[index], params={**nodes[index].params, "weight": weight})
    return EvalGraph(tuple(nodes))


def test_a_proof_can_fail():
    with pytest.raises(GateError, match="rewriting 'spoil' changed the logits"):
        steps = [("compact", compact), ("spoil", spoil)]
        prove(random_network(4), steps, PreprocessSpec(), inputs(2).astype(np.float32), "a test")
