"""EvalGraph to ONNX: one node per operation, named after the paper's layers, typed fp32 or fp16."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from resemote_edge import __version__
from resemote_edge.errors import ExportError
from resemote_edge.models.graph import INPUT, LOGITS, EvalGraph, Node
from resemote_edge.models.shapes import Shape, infer_shapes
from resemote_edge.runtimes.graph_operations import LUMA_RGB

__all__ = ["max_opset", "to_onnx"]

#: Oldest opset written: TensorRT 8.2 reads 13 and below.
MIN_OPSET = 13

_FP16_MAX = 65504.0


def max_opset() -> int:
    """Newest opset that the installed onnx package knows."""
    return int(onnx.defs.onnx_opset_version())


def to_onnx(
    graph: EvalGraph, *, opset: int, precision: str, classes: int, metadata: Mapping[str, str] | None = None
) -> Any:
    """Write a graph as ONNX.

    Args:
        graph: Graph to write.
        opset: Opset, from 13 up to what the installed onnx package knows.
        precision: Precision: ``fp32``, or ``fp16`` for a typed fp16 graph whose input and output stay fp32.
        classes: Number of logits.
        metadata: Texts for ``metadata_props``.

    Returns:
        A ``ModelProto`` with dynamic batch that ``onnx.checker`` accepts with full checks. Its input is ``input``
        float32 (batch, 3, 64, 64), or uint8 (batch, 64, 64, C) if the graph takes pixels. Its output is ``logits`` or
        ``probabilities``, float32 (batch, classes).

    Raises:
        ExportError: The opset is out of range, or a weight does not fit into fp16.
    """
    if not MIN_OPSET <= opset <= max_opset():
        raise ExportError(
            f"opset {opset} cannot be written",
            hint=f"choose {MIN_OPSET} to {max_opset()} (onnx {onnx.__version__} here)",
        )
    shapes = infer_shapes(graph)
    takes_pixels = graph.nodes[0].op == "from_nhwc"
    writer = _Writer(np.dtype(np.float16 if precision == "fp16" else np.float32), shapes, takes_pixels=takes_pixels)
    for node in graph.nodes:
        writer.add(node)
    onnx_graph = helper.make_graph(
        writer.nodes,
        "resemotenet",
        [
            helper.make_tensor_value_info(
                INPUT, onnx.TensorProto.UINT8 if takes_pixels else onnx.TensorProto.FLOAT, ["batch", *shapes[INPUT]]
            )
        ],
        [helper.make_tensor_value_info(graph.output, onnx.TensorProto.FLOAT, ["batch", classes])],
        writer.initializers,
    )
    opsets = [helper.make_opsetid("", opset)]
    proto = helper.make_model(
        onnx_graph,
        opset_imports=opsets,
        ir_version=helper.find_min_ir_version_for(opsets),
        producer_name="resemote-edge",
        producer_version=__version__,
    )
    helper.set_model_props(proto, dict(metadata or {}))
    onnx.checker.check_model(proto, full_check=True)
    return proto


class _Writer:
    """Collects ONNX nodes and initializers; activations and weights have one dtype."""

    def __init__(self, dtype: np.dtype[Any], shapes: Mapping[str, Shape], *, takes_pixels: bool) -> None:
        self.dtype = dtype
        self.shapes = shapes
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []
        self._renamed = {}
        if self._typed and not takes_pixels:
            self._renamed[INPUT] = self.cast(INPUT, "input.cast")

    @property
    def _typed(self) -> bool:
        return self.dtype != np.float32

    def cast(self, source: str, name: str) -> str:
        """Cast a tensor to the graph's type and return the name of the result."""
        self._emit("Cast", name, [source], to=helper.np_dtype_to_tensor_dtype(self.dtype))
        return name

    def emit_plain(self, op: str, name: str, inputs: list[str], **attributes: Any) -> None:
        """Write an ONNX node with these inputs, whatever their type."""
        self._emit(op, name, inputs, **attributes)

    def constant(self, name: str, array: NDArray[Any]) -> str:
        """Store an array in its own type and return its name."""
        self.initializers.append(numpy_helper.from_array(array, name))
        return name

    def add(self, node: Node) -> None:
        """Write one node of the eval graph."""
        _EMITTERS[node.op](self, node)
        if self._typed and node.name == LOGITS:
            # The logits leave the typed graph as float32, so that a softmax behind them is computed in float32.
            self.nodes[-1].output[0] = "logits.typed"
            self.nodes[-1].name = "fc4"
            self._emit("Cast", LOGITS, ["logits.typed"], to=onnx.TensorProto.FLOAT)

    def emit(self, op: str, node: Node, *extra: str, **attributes: Any) -> None:
        """Write an ONNX node with the inputs and parameters of an eval-graph node, and further inputs by name."""
        inputs = [*(self._renamed.get(name, name) for name in node.inputs), *extra]
        for key in ("weight", "bias", "indices"):
            if key in node.params:
                inputs.append(self._parameter(node, key))
        self._emit(op, node.name, inputs, **attributes)

    def _parameter(self, node: Node, key: str) -> str:
        """Store a parameter; one held in integers is followed by the node that turns it back to floating."""
        name = f"{node.name}.{key}"
        scale = node.params.get(f"{key}_scale")
        if scale is None:
            return self.initializer(name, node.params[key])
        whole = node.params[key]
        inputs = [
            self.constant(f"{name}.{whole.dtype}", whole),
            self.initializer(f"{name}.scale", scale),
            self.constant(f"{name}.zero_point", np.zeros_like(scale, dtype=whole.dtype)),
        ]
        self._emit("DequantizeLinear", name, inputs, axis=0)
        return name

    def _emit(self, op: str, name: str, inputs: list[str], **attributes: Any) -> None:
        self.nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))

    def initializer(self, name: str, array: NDArray[Any]) -> str:
        """Store an array and return its name; floating arrays are stored in the graph's type."""
        if array.dtype.kind != "f":
            return self.constant(name, array)
        if self._typed and float(np.abs(array).max(initial=0.0)) > _FP16_MAX:
            raise ExportError(
                f"{name} holds {float(np.abs(array).max()):.4g}, more than fp16 can (65504)",
                hint="export --precision fp32",
            )
        self.initializers.append(numpy_helper.from_array(array.astype(self.dtype, copy=False), name))
        return name


def _conv(writer: _Writer, node: Node) -> None:
    stride, padding = node.attributes["stride"], node.attributes["padding"]
    kernel = list(node.params["weight"].shape[2:])
    writer.emit("Conv", node, kernel_shape=kernel, strides=[stride] * 2, pads=[padding] * 4)


def _max_pool(writer: _Writer, node: Node) -> None:
    size = node.attributes["size"]
    writer.emit("MaxPool", node, kernel_shape=[size] * 2, strides=[size] * 2)


def _reshape(writer: _Writer, node: Node) -> None:
    shape = writer.initializer(f"{node.name}.shape", np.asarray(node.attributes["shape"], dtype=np.int64))
    writer.emit("Reshape", node, shape)


def _quantize(writer: _Writer, node: Node) -> None:
    op = "QuantizeLinear" if node.op == "quantize" else "DequantizeLinear"
    scale = writer.initializer(f"{node.name}.scale", node.params["scale"])
    writer.emit(op, node, scale, writer.constant(f"{node.name}.zero_point", node.params["zero_point"]))


def _pad_token(writer: _Writer, node: Node) -> None:
    # pads: begin and end of (batch, token, channel); one zero token behind the last.
    pads = writer.initializer(f"{node.name}.pads", np.asarray([0, 0, 0, 0, 1, 0], dtype=np.int64))
    writer.emit("Pad", node, pads)


def _to_tokens(writer: _Writer, node: Node) -> None:
    channels, height, width = writer.shapes[node.inputs[0]]
    writer.emit("Transpose", dataclasses.replace(node, name=f"{node.name}.nhwc"), perm=[0, 2, 3, 1])
    flat = Node(node.name, "reshape", (f"{node.name}.nhwc",), attributes={"shape": (-1, height * width, channels)})
    _reshape(writer, flat)


def _from_nhwc(writer: _Writer, node: Node) -> None:
    # The cast comes first, because TensorRT accepts uint8 only in a cast. A luma behind it needs float32, whatever the
    # graph's type is, and casts its result itself.
    if node.attributes["channels"] == 1:
        source = writer.cast(node.inputs[0], f"{node.name}.cast")
    else:
        source = f"{node.name}.cast"
        writer.emit_plain("Cast", source, list(node.inputs), to=onnx.TensorProto.FLOAT)
    writer.emit_plain("Transpose", node.name, [source], perm=[0, 3, 1, 2])


def _luma(writer: _Writer, node: Node) -> None:
    # This is computed element by element and in float32, where these sums of whole numbers are exact. A convolution
    # might be computed with fewer bits.
    order = LUMA_RGB if node.attributes["order"] == "rgb" else LUMA_RGB[::-1]
    weights = np.asarray(order, dtype=np.float32).reshape(1, 3, 1, 1) / np.float32(65536.0)
    name = node.name
    writer.emit_plain("Mul", f"{name}.parts", [*node.inputs, writer.constant(f"{name}.weights", weights)])
    axes = writer.constant(f"{name}.axes", np.asarray([1], dtype=np.int64))
    writer.emit_plain("ReduceSum", f"{name}.sum", [f"{name}.parts", axes], keepdims=1)
    half = writer.constant(f"{name}.half", np.asarray(0.5, dtype=np.float32))
    writer.emit_plain("Add", f"{name}.half_up", [f"{name}.sum", half])
    if writer.dtype == np.float32:
        writer.emit_plain("Floor", name, [f"{name}.half_up"])
    else:
        writer.emit_plain("Floor", f"{name}.float32", [f"{name}.half_up"])
        writer.cast(f"{name}.float32", name)


#: Writer of each operation of the eval graph.
_EMITTERS: dict[str, Callable[[_Writer, Node], None]] = {
    "from_nhwc": _from_nhwc,
    "luma": _luma,
    "conv": _conv,
    "max_pool": _max_pool,
    "linear": lambda writer, node: writer.emit("Gemm", node, transB=1),
    "quantize": _quantize,
    "dequantize": _quantize,
    "relu": lambda writer, node: writer.emit("Relu", node),
    "sigmoid": lambda writer, node: writer.emit("Sigmoid", node),
    "softmax": lambda writer, node: writer.emit("Softmax", node, axis=1),
    "multiply": lambda writer, node: writer.emit("Mul", node),
    "add": lambda writer, node: writer.emit("Add", node),
    "global_mean": lambda writer, node: writer.emit("GlobalAveragePool", node),
    "gather": lambda writer, node: writer.emit("Gather", node, axis=1),
    "reshape": _reshape,
    "pad_token": _pad_token,
    "to_tokens": _to_tokens,
    "flatten": lambda writer, node: writer.emit("Flatten", node, axis=1),
}
