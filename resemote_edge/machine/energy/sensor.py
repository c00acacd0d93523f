"""EnergySensor: a device that measures joules or watts, rail by rail."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from resemote_edge.machine.energy.result import NotMeasured

__all__ = ["EnergySensor", "Rail"]


@dataclass(frozen=True, kw_only=True)
class Rail:
    """One rail that is read.

    Attributes:
        name: Name shown in reports.
        in_total: Whether the sensor's total contains it.
        wraps_at: Joules at which its counter starts again from zero; None if it never does, and for power.
    """

    name: str
    in_total: bool
    wraps_at: float | None = None


class EnergySensor(ABC):
    """Interface of a sensor that `EnergyMeter` reads.

    Attributes:
        name: Name of the sensor in the registry.
        covers: What the sensor's total covers; ``board`` includes processors and GPU, so that the totals of other
            sensors are not added.
        gives: Kind of value: ``joules``, which the device counts, or present ``watts``, which have to be sampled.
        rails: Rails in the order of `read`.
        interval_s: Time between two readings.
        min_seconds: Length of the shortest run that can be measured.
    """

    name: ClassVar[str]
    covers: ClassVar[Literal["board", "cpu", "gpu"]]
    gives: Literal["joules", "watts"]
    rails: tuple[Rail, ...]
    interval_s: float
    min_seconds: float

    @classmethod
    @abstractmethod
    def find(cls, root: Path) -> "EnergySensor | NotMeasured":
        """Look for the sensor and read it once.

        Args:
            root: Folder that holds ``sys``.

        Returns:
            The sensor, or the reason why it cannot be used and what would help.
        """

    @abstractmethod
    def read(self) -> tuple[float, ...]:
        """Read the joules or watts of every rail, now.

        Raises:
            DeviceUnavailableError: The sensor cannot be read any more.
        """

    def close(self) -> None:  # noqa: B027 - most sensors hold nothing
        """Release what it holds; it is not read after that."""
