"""measure_energy: a second run of a scenario, in which sensors are read and nothing else is timed."""

from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import msgspec

from resemote_edge.machine.energy import Energy, EnergyMeter, NotMeasured, find_energy_sensors
from resemote_edge.measuring.scenarios import Scenario, ScenarioSettings
from resemote_edge.measuring.workload import Subject

__all__ = ["measure_energy"]

#: Time over which idle power is measured, and bounds of a run's length; longer ones say no more.
_IDLE_SECONDS = 3.0
_SHORTEST_SECONDS = 3.0
_LONGEST_SECONDS = 15.0


def measure_energy(
    scenario: Scenario, subjects: Sequence[Subject], settings: ScenarioSettings, root: Path = Path("/")
) -> Energy | NotMeasured:
    """Measure the energy that an inference of the scenario takes.

    It is a run of its own: reading the power monitor of a board keeps a core and its bus busy, and the timed run must
    not see that. It costs no time where there is no sensor.

    Args:
        scenario: Scenario to run again, without warming up.
        subjects: Subjects that are warm, one for each stream.
        settings: Settings of the timed run.
        root: Folder that holds ``sys``.

    Returns:
        Energy of all crops that went through the model in that run, those timed without their decision included; or the
        reason why it is not known.
    """
    found = find_energy_sensors(root)
    with closing(EnergyMeter(found.sensors, found.missing)) as meter, ExitStack() as stack:
        seconds = max(meter.min_seconds, _SHORTEST_SECONDS, min(settings.min_seconds, _LONGEST_SECONDS))
        idle_watts = meter.measure_idle(max(meter.min_seconds, _IDLE_SECONDS))
        before = _crops(subjects)
        measurement = stack.enter_context(meter.measure())
        if meter.sensors:
            scenario.run(
                subjects, msgspec.structs.replace(settings, warmup_runs=0, warmup_seconds=0.0, min_seconds=seconds)
            )
        return measurement.stop(max(_crops(subjects) - before, 1), idle_watts)


def _crops(subjects: Sequence[Subject]) -> int:
    return sum(subject.crops_done for subject in subjects)
