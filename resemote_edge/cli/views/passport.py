"""Tables for people: facts, passports, runtimes and datasets as rich tables.

Cells are `Text`, so that rich does not take the brackets of ``resemote-edge[openvino]`` for its own markup.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from resemote_edge.artifacts.passport import GateResult, Passport, Quantization
from resemote_edge.runtimes.cpu_features import SAFE_WEIGHT_LEVELS
from resemote_edge.runtimes.session import Availability

if TYPE_CHECKING:
    from resemote_edge.data.inspect import DataReport

__all__ = ["data_tables", "facts_table", "gate_line", "passport_table", "quantization_line", "runtimes_table"]


def facts_table(title: str, facts: Mapping[str, Any]) -> Table:
    """Names and values, one pair a row."""
    table = Table(title=title, show_header=False, title_justify="left")
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in facts.items():
        table.add_row(Text(name), Text(_text(value)))
    return table


def _text(value: Any) -> str:
    if value is None:
        return "not stated"
    if isinstance(value, Mapping):
        return "\n".join(f"{key}: {_text(inner)}" for key, inner in value.items()) or "not stated"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_text, value))
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def passport_table(passport: Passport) -> Table:
    """A passport for the screen."""
    facts: dict[str, Any] = {
        "name": passport.name,
        "created": passport.created_utc,
        "target": f"{passport.target}, {passport.precision}",
        "recipe": passport.recipe["name"],
        "labels": passport.labels,
        "inputs": [f"{spec.name} {spec.dtype} {_shape(spec.shape)}" for spec in passport.inputs],
        "outputs": [f"{spec.name} {spec.dtype} {_shape(spec.shape)}" for spec in passport.outputs],
        "batch": f"{passport.batch.min} to {passport.batch.max or 'any'}",
        "files": "\n".join(
            f"{entry.path}  {entry.role}, {entry.format}, {entry.size_bytes:,} bytes, sha256 {entry.sha256[:12]}…"
            for entry in passport.files
        ),
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
    if passport.engine is not None:
        engine = passport.engine
        facts["engine"] = f"{engine.builder} {engine.version} for {', '.join(engine.compute_capabilities)}"
    if passport.verification is not None:
        result = passport.verification
        facts["verified"] = (
            f"{result.status}: {result.runtime} {result.runtime_version} on {result.device}, {result.inputs}\n"
            f"largest difference of {result.compared} {result.max_abs_diff:.3g} "
            f"(limit {result.max_abs_diff_limit:.3g}), "
            f"top-1 agreement {result.top1_agreement:.4f}\nthe deployed file itself was run: {result.engine_verified}"
        )
    facts["tools"] = ", ".join(f"{name} {version}" for name, version in passport.tools.items())
    if passport.notes:
        facts["notes"] = "\n".join(passport.notes)
    return facts_table("Passport", facts)


def quantization_line(record: Quantization) -> str:
    """What the quantize stage did, in one line."""
    total = len(record.layers) + len(record.float_layers) + len(record.repaired_layers)
    bits = "eight bits"
    if record.weight_levels <= SAFE_WEIGHT_LEVELS:
        bits += ", weights in seven for CPUs without VNNI"
    line = f"{len(record.layers)} of {total} layers in {bits} ({record.scheme}), activation ranges: {record.ranges}"
    if record.repaired_layers:
        line += f"; kept floating to save accuracy: {', '.join(record.repaired_layers)}"
    return line


def gate_line(gate: GateResult) -> str:
    """An accuracy gate's verdict in one line."""
    found = gate.comparison
    if found is None:
        return f"accuracy gate {gate.status}"
    low, high = found.drop_interval_95
    line = (
        f"accuracy gate {gate.status} over {gate.data}: {found.reference_accuracy * 100:.2f} to "
        f"{found.accuracy * 100:.2f} %, drop {found.drop_points:.2f} points (95 % interval {low:.2f} to {high:.2f}, "
        f"limit {gate.max_drop_points:g}), flips {found.flip_rate * 100:.2f} %, calibration error "
        f"{found.reference_ece:.3f} to {found.ece:.3f}"
    )
    if gate.repairs:
        cost = "not measured" if gate.repair_latency_ratio is None else f"{gate.repair_latency_ratio:.2f} times"
        line += f"; latency against the unrepaired model: {cost}"
    return line


def _shape(shape: tuple[int | str, ...]) -> str:
    return "(" + ", ".join(map(str, shape)) + ")"


def runtimes_table(found: Mapping[str, Availability]) -> Table:
    """Every runtime: version and devices, or the reason and the cure."""
    table = Table(title="Runtimes", title_justify="left")
    for header in ("runtime", "version", "devices", "if not: why, and what to do"):
        table.add_column(header, overflow="fold")
    for name, availability in found.items():
        why = "" if availability.available else f"{availability.reason}; {availability.hint}"
        cells = (name, availability.version or "-", ", ".join(availability.devices) or "-", why)
        table.add_row(*map(Text, cells))
    return table


def data_tables(report: "DataReport") -> list[Table]:
    """Counts per split and class, then what is wrong."""
    splits = list(report.counts)
    counts = Table(title=Text(f"{report.path}: images per class"), title_justify="left")
    counts.add_column("class")
    for split in splits:
        counts.add_column(split, justify="right")
    for label in report.labels:
        counts.add_row(Text(label), *(f"{report.counts[split][label]:,}" for split in splits))
    counts.add_row("total", *(f"{sum(report.counts[split].values()):,}" for split in splits), style="bold")
    findings: dict[str, Any] = {"labels": ", ".join(report.labels)}
    findings["targets"] = "distributions (soft), the largest share counted" if report.soft_targets else "one label each"
    findings |= {
        f"left out of {split}: {reason}": n
        for split, reasons in report.left_out.items()
        for reason, n in reasons.items()
    }
    findings |= {f"repeats within {split}": n for split, n in report.duplicates_within.items()}
    findings |= {f"copies {pair}": n for pair, n in report.duplicates_across.items()}
    findings["images with conflicting labels"] = report.conflicting_labels
    findings |= {f"sha256 of {split}": digest for split, digest in report.sha256.items()}
    return [counts, facts_table("Findings", findings)]
