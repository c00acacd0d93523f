"""Targets: one module per kind of artifact, and the table that names them."""

from importlib import import_module

from resemote_edge.errors import InputError
from resemote_edge.export.targets.base import Target

__all__ = ["TARGETS", "get_target"]

#: Name to ``module:Class``; a new target is a module and a row here.
TARGETS: dict[str, str] = {
    "onnx": "resemote_edge.export.targets.onnx:OnnxTarget",
    "openvino": "resemote_edge.export.targets.openvino:OpenVINOTarget",
    "tensorrt": "resemote_edge.export.targets.tensorrt:TensorRTTarget",
    "pytorch": "resemote_edge.export.targets.pytorch:PyTorchTarget",
}


def get_target(name: str) -> Target:
    """Return the target of that name.

    Raises:
        InputError: No target has that name.
    """
    if name not in TARGETS:
        raise InputError(f"unknown target {name!r}; choose one of {', '.join(TARGETS)}")
    module, _, attribute = TARGETS[name].partition(":")
    target: Target = getattr(import_module(module), attribute)()
    return target
