"""EvalGraph: the network as inference sees it, a short list of operations with their weights.

Exporters read this instead of tracing PyTorch, so every node is named after the layer it came from, and rewriting the
graph (compaction, lowering, quantization) is rewriting a list. BatchNorm is folded into the convolution before it, in
float64, and there is no dropout.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from resemote_edge.artifacts.output_format import LOGITS, PROBABILITIES, OutputFormat
from resemote_edge.models.resemotenet import ResEmoteNet, ResidualBlock

__all__ = ["INPUT", "LOGITS", "EvalGraph", "Node", "build_eval_graph", "with_output"]

INPUT = "input"


@dataclass(frozen=True)
class Node:
    """One operation; its output tensor has its name.

    Attributes:
        name: Layer it came from, for example ``res_block1.conv2``.
        op: Name of the operation. On pixels: ``from_nhwc`` (uint8 (N, H, W, C) to maps), ``luma`` (three channels of
            whole numbers to their gray level). On maps (N, C, H, W): ``conv``, ``max_pool``, ``global_mean``,
            ``flatten`` (to (N, C*H*W)), ``to_tokens`` (to (N, H*W, C)). On tokens (N, P, C): ``pad_token`` (one zero
            token more, at the end), ``gather`` (tokens by index). On any: ``relu``, ``sigmoid``, ``multiply``, ``add``,
            ``reshape``, ``quantize`` (to the integers of `zero_point`'s type), ``dequantize`` (back). On (M, K):
            ``linear``, ``softmax`` (over K, in float32 at least).
        inputs: Names of the tensors it reads.
        params: Tensors by name. ``weight`` and ``bias`` are floating: conv (out, in, kh, kw) and (out,), linear (out,
            in) and (out,); a weight of int8 comes with ``weight_scale``, a bias of int32 with ``bias_scale``, both
            float32 (out,). A gather has ``indices``, int64 (P,). A quantize and a dequantize have ``scale`` float32 ()
            and ``zero_point`` int8 or uint8 ().
        attributes: Numbers by name: ``stride`` and ``padding`` of a conv, ``size`` of a max_pool (its stride too),
            ``shape`` of a reshape (-1 where the batch is), ``channels`` of a from_nhwc, ``order`` of a luma.
    """

    name: str
    op: str
    inputs: tuple[str, ...]
    params: Mapping[str, NDArray[Any]] = field(default_factory=dict, repr=False)
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class EvalGraph:
    """Nodes in execution order, from the tensor ``input`` (N, 3, 64, 64) to ``logits`` (N, classes).

    `with_output` may have appended ``probabilities``.
    """

    nodes: tuple[Node, ...]

    @property
    def output(self) -> str:
        """Name of the graph's output, which is that of its last node."""
        return self.nodes[-1].name

    @property
    def parameters(self) -> int:
        """Number of weights and biases stored in the graph."""
        floating = ("weight", "bias")
        return sum(array.size for node in self.nodes for key, array in node.params.items() if key in floating)


def build_eval_graph(model: ResEmoteNet) -> EvalGraph:
    """Build the graph of what a network computes in eval mode.

    Args:
        model: Network on the CPU; not modified. Its dtype (float32, or float64 for proofs) is that of the graph.

    Returns:
        The graph; unfolded weights share memory with the model.
    """
    nodes = [*_stem(model), *_attention(model)]
    for name in ("res_block1", "res_block2", "res_block3"):
        nodes += _residual_block(name, getattr(model, name), nodes[-1].name)
    nodes.append(Node("pool", "global_mean", (nodes[-1].name,)))
    nodes.append(Node("pool.flatten", "flatten", ("pool",)))
    for name in ("fc1", "fc2", "fc3"):
        nodes.append(_linear(name, getattr(model, name), nodes[-1].name))
        nodes.append(Node(f"{name}.relu", "relu", (name,)))
    last = _linear("fc4", model.fc4, nodes[-1].name)
    nodes.append(Node(LOGITS, last.op, last.inputs, last.params))
    return EvalGraph(tuple(nodes))


def with_output(graph: EvalGraph, output: OutputFormat) -> EvalGraph:
    """Make a graph with this output, in which ``logits`` is always a tensor.

    Args:
        graph: Graph from ``input`` to ``logits``; not modified.
        output: Output wanted: ``logits`` for the graph as it is, ``probabilities`` to append a softmax.
    """
    if output == LOGITS:
        return graph
    return EvalGraph((*graph.nodes, Node(PROBABILITIES, "softmax", (LOGITS,))))


def _stem(model: ResEmoteNet) -> Iterator[Node]:
    source = INPUT
    for index in (1, 2, 3):
        conv, norm = getattr(model, f"conv{index}"), getattr(model, f"bn{index}")
        yield _conv(f"conv{index}", conv, norm, source)
        yield Node(f"conv{index}.relu", "relu", (f"conv{index}",))
        source = f"conv{index}.pool"
        yield Node(source, "max_pool", (f"conv{index}.relu",), attributes={"size": 2})


def _attention(model: ResEmoteNet) -> Iterator[Node]:
    # On a 1x1 map a linear layer is a 1x1 convolution, so no reshape is needed between the mean and the gate.
    down, up = (_array(model.se.fc.get_parameter(f"{index}.weight"))[:, :, None, None] for index in (0, 2))
    yield Node("se.mean", "global_mean", ("conv3.pool",))
    yield Node("se.fc.0", "conv", ("se.mean",), {"weight": down}, {"stride": 1, "padding": 0})
    yield Node("se.fc.1", "relu", ("se.fc.0",))
    yield Node("se.fc.2", "conv", ("se.fc.1",), {"weight": up}, {"stride": 1, "padding": 0})
    yield Node("se.gate", "sigmoid", ("se.fc.2",))
    yield Node("se", "multiply", ("conv3.pool", "se.gate"))


def _residual_block(name: str, block: ResidualBlock, source: str) -> Iterator[Node]:
    yield _conv(f"{name}.conv1", block.conv1, block.bn1, source)
    yield Node(f"{name}.relu1", "relu", (f"{name}.conv1",))
    yield _conv(f"{name}.conv2", block.conv2, block.bn2, f"{name}.relu1")
    yield _conv(f"{name}.shortcut", *block.projection(), source)
    yield Node(f"{name}.add", "add", (f"{name}.conv2", f"{name}.shortcut"))
    yield Node(name, "relu", (f"{name}.add",))


def _conv(name: str, conv: nn.Conv2d, norm: nn.BatchNorm2d, source: str) -> Node:
    """Make a convolution with BatchNorm folded in: w * s and (b - mean) * s + beta, s = gamma / sqrt(var + eps)."""
    weight = conv.weight.detach().double()
    bias = conv.bias.detach().double() if conv.bias is not None else torch.zeros(len(weight), dtype=torch.float64)
    mean, variance = norm.running_mean, norm.running_var
    assert mean is not None  # Only a BatchNorm without statistics, which ours are not, lacks these.
    assert variance is not None
    scale = norm.weight.detach().double() / torch.sqrt(variance.double() + norm.eps)
    dtype = conv.weight.dtype
    params = {
        "weight": _array((weight * scale[:, None, None, None]).to(dtype)),
        "bias": _array(((bias - mean.double()) * scale + norm.bias.detach().double()).to(dtype)),
    }
    return Node(name, "conv", (source,), params, {"stride": int(conv.stride[0]), "padding": int(conv.padding[0])})


def _linear(name: str, layer: nn.Linear, source: str) -> Node:
    return Node(name, "linear", (source,), {"weight": _array(layer.weight), "bias": _array(layer.bias)})


def _array(tensor: Tensor) -> NDArray[Any]:
    array: NDArray[Any] = tensor.detach().numpy()
    return array
