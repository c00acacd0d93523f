"""The recipe used when only a target and a precision are named."""

from resemote_edge.errors import InputError

__all__ = ["RECIPE_PREFIXES", "default_recipe"]

#: Target to ``<device>-<runtime>`` of its default recipes.
RECIPE_PREFIXES: dict[str, str] = {
    "onnx": "cpu-onnxruntime",
    "openvino": "cpu-openvino",
    "tensorrt": "rtx-tensorrt",
    "pytorch": "any-pytorch",
}


def default_recipe(target: str, precision: str) -> str:
    """Name of the recipe for a target and precision.

    Raises:
        InputError: No target has that name.
    """
    if target not in RECIPE_PREFIXES:
        raise InputError(f"unknown target {target!r}; choose one of {', '.join(RECIPE_PREFIXES)}")
    return f"{RECIPE_PREFIXES[target]}-{precision}"
