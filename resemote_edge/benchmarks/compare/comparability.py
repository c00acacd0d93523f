"""Comparability: what must be the same in two reports before their times say anything about each other.

Differences are refused if they set a machine's speed and are not what one compares: processor, its features and plan,
cores and how much of their time, memory, GPUs, board, governor, power mode; and the way of measuring: scenario
settings, crops, device, delays, pinning, dataset. Software may differ, because it is what one compares: packages,
drivers, kernel, distribution, JetPack, Python, this package. All such differences are listed. So is a field of the
environment that is not known here, or that only one of the reports has.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from resemote_edge.measuring.comparison.results import Difference
from resemote_edge.measuring.results import BenchReport, BenchRow

__all__ = ["blocking_differences", "software_differences"]

#: Fields of the environment that describe the machine, and their names for people.
_MACHINE = {
    "board": "board",
    "cpu_model": "processor",
    "cpu_features": "processor features",
    "cores_allowed": "cores",
    "memory_limit_bytes": "memory limit",
    "governor": "governor",
}

#: Further such fields, which older reports lack: a field that was not recorded is listed, but blocks nothing.
_MACHINE_IF_KNOWN = {
    "topology": "plan of the processor",
    "cpu_quota_cores": "cores' worth of time",
    "power_mode": "power mode",
}

#: Fields handled one by one, momentary, or covered by another field: `cores_allowed` counts `allowed_cores`.
_APART = {"memory_total_bytes", "gpus", "packages", "load_average_1m", "tenancy", "allowed_cores"}

_NOT_RECORDED = "not recorded"

#: Kernels keep different amounts of the same memory for themselves.
_SAME_MEMORY = 0.01


def blocking_differences(
    a: BenchReport, b: BenchReport, rows: Iterable[tuple[BenchRow, BenchRow]]
) -> tuple[Difference, ...]:
    """Every difference for which a comparison is refused.

    Args:
        a: First report.
        b: Second report.
        rows: Rows of both that would be compared.
    """
    found = [*_machine(a.environment, b.environment), *_manner(a, b)]
    for one, other in rows:
        found += _row(one, other)
    return tuple(dict.fromkeys(found))


def software_differences(a: BenchReport, b: BenchReport) -> tuple[Difference, ...]:
    """Every difference between the environments that is allowed."""
    one, other = a.environment, b.environment
    machine = {*_MACHINE, *_known_of(one, other)}
    names = [name for name in {**one, **other} if name not in machine and name not in _APART]
    found = list(
        _differing(
            {
                name: (name.replace("_", " "), one.get(name, _NOT_RECORDED), other.get(name, _NOT_RECORDED))
                for name in names
            }
        )
    )
    packages, others = one.get("packages", {}), other.get("packages", {})
    found += _differing({name: (name, packages.get(name), others.get(name)) for name in {**packages, **others}})
    driver, another = (sorted({driver for _, driver in _gpus(environment)}) for environment in (one, other))
    return (*found, *_differing({"driver": ("GPU driver", driver, another)}))


def _machine(a: dict[str, Any], b: dict[str, Any]) -> Iterator[Difference]:
    compared = _MACHINE | _known_of(a, b)
    yield from _differing({name: (what, a.get(name), b.get(name)) for name, what in compared.items()})
    one, other = (environment.get("memory_total_bytes", 0) for environment in (a, b))
    if abs(one - other) > _SAME_MEMORY * max(one, other):
        yield Difference(what="memory", a=f"{one / 2**30:.2f} GiB", b=f"{other / 2**30:.2f} GiB")
    gpus, others = ([gpu for gpu, _ in _gpus(environment)] for environment in (a, b))
    yield from _differing({"gpus": ("GPUs", gpus, others)})


def _known_of(a: dict[str, Any], b: dict[str, Any]) -> dict[str, str]:
    """Fields of `_MACHINE_IF_KNOWN` that both reports recorded."""
    return {name: what for name, what in _MACHINE_IF_KNOWN.items() if name in a and name in b}


def _manner(a: BenchReport, b: BenchReport) -> Iterator[Difference]:
    yield from _differing({"inputs": ("crops", a.inputs, b.inputs)})
    if a.settings is None or b.settings is None:
        yield from _differing({"settings": ("scenario settings", a.settings, b.settings)})
        return
    one, other = msgspec.structs.asdict(a.settings), msgspec.structs.asdict(b.settings)
    yield from _differing({name: (name.replace("_", " "), one[name], other[name]) for name in one})


def _row(a: BenchRow, b: BenchRow) -> Iterator[Difference]:
    where = f"{a.runtime}, {a.scenario}, batch {a.batch}"
    facts: dict[str, tuple[str, Any, Any]] = {
        "device": (f"device ({where})", a.speed.device, b.speed.device),
        "slowed": (f"delay of every inference, ms ({where})", a.slow_to_ms, b.slow_to_ms),
        "cores": (f"cores the process was pinned to ({where})", len(a.speed.cores), len(b.speed.cores)),
    }
    if a.accuracy is not None and b.accuracy is not None:
        facts["data"] = ("sha256 of the dataset", a.accuracy.dataset_sha256, b.accuracy.dataset_sha256)
    yield from _differing(facts)


def _differing(facts: dict[str, tuple[str, Any, Any]]) -> Iterator[Difference]:
    for what, one, other in facts.values():
        if _words(one) != _words(other):
            yield Difference(what=what, a=_words(one), b=_words(other))


def _gpus(environment: dict[str, Any]) -> list[tuple[str, str]]:
    """List every GPU as name with compute capability, and driver."""
    found = []
    for line in environment.get("gpus", ()):
        start, _, capability = line.rpartition(", ")
        name, _, driver = start.rpartition(", ")
        found.append((f"{name}, {capability}", driver))
    return found


def _words(value: Any) -> str:
    """Write a value of JSON for people; lists and tuples of the same values read the same."""
    if value is None or value in ([], ()):
        return "none"
    if isinstance(value, dict):
        return ", ".join(f"{name.replace('_', ' ')} {_words(entry)}" for name, entry in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_words, value))
    return str(value)
