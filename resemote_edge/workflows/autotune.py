"""Chooses the lowering by measurement: exports both forms, compares them live, and keeps the faster."""

import dataclasses
import math
from collections.abc import Callable
from pathlib import Path

import msgspec

from resemote_edge.artifacts.partial import scratch_folder
from resemote_edge.errors import DeviceUnavailableError
from resemote_edge.export.command import ExportOptions, run_export
from resemote_edge.export.context import ExportContext
from resemote_edge.export.recipe import LoweringEvidence, Recipe
from resemote_edge.machine.environment import capture_environment
from resemote_edge.measuring.comparison.live import LiveRequest, compare_live
from resemote_edge.measuring.statistics.restart_ratio import MIN_RESTARTS
from resemote_edge.runtimes.registry import get_runtime

__all__ = ["choose_lowering"]

_FORMS = ("conv", "matmul")

# The forms differ by more than processes of one file do, so that few restarts are enough.
_SECONDS = 6.0


def choose_lowering(
    options: ExportOptions,
    recipe: Recipe,
    *,
    notice: Callable[[str], None] = lambda text: None,
    context: ExportContext | None = None,
) -> Recipe:
    """Resolve ``lowering = "auto"``.

    Args:
        options: Options of an export.
        recipe: Recipe that they name, whose lowering is ``auto``.
        notice: Function called with what was measured, one line at a time.
        context: Context of the run, for its exports.

    Returns:
        The recipe with ``conv`` or ``matmul``, and the latencies at batch 1 and at the recipe's optimal batch (8 if it
        names none). The form with the smaller product of the two is chosen, so that equal factors count equally.

    Raises:
        DeviceUnavailableError: The target's runtime cannot run here, so nothing can be measured.
        ResEmoteEdgeError: An export or a measurement failed.
    """
    runtime = recipe.info.home_runtime
    availability = get_runtime(runtime).probe()
    if not availability.available:
        raise DeviceUnavailableError(
            f"lowering 'auto' measures in runtime {runtime}, which cannot run here: {availability.reason}",
            hint="pass --lowering conv or --lowering matmul",
        )
    batches = (1, recipe.batch.opt if recipe.batch.opt > 1 else 8)
    with scratch_folder("autotune") as folder:
        artifacts = {}
        for form in _FORMS:
            notice(f"autotune: exporting with {form}")
            trial = dataclasses.replace(options, lowering=form, output=Path(folder, form), force=False)
            artifacts[form] = run_export(trial, context=context)
        p50: dict[tuple[str, int], float] = {}
        for batch in batches:
            request = LiveRequest(
                a=artifacts["conv"],
                b=artifacts["matmul"],
                runtime=runtime,
                batch=batch,
                seconds=_SECONDS,
                restarts=MIN_RESTARTS,
            )
            found = compare_live(request).comparison
            p50["conv", batch], p50["matmul", batch] = found.a.latency_p50_ms, found.b.latency_p50_ms
    width = artifacts["conv"].passport.lineage.width
    environment = capture_environment()
    evidence = tuple(
        LoweringEvidence(
            machine=f"{environment.cpu_model}, {environment.cores_allowed} threads",
            runtime=f"{runtime} {availability.version}",
            width=width,
            batch=batch,
            conv_p50_ms=round(p50["conv", batch], 3),
            matmul_p50_ms=round(p50["matmul", batch], 3),
        )
        for batch in batches
    )
    for entry in evidence:
        notice(f"autotune: batch {entry.batch}: conv {entry.conv_p50_ms} ms, matmul {entry.matmul_p50_ms} ms")
    best = min(_FORMS, key=lambda form: math.prod(p50[form, batch] for batch in batches))
    notice(f"autotune: {best}")
    graph = msgspec.structs.replace(recipe.graph, lowering=best, evidence=evidence)
    return msgspec.structs.replace(recipe, graph=graph)
