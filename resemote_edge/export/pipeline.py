"""export_artifact: the stages in order, and the passport that grows along the way."""

import datetime
import json
import platform
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray

from resemote_edge import __version__
from resemote_edge.artifact import Artifact, file_sha256
from resemote_edge.export.golden import CROPS_NAME, LOGITS_NAME, Golden, make_golden
from resemote_edge.export.onnx import to_onnx
from resemote_edge.export.recipe import Recipe
from resemote_edge.export.targets import get_target
from resemote_edge.export.targets.base import Built, BuiltFile, TargetInputs
from resemote_edge.export.verify import VerifyInputs, choose_inputs, verify
from resemote_edge.models.checkpoint import Checkpoint
from resemote_edge.models.compact import compact
from resemote_edge.models.embedding import embed_preprocessing
from resemote_edge.models.graph import EvalGraph, with_output
from resemote_edge.models.lowering import lower
from resemote_edge.models.proof import Step, prove
from resemote_edge.models.resemotenet import ResEmoteNet
from resemote_edge.output_format import limit_in_units_of
from resemote_edge.passport import (
    PASSPORT_NAME,
    SCHEMA_VERSION,
    FileEntry,
    GoldenInfo,
    Lineage,
    Passport,
    Rewrite,
    decode_passport,
    encode_passport,
)
from resemote_edge.preprocessing import PreprocessSpec
from resemote_edge.staging import refuse_existing, staged_folder
from resemote_edge.tensor_spec import TensorSpec

__all__ = ["ExportRequest", "export_artifact"]

#: Told the name of each stage as it begins.
StageCallback = Callable[[str], None]


# Rewritings are proved on seeded random tensors and on the first inputs of the verify stage, in float64 and float32.
_PROOF_RANDOM = 8
_PROOF_INPUTS = 24


@dataclass(frozen=True, kw_only=True)
class ExportRequest:
    """What to export.

    Attributes:
        checkpoint: The weights.
        recipe: How.
        destination: Folder to make.
        data: FER2013 in any form, for verification on real faces; None for drawn ones.
        force: Replace an artifact at the destination.
    """

    checkpoint: Checkpoint = field(repr=False)
    recipe: Recipe
    destination: Path
    data: Path | None = None
    force: bool = False


@dataclass(frozen=True)
class _Traced:
    """The graph stage's result."""

    model: ResEmoteNet
    graph: EvalGraph
    rewrites: tuple[Rewrite, ...]
    lineage: Lineage
    preprocessing: PreprocessSpec


def export_artifact(request: ExportRequest, stage: StageCallback = lambda name: None) -> Artifact:
    """Run the pipeline.

    Args:
        request: What to export.
        stage: Called as each stage begins.

    Returns:
        The artifact at its destination, verified.

    Raises:
        InputError: The destination is taken, or the recipe names an unknown target.
        ExportError: A stage failed.
        GateError: The result differs from PyTorch by more than the recipe allows.
        MissingDependencyError: The target's package is not installed.

    Whatever is raised, nothing is left at the destination that was not there before.
    """
    recipe = request.recipe
    target = get_target(recipe.target)
    refuse_existing(request.destination, force=request.force)
    stage("graph")
    spec = PreprocessSpec(input=recipe.graph.input)
    inputs = choose_inputs(request.data, recipe.verify.samples, spec)
    traced = _trace(request.checkpoint, recipe, spec, inputs)
    facts = _facts(request.checkpoint, recipe, traced)
    stage("onnx")
    classes = len(request.checkpoint.labels)
    onnx_model = to_onnx(
        traced.graph, opset=recipe.opset, precision=target.onnx_precision(recipe), classes=classes, metadata=facts
    )
    with staged_folder(request.destination, force=request.force) as folder:
        stage(f"target {recipe.target}")
        built = target.build(
            TargetInputs(graph=traced.graph, onnx=onnx_model, recipe=recipe, facts=facts, folder=folder)
        )
        golden = make_golden(traced.model, traced.preprocessing)
        golden.save(folder)
        draft = _passport(request, traced, built, golden, folder)
        stage("verify")
        result = verify(Artifact(folder, draft), traced.model, inputs, recipe.verify, target.runtime)
        stage("passport")
        passport = msgspec.structs.replace(draft, verification=result)
        encoded = encode_passport(passport)
        decode_passport(encoded, PASSPORT_NAME)  # what cannot be read back must not be written
        (folder / PASSPORT_NAME).write_bytes(encoded)
    return Artifact(request.destination, passport)


def _trace(checkpoint: Checkpoint, recipe: Recipe, spec: PreprocessSpec, inputs: VerifyInputs) -> _Traced:
    model = checkpoint.build()
    steps: list[Step] = []
    if recipe.graph.compact:
        steps.append(("compact", compact))
    if recipe.graph.lowering == "matmul":
        steps.append(("lower", lower))
    if spec.input != "tensor":
        steps.append((f"embed {spec.input}", embed_preprocessing(spec)))
    feeds = np.concatenate([_random_feeds(spec), inputs.feeds[:_PROOF_INPUTS]])
    described = f"{_PROOF_RANDOM} seeded random inputs, and {len(feeds) - _PROOF_RANDOM} of {inputs.description}"
    graph, rewrites = prove(model, steps, spec, feeds, described)
    graph = with_output(graph, recipe.graph.output)
    card = checkpoint.card
    lineage = Lineage(
        checkpoint=checkpoint.path.name,
        checkpoint_sha256=checkpoint.sha256,
        width=checkpoint.width,
        parameters=checkpoint.parameters,
        training_data=card.training_data,
        accuracy=card.accuracy,
    )
    return _Traced(model, graph, rewrites, lineage, spec)


def _random_feeds(spec: PreprocessSpec) -> NDArray[Any]:
    """Seeded random feeds of the network's input format: normal numbers for tensors, any level for pixels."""
    rng = np.random.default_rng(_PROOF_RANDOM)
    shape = (_PROOF_RANDOM, *(int(side) for side in spec.feed_spec.shape[1:]))
    if spec.input == "tensor":
        return rng.standard_normal(shape).astype(np.float32)
    return rng.integers(0, 256, shape, dtype=np.uint8)


def _facts(checkpoint: Checkpoint, recipe: Recipe, traced: _Traced) -> dict[str, str]:
    """The passport's facts that also travel inside ONNX metadata and IR runtime information."""
    facts = {
        "schema_version": SCHEMA_VERSION,
        "labels": list(checkpoint.labels),
        "preprocessing": msgspec.to_builtins(traced.preprocessing),
        "precision": recipe.precision,
        "recipe": recipe.name,
        "lineage": msgspec.to_builtins(traced.lineage),
    }
    return {
        f"resemote_edge.{key}": value if isinstance(value, str) else json.dumps(value) for key, value in facts.items()
    }


def _passport(request: ExportRequest, traced: _Traced, built: Built, golden: Golden, folder: Path) -> Passport:
    recipe, checkpoint = request.recipe, request.checkpoint
    files = (
        *built.files,
        BuiltFile(CROPS_NAME, "golden", "npy"),
        BuiltFile(LOGITS_NAME, "golden", "npy"),
    )
    return Passport(
        schema_version=SCHEMA_VERSION,
        name=request.destination.name,
        created_utc=datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        target=recipe.target,
        precision=recipe.precision,
        labels=checkpoint.labels,
        preprocessing=traced.preprocessing,
        inputs=(traced.preprocessing.feed_spec,),
        outputs=(TensorSpec(name=traced.graph.output, dtype="float32", shape=("batch", len(checkpoint.labels))),),
        batch=recipe.batch,
        lineage=traced.lineage,
        recipe=recipe.to_dict(),
        tools={
            "resemote-edge": __version__,
            "python": platform.python_version(),
            "numpy": np.__version__,
            "torch": str(torch.__version__),
            **built.tools,
        },
        files=tuple(_entry(folder, file) for file in files),
        golden=GoldenInfo(
            crops=CROPS_NAME,
            logits=LOGITS_NAME,
            count=len(golden.crops),
            max_abs_diff=limit_in_units_of(recipe.graph.output, recipe.verify.golden_limit),
        ),
        rewrites=traced.rewrites,
        engine=built.engine,
        notes=_notes(checkpoint, built),
    )


def _notes(checkpoint: Checkpoint, built: Built) -> tuple[str, ...]:
    if checkpoint.labels_source == "assumed":
        assumed = "the checkpoint does not state its label order; the published ResEmoteNet order was assumed"
        return (*built.notes, assumed)
    return built.notes


def _entry(folder: Path, file: BuiltFile) -> FileEntry:
    path = folder / file.name
    return FileEntry(
        path=file.name,
        role=file.role,
        format=file.format,
        sha256=file_sha256(path),
        size_bytes=path.stat().st_size,
    )
