"""What each operation of the eval graph computes, with PyTorch's functions.

Shared by the `pytorch` runtime, which executes a stored graph, and by the proofs that a rewritten graph is still the
same function. This module itself does not import PyTorch; it is handed over.
"""

from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["bind_operation"]

_Params = Mapping[str, Any]
_Attributes = Mapping[str, Any]


def bind_operation(torch: Any, op: str, params: _Params, attributes: _Attributes) -> Callable[..., Any]:
    """An operation with its weights bound.

    Args:
        torch: The module.
        op: Name, as `resemote_edge.models.graph.Node` defines it.
        params: Tensors by name.
        attributes: Numbers by name.

    Returns:
        A function of the operation's input tensors.

    Raises:
        KeyError: No such operation, or one of its parameters is missing.
    """
    return _OPERATIONS[op](torch, params, attributes)


def _conv(torch: Any, params: _Params, attributes: _Attributes) -> Callable[..., Any]:
    weight, bias, stride, padding = params["weight"], params.get("bias"), attributes["stride"], attributes["padding"]
    return lambda x: torch.nn.functional.conv2d(x, weight, bias, stride, padding)


def _linear(torch: Any, params: _Params, attributes: _Attributes) -> Callable[..., Any]:
    weight, bias = params["weight"], params["bias"]
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


_OPERATIONS: dict[str, Callable[[Any, _Params, _Attributes], Callable[..., Any]]] = {
    "conv": _conv,
    "linear": _linear,
    "max_pool": _max_pool,
    "gather": _gather,
    "reshape": _reshape,
    "relu": lambda torch, *_: torch.relu,
    "sigmoid": lambda torch, *_: torch.sigmoid,
    "multiply": lambda torch, *_: torch.mul,
    "add": lambda torch, *_: torch.add,
    "global_mean": lambda *_: lambda x: x.mean(dim=(2, 3), keepdim=True),
    "flatten": lambda *_: lambda x: x.flatten(1),
    "to_tokens": lambda *_: lambda x: x.flatten(2).transpose(1, 2),
    "pad_token": lambda torch, *_: lambda x: torch.nn.functional.pad(x, (0, 0, 0, 1)),
}
