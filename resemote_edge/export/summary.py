"""The result of an export, as JSON or in lines for people."""

from typing import Any

import msgspec

from resemote_edge.artifacts.artifact import Artifact, BaseArtifact, DetectorArtifact
from resemote_edge.artifacts.summary import gate_line, quantization_line

__all__ = ["describe", "describe_detector", "describe_detector_lines", "describe_lines"]


def describe(artifact: Artifact) -> dict[str, Any]:
    """Describe an export's result, path, size and verification, as JSON types."""
    passport = artifact.passport
    return {
        "artifact": str(artifact.path),
        "files": {entry.path: entry.size_bytes for entry in passport.files},
        "verification": msgspec.to_builtins(passport.verification),
        "rewrites": msgspec.to_builtins(passport.rewrites),
        "quantization": msgspec.to_builtins(passport.quantization),
        "gate": msgspec.to_builtins(passport.gate),
        "engine": msgspec.to_builtins(passport.engine),
        "notes": list(passport.notes),
    }


def describe_lines(artifact: Artifact) -> list[str]:
    """The same in lines for people."""
    passport = artifact.passport
    result = passport.verification
    assert result is not None  # The pipeline writes no passport without it.
    lines = [
        _headline(artifact),
        f"verified in {result.runtime} {result.runtime_version} on {result.device} against PyTorch, {result.inputs}: "
        f"largest difference of {result.compared} {result.max_abs_diff:.2g} (limit {result.max_abs_diff_limit:.2g}), "
        f"top-1 agreement {result.top1_agreement:.4f}",
    ]
    if passport.rewrites:
        first, last = passport.rewrites[0], passport.rewrites[-1]
        steps = ", ".join(rewrite.name for rewrite in passport.rewrites)
        lines.append(
            f"rewritten exactly ({steps}): {first.parameters_before:,} to {last.parameters_after:,} parameters, "
            f"largest logit difference {max(r.max_abs_logit_diff_float64 for r in passport.rewrites):.2g} in float64"
        )
    if passport.quantization is not None:
        lines.append(quantization_line(passport.quantization))
    if passport.gate is not None:
        lines.append(gate_line(passport.gate))
    return lines + _last_lines(artifact, result.engine_verified)


def describe_detector(artifact: DetectorArtifact) -> dict[str, Any]:
    """Describe the export of a detector: path, size and verification, as JSON types."""
    passport = artifact.passport
    return {
        "artifact": str(artifact.path),
        "files": {entry.path: entry.size_bytes for entry in passport.files},
        "verification": msgspec.to_builtins(passport.verification),
        "source": msgspec.to_builtins(passport.source),
        "engine": msgspec.to_builtins(passport.engine),
        "notes": list(passport.notes),
    }


def describe_detector_lines(artifact: DetectorArtifact) -> list[str]:
    """The same in lines for people."""
    passport = artifact.passport
    result = passport.verification
    assert result is not None  # The export writes no passport without it.
    return [
        _headline(artifact),
        f"face detector {passport.family}, for frames scaled to {passport.width}x{passport.height} pixels",
        f"verified in {result.runtime} {result.runtime_version} on {result.device} against {passport.source.file}, "
        f"{result.inputs}: largest difference of any output {result.max_abs_diff:.2g} (limit "
        f"{result.max_abs_diff_limit:.2g})",
        *_last_lines(artifact, result.engine_verified),
    ]


def _headline(artifact: BaseArtifact) -> str:
    passport = artifact.passport
    megabytes = sum(entry.size_bytes for entry in passport.files if entry.role in ("model", "weights")) / 1e6
    return f"{artifact.path}: {passport.target} {passport.precision}, {megabytes:.1f} MB"


def _last_lines(artifact: BaseArtifact, engine_verified: str) -> list[str]:
    """What is said of any artifact's engine, and its notes."""
    passport = artifact.passport
    lines = []
    if engine_verified != "yes":
        lines.append(f"the engine itself was not run here: {engine_verified.removeprefix('no: ')}")
    if passport.engine is not None:
        engine = passport.engine
        lines.append(f"engine of {engine.builder} {engine.version} for {', '.join(engine.compute_capabilities)}")
    return lines + [f"note: {note}" for note in passport.notes]
