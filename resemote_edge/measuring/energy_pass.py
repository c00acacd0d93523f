"""measure_energy: runs a scenario a second time to read energy sensors; no latency is taken from that run."""

from collections.abc import Sequence
from contextlib import ExitStack, closing

import msgspec

from resemote_edge.machine.energy import Energy, EnergyMeter, NotMeasured, find_energy_sensors
from resemote_edge.measuring.scenarios import Scenario, ScenarioSettings
from resemote_edge.measuring.workload import Subject

__all__ = ["measure_energy"]

#: Time over which idle power is measured, and limits of a run's length; longer runs are no more exact.
_IDLE_SECONDS = 3.0
_SHORTEST_SECONDS = 3.0
_LONGEST_SECONDS = 15.0


def measure_energy(scenario: Scenario, subjects: Sequence[Subject], settings: ScenarioSettings) -> Energy | NotMeasured:
    """Measure the energy that an inference of the scenario takes.

    This is a run of its own, because reading a board's power monitor keeps a core and its bus busy, which would disturb
    the timed run. Without a sensor, nothing is run.

    Args:
        scenario: Scenario to run again, without warming up.
        subjects: Subjects that are warm, one for each stream.
        settings: Settings of the timed run.

    Returns:
        Energy over all crops that went through the model in that run, or the reason why it is not known.
    """
    found = find_energy_sensors()
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
