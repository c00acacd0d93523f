"""Preprocessing as part of the graph, which then takes a uint8 crop and computes conversion and normalisation.

For gray pixels g the network's three equal channels are (g / 255 - mean_c) / std_c. So the first convolution's weights
can be summed over the channels, with pixels centred as p = (g - 128) / 255: sum_c w_c / std_c for p, and sum_c w_c *
(128 / 255 - mean_c) / std_c for the constant. The constant must not become a bias: where the kernel reaches over the
border, the network pads with zeros *after* normalisation, so a tap outside adds neither term. Hence there is a second
input channel that is constant inside and, like the first, padded with zeros. With it the fold is exact everywhere, and
the convolution has 18 products a pixel instead of 27.

Pixels are centred for two reasons: in a quantized graph, a pixel is then exactly one signed byte (g - 128, scale 1 /
255), and rounded weights do least harm if the inputs are small. The constant is 127 / 255, the largest signed byte.

If weights will be int8, the pixel channel is repeated three times (`copies`), each copy with a third of the weight.
Rounding passes its error on from copy to copy (`resemote_edge.export.quantize.insert`), so that their sum is three
times as fine. This costs nothing if kernels take four channels at a time.

Colour pixels are turned to gray first, by the same integer arithmetic as on the host.
"""

import dataclasses
from collections.abc import Callable

import numpy as np

from resemote_edge.errors import ExportError
from resemote_edge.models.graph import INPUT, EvalGraph, Node
from resemote_edge.vision.preprocessing import PreprocessSpec

__all__ = ["WITH_CONSTANT", "WITH_CONSTANT_RANGE", "embed_preprocessing"]

_CENTER = 128.0 / 255.0
_CONSTANT = 127.0 / 255.0

#: Tensor that the first convolution reads (centred pixels and the constant channel), and the range of its values.
WITH_CONSTANT = "input.with_constant"
WITH_CONSTANT_RANGE = (-_CENTER, _CONSTANT)


def embed_preprocessing(spec: PreprocessSpec, copies: int = 1) -> Callable[[EvalGraph], EvalGraph]:
    """Make the function that rewrites a graph to take the input of `spec`.

    Args:
        spec: Spec with an `input` other than ``tensor``.
        copies: Number of times that the pixel channel is repeated beside the constant.

    Returns:
        A function from a graph with ``input`` (N, 3, 64, 64) to the same graph with uint8 input (N, 64, 64, C), NHWC.
    """

    def embed(graph: EvalGraph) -> EvalGraph:
        first, *rest = graph.nodes
        if first.op != "conv" or first.inputs != (INPUT,):
            raise ExportError(f"preprocessing can be folded into a convolution only, the graph starts with {first.op}")
        order = spec.input.removesuffix("-u8")
        nodes = [Node("input.maps", "from_nhwc", (INPUT,), attributes={"channels": spec.feed_channels})]
        if order != "gray":
            nodes.append(Node("input.gray", "luma", ("input.maps",), attributes={"order": order}))
        weight = first.params["weight"]
        dtype = weight.dtype
        shift = {
            "weight": np.array([1.0 / 255.0] * copies + [0.0], dtype=dtype).reshape(copies + 1, 1, 1, 1),
            "bias": np.array([-_CENTER] * copies + [_CONSTANT], dtype=dtype),
        }
        unit = {"stride": 1, "padding": 0}
        nodes.append(Node(WITH_CONSTANT, "conv", (nodes[-1].name,), shift, unit))
        mean, std = (np.asarray(values, dtype=np.float64)[:, None, None] for values in (spec.mean, spec.std))
        exact = weight.astype(np.float64)
        constant = (exact * (_CENTER - mean) / std).sum(axis=1) / _CONSTANT
        pixel = (exact / std).sum(axis=1) / copies
        folded = np.stack([*[pixel] * copies, constant], axis=1).astype(dtype)
        nodes.append(dataclasses.replace(first, inputs=(WITH_CONSTANT,), params={**first.params, "weight": folded}))
        return EvalGraph((*nodes, *rest))

    return embed
