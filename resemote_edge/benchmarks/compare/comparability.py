"""Comparability: what must be equal in two reports for their times to be comparable.

Two kinds of differences block a comparison. The first is the machine: processor, its features and topology, cores and
CPU quota, memory, GPUs, board, governor, power mode. The second is the way of measuring: scenario settings, crops,
device, delays, pinning, dataset. Software may differ, because it is what people compare: packages, drivers, kernel,
distribution, JetPack, Python, this package. Such differences are listed, and so are fields of the environment that are
unknown here or recorded in one report only.
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

#: Further such fields, which older reports lack. One that only one report has is listed, but blocks nothing.
_MACHINE_IF_KNOWN = {
    "topology": "plan of the processor",
    "cpu_quota_cores": "cores' worth of time",
    "power_mode": "power mode",
}

#: Fields that are compared below, change from moment to moment, or are covered by another field.
_APART = {"memory_total_bytes", "gpus", "packages", "load_average_1m", "tenancy", "allowed_cores"}

_NOT_RECORDED = "not recorded"

#: Kernels reserve different amounts of the same memory, so its size may differ by this fraction.
_SAME_MEMORY = 0.01


def blocking_differences(
    a: BenchReport, b: BenchReport, rows: Iterable[tuple[BenchRow, BenchRow]]
) -> tuple[Difference, ...]:
    """Every difference that blocks a comparison.

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
    found = _differing(
        (name.replace("_", " "), one.get(name, _NOT_RECORDED), other.get(name, _NOT_RECORDED)) for name in names
    )
    packages, others = one.get("packages", {}), other.get("packages", {})
    found += _differing((name, packages.get(name), others.get(name)) for name in {**packages, **others})
    driver, another = (sorted({driver for _, driver in _gpus(environment)}) for environment in (one, other))
    return (*found, *_differing([("GPU driver", driver, another)]))


def _machine(a: dict[str, Any], b: dict[str, Any]) -> Iterator[Difference]:
    compared = _MACHINE | _known_of(a, b)
    yield from _differing((what, a.get(name), b.get(name)) for name, what in compared.items())
    one, other = (environment.get("memory_total_bytes", 0) for environment in (a, b))
    if abs(one - other) > _SAME_MEMORY * max(one, other):
        yield Difference(what="memory", a=f"{one / 2**30:.2f} GiB", b=f"{other / 2**30:.2f} GiB")
    gpus, others = ([gpu for gpu, _ in _gpus(environment)] for environment in (a, b))
    yield from _differing([("GPUs", gpus, others)])


def _known_of(a: dict[str, Any], b: dict[str, Any]) -> dict[str, str]:
    """Fields of `_MACHINE_IF_KNOWN` that both reports recorded."""
    return {name: what for name, what in _MACHINE_IF_KNOWN.items() if name in a and name in b}


def _manner(a: BenchReport, b: BenchReport) -> Iterator[Difference]:
    yield from _differing([("crops", a.inputs, b.inputs)])
    if a.settings is None or b.settings is None:
        yield from _differing([("scenario settings", a.settings, b.settings)])
        return
    one, other = msgspec.structs.asdict(a.settings), msgspec.structs.asdict(b.settings)
    yield from _differing((name.replace("_", " "), one[name], other[name]) for name in one)


def _row(a: BenchRow, b: BenchRow) -> Iterator[Difference]:
    where = f"{a.runtime}, {a.scenario}, batch {a.batch}"
    facts: list[tuple[str, Any, Any]] = [
        (f"device ({where})", a.speed.device, b.speed.device),
        (f"delay of every inference, ms ({where})", a.slow_to_ms, b.slow_to_ms),
        (f"cores the process was pinned to ({where})", len(a.speed.cores), len(b.speed.cores)),
    ]
    if a.accuracy is not None and b.accuracy is not None:
        facts.append(("sha256 of the dataset", a.accuracy.dataset_sha256, b.accuracy.dataset_sha256))
    yield from _differing(facts)


def _differing(facts: Iterable[tuple[str, Any, Any]]) -> list[Difference]:
    """Differences among facts, each of which is given with its values in A and B."""
    in_words = ((what, _words(one), _words(other)) for what, one, other in facts)
    return [Difference(what=what, a=one, b=other) for what, one, other in in_words if one != other]


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
