"""Recipe that is used when only a target and a precision are named."""

from resemote_edge.errors import InputError
from resemote_edge.export.recipe import PRECISIONS, available_recipes
from resemote_edge.export.targets import find_target
from resemote_edge.runtimes.cpu_features import int8_sums_saturate

__all__ = ["default_recipe"]


def default_recipe(target: str, precision: str) -> str:
    """Name of the recipe for a target and precision, for a CPU like this machine's.

    Raises:
        InputError: No target has that name, or it has no recipe for that precision.
    """
    info = find_target(target)
    recipes = {each: f"{info.recipes}-{each}" for each in PRECISIONS if f"{info.recipes}-{each}" in available_recipes()}
    if precision not in recipes:
        raise InputError(
            f"target {target} has no recipe for precision {precision}", hint=f"it has {', '.join(recipes)}"
        )
    return info.without_vnni.get(precision, recipes[precision]) if int8_sums_saturate() else recipes[precision]
