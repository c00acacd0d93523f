"""Energy that a run took, or the reason why it is not known. This is what is written as JSON."""

from resemote_edge.artifacts.record import Strict

__all__ = ["Energy", "NotMeasured", "RailEnergy"]


class _Result(Strict, frozen=True, tag_field="state"):
    """A result, tagged by ``state``; subclasses repeat frozen and kw_only, which type checkers do not inherit."""


class RailEnergy(Strict, frozen=True, kw_only=True):
    """Energy of one rail, zone or card.

    Attributes:
        rail: Name of the rail, as the sensor gives it: ``VDD_IN``, ``package-0/core``, ``GPU 0 NVIDIA H100``.
        joules: Energy of the whole run.
        in_total: Whether the rail is part of `Energy.joules`. A rail that another one contains is not.
    """

    rail: str
    joules: float
    in_total: bool


class Energy(_Result, frozen=True, kw_only=True, tag="measured"):
    """Energy of a run.

    Attributes:
        sensor: Name of the sensor whose rails make up the total; several are joined by ``+``.
        rails: Every rail that was read, in the total or not.
        seconds: Length of the run, between its first and its last reading.
        joules: Sum of the rails in the total.
        watts: Power: `joules` over `seconds`.
        idle_watts: Power of the same rails when nothing ran; None if that was not measured.
        joules_per_inference: Energy above idle, which the work itself took; None without `idle_watts`. A negative value
            means that the run drew less power than the idle machine, so the two measurements do not match.
        joules_per_inference_with_idle: Energy the rails delivered during the run, idle power included.
        sample_rate_hz: Readings per second of the slowest sensor that has to be sampled; None if all sensors count
            joules themselves.
    """

    sensor: str
    rails: tuple[RailEnergy, ...]
    seconds: float
    joules: float
    watts: float
    idle_watts: float | None
    joules_per_inference: float | None
    joules_per_inference_with_idle: float
    sample_rate_hz: float | None


class NotMeasured(_Result, frozen=True, tag="not measured"):
    """No energy, and the reason.

    Attributes:
        reason: What is missing or failed, and what to do about it.
    """

    reason: str
