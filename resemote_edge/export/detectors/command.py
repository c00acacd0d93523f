"""DetectorExport: a user's request for a detector, turned into an artifact."""

import json
import platform
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast, get_args

import msgspec
import numpy as np

from resemote_edge import __version__
from resemote_edge.artifacts.artifact import DetectorArtifact, file_sha256
from resemote_edge.artifacts.detector_passport import DetectorGolden, DetectorInput, DetectorPassport, feed_spec
from resemote_edge.artifacts.files import refuse_existing, staged_folder
from resemote_edge.artifacts.passport_base import PASSPORT_NAME, SCHEMA_VERSION, FileEntry
from resemote_edge.artifacts.passport_codec import decode_passport, encode_passport
from resemote_edge.artifacts.record import utc_now
from resemote_edge.artifacts.tensor_spec import BatchRange, TensorSpec
from resemote_edge.errors import InputError, needs
from resemote_edge.export.command import ARTIFACTS_FOLDER
from resemote_edge.export.detectors.source import FoundWeights, find_weights
from resemote_edge.export.recipe import Recipe, default_recipe, find_recipe
from resemote_edge.export.targets import find_target
from resemote_edge.faces.families import FAMILIES

__all__ = ["LICENCE_NAME", "DetectorExport", "export_detector"]

LICENCE_NAME = "LICENSE"

#: Sides of a network's input are multiples of this, since its coarsest grid is 32 pixels wide.
_STEP = 32

#: Pictures of the verify stage, and the largest difference of any output by precision.
_PICTURES = 4
_LIMITS = {"fp32": 1e-3, "fp16": 0.1}
_SEED = 7


@dataclass(frozen=True, kw_only=True)
class DetectorExport:
    """The options of ``resemote-edge export --detector``; None where the user left one out.

    Attributes:
        detector: Name of a detector whose weights a package carries, or an ONNX file.
        target: Name of the target; if a recipe is given, it decides.
        precision: ``fp32`` or ``fp16``; None for fp32, or the recipe's.
        recipe: Name or file of a recipe, whose target, precision and builder are used.
        size: Width and height of the network's input, pixels.
        input: What the network takes (`DetectorInput`); None for the target's choice.
        output: Destination; None for a folder under ``artifacts``.
        force: Whether to replace an artifact at the destination.
    """

    detector: str
    target: str | None = None
    precision: str | None = None
    recipe: str | None = None
    size: tuple[int, int] = (640, 384)
    input: str | None = None
    output: Path | None = None
    force: bool = False


def export_detector(options: DetectorExport, stage: Callable[[str], None] = lambda name: None) -> DetectorArtifact:
    """Export a face detector.

    Args:
        options: Options that the user gave.
        stage: Function called as each stage begins.

    Returns:
        The artifact at its destination, verified.

    Raises:
        InputError: Options contradict each other, the destination is taken, or the weights cannot be used.
        MissingDependencyError: A package is not installed.
        ExportError: The target's tool refused the network.
        GateError: The exported network gives other values than the file of its weights.

    After any error, nothing is left at the destination that was not there before.
    """
    recipe = _recipe(options)
    width, height = options.size
    if width % _STEP or height % _STEP or not all(_STEP <= side <= 4096 for side in options.size):
        raise InputError(
            f"a detector cannot take frames of {width}x{height}",
            hint=f"pass sides of {_STEP} to 4096 that are multiples of {_STEP}, such as 640x384",
        )
    if options.input not in (None, *get_args(DetectorInput)):
        raise InputError(
            f"no detector takes the input {options.input}", hint=f"pass {' or '.join(get_args(DetectorInput))}"
        )
    stage("weights")
    weights = find_weights(options.detector)
    suffix = recipe.name if options.recipe is not None else f"{recipe.target}-{recipe.precision}"
    destination = options.output or ARTIFACTS_FOLDER / f"{weights.name}-{width}x{height}-{suffix}"
    refuse_existing(destination, force=options.force)
    with needs("detectors", "exporting a detector"):
        import onnx  # noqa: F401  The message names the extra that does without torch.
    with staged_folder(destination, force=options.force) as folder:
        passport = msgspec.structs.replace(_build(options, recipe, weights, folder, stage), name=destination.name)
        encoded = encode_passport(passport)
        decode_passport(encoded, PASSPORT_NAME)  # A passport that cannot be read back must not be written.
        (folder / PASSPORT_NAME).write_bytes(encoded)
    return DetectorArtifact(destination, passport)


def _recipe(options: DetectorExport) -> Recipe:
    """The recipe that says how to build, for one frame at a time."""
    if options.recipe is not None:
        recipe = find_recipe(options.recipe)
        for name, wanted, found in (
            ("--target", options.target, recipe.target),
            ("--precision", options.precision, recipe.precision),
        ):
            if wanted not in (None, found):
                raise InputError(
                    f"{name} {wanted} contradicts recipe {recipe.name}, which says {found}", hint="pass one of them"
                )
    elif options.target is None:
        raise InputError("no target was named", hint="pass --target or --recipe")
    else:
        recipe = find_recipe(default_recipe(options.target, options.precision or "fp32"))
    if recipe.precision not in _LIMITS:
        raise InputError(
            f"detectors are exported in {' or '.join(_LIMITS)}, not in {recipe.precision}",
            hint="pass another --precision, or another recipe",
        )
    return msgspec.structs.replace(recipe, batch=BatchRange(max=1))


def _build(
    options: DetectorExport, recipe: Recipe, weights: FoundWeights, folder: Path, stage: Callable[[str], None]
) -> DetectorPassport:
    """Write the files of the artifact, and return its passport, but for its name, with the verify stage's results."""
    from resemote_edge.export.detectors import graph
    from resemote_edge.export.detectors.golden import FRAMES_NAME, OUTPUTS_NAME, Reference, drawn_pictures, make_golden
    from resemote_edge.export.detectors.verify import verify_detector
    from resemote_edge.export.targets.base import BuiltFile, TargetInputs

    stage("graph")
    width, height = options.size
    origin = weights.source.file
    model = graph.read_onnx(weights.content, origin)
    family = graph.find_family(model, origin)
    plain = graph.plain_graph(model, family, width, height, origin)
    info = find_target(recipe.target)
    target = info.load()
    fed = cast("DetectorInput", options.input or info.detector_input)
    typed = target.onnx_precision(recipe)
    facts = _facts(family, weights, recipe)
    proto = graph.fixed_graph(plain, fed, typed, facts)
    stage(f"target {recipe.target}")
    built = target.build(TargetInputs(graph=None, onnx=proto, recipe=recipe, facts=facts, folder=folder))
    reference = Reference(graph.sized_graph(model, width, height))
    golden = make_golden(reference, width, height)
    golden.save(folder)
    files = [*built.files, BuiltFile(FRAMES_NAME, "golden", "npy"), BuiltFile(OUTPUTS_NAME, "golden", "npy")]
    if weights.licence_text:
        (folder / LICENCE_NAME).write_text(weights.licence_text, encoding="utf-8")
        files.append(BuiltFile(LICENCE_NAME, "licence", "text"))
    facts_of_family = FAMILIES[family]
    limit = _LIMITS[recipe.precision]
    draft = DetectorPassport(
        schema_version=SCHEMA_VERSION,
        name=weights.name,
        created_utc=utc_now(),
        target=recipe.target,
        precision=recipe.precision,
        inputs=(feed_spec(fed, width, height),),
        outputs=tuple(
            TensorSpec(name=output, dtype="float32", shape=shape)
            for output, shape in graph.describe_outputs(proto).items()
        ),
        batch=BatchRange(max=1),
        tools={
            "resemote-edge": __version__,
            "python": platform.python_version(),
            "numpy": np.__version__,
            "onnx": graph.ONNX_VERSION,
            **built.tools,
        },
        files=tuple(_entry(folder, file.name, file.role, file.format) for file in files),
        engine=built.engine,
        notes=(*built.notes, *_notes(weights)),
        family=family,
        width=width,
        height=height,
        input=fed,
        framing=facts_of_family.framing,
        min_score=facts_of_family.min_score,
        max_overlap=facts_of_family.max_overlap,
        source=weights.source,
        golden=DetectorGolden(
            frames=FRAMES_NAME, outputs=OUTPUTS_NAME, count=len(golden.frames), repeat=golden.repeat, max_abs_diff=limit
        ),
    )
    stage("verify")
    pictures = drawn_pictures(_PICTURES, width, height, seed=_SEED)
    result = verify_detector(DetectorArtifact(folder, draft), pictures, reference(pictures), limit, info.home_runtime)
    return msgspec.structs.replace(draft, verification=result)


def _facts(family: str, weights: FoundWeights, recipe: Recipe) -> dict[str, str]:
    """Facts of the passport that also travel inside ONNX metadata and IR runtime information."""
    facts: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "kind": DetectorPassport.kind,
        "family": family,
        "precision": recipe.precision,
        "source": msgspec.to_builtins(weights.source),
    }
    return {
        f"resemote_edge.{key}": value if isinstance(value, str) else json.dumps(value) for key, value in facts.items()
    }


def _notes(weights: FoundWeights) -> tuple[str, ...]:
    source = weights.source
    if source.package is None:
        return ("the weights came from a file that the user named, and their licence is not known",)
    return (
        f"the weights are those of {source.file} in the Python package {source.package} {source.version}, under the "
        f"licence {source.licence}; its text is the file {LICENCE_NAME}",
    )


def _entry(folder: Path, name: str, role: str, format: str) -> FileEntry:
    path = folder / name
    return FileEntry(path=name, role=role, format=format, sha256=file_sha256(path), size_bytes=path.stat().st_size)
