"""EnergyMeter: the energy that a run takes, from all sensors that were found."""

import time
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from resemote_edge.errors import InputError
from resemote_edge.machine.energy.recorder import Recorder
from resemote_edge.machine.energy.result import Energy, NotMeasured, RailEnergy
from resemote_edge.machine.energy.sensor import EnergySensor

__all__ = ["EnergyMeter", "Measurement"]


class EnergyMeter:
    """Measures energy with all its sensors.

    Args:
        sensors: Sensors from `find_energy_sensors`; if there are none, every answer is `NotMeasured`.
        missing: Reasons why other sensors cannot be used, which are given if there are no sensors.

    Example:
        sensors, missing = find_energy_sensors()
        meter = EnergyMeter(sensors, missing)
        idle_watts = meter.measure_idle(5.0)
        with meter.measure() as measurement:
            for _ in range(1000):
                session.run(feeds)
            energy = measurement.stop(1000, idle_watts)
    """

    def __init__(self, sensors: Sequence[EnergySensor], missing: Mapping[str, str] = MappingProxyType({})) -> None:
        self.sensors = tuple(sensors)
        self.missing = dict(missing)

    @property
    def min_seconds(self) -> float:
        """Shortest time that `measure_idle` and a run need; 0 without sensors."""
        return max((sensor.min_seconds for sensor in self.sensors), default=0.0)

    def measure(self) -> "Measurement":
        """Prepare a measurement; one can run at a time."""
        return Measurement(self.sensors, self.missing)

    def measure_idle(self, seconds: float) -> float | None:
        """Measure the watts while this process does nothing.

        This includes whatever else the machine does and the reading of the sensors; a run includes both as well.

        Args:
            seconds: Length of the measurement.

        Returns:
            Watts of the rails in the total; None if nothing can be measured (`Measurement.stop` gives the reason).

        Raises:
            InputError: The time is shorter than the sensors need.
        """
        if not self.sensors:
            return None
        if seconds < self.min_seconds:
            raise InputError(
                f"idle power cannot be told from {seconds:g} s: {', '.join(sensor.name for sensor in self.sensors)} "
                f"needs {self.min_seconds:g} s or more"
            )
        with self.measure() as measurement:
            time.sleep(seconds)
            energy = measurement.stop(runs=1, idle_watts=None)
        return energy.watts if isinstance(energy, Energy) else None

    def close(self) -> None:
        """Release what the sensors hold."""
        for sensor in self.sensors:
            sensor.close()


class Measurement:
    """One run. `start` and `stop` it, or use it as a context manager, which ends its threads whatever happens."""

    def __init__(self, sensors: Sequence[EnergySensor], missing: Mapping[str, str]) -> None:
        self._recorders = tuple(Recorder(sensor) for sensor in sensors)
        self._missing = missing
        self._state = "new"

    def __enter__(self) -> "Measurement":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.cancel()

    def start(self) -> None:
        """Start the measurement.

        Raises:
            InputError: It was started before.
        """
        if self._state != "new":
            raise InputError("a measurement is started once", hint="ask the meter for another one")
        self._state = "running"
        try:
            for recorder in self._recorders:
                recorder.start()
        except BaseException:
            self.cancel()
            raise

    def stop(self, runs: int, idle_watts: float | None) -> Energy | NotMeasured:
        """Stop, and return the energy of the run.

        Args:
            runs: Number of inferences since `start`; images count, not calls.
            idle_watts: Idle power from `EnergyMeter.measure_idle`, with the same sensors.

        Returns:
            The energy, or the reason why it is not known. No thread is left.

        Raises:
            InputError: It is not running, or there were no runs.
        """
        if self._state != "running":
            raise InputError("only a measurement that runs can be stopped", hint="start it first")
        for recorder in self._recorders:  # The last readings are taken as close to each other as possible.
            recorder.sample()
        self.cancel()
        if runs < 1:
            raise InputError(f"energy per inference needs one inference at least, got {runs}")
        refusal = self._refusal()
        return NotMeasured(refusal) if refusal is not None else self._energy(runs, idle_watts)

    def cancel(self) -> None:
        """Stop without a result; does nothing if it has stopped already."""
        self._state = "ended"
        for recorder in self._recorders:
            recorder.end()

    def _refusal(self) -> str | None:
        if not self._recorders:
            reasons = "; ".join(f"{name}: {reason}" for name, reason in self._missing.items())
            return f"no energy sensor can be read here{f' ({reasons})' if reasons else ''}"
        refusals = [refusal for recorder in self._recorders if (refusal := recorder.refusal()) is not None]
        return "; ".join(refusals) or None

    def _energy(self, runs: int, idle_watts: float | None) -> Energy:
        boards = [recorder for recorder in self._recorders if recorder.sensor.covers == "board"]
        counted = boards or list(self._recorders)
        rails = tuple(
            RailEnergy(rail=rail.name, joules=joules, in_total=rail.in_total and recorder in counted)
            for recorder in self._recorders
            for rail, joules in zip(recorder.sensor.rails, recorder.integral.joules, strict=True)
        )
        joules = sum(rail.joules for rail in rails if rail.in_total)
        # The sensors' runs differ by the microseconds between their readings.
        seconds = max(recorder.integral.seconds for recorder in counted)
        rates = [rate for recorder in counted if (rate := recorder.sample_rate_hz) is not None]
        above = None if idle_watts is None else (joules - idle_watts * seconds) / runs
        return Energy(
            sensor="+".join(recorder.sensor.name for recorder in counted),
            rails=rails,
            seconds=seconds,
            joules=joules,
            watts=joules / seconds,
            idle_watts=idle_watts,
            joules_per_inference=above,
            joules_per_inference_with_idle=joules / runs,
            sample_rate_hz=min(rates, default=None),
        )
