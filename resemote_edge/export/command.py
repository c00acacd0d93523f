"""ExportOptions: what a user asks for, turned into an export."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, overload

import msgspec

from resemote_edge.artifact import Artifact
from resemote_edge.errors import InputError, missing_dependency
from resemote_edge.export.defaults import default_recipe
from resemote_edge.export.recipe import GraphOptions, LoweringEvidence, Recipe, available_recipes, find_recipe
from resemote_edge.output_format import OutputFormat
from resemote_edge.preprocessing import InputFormat
from resemote_edge.staging import refuse_existing
from resemote_edge.weights import default_checkpoint

__all__ = ["ARTIFACTS_FOLDER", "ExportOptions", "describe", "list_all", "resolve_recipe", "run_export"]

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
        labels: Seven names, comma-separated.
        compact: Whether to drop weights that cannot reach the output; the recipe's choice.
        input: ``tensor``, ``gray-u8``, ``rgb-u8`` or ``bgr-u8``; the recipe's choice.
        output_format: ``logits`` or ``probabilities``; the recipe's choice.
        lowering: ``auto``, ``conv`` or ``matmul``; the recipe's choice.
        evidence: Figures that decided the lowering, in place of the recipe's.
        data: FER2013 for verification.
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
        from resemote_edge.models.checkpoint import load_checkpoint
    except ModuleNotFoundError as error:
        raise missing_dependency(str(error.name), "export", "exporting a checkpoint") from None

    stage("checkpoint")
    labels = None if options.labels is None else tuple(name.strip() for name in options.labels.split(","))
    request = ExportRequest(
        checkpoint=load_checkpoint(checkpoint_path, labels),
        recipe=recipe,
        destination=destination,
        data=options.data,
        force=options.force,
    )
    return export_artifact(request, stage)


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
        graph = msgspec.convert({**msgspec.to_builtins(graph), "lowering": options.lowering, "evidence": ()}, GraphOptions)
    if options.evidence is not None:
        graph = msgspec.structs.replace(graph, evidence=options.evidence)
    return msgspec.structs.replace(recipe, graph=graph)


def _named_recipe(options: ExportOptions) -> Recipe:
    if options.recipe is None:
        if options.target is None:
            raise InputError(f"pass --target or --recipe; recipes: {', '.join(available_recipes())}")
        return find_recipe(default_recipe(options.target, options.precision or "fp32"))
    recipe = find_recipe(options.recipe)
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


@overload
def describe(artifact: Artifact, as_lines: Literal[False] = False) -> dict[str, Any]: ...
@overload
def describe(artifact: Artifact, as_lines: Literal[True]) -> list[str]: ...
def describe(artifact: Artifact, as_lines: bool = False) -> dict[str, Any] | list[str]:
    """What an export made: where, how large, and how it was verified; as JSON types or as lines for people."""
    passport = artifact.passport
    result = passport.verification
    assert result is not None  # the pipeline writes no passport without it
    if not as_lines:
        return {
            "artifact": str(artifact.path),
            "files": {entry.path: entry.size_bytes for entry in passport.files},
            "verification": msgspec.to_builtins(result),
            "rewrites": msgspec.to_builtins(passport.rewrites),
            "engine": msgspec.to_builtins(passport.engine),
            "notes": list(passport.notes),
        }
    megabytes = sum(entry.size_bytes for entry in passport.files if entry.role in ("model", "weights")) / 1e6
    lines = [
        f"{artifact.path}: {passport.target} {passport.precision}, {megabytes:.1f} MB",
        f"verified in {result.runtime} {result.runtime_version} on {result.device} against PyTorch, {result.inputs}: "
        f"largest difference of {result.compared} {result.max_abs_diff:.2g} (limit {result.max_abs_diff_limit:.2g}), "
        f"top-1 agreement {result.top1_agreement:.4f}",
    ]
    if passport.rewrites:
        first, last = passport.rewrites[0], passport.rewrites[-1]
        steps = ", ".join(rewrite.name for rewrite in passport.rewrites)
        lines.append(
            f"rewritten exactly ({steps}): {first.parameters_before:,} to {last.parameters_after:,} parameters, largest "
            f"logit difference {max(r.max_abs_logit_diff_float64 for r in passport.rewrites):.2g} in float64"
        )
    if result.engine_verified != "yes":
        lines.append(f"the engine itself was not run here: {result.engine_verified.removeprefix('no: ')}")
    if passport.engine is not None:
        engine = passport.engine
        lines.append(f"engine of {engine.builder} {engine.version} for {', '.join(engine.compute_capabilities)}")
    return lines + [f"note: {note}" for note in passport.notes]
