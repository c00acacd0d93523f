"""Facts: what a report knows of the machine and the measurement, as names and texts."""

import json
from collections.abc import Mapping
from typing import Any

__all__ = ["facts_of", "machine_line"]

_NAMES = {
    "cpu_model": "CPU",
    "cpu_features": "CPU features",
    "cores_allowed": "cores allowed",
    "os": "OS",
    "gpus": "NVIDIA GPUs",
    "jetpack": "L4T",
    "load_average_1m": "load average before",
    "git_commit": "commit",
    "fps": "frames/s",
}


def machine_line(environment: Mapping[str, Any]) -> str:
    """The machine in one line: board or CPU, cores, memory, GPUs."""
    parts = [str(environment.get("board") or environment.get("cpu_model") or "unknown CPU")]
    if "cores_allowed" in environment:
        parts.append(f"{environment['cores_allowed']} cores")
    if "memory_total_bytes" in environment:
        parts.append(f"{environment['memory_total_bytes'] / 2**30:.0f} GiB")
    parts.append("; ".join(map(str, environment.get("gpus") or ())) or "no NVIDIA GPU")
    return ", ".join(parts)


def facts_of(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Name and text of every value; bytes as GiB, and absent values as ``not told``."""
    return [(_NAMES.get(name, _name(name)), _text(name, value)) for name, value in values.items()]


def _name(key: str) -> str:
    return key.removesuffix("_bytes").removesuffix("_seconds").replace("_", " ")


def _text(name: str, value: Any) -> str:
    if value is None:
        return "not told"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return _figure(name, value)
    if isinstance(value, Mapping) and all(isinstance(part, str | int | float) for part in value.values()):
        return ", ".join(f"{key} {part}" for key, part in value.items()) or "none"
    if isinstance(value, list | tuple) and all(isinstance(part, str | int | float) for part in value):
        return ", ".join(map(str, value)) or "none"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _figure(name: str, value: float) -> str:
    if name.endswith("_bytes"):
        return f"{value / 2**30:.1f} GiB"
    if name.endswith("_seconds"):
        return f"{value:g} s"
    return f"{value:.2f}" if isinstance(value, float) and not value.is_integer() else f"{value:g}"
