"""ExportOptions: what a user asks for, turned into an export."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from resemote_edge.artifacts.artifact import Artifact
from resemote_edge.artifacts.files import refuse_existing
from resemote_edge.artifacts.output_format import OutputFormat
from resemote_edge.errors import InputError, missing_package
from resemote_edge.export.defaults import default_recipe
from resemote_edge.export.recipe import (
    EIGHT_BIT,
    GraphOptions,
    LoweringEvidence,
    Recipe,
    available_recipes,
    find_recipe,
    refuse_board_without_int8,
)
from resemote_edge.labels import split_labels
from resemote_edge.vision.preprocessing import InputFormat
from resemote_edge.weights import default_checkpoint

if TYPE_CHECKING:
    from resemote_edge.export.quantize.report import SensitivityReport
    from resemote_edge.models.checkpoint import Checkpoint

__all__ = [
    "ARTIFACTS_FOLDER",
    "ExportOptions",
    "list_all",
    "load_weights",
    "rank_sensitivity",
    "required_data",
    "resolve_recipe",
    "run_export",
]

#: Where artifacts go when no destination is named.
ARTIFACTS_FOLDER = Path("artifacts")


@dataclass(frozen=True, kw_only=True)
class ExportOptions:
    """The options of ``resemote-edge export``; None where the user left one out.

    Attributes:
        checkpoint: Weights; the embedded default.
        target: Target; decided by the recipe if that is given.
        precision: Precision; fp32, or the recipe's.
        recipe: Name or file; the target's default for that precision.
        labels: Names, comma-separated, in the order of the logits; those beside the weights.
        compact: Whether to drop weights that cannot reach the output; the recipe's choice.
        input: ``tensor``, ``gray-u8``, ``rgb-u8`` or ``bgr-u8``; the recipe's choice.
        output_format: ``logits`` or ``probabilities``; the recipe's choice.
        lowering: ``auto``, ``conv`` or ``matmul``; the recipe's choice.
        evidence: Figures that decided the lowering, in place of the recipe's.
        data: A dataset: calibration on its training split, verification and the accuracy gate on its validation split.
        max_drop: Largest upper bound of the accuracy drop, percentage points; the recipe's choice.
        repair: Whether layers may be kept floating until the gate passes; the recipe's choice.
        keep_float: Layers to keep floating; the recipe's choice.
        output: Destination; a folder under ``artifacts`` named after checkpoint and recipe.
        force: Replace an artifact at the destination.
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
    evidence: tuple[LoweringEvidence, ...] | None = None
    data: Path | None = None
    max_drop: float | None = None
    repair: bool | None = None
    keep_float: tuple[str, ...] = ()
    output: Path | None = None
    force: bool = False


def run_export(options: ExportOptions, stage: Callable[[str], None] = lambda name: None) -> Artifact:
    """Export as the options say.

    Args:
        options: What the user asked for.
        stage: Called as each stage begins.

    Returns:
        The artifact.

    Raises:
        InputError: Options that contradict each other, or a taken destination.
        ResEmoteEdgeError: Whatever the pipeline raises.
    """
    recipe = resolve_recipe(options)
    if recipe.graph.lowering == "auto":
        raise InputError("lowering 'auto' must be measured first; on the command line, resemote-edge export does that")
    checkpoint_path = options.checkpoint or default_checkpoint()
    destination = options.output or ARTIFACTS_FOLDER / _name(checkpoint_path, options, recipe)
    refuse_existing(destination, force=options.force)
    try:
        from resemote_edge.export.pipeline import ExportRequest, export_artifact
    except ModuleNotFoundError as error:
        raise missing_package(error, "export", "exporting a checkpoint") from None

    stage("checkpoint")
    request = ExportRequest(
        checkpoint=load_weights(checkpoint_path, options.labels),
        recipe=recipe,
        destination=destination,
        data=options.data,
        force=options.force,
    )
    return export_artifact(request, stage)


def rank_sensitivity(
    options: ExportOptions, images: int, progress: Callable[[int, int], None] = lambda done, total: None
) -> "SensitivityReport":
    """Rank layers by what quantizing each alone does.

    Args:
        options: Checkpoint, recipe and data of an export.
        images: Images to compare on.
        progress: Told (done, total) batches.

    Returns:
        The ranking.

    Raises:
        InputError: No data, or options that contradict each other.
        ResEmoteEdgeError: The checkpoint or the data cannot be used.
    """
    recipe = resolve_recipe(options)
    data = required_data(options.data)
    checkpoint = load_weights(options.checkpoint, options.labels)
    from resemote_edge.export.quantize.report import SensitivityRequest, run_sensitivity

    request = SensitivityRequest(checkpoint=checkpoint, recipe=recipe, data=data, images=images)
    return run_sensitivity(request, progress)


def required_data(data: Path | None) -> Path:
    """The dataset, which an option had to name.

    Raises:
        InputError: It did not.
    """
    if data is None:
        raise InputError("this needs images of the training split; pass --data with the dataset")
    return data


def load_weights(path: Path | None, labels: str | None) -> "Checkpoint":
    """Read a checkpoint, or the embedded default; `labels` as the option gives them.

    Raises:
        CheckpointError: It cannot be read.
        MissingDependencyError: A package of the export extra is not installed.
    """
    try:
        from resemote_edge.models.checkpoint import load_checkpoint
    except ModuleNotFoundError as error:
        raise missing_package(error, "export", "reading a checkpoint") from None
    return load_checkpoint(path or default_checkpoint(), split_labels(labels))


def resolve_recipe(options: ExportOptions) -> Recipe:
    """The recipe the options name, with their changes to it.

    Raises:
        InputError: Options that contradict each other, or a recipe that is not valid.
    """
    recipe = _named_recipe(options)
    graph = recipe.graph
    if options.compact is not None:
        graph = msgspec.structs.replace(graph, compact=options.compact)
    if options.input is not None:
        graph = msgspec.structs.replace(graph, input=options.input)
    if options.output_format is not None:
        graph = msgspec.structs.replace(graph, output=options.output_format)
    if options.lowering is not None and options.lowering != graph.lowering:
        # Figures that decided for something else would only mislead.
        graph = msgspec.convert(
            {**msgspec.to_builtins(graph), "lowering": options.lowering, "evidence": ()}, GraphOptions
        )
    if options.evidence is not None:
        graph = msgspec.structs.replace(graph, evidence=options.evidence)
    return msgspec.structs.replace(_with_gate(recipe, options), graph=graph)


def _with_gate(recipe: Recipe, options: ExportOptions) -> Recipe:
    """The recipe with the options' limits of the gate, and layers to keep floating."""
    gate = recipe.gate
    if options.max_drop is not None:
        gate = msgspec.structs.replace(gate, max_drop_points=options.max_drop)
    if options.repair is not None:
        gate = msgspec.structs.replace(gate, repair=options.repair)
    quantize = recipe.quantize
    if options.keep_float:
        if quantize is None:
            raise InputError(f"--keep-float is for precisions int8 and w8; {recipe.name} is all floating")
        quantize = msgspec.structs.replace(quantize, keep_float=options.keep_float)
    return msgspec.structs.replace(recipe, gate=gate, quantize=quantize)


def _named_recipe(options: ExportOptions) -> Recipe:
    if options.recipe is None:
        if options.target is None:
            raise InputError(f"pass --target or --recipe; recipes: {', '.join(available_recipes())}")
        return find_recipe(default_recipe(options.target, options.precision or "fp32"))
    recipe = find_recipe(options.recipe)
    if options.precision in EIGHT_BIT and recipe.tensorrt is not None:
        refuse_board_without_int8(recipe.name, recipe.tensorrt)
    for name, wanted, found in (
        ("--target", options.target, recipe.target),
        ("--precision", options.precision, recipe.precision),
    ):
        if wanted is not None and wanted != found:
            raise InputError(f"{name} {wanted} contradicts recipe {recipe.name}, which says {found}; pass one of them")
    return recipe


def _name(checkpoint: Path, options: ExportOptions, recipe: Recipe) -> str:
    suffix = recipe.name if options.recipe is not None else f"{recipe.target}-{recipe.precision}"
    return f"{checkpoint.stem}-{suffix}"


def list_all() -> list[str]:
    """One line per recipe that comes with the package: name and description."""
    recipes = [find_recipe(name) for name in available_recipes()]
    width = max(len(recipe.name) for recipe in recipes)
    return [f"{recipe.name:{width}}  {recipe.description}" for recipe in recipes]
