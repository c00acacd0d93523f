"""MachineState: clocks, temperatures and throttling, read before and after a measurement.

The files are described, for x86, in the kernel's Documentation/ABI/testing/sysfs-devices-system-cpu and
driver-api/thermal, and for Jetson in NVIDIA's Jetson Linux Developer Guide, "Platform Power and Performance". Nothing
is ever changed, and what cannot be read is None or empty.
"""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from resemote_edge.artifacts.record import Strict
from resemote_edge.machine.cgroup import throttled_seconds
from resemote_edge.machine.clocks import ClockRange, are_locked, cpu_clocks, cpuinfo_mhz, governors, gpu_clocks
from resemote_edge.machine.jetson import PowerMode, power_mode
from resemote_edge.machine.tenancy import CPUTicks, cpu_ticks, load_averages
from resemote_edge.machine.thermal import cooling_states, temperatures_c, throttle_counts
from resemote_edge.machine.topology import allowed_cores

__all__ = [
    "MachineState",
    "can_tell_throttling",
    "capture_machine_state",
    "capture_passing_state",
    "slowdowns",
    "throttled",
]

# Smaller changes are normal.
_HEATED_BY_C = 10.0
_SLOWED_BY_SHARE = 0.02
_STOLEN_SHARE = 0.01

_EVENTS = {
    "core": "a core was too hot and slowed down",
    "package": "a processor was too hot and slowed down",
    "oc1": "the supply's voltage was too low and the module slowed down",
    "oc2": "the supply's mean current was too high and the module slowed down",
    "oc3": "the supply's peak current was too high and the module slowed down",
}


class MachineState(Strict, frozen=True, kw_only=True):
    """The machine at one moment.

    Attributes:
        governors: Frequency governors of the allowed cores, without repetition.
        cpu_clock_min_mhz: Clock of the slowest allowed core, now.
        cpu_clock_max_mhz: Clock of the fastest allowed core, now.
        cpu_clock_limit_mhz: Highest clock that any allowed core may have at present.
        clocks_locked: Whether the clocks of CPU and GPU are fixed by equal limits, as after jetson_clocks; None if
            limits cannot be read.
        gpu_clocks: Clocks of a Jetson's GPU, by device.
        temperatures_c: Temperatures by thermal zone.
        throttle_counts: Number of throttling events since boot, see `thermal.throttle_counts`.
        cooling_states: State of each cooling device; 0 if it is off.
        quota_throttled_seconds: Time for which the control group's quota held processes back.
        power_mode: Mode set by nvpmodel.
        load_average_1m: Number of processes that run or wait to run, mean over 1 minute.
        cpu_ticks: Time of all CPUs since boot.
    """

    governors: tuple[str, ...] = ()
    cpu_clock_min_mhz: float | None = None
    cpu_clock_max_mhz: float | None = None
    cpu_clock_limit_mhz: float | None = None
    clocks_locked: bool | None = None
    gpu_clocks: dict[str, ClockRange] = msgspec.field(default_factory=dict)
    temperatures_c: dict[str, float] = msgspec.field(default_factory=dict)
    throttle_counts: dict[str, int] = msgspec.field(default_factory=dict)
    cooling_states: dict[str, int] = msgspec.field(default_factory=dict)
    quota_throttled_seconds: float | None = None
    power_mode: PowerMode | None = None
    load_average_1m: float | None = None
    cpu_ticks: CPUTicks | None = None


def capture_machine_state(root: Path = Path("/")) -> MachineState:
    """Read the state; this takes some milliseconds.

    Args:
        root: Folder that holds ``sys`` and ``proc``.
    """
    cores = allowed_cores(root)
    cpu, gpu = cpu_clocks(root, cores), gpu_clocks(root)
    now = [clock.now_mhz for clock in cpu if clock.now_mhz is not None] or cpuinfo_mhz(root, cores)
    loads = load_averages(root)
    return MachineState(
        governors=governors(root, cores),
        cpu_clock_min_mhz=min(now, default=None),
        cpu_clock_max_mhz=max(now, default=None),
        cpu_clock_limit_mhz=max((clock.highest_mhz for clock in cpu if clock.highest_mhz is not None), default=None),
        clocks_locked=are_locked([*cpu, *gpu.values()]),
        gpu_clocks=gpu,
        temperatures_c=temperatures_c(root),
        throttle_counts=throttle_counts(root),
        cooling_states=cooling_states(root),
        quota_throttled_seconds=throttled_seconds(root),
        power_mode=power_mode(root),
        load_average_1m=loads[0] if loads else None,
        cpu_ticks=cpu_ticks(root),
    )


def capture_passing_state(root: Path = Path("/")) -> MachineState:
    """Read only limits and heat, which may come and go during a measurement; this disturbs it little.

    Args:
        root: Folder that holds ``sys`` and ``proc``.
    """
    limits = [clock.highest_mhz for clock in cpu_clocks(root, allowed_cores(root)) if clock.highest_mhz is not None]
    return MachineState(
        cpu_clock_limit_mhz=max(limits, default=None),
        gpu_clocks=gpu_clocks(root),
        temperatures_c=temperatures_c(root),
        cooling_states=cooling_states(root),
    )


def throttled(before: MachineState, after: MachineState) -> tuple[str, ...]:
    """Describe what slowed the machine down or heated it between two states.

    Clocks rise and fall with the load, so only limits count, and a locked clock below its limit.

    Args:
        before: State read before a measurement.
        after: State read after it, since the same boot.

    Returns:
        Plain sentences, without a full stop; empty if nothing did.
    """
    return (*slowdowns(before, after), *_stolen(before, after), *_settings(before, after), *_heat(before, after))


def slowdowns(before: MachineState, after: MachineState) -> tuple[str, ...]:
    """Those sentences of `throttled` that are about clocks or time lost to heat, power or a quota."""
    return (
        *_events(before, after),
        *_slower_clocks(before, after),
        *_cooling(before, after),
        *_held_back(before, after),
    )


def can_tell_throttling(state: MachineState) -> bool:
    """Whether this machine can show that heat or power slowed it down.

    It can if it counts such events, or has a cooling device other than a fan. A clock limit is not enough, because
    processors may slow down without changing it.
    """
    return bool(state.throttle_counts) or any(not _is_fan(name) for name in state.cooling_states)


def _is_fan(name: str) -> bool:
    return "fan" in name.lower()


def _events(before: MachineState, after: MachineState) -> Iterator[str]:
    for name, count in after.throttle_counts.items():
        new = count - before.throttle_counts.get(name, count)
        if new > 0:
            yield f"{_EVENTS.get(name, name)}, {new} time{'s' if new > 1 else ''}"


def _slower_clocks(before: MachineState, after: MachineState) -> Iterator[str]:
    limits = [("the CPU's clock limit", before.cpu_clock_limit_mhz, after.cpu_clock_limit_mhz)]
    for name, clock in after.gpu_clocks.items():
        if name in before.gpu_clocks:
            limits.append((f"the clock limit of {name}", before.gpu_clocks[name].highest_mhz, clock.highest_mhz))
    for what, first, second in limits:
        if _slower(first, second):
            yield f"{what} fell from {first:.0f} to {second:.0f} MHz"
    if after.clocks_locked and _slower(after.cpu_clock_limit_mhz, after.cpu_clock_max_mhz):
        yield (
            f"the CPU's clock is locked at {after.cpu_clock_limit_mhz:.0f} MHz and was at "
            f"{after.cpu_clock_max_mhz:.0f} MHz"
        )


def _slower(first: float | None, second: float | None) -> bool:
    return first is not None and second is not None and second < first * (1 - _SLOWED_BY_SHARE)


def _cooling(before: MachineState, after: MachineState) -> Iterator[str]:
    for name, state in after.cooling_states.items():
        was = before.cooling_states.get(name, state)
        if state > max(was, 0) and not _is_fan(name):  # a fan costs no speed
            yield f"{name} was throttled, from step {max(was, 0)} to step {state}"


def _held_back(before: MachineState, after: MachineState) -> Iterator[str]:
    if before.quota_throttled_seconds is not None and after.quota_throttled_seconds is not None:
        held = after.quota_throttled_seconds - before.quota_throttled_seconds
        if held > 0:
            yield f"the control group's CPU quota held processes back for {held:.2f} s"


def _stolen(before: MachineState, after: MachineState) -> Iterator[str]:
    if before.cpu_ticks is not None and after.cpu_ticks is not None:
        passed = after.cpu_ticks.total - before.cpu_ticks.total
        stolen = after.cpu_ticks.stolen - before.cpu_ticks.stolen
        if passed > 0 and stolen / passed > _STOLEN_SHARE:
            yield f"the host gave {stolen / passed:.1%} of this machine's CPU time to others"


def _settings(before: MachineState, after: MachineState) -> Iterator[str]:
    if before.governors != after.governors:
        yield f"the governor changed from {_joined(before.governors)} to {_joined(after.governors)}"
    if before.power_mode != after.power_mode:
        yield f"the power mode changed from {before.power_mode or 'unknown'} to {after.power_mode or 'unknown'}"


def _joined(names: tuple[str, ...]) -> str:
    return " and ".join(names) or "unknown"


def _heat(before: MachineState, after: MachineState) -> Iterator[str]:
    for zone, hot in after.temperatures_c.items():
        cold = before.temperatures_c.get(zone, hot)
        if hot - cold >= _HEATED_BY_C:
            yield f"{zone} heated from {cold:.0f} to {hot:.0f} °C"
