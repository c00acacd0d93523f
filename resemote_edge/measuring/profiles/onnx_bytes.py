"""ONNX without the onnx package, which devices lack: reads a graph's nodes and writes a matrix product.

Both need only a few fields of `onnx.proto <https://github.com/onnx/onnx/blob/main/onnx/onnx.proto>`_ in protobuf's wire
format: a key (field number times 8, plus wire type), then a variable-length integer (type 0) or a length and as many
bytes (type 2).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from resemote_edge.artifacts.onnx_file import BYTES, read_fields
from resemote_edge.errors import ArtifactError

__all__ = ["OnnxNode", "matrix_product_onnx", "read_nodes"]

_VARINT = 0

_ELEMENT_TYPES = {"float32": 1, "uint8": 2, "int8": 3, "int32": 6}

#: Oldest version that all supported versions of ONNX Runtime and the operators below know.
_IR_VERSION, _OPSET = 7, 13


@dataclass(frozen=True, kw_only=True)
class OnnxNode:
    """One node of a graph.

    Attributes:
        name: Name of the node.
        operator: Name of its operator, such as ``Conv``.
        inputs: Names of the tensors it reads.
        outputs: Names of the tensors it writes.
    """

    name: str
    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def read_nodes(model: bytes) -> tuple[OnnxNode, ...]:
    """Nodes of an ONNX model, in the order it holds them.

    Args:
        model: Contents of the file.

    Raises:
        ArtifactError: The file is no ONNX model.
    """
    try:
        start, end = next(_parts(model, 0, len(model), 7))
        return tuple(_node(model, *place) for place in _parts(model, start, end, 1))
    except (StopIteration, ValueError):  # of which UnicodeDecodeError is one
        raise ArtifactError("not an ONNX model: no graph was found in it", hint="export the artifact again") from None


def _parts(model: bytes, start: int, end: int, wanted: int) -> Iterator[tuple[int, int]]:
    """Where the values of one field begin and end."""
    for number, wire, begins, ends in read_fields(model, start, end):
        if number == wanted and wire == BYTES:
            yield begins, ends


def _node(model: bytes, start: int, end: int) -> OnnxNode:
    inputs, outputs, name, operator = (
        tuple(model[begins:ends].decode() for begins, ends in _parts(model, start, end, number))
        for number in (1, 2, 3, 4)
    )
    return OnnxNode(name="".join(name), operator="".join(operator), inputs=inputs, outputs=outputs)


def matrix_product_onnx(rows: str, weights: NDArray[np.generic]) -> bytes:
    """Make a model of one matrix product: input ``rows`` (side, side), output ``product`` (side, side).

    Args:
        rows: Element type of the input, ``float32`` or ``uint8``.
        weights: Weights (side, side); float32 for a ``MatMul`` of float32, int8 for a ``MatMulInteger`` that gives
            int32.

    Returns:
        The contents of an ONNX file.
    """
    side = len(weights)
    operator, product = ("MatMul", "float32") if rows == "float32" else ("MatMulInteger", "int32")
    node = b"".join(
        [_text(1, "rows"), _text(1, "weights"), _text(2, "product"), _text(3, "product"), _text(4, operator)]
    )
    tensor = b"".join(
        [
            *(_number(1, length) for length in weights.shape),
            _number(2, _ELEMENT_TYPES[str(weights.dtype)]),
            _text(8, "weights"),
            _bytes(9, weights.tobytes()),
        ]
    )
    graph = b"".join(
        [
            _bytes(1, node),
            _text(2, "probe"),
            _bytes(5, tensor),
            _bytes(11, _square("rows", rows, side)),
            _bytes(12, _square("product", product, side)),
        ]
    )
    return _number(1, _IR_VERSION) + _bytes(7, graph) + _bytes(8, _text(1, "") + _number(2, _OPSET))


def _square(name: str, element_type: str, side: int) -> bytes:
    """Make a ValueInfoProto of shape (side, side)."""
    dimension = _bytes(1, _number(1, side))
    tensor_type = _number(1, _ELEMENT_TYPES[element_type]) + _bytes(2, dimension + dimension)
    return _text(1, name) + _bytes(2, _bytes(1, tensor_type))


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3 | _VARINT) + _varint(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | BYTES) + _varint(len(value)) + value


def _text(field: int, value: str) -> bytes:
    return _bytes(field, value.encode())


def _varint(value: int) -> bytes:
    parts = []
    while value >= 0x80:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])
