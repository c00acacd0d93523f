"""Conclusion: one sentence on what bounds an artifact, derived from its explanation by rules.

The floor has two parts: *weights*, the time of the layers that take longer to read than to compute, and *arithmetic*,
the time of the others. Then:

1. If more than a third of the multiply-adds ran in a precision whose peak is unknown, there is no conclusion.
2. If the time is more than twice the floor, it is bound by *neither*. The sentence names the larger of two losses: the
   time between the layers, or the time that layers take above their floors. In the second case, if weights are stored
   in at most half the bits that layers computed in, it adds the time to read them unpacked.
3. If weights are at least two thirds of the floor, it is bound by *weights*, and "you are at" compares the time with
   reading all weights once. While all the arithmetic takes at most half of that, a larger batch is nearly free.
4. If arithmetic is at least two thirds of the floor, it is bound by *arithmetic*, and "you are at" compares the time
   with all products at the peaks. A larger batch only shares the reading, so that a face's share of the floor can fall
   to that of the arithmetic; a gain below a twentieth counts as nothing.
5. Otherwise it is bound by *both*, and "you are at" compares the time with the floor.
"""

from dataclasses import dataclass
from typing import Literal

from resemote_edge.benchmarks.explain.explanation import BETWEEN, Explanation, LayerTime
from resemote_edge.measuring.profiles.precisions import precision_of_kernel

__all__ = ["Conclusion", "conclude", "deviations"]

_UNKNOWN_SHARE = 1 / 3
_NEAR = 2.0
_MOST = 2 / 3
_FREE = 0.5
_NOTHING = 0.05
_UNPACKED = 2.0

#: Number of layers named in a sentence; the rest are counted.
_NAMED = 4


@dataclass(frozen=True, kw_only=True)
class Conclusion:
    """The resource that bounds an artifact.

    Attributes:
        bound: Bound, as in the module's rules.
        sentence: Conclusion in words with its figures, without a full stop.
    """

    bound: Literal["weights", "arithmetic", "both", "neither", "unknown"]
    sentence: str


@dataclass(frozen=True, kw_only=True)
class _Sums:
    """Sums over all layers; times in us."""

    explanation: Explanation
    weight_bytes: int
    multiply_adds: int
    reading_us: float
    computing_us: float
    weight_floor_us: float
    unknown: dict[str, int]  # multiply-adds by precision without a peak

    @property
    def time_us(self) -> float:
        return self.explanation.time_us

    @property
    def floor_us(self) -> float:
        return self.explanation.floor_us

    @property
    def reading(self) -> str:
        bandwidth = self.explanation.machine.memory_gb_per_s
        return f"{self.weight_bytes / 1e6:.1f} MB at {bandwidth:.0f} GB/s is {_ms(self.reading_us)}"

    @property
    def computing(self) -> str:
        rate = self.multiply_adds / self.computing_us / 1e3
        return f"{self.multiply_adds / 1e9:.2f} G multiply-adds at {rate:.0f} G/s are {_ms(self.computing_us)}"

    def at(self, bound_us: float, what: str = "it") -> str:
        place = f"you are at {self.time_us / bound_us:.1f}x of {what}"
        return f"{place}, so weights stay in a cache between calls" if self.time_us < self.reading_us else place


def conclude(explanation: Explanation) -> Conclusion:
    """Conclude what bounds an artifact; see the module's rules."""
    sums = _sum(explanation)
    if sum(sums.unknown.values()) > _UNKNOWN_SHARE * (sums.multiply_adds + sum(sums.unknown.values())):
        return _unknown(sums)
    if sums.time_us > _NEAR * sums.floor_us:
        return _neither(sums)
    share = sums.weight_floor_us / sums.floor_us
    if share >= _MOST:
        return _weights(sums)
    return _arithmetic(sums) if 1 - share >= _MOST else _both(sums, share)


def deviations(explanation: Explanation) -> str | None:
    """Name the layers that ran in another precision than promised, without a full stop; None if there are none."""
    layers = [layer for layer in explanation.layers if layer.name != BETWEEN]
    groups: dict[tuple[str | None, str | None], list[str]] = {}
    for layer in layers:
        if layer.deviates:
            groups.setdefault((layer.precision, layer.promised), []).append(layer.name)
    if not groups:
        return None
    hint = explanation.precision_hint
    return "; ".join(
        f"{_named(names, len(layers))} ran in {ran}, where "
        + (f"{promised} was asked for" if promised == hint else f"the artifact promises {promised}")
        for (ran, promised), names in groups.items()
    )


def _named(names: list[str], of: int) -> str:
    if len(names) == of:
        return f"all {of} layers"
    rest = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + rest


def _sum(explanation: Explanation) -> _Sums:
    machine = explanation.machine
    unknown: dict[str, int] = {}
    known = 0
    computing_us = weight_floor_us = 0.0
    for layer in explanation.layers:
        precision = layer.precision or precision_of_kernel(layer.kernel)
        peak = machine.gmac_per_s(precision)
        own_us = layer.multiply_adds / peak / 1e3 if peak is not None else 0.0
        if peak is None and layer.multiply_adds:
            name = precision or "a precision the engine does not tell"
            unknown[name] = unknown.get(name, 0) + layer.multiply_adds
        else:
            known += layer.multiply_adds
        computing_us += own_us
        if layer.least_weight_bytes / machine.memory_gb_per_s / 1e3 >= own_us:
            weight_floor_us += layer.floor_us
    weight_bytes = sum(layer.least_weight_bytes for layer in explanation.layers)
    return _Sums(
        explanation=explanation,
        weight_bytes=weight_bytes,
        multiply_adds=known,
        reading_us=weight_bytes / machine.memory_gb_per_s / 1e3,
        computing_us=computing_us,
        weight_floor_us=weight_floor_us,
        unknown=unknown,
    )


def _unknown(sums: _Sums) -> Conclusion:
    name = max(sums.unknown, key=lambda name: sums.unknown[name])
    share = sums.unknown[name] / (sums.multiply_adds + sum(sums.unknown.values()))
    sentence = f"no conclusion: {share * 100:.0f} % of the multiply-adds ran in {name}, whose peak was not measured"
    return Conclusion(bound="unknown", sentence=sentence)


def _neither(sums: _Sums) -> Conclusion:
    explanation = sums.explanation
    between, inside_us = explanation.between_us, explanation.time_us - explanation.between_us
    if between >= inside_us - sums.floor_us:
        share = between / sums.time_us * 100
        sentence = f"bound by neither: overhead between layers is {share:.0f} % of {_ms(sums.time_us)}"
        return Conclusion(bound="neither", sentence=f"{sentence}, the layers' floor is {_ms(sums.floor_us)}")
    worst = max(explanation.layers, key=_loss_us)
    sentence = (
        f"bound by neither: the layers take {inside_us / sums.floor_us:.1f} times their floor of {_ms(sums.floor_us)}; "
        f"{worst.name} alone loses {_ms(_loss_us(worst))}"
    )
    return Conclusion(bound="neither", sentence=sentence + _unpacking(sums))


def _unpacking(sums: _Sums) -> str:
    """Say what small weights cost an engine that unpacks them when it loads them; empty if they are not small."""
    unpacked = sum(layer.unpacked_weight_bytes for layer in sums.explanation.layers)
    if unpacked < _UNPACKED * sums.weight_bytes:
        return ""
    reading = unpacked / sums.explanation.machine.memory_gb_per_s / 1e3
    return f"; an engine that unpacks the weights when it loads them reads {unpacked / 1e6:.1f} MB in {_ms(reading)}"


def _loss_us(layer: LayerTime) -> float:
    return 0.0 if layer.name == BETWEEN else layer.time_us - layer.floor_us


def _weights(sums: _Sums) -> Conclusion:
    if sums.computing_us <= _FREE * sums.reading_us:
        batch = "more faces per batch are nearly free"
    else:
        batch = f"a larger batch shares the reading, but its arithmetic takes {_ms(sums.computing_us)} already"
    sentence = f"bound by weight traffic: {sums.reading}; {sums.at(sums.reading_us)}; {batch}"
    return Conclusion(bound="weights", sentence=sentence)


def _arithmetic(sums: _Sums) -> Conclusion:
    gain = 1 - sums.computing_us / sums.floor_us
    batch = "nothing" if gain < _NOTHING else f"at most {gain * 100:.0f} %"
    sentence = f"bound by arithmetic: {sums.computing}; {sums.at(sums.computing_us)}; a larger batch brings {batch}"
    return Conclusion(bound="arithmetic", sentence=sentence)


def _both(sums: _Sums, share: float) -> Conclusion:
    sentence = (
        f"bound by both: {sums.reading}, {sums.computing}; layer by layer, {share * 100:.0f} % of the floor is weight "
        f"traffic; {sums.at(sums.floor_us, 'the floor')}; a larger batch shares that part alone"
    )
    return Conclusion(bound="both", sentence=sentence)


def _ms(us: float) -> str:
    return f"{us / 1e3:.2f} ms"
