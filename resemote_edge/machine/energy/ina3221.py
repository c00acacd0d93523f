"""INA3221: the power monitors of Jetson modules, in the layouts of JetPack 5 and later (hwmon) and JetPack 4 (iio).

The hwmon layout is described in the kernel's Documentation/hwmon/ina3221, the iio layout by NVIDIA's driver of kernel
4.9.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from resemote_edge.errors import DeviceUnavailableError
from resemote_edge.machine.energy.jetson_rails import board_total
from resemote_edge.machine.energy.result import NotMeasured
from resemote_edge.machine.energy.sensor import EnergySensor, Rail
from resemote_edge.machine.sysfs import read_int, read_text, required_int

__all__ = ["INA3221Sensor"]

_HWMON = "sys/bus/i2c/drivers/ina3221/*/hwmon/hwmon*"
_IIO = "sys/bus/i2c/drivers/ina3221x/*/iio:device*"

# in1 to in3 are rails; in4 to in7 are shunts and their sum.
_CHANNELS = range(1, 4)

_SAMPLE_RATE_HZ = 100.0


@dataclass(frozen=True)
class _Channel:
    """One rail of one chip, whose files hold milliwatts, or millivolts and milliamperes."""

    name: str
    files: tuple[Path, ...]

    def watts(self) -> float:
        return math.prod(map(required_int, self.files)) / 1e3 ** len(self.files)


class INA3221Sensor(EnergySensor):
    """All rails of all chips; `jetson_rails` knows which of them make up the module's total.

    Attributes:
        boards: Row of that table that fits.
    """

    name = "ina3221"
    covers = "board"

    def __init__(self, channels: Sequence[_Channel], total: Sequence[str], boards: str, interval_s: float) -> None:
        self.gives = "watts"
        self.boards = boards
        self.interval_s = interval_s
        self.min_seconds = 10 * interval_s
        self.rails = tuple(Rail(name=channel.name, in_total=channel.name in total) for channel in channels)
        self._channels = tuple(channels)

    @classmethod
    def find(cls, root: Path) -> "INA3221Sensor | NotMeasured":
        """Look for chips; rails without a name or a reading are not connected, and are left out."""
        chips = sorted([*root.glob(_HWMON), *root.glob(_IIO)])
        if not chips:
            return NotMeasured(
                f"there is no {root / _HWMON} and no {root / _IIO}: only Jetson modules have this power monitor, and "
                "the Nano of 2 GB lacks it; in a container, /sys of the host must be visible"
            )
        channels, failures = [], []
        for channel in (channel for chip in chips for channel in _channels(chip)):
            try:
                channel.watts()
                channels.append(channel)
            except DeviceUnavailableError as error:
                failures.append(str(error))
        names = {channel.name for channel in channels}
        total = board_total(names)
        if total is None:
            why = f"; {'; '.join(failures)}" if failures else ""
            return NotMeasured(
                f"of the rails {', '.join(sorted(names)) or '(none can be read)'} it is not known which are the whole "
                f"board{why}; a board that is new has to be added to resemote_edge/machine/energy/jetson_rails.py"
            )
        return cls(channels, total.rails, total.boards, _interval(chips))

    def read(self) -> tuple[float, ...]:
        """Watts of every rail."""
        return tuple(channel.watts() for channel in self._channels)


def _channels(chip: Path) -> Iterator[_Channel]:
    if chip.name.startswith("iio"):
        yield from _iio_channels(chip)
        return
    for number in _CHANNELS:
        name = read_text(chip / f"in{number}_label")
        if _is_connected(name) and read_int(chip / f"in{number}_enable") != 0:
            yield _Channel(str(name), (chip / f"in{number}_input", chip / f"curr{number}_input"))


def _iio_channels(chip: Path) -> Iterator[_Channel]:
    for number in range(len(_CHANNELS)):
        name = read_text(chip / f"rail_name_{number}")
        if not _is_connected(name):
            continue
        power = chip / f"in_power{number}_input"
        if power.exists():
            yield _Channel(str(name), (power,))
        else:
            yield _Channel(str(name), (chip / f"in_voltage{number}_input", chip / f"in_current{number}_input"))


def _is_connected(name: str | None) -> bool:
    return name is not None and name != "NC"


def _interval(chips: Sequence[Path]) -> float:
    """Seconds between readings, at least the update interval of the slowest chip."""
    slowest = max((read_int(chip / "update_interval") or 0 for chip in chips), default=0)
    return max(1 / _SAMPLE_RATE_HZ, slowest / 1e3)
