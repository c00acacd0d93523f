"""Ablation: a recipe and variations of it, in one TOML file, to be compared over several seeds."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec

from resemote_edge.artifacts.record import Name, Strict, read_toml, refuse_repeated
from resemote_edge.errors import InputError
from resemote_edge.training.config import TrainingConfig, layered_config
from resemote_edge.weights import EMBEDDED, named_checkpoint

__all__ = ["Ablation", "Arm", "arm_config", "load_ablation"]

ABLATION_SCHEMA = 1


class Arm(Strict, frozen=True, kw_only=True):
    """One variation of the recipe.

    Attributes:
        name: Name of the arm, and of its files.
        label: Description of the difference, for people.
        recipe: Fields of `TrainingConfig` that differ from those all arms share.
        teacher: Teacher: a variant of the embedded weights or a checkpoint; None for none.
    """

    name: Name
    label: str
    recipe: dict[str, Any] = msgspec.field(default_factory=dict)
    teacher: str | None = None


class Ablation(Strict, frozen=True, kw_only=True, rename={"arms": "arm"}):
    """The arms that are compared; the first is the baseline.

    Attributes:
        schema: Schema of the file, `ABLATION_SCHEMA`.
        name: Name, which is the file's stem.
        description: Description in one sentence.
        variant: Variant whose recipe it starts from.
        seeds: Seeds, with each of which every arm is trained.
        recipe: Fields of `TrainingConfig` that all arms share.
        arms: Arms; ``[[arm]]`` in the file.
    """

    schema: int
    name: Name
    description: str
    variant: str
    seeds: Annotated[tuple[Annotated[int, msgspec.Meta(ge=0, lt=2**32)], ...], msgspec.Meta(min_length=1)]
    recipe: dict[str, Any] = msgspec.field(default_factory=dict)
    arms: Annotated[tuple[Arm, ...], msgspec.Meta(min_length=2)]


def load_ablation(path: Path) -> Ablation:
    """Read and validate an ablation, including the recipe of every arm.

    Raises:
        InputError: There is no such file, it is not TOML, a key is missing, unknown or of the wrong type, or a recipe
            is not valid.
    """
    hint = "pass a TOML file such as benchmarks/ablations/xs.toml"
    ablation = read_toml(path, Ablation, what="ablation", schema=ABLATION_SCHEMA, hint=hint)
    refuse_repeated("arm", (arm.name for arm in ablation.arms), f"{path}: ")
    refuse_repeated("seed", ablation.seeds, f"{path}: ")
    for arm in ablation.arms:
        for layer in (ablation.recipe, arm.recipe):
            if "seed" in layer:
                raise InputError(f"{path}: arm {arm.name}: a recipe here has no seed", hint="list the seeds at the top")
        arm_config(ablation, arm, ablation.seeds[0], where=f"{path}: arm {arm.name}")
        if arm.teacher is not None and not named_checkpoint(arm.teacher).is_file():
            raise InputError(
                f"{path}: arm {arm.name}: teacher {arm.teacher!r} is neither embedded weights "
                f"({', '.join(EMBEDDED)}) nor a file"
            )
    return ablation


def arm_config(ablation: Ablation, arm: Arm, seed: int, where: str | None = None) -> TrainingConfig:
    """Make the whole recipe of an arm with a seed.

    Raises:
        InputError: The recipe is not valid; the message begins with `where`.
    """
    layers: tuple[Mapping[str, Any], ...] = (ablation.recipe, arm.recipe, {"seed": seed})
    return layered_config(ablation.variant, *layers, where=where or f"arm {arm.name}")
