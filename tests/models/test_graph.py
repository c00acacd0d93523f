import numpy as np
import torch

from resemote_edge.models.graph import INPUT, LOGITS, build_eval_graph, with_output
from resemote_edge.models.proof import evaluate_graph
from resemote_edge.models.shapes import infer_shapes


def test_nodes_are_in_order_and_named_after_layers(network):
    graph = build_eval_graph(network)
    known = {INPUT}
    for node in graph.nodes:
        assert set(node.inputs) <= known, node.name
        assert node.name not in known
        known.add(node.name)
    assert graph.nodes[-1].name == LOGITS
    layers = {name.rpartition(".")[0] or name for name in network.state_dict() if name.endswith("weight")}
    convolutions = {layer for layer in layers if "bn" not in layer and "shortcut" not in layer and "fc4" not in layer}
    assert {layer.rpartition(".weight")[0] or layer for layer in convolutions} <= known | {"se.fc.0", "se.fc.2"}


def test_batchnorm_is_folded_exactly(network):
    graph = build_eval_graph(network)
    node = next(node for node in graph.nodes if node.name == "conv1")
    x = torch.randn(2, 3, 64, 64, dtype=torch.float64)
    weight, bias = (torch.from_numpy(np.asarray(node.params[key], dtype=np.float64)) for key in ("weight", "bias"))
    with torch.inference_mode():
        want = network.bn1.double()(network.conv1.double()(x))
        got = torch.nn.functional.conv2d(x, weight, bias, padding=1)
    network.float()
    torch.testing.assert_close(got, want, atol=1e-6, rtol=0)


def test_probabilities_come_behind_the_logits(network):
    graph = build_eval_graph(network)
    assert with_output(graph, "logits") is graph
    longer = with_output(graph, "probabilities")
    assert (graph.output, longer.output) == ("logits", "probabilities")
    assert longer.nodes[:-1] == graph.nodes
    assert infer_shapes(longer)["probabilities"] == (7,)
    assert longer.parameters == graph.parameters
    # Proofs compare logits, even if other operations follow them.
    x = np.random.default_rng(0).standard_normal((2, 3, 64, 64)).astype(np.float32)
    assert np.array_equal(evaluate_graph(longer, x), evaluate_graph(graph, x))
