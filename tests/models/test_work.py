import pytest

from resemote_edge.models.compact import compact
from resemote_edge.models.graph import build_eval_graph
from resemote_edge.models.lowering import lower
from resemote_edge.models.random_network import random_network
from resemote_edge.models.work import layer_work

#: Width 4, by hand: outputs times taps times input channels.
BY_HAND = {
    "conv1": 64 * 64 * 4 * 27,
    "conv2": 32 * 32 * 8 * 9 * 4,
    "conv3": 16 * 16 * 16 * 9 * 8,
    "res_block1.conv1": 4 * 4 * 32 * 9 * 16,
    "res_block1.shortcut": 4 * 4 * 32 * 16,
    "res_block2.conv2": 2 * 2 * 64 * 9 * 64,
    "res_block3.conv1": 128 * 4 * 64,  # four taps are left of nine
    "res_block3.conv2": 128 * 128,
    "fc1": 128 * 64,
    "logits": 16 * 7,
}


@pytest.mark.parametrize("form", [compact, lambda graph: lower(compact(graph))], ids=["conv", "matmul"])
def test_multiply_adds_by_hand(form):
    work = {entry.name: entry for entry in layer_work(form(build_eval_graph(random_network(4, 0))), 32)}
    assert {name: work[name].multiply_adds for name in BY_HAND} == BY_HAND
    assert work["conv2"].weights == 8 * 4 * 9
    assert {entry.weight_bits for entry in work.values()} == {32}


def test_lowering_changes_no_amount_of_work():
    graph = compact(build_eval_graph(random_network(4, 0)))
    assert layer_work(lower(graph), 16) == layer_work(graph, 16)
