"""Repair: layers kept floating, worst first, until the accuracy gate passes."""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec

from resemote_edge.artifacts.artifact import Artifact
from resemote_edge.artifacts.passport import GateResult, RepairStep
from resemote_edge.artifacts.passport_base import PASSPORT_NAME
from resemote_edge.artifacts.passport_codec import encode_passport
from resemote_edge.errors import GateError
from resemote_edge.export.gate import AccuracyGate, upper_drop
from resemote_edge.export.quantize.sensitivity import LayerSensitivity
from resemote_edge.measuring.comparison.live import LiveRequest, compare_live
from resemote_edge.measuring.statistics.restart_ratio import MIN_RESTARTS

__all__ = ["build_until_accepted"]

# Time of the comparison with the first attempt, over all its restarts. The figure is for the record.
_SECONDS = 3.0

# Number of layers named in the message when the gate fails for good.
_WORST_NAMED = 4


def build_until_accepted(
    build: Callable[[tuple[str, ...]], Artifact],
    gate: AccuracyGate,
    rank: Callable[[], list[LayerSensitivity]] | None,
    stage: Callable[[str], None],
    *,
    folder: Path,
    runtime: str,
) -> tuple[Artifact, GateResult]:
    """Build, judge, and keep one more layer floating, until the gate accepts.

    Args:
        build: Function that builds and verifies with some layers floating.
        gate: Gate that judges what was built.
        rank: Function that ranks the layers, worst first, when it is first needed; None where nothing is quantized.
        stage: Function called with what happens.
        folder: Folder that it builds in; emptied before each new attempt.
        runtime: Runtime of the target.

    Returns:
        The first attempt that was accepted, and the verdict of the gate.

    Raises:
        GateError: The gate failed, and repair is forbidden, impossible or exhausted; the worst layers are named.
    """
    ranked: list[LayerSensitivity] = []
    steps: list[RepairStep] = []
    kept: list[str] = []
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f"{folder.name}-first-") as aside:
        first: Artifact | None = None
        while True:
            artifact = build(tuple(kept))
            stage("accuracy gate")
            result = gate.judge(artifact, runtime, tuple(steps))
            if result.status == "passed":
                break
            if rank is not None and not ranked:
                stage("sensitivity")
                ranked = rank()
            waiting = [entry.layer for entry in ranked if entry.layer not in kept]
            if not gate.options.repair or not waiting:
                raise GateError(_refusal(artifact, result, ranked))
            assert result.comparison is not None  # a gate that ran has compared
            step = RepairStep(
                upper_drop_points=upper_drop(result), flip_rate=result.comparison.flip_rate, next_float_layer=waiting[0]
            )
            stage(f"repair: the drop may be {step.upper_drop_points:.2f} points, {waiting[0]} stays floating")
            steps.append(step)
            kept.append(waiting[0])
            first = _set_aside(folder, artifact, Path(aside), first)
        if first is not None:
            result = msgspec.structs.replace(result, repair_latency_ratio=_latency_ratio(artifact, first, runtime))
    return artifact, result


def _set_aside(folder: Path, artifact: Artifact, aside: Path, first: Artifact | None) -> Artifact:
    """Empty the folder; the first attempt's files are moved, because the last one's speed is compared with it."""
    for path in folder.iterdir():
        if first is None:
            shutil.move(path, aside / path.name)
        else:
            path.unlink()
    return first or Artifact(aside, artifact.passport)


def _latency_ratio(last: Artifact, first: Artifact, runtime: str) -> float | None:
    """Latency of one crop, last over first, compared live; None where the deployed engine cannot run here.

    Crops come one by one, because that is where a camera application notices a slower layer.
    """
    for artifact in (last, first):
        verification = artifact.passport.verification
        if verification is None or verification.engine_verified != "yes":
            return None
        # The processes that run it read its passport; the one that the export ends with replaces this.
        (artifact.path / PASSPORT_NAME).write_bytes(encode_passport(artifact.passport))
    device = "cpu" if last.passport.engine is None else "auto"  # as the verify stage opened it
    request = LiveRequest(a=first, b=last, runtime=runtime, device=device, seconds=_SECONDS, restarts=MIN_RESTARTS)
    return compare_live(request).comparison.ratio


def _refusal(artifact: Artifact, result: GateResult, ranked: list[LayerSensitivity]) -> str:
    comparison = result.comparison
    assert comparison is not None
    low, high = comparison.drop_interval_95
    worst = ", ".join(f"{entry.layer} ({entry.signal_to_noise_db:.1f} dB)" for entry in ranked[:_WORST_NAMED])
    precision = artifact.passport.precision
    parts = [
        f"{precision} loses {comparison.drop_points:.2f} points of accuracy over {result.data} "
        f"({comparison.reference_accuracy * 100:.2f} to {comparison.accuracy * 100:.2f} %, 95 % interval of the drop "
        f"{low:.2f} to {high:.2f}, flips {comparison.flip_rate * 100:.1f} %); its upper end must be within "
        f"{result.max_drop_points:g}"
    ]
    if worst:
        parts.append(f"most sensitive layers, by signal to noise: {worst}")
    advice = "allow repair, keep these layers floating with --keep-float" if worst else "choose fp32"
    parts.append(f"nothing was exported; {advice}, or raise --max-drop")
    return ". ".join(parts)
