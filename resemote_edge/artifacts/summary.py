"""Summaries of a passport: one line for each thing that was done to the network."""

from resemote_edge.artifacts.passport import GateResult, Quantization
from resemote_edge.runtimes.cpu_features import SAFE_WEIGHT_LEVELS

__all__ = ["gate_line", "quantization_line"]


def quantization_line(record: Quantization) -> str:
    """Describe the quantize stage in one line."""
    total = len(record.layers) + len(record.float_layers) + len(record.repaired_layers)
    bits = "eight bits"
    if record.weight_levels <= SAFE_WEIGHT_LEVELS:
        bits += ", weights in seven for CPUs without VNNI"
    line = f"{len(record.layers)} of {total} layers in {bits} ({record.scheme}), activation ranges: {record.ranges}"
    if record.repaired_layers:
        line += f"; kept floating to save accuracy: {', '.join(record.repaired_layers)}"
    return line


def gate_line(gate: GateResult) -> str:
    """Describe an accuracy gate's verdict in one line."""
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
