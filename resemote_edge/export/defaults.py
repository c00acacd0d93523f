"""The recipe used when only a target and a precision are named."""

from typing import get_args

from resemote_edge.errors import InputError
from resemote_edge.export.recipe import Precision, available_recipes

__all__ = ["PRECISIONS", "RECIPE_PREFIXES", "default_recipe"]

#: Target to ``<device>-<runtime>`` of its default recipes.
RECIPE_PREFIXES: dict[str, str] = {
    "onnx": "cpu-onnxruntime",
    "openvino": "cpu-openvino",
    "tensorrt": "rtx-tensorrt",
    "pytorch": "any-pytorch",
}

PRECISIONS: tuple[str, ...] = get_args(Precision)


def default_recipe(target: str, precision: str) -> str:
    """Name of the recipe for a target and precision.

    Raises:
        InputError: No target has that name, or it has no recipe for that precision.
    """
    if target not in RECIPE_PREFIXES:
        raise InputError(f"unknown target {target!r}; choose one of {', '.join(RECIPE_PREFIXES)}")
    name = f"{RECIPE_PREFIXES[target]}-{precision}"
    if name not in available_recipes():
        known = [other for other in PRECISIONS if f"{RECIPE_PREFIXES[target]}-{other}" in available_recipes()]
        raise InputError(f"target {target} has no recipe for precision {precision}; it has {', '.join(known)}")
    return name
