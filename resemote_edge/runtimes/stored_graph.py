"""Graph of an artifact for PyTorch, as it is stored: JSON in the metadata of ``model.safetensors``.

Everything is bounded here, before a tensor is made of it, so that a damaged file is a message and not a crash.
"""

from collections.abc import Collection
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from resemote_edge.artifacts.record import Strict, Text
from resemote_edge.runtimes.graph_operations import OPERATIONS

__all__ = ["Attributes", "StoredNode", "decode_graph"]

_Shape = tuple[Annotated[int, Meta(ge=-1, le=1 << 20)], ...]


class Attributes(Strict, frozen=True, kw_only=True, omit_defaults=True):
    """Numbers of an operation; None for those that it has not.

    Attributes:
        stride: Pixels from one output of a convolution to the next.
        padding: Rows and columns of zeros that a convolution adds on each side.
        size: Side of a pooling's windows, and the distance between them.
        shape: Sizes that a reshape gives; -1 for the batch.
        order: Channel order of the pixels whose gray is taken.
        channels: Channels of the pixels that are fed.
    """

    stride: Annotated[int, Meta(ge=1, le=16)] | None = None
    padding: Annotated[int, Meta(ge=0, le=16)] | None = None
    size: Annotated[int, Meta(ge=1, le=64)] | None = None
    shape: Annotated[_Shape, Meta(min_length=1, max_length=8)] | None = None
    order: Literal["rgb", "bgr"] | None = None
    channels: Annotated[int, Meta(ge=1, le=3)] | None = None


class StoredNode(Strict, frozen=True, kw_only=True):
    """One step.

    Attributes:
        name: Name of the tensor that it makes.
        op: Operation, one of `OPERATIONS`.
        inputs: Names of the tensors that it reads.
        params: Names of its weights, without the node's own in front.
        attributes: Numbers of the operation.
    """

    name: Text
    op: Text
    inputs: Annotated[tuple[Text, ...], Meta(min_length=1, max_length=8)]
    params: Annotated[tuple[Text, ...], Meta(max_length=16)]
    attributes: Attributes


_Graph = Annotated[tuple[StoredNode, ...], Meta(min_length=1, max_length=1024)]


def decode_graph(text: str, *, feeds: Collection[str], weights: Collection[str]) -> tuple[StoredNode, ...]:
    """Decode and check a stored graph.

    Args:
        text: The JSON.
        feeds: Names of the tensors that are fed.
        weights: Names of the tensors in the file.

    Returns:
        The steps, in an order in which each finds what it reads.

    Raises:
        ValueError: The text is not such a graph, or reads a tensor that nothing makes; the message says which.
    """
    try:
        graph = msgspec.json.decode(text, type=_Graph)
    except RecursionError:
        raise ValueError("JSON within JSON without end") from None
    known = set(feeds)
    for node in graph:
        if node.op not in OPERATIONS:
            raise ValueError(f"{node.name}: there is no operation {node.op!r}")
        missing = [name for name in node.inputs if name not in known]
        missing += [key for key in (f"{node.name}.{param}" for param in node.params) if key not in weights]
        if missing:
            raise ValueError(f"{node.name}: {missing[0]} is missing")
        known.add(node.name)
    return graph
