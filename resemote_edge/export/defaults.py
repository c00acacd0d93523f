"""Recipe that is used when only a target and a precision are named."""

from typing import get_args

from resemote_edge.errors import InputError
from resemote_edge.export.recipe import Precision, available_recipes
from resemote_edge.runtimes.cpu_features import int8_sums_saturate

__all__ = ["PRECISIONS", "RECIPE_PREFIXES", "WITHOUT_VNNI", "default_recipe"]

#: Target to ``<device>-<runtime>`` of its default recipes.
RECIPE_PREFIXES: dict[str, str] = {
    "onnx": "cpu-onnxruntime",
    "openvino": "cpu-openvino",
    "tensorrt": "rtx-tensorrt",
    "pytorch": "any-pytorch",
}

#: Default recipe to the one that replaces it where int8 sums of this machine's CPU saturate.
WITHOUT_VNNI: dict[str, str] = {"cpu-openvino-int8": "cpu-no-vnni-openvino-int8"}

PRECISIONS: tuple[str, ...] = get_args(Precision)


def default_recipe(target: str, precision: str) -> str:
    """Name of the recipe for a target and precision, for a CPU like this machine's.

    Raises:
        InputError: No target has that name, or it has no recipe for that precision.
    """
    if target not in RECIPE_PREFIXES:
        raise InputError(f"unknown target {target!r}; choose one of {', '.join(RECIPE_PREFIXES)}")
    name = f"{RECIPE_PREFIXES[target]}-{precision}"
    if name not in available_recipes():
        known = [other for other in PRECISIONS if f"{RECIPE_PREFIXES[target]}-{other}" in available_recipes()]
        raise InputError(f"target {target} has no recipe for precision {precision}; it has {', '.join(known)}")
    return WITHOUT_VNNI.get(name, name) if int8_sums_saturate() else name
