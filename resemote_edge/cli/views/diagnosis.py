"""A diagnosis as a table."""

from typing import Any

from rich.table import Table

from resemote_edge.cli.views.facts import facts_table
from resemote_edge.machine.diagnosis import Diagnosis

__all__ = ["diagnosis_table"]


def diagnosis_table(diagnosis: Diagnosis) -> Table:
    """The diagnosis for the screen."""
    environment = diagnosis.environment
    facts: dict[str, Any] = {
        "CPU": environment.cpu_model,
        "CPU features": ", ".join(environment.cpu_features) or "none of those that matter",
        "cores allowed": environment.cores_allowed,
        "memory": f"{environment.memory_total_bytes / 2**30:.1f} GiB",
        "NVIDIA GPUs": "; ".join(environment.gpus) or "none found",
        "JetPack": environment.jetpack or "not a Jetson",
        "system": f"{environment.os}, kernel {environment.kernel}",
        "Python": environment.python,
        "packages": ", ".join(f"{name} {version}" for name, version in environment.packages.items()),
    }
    for name, found in diagnosis.runtimes.items():
        state = f"{found.version} on {', '.join(found.devices)}" if found.available else f"no: {found.reason}"
        facts[f"runtime {name}"] = state
    return facts_table("This machine", facts)
