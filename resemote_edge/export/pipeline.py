"""export_artifact: the stages in order, and the passport that grows along the way."""

import json
import platform
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import numpy as np
import torch

from resemote_edge import __version__
from resemote_edge.artifacts.artifact import Artifact, file_sha256
from resemote_edge.artifacts.files import refuse_existing, staged_folder
from resemote_edge.artifacts.output_format import limit_in_units_of
from resemote_edge.artifacts.passport import GateResult, GoldenInfo, Passport
from resemote_edge.artifacts.passport_base import PASSPORT_NAME, SCHEMA_VERSION, FileEntry
from resemote_edge.artifacts.passport_codec import decode_passport, encode_passport
from resemote_edge.artifacts.record import utc_now
from resemote_edge.artifacts.tensor_spec import TensorSpec
from resemote_edge.data.calibration import choose_calibration
from resemote_edge.export.context import ExportContext
from resemote_edge.export.gate import make_gate
from resemote_edge.export.golden import CROPS_NAME, LOGITS_NAME, reference_of, write_golden
from resemote_edge.export.onnx import to_onnx
from resemote_edge.export.quantize.quantization import QuantizationPlan, plan_quantization
from resemote_edge.export.quantize.sensitivity import LayerSensitivity, rank_layers
from resemote_edge.export.recipe import Recipe
from resemote_edge.export.repair import build_until_accepted
from resemote_edge.export.targets.base import Built, BuiltFile, Target, TargetInputs
from resemote_edge.export.tracing import Traced, VerifyInputs, trace
from resemote_edge.export.verify import verify
from resemote_edge.models.checkpoint import Checkpoint
from resemote_edge.models.work import layer_work

__all__ = ["ExportRequest", "export_artifact"]

#: Function that is called with the name of each stage as it begins.
StageCallback = Callable[[str], None]


# This is enough to order the layers by signal to noise; flips are rare at any number.
_RANKING_IMAGES = 256


@dataclass(frozen=True, kw_only=True)
class ExportRequest:
    """The export that is asked for.

    Attributes:
        checkpoint: Weights to export.
        recipe: Recipe of the export.
        destination: Folder to make.
        data: Dataset; its training split is used for calibration, its validation split for verification and the
            accuracy gate. None to verify on drawn faces, calibrate with recorded ranges and leave the gate out.
        force: Whether to replace an artifact at the destination.
    """

    checkpoint: Checkpoint = field(repr=False)
    recipe: Recipe
    destination: Path
    data: Path | None = None
    force: bool = False


def export_artifact(
    request: ExportRequest, stage: StageCallback = lambda name: None, context: ExportContext | None = None
) -> Artifact:
    """Run the pipeline.

    Args:
        request: Export to run.
        stage: Function called as each stage begins.
        context: Context of the run, where several exports share their work; None for a run of one export.

    Returns:
        The artifact at its destination, verified.

    Raises:
        InputError: The destination is taken, or the recipe names an unknown target.
        ExportError: A stage failed.
        GateError: The result differs from PyTorch by more than the recipe allows, or lost too much accuracy.
        InputError: INT8 was asked for without data and without recorded ranges, or the data has other classes than the
            network.
        MissingDependencyError: The target's package is not installed.

    After any error, nothing is left at the destination that was not there before.
    """
    recipe = request.recipe
    info = recipe.info  # An unknown target is refused before any work.
    target, runtime = info.load(), info.home_runtime
    refuse_existing(request.destination, force=request.force)
    stage("graph")
    context = context or ExportContext()
    traced, inputs = trace(request.checkpoint, recipe, request.data, context)
    plan = None
    if recipe.quantize is not None:
        stage("quantize")
        plan = plan_quantization(request.checkpoint, recipe.quantize, request.data, context)
    with staged_folder(request.destination, force=request.force) as folder:
        staged = _Staged(request, target, runtime, traced, plan, inputs, folder, stage)
        if recipe.precision == "fp32":
            passport = staged.build().passport
        elif request.data is None:
            passport = msgspec.structs.replace(staged.build().passport, gate=_gate_not_run(recipe))
        else:
            stage("reference accuracy")
            gate = make_gate(request.checkpoint, traced, request.data, recipe.gate, context)
            rank = None if plan is None else _ranking(traced, plan, request.data, context)
            artifact, verdict = build_until_accepted(staged.build, gate, rank, stage, folder=folder, runtime=runtime)
            passport = msgspec.structs.replace(artifact.passport, gate=verdict)
        stage("passport")
        encoded = encode_passport(passport)
        decode_passport(encoded, PASSPORT_NAME)  # A passport that cannot be read back must not be written.
        (folder / PASSPORT_NAME).write_bytes(encoded)
    return Artifact(request.destination, passport)


@dataclass(frozen=True)
class _Staged:
    """An export in progress: the decisions made so far, and the folder it is built in."""

    request: ExportRequest
    target: Target
    runtime: str
    traced: Traced
    plan: QuantizationPlan | None
    inputs: VerifyInputs
    folder: Path
    stage: StageCallback

    def build(self, keep_float: tuple[str, ...] = ()) -> Artifact:
        """Quantize, write, and verify; the passport is complete except for the gate's verdict."""
        recipe, traced, plan = self.request.recipe, self.traced, self.plan
        facts = _facts(self.request.checkpoint, recipe, traced)
        quantized = None if plan is None else plan.apply(traced.graph, keep_float)
        record = None if plan is None else plan.record(traced.graph, keep_float)
        graph = quantized or traced.graph
        self.stage("onnx")
        onnx_model = to_onnx(
            graph,
            opset=recipe.opset,
            precision=self.target.onnx_precision(recipe),
            classes=len(self.request.checkpoint.labels),
            metadata=facts,
        )
        self.stage(f"target {recipe.target}")
        inputs = TargetInputs(graph=graph, onnx=onnx_model, recipe=recipe, facts=facts, folder=self.folder)
        built = self.target.build(inputs)
        self.stage("verify")
        reference = reference_of(traced, quantized)
        crops = write_golden(reference, traced.preprocessing, self.folder)
        want = reference(self.inputs.feeds)
        draft = _passport(self.request, traced, built, crops, self.folder)
        work = layer_work(graph, 16 if recipe.float_precision == "fp16" else 32)
        draft = msgspec.structs.replace(draft, quantization=record, layers=work)
        staged = Artifact(self.folder, draft)
        result = verify(staged, want, self.inputs, recipe.verify, self.runtime)
        return Artifact(self.folder, msgspec.structs.replace(draft, verification=result))


def _gate_not_run(recipe: Recipe) -> GateResult:
    return GateResult(
        status="not run: no validation images were given; pass --data", max_drop_points=recipe.gate.max_drop_points
    )


def _ranking(
    traced: Traced, plan: QuantizationPlan, data: Path, context: ExportContext
) -> Callable[[], list[LayerSensitivity]]:
    """Rank layers on training images, when asked; on validation images the ranking would fit the model to the gate."""

    def rank() -> list[LayerSensitivity]:
        count = min(_RANKING_IMAGES, plan.options.calibration_images)
        chosen = choose_calibration(data, count, plan.options.seed, datasets=context.datasets)
        return rank_layers(traced.graph, plan, traced.preprocessing(list(chosen.images), "gray"))

    return rank


def _facts(checkpoint: Checkpoint, recipe: Recipe, traced: Traced) -> dict[str, str]:
    """Facts of the passport that also travel inside ONNX metadata and IR runtime information."""
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


def _passport(request: ExportRequest, traced: Traced, built: Built, crops: int, folder: Path) -> Passport:
    recipe, checkpoint = request.recipe, request.checkpoint
    files = (*built.files, BuiltFile(CROPS_NAME, "golden", "npy"), BuiltFile(LOGITS_NAME, "golden", "npy"))
    return Passport(
        schema_version=SCHEMA_VERSION,
        name=request.destination.name,
        created_utc=utc_now(),
        target=recipe.target,
        precision=recipe.precision,
        labels=checkpoint.labels,
        preprocessing=traced.preprocessing,
        inputs=(traced.preprocessing.feed_spec,),
        outputs=(TensorSpec(name=traced.graph.output, dtype="float32", shape=("batch", len(checkpoint.labels))),),
        batch=recipe.batch,
        lineage=traced.lineage,
        recipe=msgspec.to_builtins(recipe),
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
            count=crops,
            max_abs_diff=limit_in_units_of(recipe.graph.output, recipe.verify.golden_limit),
        ),
        rewrites=traced.rewrites,
        engine=built.engine,
        notes=_notes(checkpoint, built),
    )


def _notes(checkpoint: Checkpoint, built: Built) -> tuple[str, ...]:
    assumed = "the checkpoint does not state its label order; the published ResEmoteNet order was assumed"
    return (*built.notes, *checkpoint.notes, *([assumed] if checkpoint.labels_source == "assumed" else []))


def _entry(folder: Path, file: BuiltFile) -> FileEntry:
    path = folder / file.name
    return FileEntry(
        path=file.name, role=file.role, format=file.format, sha256=file_sha256(path), size_bytes=path.stat().st_size
    )
