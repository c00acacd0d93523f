"""Surgery on a detector's graph: fixed sizes, plain names, an input that frames fit, nothing that engines stumble over.

Values are not changed: the operations and weights stay those of the file, and the verify stage shows it.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper, version_converter

from resemote_edge.artifacts.detector_passport import DetectorInput, feed_spec
from resemote_edge.errors import InputError
from resemote_edge.faces.families import FAMILIES

__all__ = [
    "INPUT",
    "ONNX_VERSION",
    "describe_outputs",
    "find_family",
    "fixed_graph",
    "plain_graph",
    "read_onnx",
    "sized_graph",
]

#: Version of the package that does the surgery.
ONNX_VERSION = str(onnx.__version__)

#: Name of the input, as `feed_spec` has it.
INPUT = feed_spec("tensor", 1, 1).name

#: Opset that is written: TensorRT 8.2 on a Jetson Nano reads no newer one.
_OPSET = 13


def read_onnx(content: bytes, origin: str) -> Any:
    """Parse an ONNX file.

    Raises:
        InputError: It is not one, or keeps tensors elsewhere.
    """
    try:
        model = onnx.load_model_from_string(content)
        elsewhere = any(one.data_location == TensorProto.EXTERNAL for one in model.graph.initializer)
        if not elsewhere:
            onnx.checker.check_model(model)
    except MemoryError:
        raise
    except Exception as error:  # The checker and protobuf share no base class.
        raise InputError(f"{origin}: not a sound ONNX file ({' '.join(str(error).split())[:300]})") from None
    if elsewhere:
        raise InputError(f"{origin}: keeps its weights in another file", hint="save it in one file")
    return model


def find_family(model: Any, origin: str) -> str:
    """Family of a network, which its outputs tell.

    Raises:
        InputError: No family has such outputs.
    """
    names = {output.name for output in model.graph.output}
    if names >= set(FAMILIES["yunet"].outputs):
        return "yunet"
    channels = [_sides(output)[1:2] for output in model.graph.output]
    if channels == [[count] for count in FAMILIES["centerface"].outputs.values()]:
        return "centerface"
    raise InputError(
        f"{origin}: a network with the outputs {', '.join(sorted(names)[:20])}, which no known detector has",
        hint=f"known are the outputs of {' and '.join(FAMILIES)}",
    )


def plain_graph(model: Any, family: str, width: int, height: int, origin: str) -> Any:
    """The network for one size of input, as float32 NCHW.

    Args:
        model: What `read_onnx` gave; not modified.
        family: Family of the network.
        width: Columns of the input, a multiple of 32.
        height: Rows of the input, a multiple of 32.
        origin: Name of the file, for messages.

    Returns:
        A checked model whose input is `INPUT` and whose outputs are named as in `FAMILIES`; all shapes are known.

    Raises:
        InputError: The network cannot take that size.
    """
    opset = next((one.version for one in model.opset_import if one.domain in ("", "ai.onnx")), 0)
    plain = onnx.ModelProto()
    plain.CopyFrom(model)
    graph = plain.graph
    _drop_initializers_from_inputs(graph)
    if len(graph.input) != 1:
        raise InputError(f"{origin}: {len(graph.input)} inputs, a detector has one")
    # YuNet's outputs have their final names; those of CenterFace have numbers.
    wanted = list(FAMILIES[family].outputs)
    found = [output.name for output in graph.output]
    names = {graph.input[0].name: INPUT} | ({} if set(found) >= set(wanted) else dict(zip(found, wanted, strict=True)))
    _rename(graph, names)
    _set_sides(graph.input[0], (1, 3, height, width))
    for output in graph.output:
        output.type.tensor_type.ClearField("shape")
    del graph.value_info[:]
    try:
        if opset != _OPSET:
            plain = version_converter.convert_version(plain, _OPSET)
        _clean_resizes(plain.graph)
        plain = onnx.shape_inference.infer_shapes(plain, strict_mode=True, data_prop=True)
        onnx.checker.check_model(plain)
    except Exception as error:  # The checker's errors share no base class.
        raise InputError(
            f"{origin}: cannot take frames of {width}x{height} ({' '.join(str(error).split())[:300]})"
        ) from None
    for output in plain.graph.output:
        if not all(isinstance(side, int) and side > 0 for side in _sides(output)):
            raise InputError(f"{origin}: the size of the output {output.name} does not follow from that of the input")
    del plain.graph.value_info[:]
    plain.ir_version = min(plain.ir_version, 8)
    return plain


def sized_graph(model: Any, width: int, height: int) -> Any:
    """The network as its file has it, but for the size of the input: what the exported one is compared with.

    Args:
        model: What `read_onnx` gave; not modified.
        width: Columns of the input.
        height: Rows of the input.
    """
    sized = onnx.ModelProto()
    sized.CopyFrom(model)
    weights = {tensor.name for tensor in sized.graph.initializer}
    (fed,) = (one for one in sized.graph.input if one.name not in weights)
    _set_sides(fed, (1, 3, height, width))
    for output in sized.graph.output:
        output.type.tensor_type.ClearField("shape")
    del sized.graph.value_info[:]
    return sized


def fixed_graph(plain: Any, input: DetectorInput, precision: str, facts: Mapping[str, str]) -> Any:
    """The network as it is exported.

    Args:
        plain: What `plain_graph` gave; not modified.
        input: What the network takes.
        precision: ``fp32``, or ``fp16`` to type weights and everything between input and outputs as float16.
        facts: Facts for the metadata.

    Returns:
        A checked model.
    """
    model = onnx.ModelProto()
    model.CopyFrom(plain)
    graph = model.graph
    _, _, height, width = _sides(graph.input[0])
    spec = feed_spec(input, width, height)
    half = precision == "fp16"
    first = INPUT
    head = []
    if input == "bgr-u8" or half:
        _rename(graph, {INPUT: "pixels"})
        if input == "bgr-u8":
            head.append(helper.make_node("Transpose", [first], ["planes"], name="to_planes", perm=[0, 3, 1, 2]))
            first = "planes"
        kind = TensorProto.FLOAT16 if half else TensorProto.FLOAT
        head.append(helper.make_node("Cast", [first], ["pixels"], name="to_float", to=kind))
    del graph.input[:]
    graph.input.append(
        helper.make_tensor_value_info(INPUT, helper.np_dtype_to_tensor_dtype(spec.numpy_dtype), spec.shape)
    )
    nodes = list(graph.node)
    tail = _halve(graph, nodes) if half else []
    del graph.node[:]
    graph.node.extend([*head, *nodes, *tail])
    helper.set_model_props(model, dict(facts))
    onnx.checker.check_model(model)
    return model


def describe_outputs(model: Any) -> dict[str, tuple[int, ...]]:
    """Shapes of a model's outputs, by name, in order."""
    return {output.name: tuple(_sides(output)) for output in model.graph.output}


def _halve(graph: Any, nodes: list[Any]) -> list[Any]:
    """Type the weights as float16, and return the nodes that turn the outputs back to float32."""
    scales = {node.input[2] for node in nodes if node.op_type == "Resize"}
    for tensor in graph.initializer:
        if tensor.data_type == TensorProto.FLOAT and tensor.name not in scales:
            values = numpy_helper.to_array(tensor).astype(np.float16)
            tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    names = {output.name: f"{output.name}_half" for output in graph.output}
    for node in nodes:
        for place, name in enumerate(node.output):
            node.output[place] = names.get(name, name)
        for place, name in enumerate(node.input):
            node.input[place] = names.get(name, name)
    return [
        helper.make_node("Cast", [half], [name], name=f"{name}_to_float", to=TensorProto.FLOAT)
        for name, half in names.items()
    ]


def _drop_initializers_from_inputs(graph: Any) -> None:
    weights = {tensor.name for tensor in graph.initializer}
    kept = [one for one in graph.input if one.name not in weights]
    del graph.input[:]
    graph.input.extend(kept)


def _clean_resizes(graph: Any) -> None:
    """Leave out the region of a Resize, which is only read in a mode that no detector uses, and which is empty."""
    unused = set()
    for node in graph.node:
        if node.op_type == "Resize" and len(node.input) > 1 and node.input[1]:
            unused.add(node.input[1])
            node.input[1] = ""
    unused -= {name for node in graph.node for name in node.input}
    kept = [tensor for tensor in graph.initializer if tensor.name not in unused]
    del graph.initializer[:]
    graph.initializer.extend(kept)


def _rename(graph: Any, names: Mapping[str, str]) -> None:
    for node in graph.node:
        for places in (node.input, node.output):
            for place, name in enumerate(places):
                places[place] = names.get(name, name)
    for one in (*graph.input, *graph.output):
        one.name = names.get(one.name, one.name)


def _set_sides(value: Any, sides: tuple[int, ...]) -> None:
    shape = value.type.tensor_type.shape
    shape.ClearField("dim")
    for side in sides:
        shape.dim.add().dim_value = side


def _sides(value: Any) -> list[int]:
    return [dim.dim_value for dim in value.type.tensor_type.shape.dim]
