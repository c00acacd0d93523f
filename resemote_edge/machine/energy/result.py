"""Energy: what a run took, or why nobody knows. This is what is written as JSON."""

from resemote_edge.artifacts.record import Strict

__all__ = ["Energy", "NotMeasured", "RailEnergy"]


class _Result(Strict, frozen=True, tag_field="state"):
    """Told apart by ``state``; subclasses repeat frozen and kw_only, which type checkers do not inherit."""


class RailEnergy(Strict, frozen=True, kw_only=True):
    """What went through one rail, zone or card.

    Attributes:
        rail: As the sensor names it: ``VDD_IN``, ``package-0/core``, ``GPU 0 NVIDIA H100``.
        joules: In the whole run.
        in_total: Whether it is part of `Energy.joules`. A rail that another one contains is not.
    """

    rail: str
    joules: float
    in_total: bool


class Energy(_Result, frozen=True, kw_only=True, tag="measured"):
    """Energy of a run.

    Attributes:
        sensor: Whose rails the total is made of; several are joined by ``+``.
        rails: Every rail that was read, in the total or not.
        seconds: Length of the run, between its first and its last reading.
        joules: The rails of the total, summed.
        watts: `joules` over `seconds`.
        idle_watts: Drawn by the same rails when nothing ran; None when that was not measured.
        joules_per_inference: Above idle: what the work itself took. None without `idle_watts`; below zero where the
            run drew less than the machine did at rest, in which case the two measurements do not belong together.
        joules_per_inference_with_idle: Everything the rails delivered during the run.
        sample_rate_hz: Readings per second that were reached, of the slowest sensor that has to be sampled. None where
            all of them count joules themselves.
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
    """No energy, and why.

    Attributes:
        reason: What is missing or failed, and what to do about it.
    """

    reason: str
