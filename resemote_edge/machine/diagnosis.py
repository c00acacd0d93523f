"""Diagnosis: what this machine can run, and what to install so that it can run more."""

from dataclasses import asdict, dataclass
from typing import Any

from resemote_edge.machine.environment import Environment, capture_environment
from resemote_edge.runtimes.cpu_features import int8_sums_saturate
from resemote_edge.runtimes.registry import probe_all
from resemote_edge.runtimes.session import Availability

__all__ = ["Diagnosis", "diagnose"]


@dataclass(frozen=True)
class Diagnosis:
    """What ``resemote-edge doctor`` finds.

    Attributes:
        environment: Record of the machine.
        runtimes: Availability of each runtime, by name.
        advice: Sentences on what to install, or to be aware of.
    """

    environment: Environment
    runtimes: dict[str, Availability]
    advice: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """The diagnosis as plain JSON types."""
        return {
            "environment": self.environment.to_dict(),
            "runtimes": {name: asdict(found) for name, found in self.runtimes.items()},
            "advice": list(self.advice),
        }


def diagnose() -> Diagnosis:
    """Examine the machine; never changes anything."""
    environment = capture_environment()
    found = probe_all()
    advice = [f"runtime {name}: {a.reason}; {a.hint}" for name, a in found.items() if not a.available]
    return Diagnosis(environment, found, (*advice, *_machine_advice(environment)))


def _machine_advice(environment: Environment) -> list[str]:
    advice = []
    if int8_sums_saturate():
        advice.append(
            "this CPU has no INT8 dot product (VNNI): INT8 gains less here than on newer CPUs, and OpenVINO needs "
            "weights of seven bits (recipe cpu-no-vnni-openvino-int8, the default here)"
        )
    if environment.load_average_1m > 0.5 * environment.cores_allowed:
        advice.append(
            f"load average is {environment.load_average_1m:.1f} on {environment.cores_allowed} cores: "
            "other work is running, and latencies measured now will show it"
        )
    if environment.governor not in (None, "performance"):
        advice.append(f"CPU governor is '{environment.governor}': clocks vary, and so will latencies")
    if environment.jetpack is not None:
        advice.append("this is a Jetson: export here or copy an artifact with the ONNX; engines are built on the board")
    return advice
