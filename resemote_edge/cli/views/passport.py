"""A passport as a table."""

from typing import Any

from rich.table import Table

from resemote_edge.artifacts.detector_passport import DetectorPassport
from resemote_edge.artifacts.passport import Passport
from resemote_edge.artifacts.passport_base import BasePassport
from resemote_edge.artifacts.summary import gate_line, quantization_line
from resemote_edge.cli.views.facts import facts_table

__all__ = ["passport_table"]


def passport_table(passport: Passport | DetectorPassport) -> Table:
    """A passport for the screen."""
    facts = {
        "name": passport.name,
        "kind": passport.kind,
        "created": passport.created_utc,
        "target": f"{passport.target}, {passport.precision}",
        **(_detector_facts(passport) if isinstance(passport, DetectorPassport) else _classifier_facts(passport)),
        "tools": ", ".join(f"{name} {version}" for name, version in passport.tools.items()),
    }
    if passport.notes:
        facts["notes"] = "\n".join(passport.notes)
    return facts_table("Passport", facts)


def _classifier_facts(passport: Passport) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "recipe": passport.recipe["name"],
        "labels": passport.labels,
        **_interface(passport),
        "checkpoint": f"{passport.lineage.checkpoint}, sha256 {passport.lineage.checkpoint_sha256[:12]}…",
        "network": f"width {passport.lineage.width}, {passport.lineage.parameters:,} parameters",
        "trained on": passport.lineage.training_data,
        "accuracy as trained": {name: f"{value * 100:.2f} %" for name, value in passport.lineage.accuracy.items()},
    }
    for rewrite in passport.rewrites:
        facts[f"proof: {rewrite.name}"] = (
            f"{rewrite.parameters_before:,} to {rewrite.parameters_after:,} parameters; largest logit difference "
            f"{rewrite.max_abs_logit_diff_float64:.2g} in float64, {rewrite.max_abs_logit_diff_float32:.2g} in float32"
        )
    if passport.quantization is not None:
        facts["eight bits"] = quantization_line(passport.quantization)
    if passport.gate is not None:
        facts["gate"] = gate_line(passport.gate)
    facts |= _engine(passport)
    if passport.verification is not None:
        result = passport.verification
        facts["verified"] = (
            f"{result.status}: {result.runtime} {result.runtime_version} on {result.device}, {result.inputs}\n"
            f"largest difference of {result.compared} {result.max_abs_diff:.3g} "
            f"(limit {result.max_abs_diff_limit:.3g}), "
            f"top-1 agreement {result.top1_agreement:.4f}\nthe deployed file itself was run: {result.engine_verified}"
        )
    return facts


def _detector_facts(passport: DetectorPassport) -> dict[str, Any]:
    framing, source = passport.framing, passport.source
    facts: dict[str, Any] = {
        "family": passport.family,
        "frames": f"scaled to fit into {passport.width}x{passport.height} pixels",
        "faces": f"from a score of {passport.min_score:g}; one of two that overlap by more than "
        f"{passport.max_overlap:g}",
        "crop": f"a square of {framing.scale:g} times the box's mean side, {framing.shift:g} of its height below its "
        "centre",
        **_interface(passport),
        "weights": f"{source.file}, sha256 {source.sha256[:12]}…",
        "from": f"the Python package {source.package} {source.version}" if source.package else "a file",
        "licence": source.licence,
        **_engine(passport),
    }
    if passport.verification is not None:
        result = passport.verification
        facts["verified"] = (
            f"{result.status}: {result.runtime} {result.runtime_version} on {result.device}, {result.inputs}\n"
            f"largest difference of any output {result.max_abs_diff:.3g} (limit {result.max_abs_diff_limit:.3g})\n"
            f"the deployed file itself was run: {result.engine_verified}"
        )
    return facts


def _interface(passport: BasePassport) -> dict[str, Any]:
    """What every kind of artifact takes, gives and consists of."""
    return {
        "inputs": [f"{spec.name} {spec.dtype} {_shape(spec.shape)}" for spec in passport.inputs],
        "outputs": [f"{spec.name} {spec.dtype} {_shape(spec.shape)}" for spec in passport.outputs],
        "batch": f"{passport.batch.min} to {passport.batch.max or 'any'}",
        "files": "\n".join(
            f"{entry.path}  {entry.role}, {entry.format}, {entry.size_bytes:,} bytes, sha256 {entry.sha256[:12]}…"
            for entry in passport.files
        ),
    }


def _engine(passport: BasePassport) -> dict[str, Any]:
    engine = passport.engine
    if engine is None:
        return {}
    return {"engine": f"{engine.builder} {engine.version} for {', '.join(engine.compute_capabilities)}"}


def _shape(shape: tuple[int | str, ...]) -> str:
    return "(" + ", ".join(map(str, shape)) + ")"
