"""ExportOptions: a user's request, turned into an export."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from resemote_edge.artifacts.artifact import Artifact
from resemote_edge.artifacts.files import refuse_existing
from resemote_edge.artifacts.output_format import OutputFormat
from resemote_edge.errors import InputError, needs
from resemote_edge.export.context import ExportContext
from resemote_edge.export.recipe import (
    EIGHT_BIT,
    GraphOptions,
    Recipe,
    available_recipes,
    default_recipe,
    find_recipe,
    refuse_board_without_int8,
)
from resemote_edge.labels import split_labels
from resemote_edge.vision.preprocessing import InputFormat
from resemote_edge.weights import default_checkpoint

if TYPE_CHECKING:
    from resemote_edge.models.checkpoint import Checkpoint

__all__ = [
    "ARTIFACTS_FOLDER",
    "ExportOptions",
    "list_all",
    "load_weights",
    "required_data",
    "resolve_recipe",
    "run_export",
]

_Section = TypeVar("_Section", bound=msgspec.Struct)

#: Folder for artifacts when no destination is named.
ARTIFACTS_FOLDER = Path("artifacts")


@dataclass(frozen=True, kw_only=True)
class ExportOptions:
    """The options of ``resemote-edge export``; None where the user left one out.

    Attributes:
        checkpoint: Weights; None for the embedded default.
        target: Name of the target; if a recipe is given, it decides.
        precision: Precision wanted; None for fp32, or the recipe's.
        recipe: Name or file of the recipe; None for the target's default for that precision.
        labels: Names, comma-separated, in the order of the logits; None for those beside the weights.
        compact: Whether to drop weights that cannot reach the output; None for the recipe's choice.
        input: Input format, ``tensor``, ``gray-u8``, ``rgb-u8`` or ``bgr-u8``; None for the recipe's choice.
        output_format: Output, ``logits`` or ``probabilities``; None for the recipe's choice.
        lowering: Form of small maps, ``auto``, ``conv`` or ``matmul``; None for the recipe's choice.
        data: Dataset; its training split is used for calibration, its validation split for verification and the
            accuracy gate.
        max_drop: Largest upper bound of the accuracy drop, percentage points; None for the recipe's choice.
        repair: Whether layers may be kept floating until the gate passes; None for the recipe's choice.
        keep_float: Layers to keep floating; None for the recipe's choice.
        output: Destination; None for a folder under ``artifacts`` named after checkpoint and recipe.
        force: Whether to replace an artifact at the destination.
    """

    checkpoint: Path | None = None
    target: str | None = None
    precision: str | None = None
    recipe: str | None = None
    labels: str | None = None
    compact: bool | None = None
    input: InputFormat | None = None
    output_format: OutputFormat | None = None
    lowering: str | None = None
    data: Path | None = None
    max_drop: float | None = None
    repair: bool | None = None
    keep_float: tuple[str, ...] = ()
    output: Path | None = None
    force: bool = False


def run_export(
    options: ExportOptions,
    stage: Callable[[str], None] = lambda name: None,
    context: ExportContext | None = None,
    measure: Callable[[ExportOptions, Recipe], Recipe] | None = None,
) -> Artifact:
    """Export as the options say.

    Args:
        options: Options that the user gave.
        stage: Function called as each stage begins.
        context: Context of the run, where several exports share their work; None for a run of one export.
        measure: Function that decides the lowering ``auto`` by measurement; None where nothing can be measured.

    Returns:
        The artifact.

    Raises:
        InputError: Options contradict each other, or the destination is taken.
        ResEmoteEdgeError: The pipeline failed.
    """
    recipe = resolve_recipe(options)
    if recipe.graph.lowering == "auto":
        if measure is None:
            raise InputError(
                "lowering 'auto' must be measured first", hint="on the command line, resemote-edge export does that"
            )
        recipe = measure(options, recipe)
    checkpoint_path = options.checkpoint or default_checkpoint()
    destination = options.output or ARTIFACTS_FOLDER / _name(checkpoint_path, options, recipe)
    refuse_existing(destination, force=options.force)
    with needs(",".join(recipe.info.extras), "exporting a checkpoint"):
        from resemote_edge.export.pipeline import ExportRequest, export_artifact

    stage("checkpoint")
    request = ExportRequest(
        checkpoint=load_weights(checkpoint_path, options.labels),
        recipe=recipe,
        destination=destination,
        data=options.data,
        force=options.force,
    )
    return export_artifact(request, stage, context)


def required_data(data: Path | None) -> Path:
    """Return the dataset, which an option had to name.

    Raises:
        InputError: The option did not name it.
    """
    if data is None:
        raise InputError("this needs images of the training split", hint="pass --data with the dataset")
    return data


def load_weights(path: Path | None, labels: str | None) -> "Checkpoint":
    """Read a checkpoint, or the embedded default; `labels` are as the option gives them.

    Raises:
        CheckpointError: The checkpoint cannot be read.
        MissingDependencyError: A package of the export extra is not installed.
    """
    with needs("export", "reading a checkpoint"):
        from resemote_edge.models.checkpoint import load_checkpoint
    return load_checkpoint(path or default_checkpoint(), split_labels(labels))


def resolve_recipe(options: ExportOptions) -> Recipe:
    """Make the recipe that the options name, with their changes to it.

    Raises:
        InputError: Options contradict each other, or a recipe is not valid.
    """
    recipe = _named_recipe(options)
    graph = _changed(recipe.graph, compact=options.compact, input=options.input, output=options.output_format)
    if options.lowering is not None and options.lowering != graph.lowering:
        # Figures that decided for something else would only mislead.
        graph = msgspec.convert(
            {**msgspec.to_builtins(graph), "lowering": options.lowering, "evidence": ()}, GraphOptions
        )
    gate = _changed(recipe.gate, max_drop_points=options.max_drop, repair=options.repair)
    quantize = recipe.quantize
    if options.keep_float:
        if quantize is None:
            raise InputError("--keep-float is for precisions int8 and w8", hint=f"{recipe.name} is all floating")
        quantize = msgspec.structs.replace(quantize, keep_float=options.keep_float)
    return msgspec.structs.replace(recipe, graph=graph, gate=gate, quantize=quantize)


def _changed(section: _Section, **changes: Any) -> _Section:
    """The section of a recipe with the changes that are not None."""
    return msgspec.structs.replace(section, **{name: value for name, value in changes.items() if value is not None})


def _named_recipe(options: ExportOptions) -> Recipe:
    if options.recipe is None:
        if options.target is None:
            raise InputError(
                "no target was named", hint=f"pass --target or --recipe (recipes: {', '.join(available_recipes())})"
            )
        return find_recipe(default_recipe(options.target, options.precision or "fp32"))
    recipe = find_recipe(options.recipe)
    if options.precision in EIGHT_BIT and recipe.tensorrt is not None:
        refuse_board_without_int8(recipe.name, recipe.tensorrt)
    for name, wanted, found in (
        ("--target", options.target, recipe.target),
        ("--precision", options.precision, recipe.precision),
    ):
        if wanted is not None and wanted != found:
            raise InputError(
                f"{name} {wanted} contradicts recipe {recipe.name}, which says {found}", hint="pass one of them"
            )
    return recipe


def _name(checkpoint: Path, options: ExportOptions, recipe: Recipe) -> str:
    suffix = recipe.name if options.recipe is not None else f"{recipe.target}-{recipe.precision}"
    return f"{checkpoint.stem}-{suffix}"


def list_all() -> list[str]:
    """List the recipes that come with the package: name and description, one line each."""
    recipes = [find_recipe(name) for name in available_recipes()]
    width = max(len(recipe.name) for recipe in recipes)
    return [f"{recipe.name:{width}}  {recipe.description}" for recipe in recipes]
