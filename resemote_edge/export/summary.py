"""The result of an export, as JSON or in lines for people."""

from typing import Any

import msgspec

from resemote_edge.artifacts.artifact import Artifact
from resemote_edge.artifacts.summary import gate_line, quantization_line

__all__ = ["describe", "describe_lines"]


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
            f"rewritten exactly ({steps}): {first.parameters_before:,} to {last.parameters_after:,} parameters, "
            f"largest logit difference {max(r.max_abs_logit_diff_float64 for r in passport.rewrites):.2g} in float64"
        )
    if passport.quantization is not None:
        lines.append(quantization_line(passport.quantization))
    if passport.gate is not None:
        lines.append(gate_line(passport.gate))
    if result.engine_verified != "yes":
        lines.append(f"the engine itself was not run here: {result.engine_verified.removeprefix('no: ')}")
    if passport.engine is not None:
        engine = passport.engine
        lines.append(f"engine of {engine.builder} {engine.version} for {', '.join(engine.compute_capabilities)}")
    return lines + [f"note: {note}" for note in passport.notes]
