"""Integrals of a sensor's readings over time, in joules."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from resemote_edge.errors import DeviceUnavailableError
from resemote_edge.machine.energy.sensor import EnergySensor

__all__ = ["CounterDifference", "Integral", "Trapezoid", "integral_of"]


class Integral(ABC):
    """Energy in joules since the first reading, rail by rail.

    Attributes:
        joules: Energy so far.
        seconds: Time from the first reading to the last.
        readings: Number of readings.
    """

    def __init__(self, rails: int) -> None:
        self.joules = [0.0] * rails
        self.seconds = 0.0
        self.readings = 0
        self._time = 0.0
        self._values: Sequence[float] = ()

    def add(self, time_s: float, values: Sequence[float]) -> None:
        """Take a reading.

        Args:
            time_s: Time of the reading in seconds, on a monotonic clock.
            values: Values of all rails.

        Raises:
            DeviceUnavailableError: The reading cannot follow the one before.
        """
        if self.readings:
            step = time_s - self._time
            self._advance(step, self._values, values)
            self.seconds += step
        self._time, self._values = time_s, tuple(values)
        self.readings += 1

    @abstractmethod
    def _advance(self, step_s: float, before: Sequence[float], after: Sequence[float]) -> None:
        """Add the energy between two readings to `joules`."""


class Trapezoid(Integral):
    """Integral of watts, by the trapezoidal rule."""

    def _advance(self, step_s: float, before: Sequence[float], after: Sequence[float]) -> None:
        for rail, (first, second) in enumerate(zip(before, after, strict=True)):
            self.joules[rail] += step_s * (first + second) / 2


class CounterDifference(Integral):
    """Difference of counters of joules, which may start again from zero at most once between two readings.

    Args:
        wraps_at: Joules at which each counter starts again; None for one that never does.
    """

    def __init__(self, wraps_at: Sequence[float | None]) -> None:
        super().__init__(len(wraps_at))
        self._wraps_at = wraps_at

    def _advance(self, step_s: float, before: Sequence[float], after: Sequence[float]) -> None:
        for rail, (first, second) in enumerate(zip(before, after, strict=True)):
            difference = second - first
            if difference < 0:
                wraps_at = self._wraps_at[rail]
                if wraps_at is None:
                    raise DeviceUnavailableError(
                        f"a counter went back from {first:.3f} to {second:.3f} J: its driver was loaded anew",
                        hint="measure again",
                    )
                difference += wraps_at
            self.joules[rail] += difference


def integral_of(sensor: EnergySensor) -> Integral:
    """The integral that fits what a sensor gives."""
    if sensor.gives == "joules":
        return CounterDifference([rail.wraps_at for rail in sensor.rails])
    return Trapezoid(len(sensor.rails))
