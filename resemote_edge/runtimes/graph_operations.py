"""Operations of the eval graph, computed with PyTorch's functions.

They are shared by the `pytorch` runtime, which executes a stored graph, and by the proofs that a rewritten graph is
still the same function. This module does not import PyTorch itself; the caller passes it in.
"""

from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["LUMA_RGB", "OPERATIONS", "bind_operation"]

#: Luma weights in units of 2^-16, for red, green and blue: `resemote_edge.vision.preprocessing.to_gray`.
LUMA_RGB = (19595, 38470, 7471)

_Params = Mapping[str, Any]
_Attributes = Mapping[str, Any]


def bind_operation(torch: Any, op: str, params: _Params, attributes: _Attributes) -> Callable[..., Any]:
    """Bind an operation to its weights.

    Args:
        torch: The PyTorch module.
        op: Name of the operation, as `resemote_edge.models.graph.Node` defines it.
        params: Tensors by name.
        attributes: Numbers by name.

    Returns:
        A function of the operation's input tensors.

    Raises:
        KeyError: There is no such operation, or one of its parameters is missing.
    """
    return OPERATIONS[op](torch, params, attributes)


def _float_weights(torch: Any, params: _Params) -> tuple[Any, Any]:
    """Weight and bias (or None) as floating tensors, whatever they are stored as."""
    weight, bias = params["weight"], params.get("bias")
    if "weight_scale" in params:
        scale = params["weight_scale"]
        weight = weight.to(scale.dtype) * scale.reshape(-1, *[1] * (weight.dim() - 1))
    if bias is not None and "bias_scale" in params:
        bias = bias.to(params["bias_scale"].dtype) * params["bias_scale"]
    return weight, bias


def _conv(torch: Any, params: _Params, attributes: _Attributes) -> Callable[..., Any]:
    (weight, bias), stride, padding = _float_weights(torch, params), attributes["stride"], attributes["padding"]
    if weight.device.type == "cpu":
        # oneDNN computes in this layout; results stay in it from convolution to convolution.
        weight = weight.contiguous(memory_format=torch.channels_last)
    return lambda x: torch.nn.functional.conv2d(x, weight, bias, stride, padding)


def _linear(torch: Any, params: _Params, attributes: _Attributes) -> Callable[..., Any]:
    weight, bias = _float_weights(torch, params)
    return lambda x: torch.nn.functional.linear(x, weight, bias)


def _max_pool(torch: Any, params: _Params, attributes: _Attributes) -> Callable[..., Any]:
    size = attributes["size"]
    return lambda x: torch.nn.functional.max_pool2d(x, size)


def _gather(torch: Any, params: _Params, attributes: _Attributes) -> Callable[..., Any]:
    indices = params["indices"]
    return lambda x: x.index_select(1, indices)


def _reshape(torch: Any, params: _Params, attributes: _Attributes) -> Callable[..., Any]:
    shape = tuple(attributes["shape"])
    return lambda x: x.reshape(shape)


def _luma(torch: Any, params: _Params, attributes: _Attributes) -> Callable[..., Any]:
    weights = LUMA_RGB if attributes["order"] == "rgb" else LUMA_RGB[::-1]

    def gray(x: Any) -> Any:
        # These are whole numbers below 2^24: exact in float32 and up, so half precision is computed in float32.
        wide = x if x.element_size() >= 4 else x.float()
        channels = (wide[:, index : index + 1] * (weight / 65536.0) for index, weight in enumerate(weights))
        return torch.floor(sum(channels) + 0.5).to(x.dtype)

    return gray


def _softmax(torch: Any, params: _Params, attributes: _Attributes) -> Callable[..., Any]:
    # Sums of exponentials need more digits than half precision has.
    return lambda x: torch.softmax(x if x.element_size() >= 4 else x.float(), dim=1)


def _quantize(torch: Any, params: _Params, attributes: _Attributes) -> Callable[..., Any]:
    scale, zero_point = params["scale"], params["zero_point"]
    limits = torch.iinfo(zero_point.dtype)
    offset = float(zero_point)
    # The integers are held in the floating type of the graph, so that operations which move values work on them.
    return lambda x: torch.clamp(torch.round(x / scale) + offset, limits.min, limits.max)


def _dequantize(torch: Any, params: _Params, attributes: _Attributes) -> Callable[..., Any]:
    scale, offset = params["scale"], float(params["zero_point"])
    return lambda x: (x - offset) * scale


#: Every operation by name: a function of PyTorch, parameters and attributes that binds it.
OPERATIONS: dict[str, Callable[[Any, _Params, _Attributes], Callable[..., Any]]] = {
    "quantize": _quantize,
    "dequantize": _dequantize,
    "conv": _conv,
    "linear": _linear,
    "max_pool": _max_pool,
    "gather": _gather,
    "reshape": _reshape,
    "luma": _luma,
    "from_nhwc": lambda *_: lambda x: x.permute(0, 3, 1, 2),
    "relu": lambda torch, *_: torch.relu,
    "sigmoid": lambda torch, *_: torch.sigmoid,
    "softmax": _softmax,
    "multiply": lambda torch, *_: torch.mul,
    "add": lambda torch, *_: torch.add,
    "global_mean": lambda *_: lambda x: x.mean(dim=(2, 3), keepdim=True),
    "flatten": lambda *_: lambda x: x.flatten(1),
    "to_tokens": lambda *_: lambda x: x.flatten(2).transpose(1, 2),
    "pad_token": lambda torch, *_: lambda x: torch.nn.functional.pad(x, (0, 0, 0, 1)),
}
