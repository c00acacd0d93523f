"""ONNX without the onnx package, which devices lack: reads a graph's nodes and writes a matrix product.

Both need only a few fields of `onnx.proto <https://github.com/onnx/onnx/blob/main/onnx/onnx.proto>`_ in protobuf's wire
format: a key (field number times 8, plus wire type), then a variable-length integer (type 0) or a length and as many
bytes (type 2).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from resemote_edge.errors import ArtifactError

__all__ = ["OnnxNode", "matrix_product_onnx", "read_nodes"]

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5

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
        graph = next(value for number, value in _fields(memoryview(model)) if number == 7 and value is not None)
        return tuple(_node(value) for number, value in _fields(graph) if number == 1 and value is not None)
    except (StopIteration, IndexError, UnicodeDecodeError):
        raise ArtifactError("not an ONNX model: no graph was found in it", hint="export the artifact again") from None


def _node(message: memoryview) -> OnnxNode:
    texts: dict[int, list[str]] = {1: [], 2: [], 3: [], 4: []}
    for number, value in _fields(message):
        if number in texts and value is not None:
            texts[number].append(str(value, "utf-8"))
    inputs, outputs, name, operator = texts.values()
    return OnnxNode(name="".join(name), operator="".join(operator), inputs=tuple(inputs), outputs=tuple(outputs))


def _fields(message: memoryview) -> Iterator[tuple[int, memoryview | None]]:
    """Field numbers of a message, with the bytes of those that hold bytes and None for the others."""
    at = 0
    while at < len(message):
        key, at = _read_varint(message, at)
        number, kind = key >> 3, key & 7
        if kind == _BYTES:
            length, at = _read_varint(message, at)
            if at + length > len(message):
                raise IndexError
            yield number, message[at : at + length]
            at += length
        elif kind == _VARINT:
            _, at = _read_varint(message, at)
            yield number, None
        elif kind in (_FIXED64, _FIXED32):
            at += 8 if kind == _FIXED64 else 4
            yield number, None
        else:
            raise IndexError


def _read_varint(message: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


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
    return _varint(field << 3 | _BYTES) + _varint(len(value)) + value


def _text(field: int, value: str) -> bytes:
    return _bytes(field, value.encode())


def _varint(value: int) -> bytes:
    parts = []
    while value >= 0x80:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])
