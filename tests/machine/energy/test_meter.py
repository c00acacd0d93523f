import threading

import msgspec
import pytest
from sysfs_trees import jetson_nano, put, unreadable, virtual_machine, x86_server

from resemote_edge.errors import DeviceUnavailableError, InputError
from resemote_edge.machine.energy import Energy, EnergyMeter, EnergySensor, NotMeasured, find_energy_sensors
from resemote_edge.machine.energy.ina3221 import INA3221Sensor
from resemote_edge.machine.energy.integral import CounterDifference, Trapezoid, integral_of
from resemote_edge.machine.energy.rapl import RAPLSensor
from resemote_edge.machine.energy.recorder import THREAD_NAME, Recorder
from resemote_edge.machine.energy.sensor import Rail

PATIENCE_S = 30.0  # limit for an action that takes milliseconds; reached only if something is broken


class ConstantPower(EnergySensor):
    """Rails with constant power, so that joules do not depend on the scheduler."""

    name = "constant"
    covers = "cpu"

    def __init__(self, *watts, in_total=None, fails_at=None, error=DeviceUnavailableError, interval_s=0.001):
        self.gives = "watts"
        self.interval_s = interval_s
        self.min_seconds = 1e-9
        chosen = in_total or [True] * len(watts)
        self.rails = tuple(Rail(name=f"rail {n}", in_total=counted) for n, counted in enumerate(chosen))
        self.enough = threading.Event()
        self.closed = False
        self._watts, self._fails_at, self._error, self._readings = watts, fails_at, error, 0

    @classmethod
    def find(cls, root):
        return cls(1.0)

    def read(self):
        self._readings += 1
        if self._fails_at is not None and self._readings >= self._fails_at:
            self.enough.set()
            raise self._error("the cable came out")
        if self._readings >= 12:
            self.enough.set()
        return self._watts

    def close(self):
        self.closed = True


class Counter(EnergySensor):
    """A counter of joules that rises by the same amount at each reading; it is read at the start and at the end."""

    name = "counter"
    covers = "gpu"

    def __init__(self, step_joules):
        self.gives = "joules"
        self.interval_s = 3600.0
        self.min_seconds = 1e-9
        self.rails = (Rail(name="card", in_total=True),)
        self._step, self._joules = step_joules, 0.0

    @classmethod
    def find(cls, root):
        return cls(1.0)

    def read(self):
        self._joules += self._step
        return (self._joules,)


class Board(ConstantPower):
    name = "board"
    covers = "board"


def threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith(THREAD_NAME)]


@pytest.fixture(autouse=True)
def _no_thread_is_left():
    yield
    assert threads() == []


def measured(*sensors, runs=10, idle_watts=None):
    """Measure until every sensor that is sampled has been read often enough."""
    with EnergyMeter(sensors).measure() as measurement:
        for sensor in sensors:
            if isinstance(sensor, ConstantPower):
                assert sensor.enough.wait(PATIENCE_S)
        return measurement.stop(runs, idle_watts)


# Integrals: readings whose times are given.


def test_watts_are_taken_to_change_evenly():
    integral = Trapezoid(2)
    for time_s, values in ((10.0, (4.0, 0.0)), (11.0, (8.0, 0.0)), (13.0, (8.0, 1.0))):
        integral.add(time_s, values)
    assert integral.joules == [6.0 + 16.0, 1.0]
    assert (integral.seconds, integral.readings) == (3.0, 3)


def test_one_reading_is_no_energy():
    integral = Trapezoid(1)
    integral.add(10.0, (4.0,))
    assert (integral.joules, integral.seconds, integral.readings) == ([0.0], 0.0, 1)


def test_counters_wrap_each_at_its_own_range():
    integral = CounterDifference([100.0, 50.0, None])
    for time_s, values in enumerate([(90.0, 49.0, 7.0), (5.0, 1.0, 8.0), (6.0, 49.0, 9.0), (6.0, 2.0, 9.0)]):
        integral.add(time_s, values)
    assert integral.joules == [10.0 + 6.0, 1.0 + 49.0 + 3.0, 2.0]


# Energy of a run.


def test_joules_are_watts_times_seconds_and_idle_is_taken_off():
    energy = measured(ConstantPower(7.0, 2.0, in_total=[True, False]), runs=4, idle_watts=3.0)
    assert isinstance(energy, Energy)
    assert (energy.sensor, energy.idle_watts) == ("constant", 3.0)
    assert energy.joules == pytest.approx(7.0 * energy.seconds)
    assert energy.watts == pytest.approx(7.0)
    assert energy.joules_per_inference_with_idle == pytest.approx(7.0 * energy.seconds / 4)
    assert energy.joules_per_inference == pytest.approx((7.0 - 3.0) * energy.seconds / 4)
    assert [(rail.rail, rail.in_total) for rail in energy.rails] == [("rail 0", True), ("rail 1", False)]
    assert [rail.joules for rail in energy.rails] == pytest.approx([7.0 * energy.seconds, 2.0 * energy.seconds])


def test_the_sample_rate_is_what_was_reached_not_what_was_wanted():
    sensor = ConstantPower(7.0)
    energy = measured(sensor)
    # There is one step fewer than there are readings.
    assert energy.sample_rate_hz == pytest.approx((sensor._readings - 1) / energy.seconds)


def test_without_idle_power_nothing_is_taken_off():
    energy = measured(ConstantPower(7.0))
    assert energy.idle_watts is None
    assert energy.joules_per_inference is None
    assert energy.joules_per_inference_with_idle > 0


def test_a_run_below_idle_is_told_as_it_is():
    energy = measured(ConstantPower(2.0), idle_watts=3.0)
    assert energy.joules_per_inference < 0


def test_counters_need_two_readings_and_have_no_sample_rate():
    energy = measured(Counter(5.0), runs=2)
    assert energy.joules == 5.0
    assert energy.joules_per_inference_with_idle == 2.5
    assert energy.sample_rate_hz is None


def test_processor_and_cards_are_summed():
    energy = measured(ConstantPower(7.0), Counter(5.0))
    assert energy.sensor == "constant+counter"
    constant, card = energy.rails
    assert energy.joules == constant.joules + card.joules
    assert card.joules == 5.0
    assert energy.sample_rate_hz is not None


def test_a_board_contains_the_others_which_are_shown_and_not_summed():
    energy = measured(Board(7.0), Counter(5.0))
    assert energy.sensor == "board"
    board, card = energy.rails
    assert energy.joules == board.joules
    assert (card.joules, card.in_total) == (5.0, False)


def test_energy_goes_through_json():
    energy = measured(ConstantPower(7.0), idle_watts=3.0)
    text = msgspec.json.encode(energy)
    assert msgspec.json.decode(text, type=Energy | NotMeasured) == energy
    refused = NotMeasured("no sensor")
    assert msgspec.json.decode(msgspec.json.encode(refused), type=Energy | NotMeasured) == refused
    assert msgspec.json.decode(msgspec.json.encode(refused)) == {"state": "not measured", "reason": "no sensor"}


# Runs that say nothing.


def test_too_short_a_run_says_what_it_lacks():
    sensor = ConstantPower(7.0)
    sensor.min_seconds = 3600.0
    refused = measured(sensor)
    assert isinstance(refused, NotMeasured)
    assert "is too short for constant, which needs 3600 s; let more calls be made" in refused.reason


def test_too_few_readings_are_guesswork():
    with EnergyMeter([ConstantPower(7.0, interval_s=3600.0)]).measure() as measurement:
        refused = measurement.stop(1, None)
    assert isinstance(refused, NotMeasured)
    assert "constant was read 2 times" in refused.reason
    assert "10 are needed" in refused.reason


def test_a_counter_that_stands_still_counted_nothing():
    refused = measured(Counter(0.0))
    assert isinstance(refused, NotMeasured)
    assert "counter did not count anything" in refused.reason


@pytest.mark.parametrize("reading", [1, 2, 5])
def test_a_sensor_that_fails_midway_gives_its_error(reading):
    refused = measured(ConstantPower(7.0, fails_at=reading))
    assert refused == NotMeasured("constant failed during the run: the cable came out")


def test_one_sensor_that_fails_spoils_the_sum():
    refused = measured(ConstantPower(7.0), Counter(0.0))
    assert isinstance(refused, NotMeasured)
    assert "counter did not count" in refused.reason


def test_a_file_that_goes_away_during_the_run(tmp_path):
    sensor = RAPLSensor.find(x86_server(tmp_path))
    with EnergyMeter([sensor]).measure() as measurement:
        unreadable(tmp_path / "sys/devices/virtual/powercap/intel-rapl/intel-rapl:0/energy_uj")
        refused = measurement.stop(1, None)
    assert isinstance(refused, NotMeasured)
    assert "rapl failed during the run" in refused.reason
    assert "intel-rapl:0/energy_uj cannot be read: Is a directory" in refused.reason


def test_without_sensors_all_reasons_are_given(tmp_path):
    sensors, missing = find_energy_sensors(virtual_machine(tmp_path))
    meter = EnergyMeter(sensors, missing)
    assert meter.measure_idle(0.0) is None
    assert meter.min_seconds == 0.0
    with meter.measure() as measurement:
        refused = measurement.stop(1, None)
    assert isinstance(refused, NotMeasured)
    assert refused.reason.startswith("no energy sensor can be read here (ina3221: there is no ")
    assert "; rapl: " in refused.reason
    assert "; nvml: " in refused.reason


# Recorded machines whose files change during the test.


def test_a_server_whose_counter_goes_round_during_the_run(tmp_path):
    x86_server(tmp_path)
    package = "sys/class/powercap/intel-rapl:0/energy_uj"
    put(tmp_path, package, 262_143_000_000)
    sensor = RAPLSensor.find(tmp_path)
    sensor.min_seconds = 1e-9  # of the real counters, which are renewed every millisecond
    with EnergyMeter([sensor]).measure() as measurement:
        put(tmp_path, package, 3_000_000)
        energy = measurement.stop(1, None)
    assert energy.joules == pytest.approx(0.32885 + 3.0, abs=1e-6)


def test_a_nano_whose_power_rises(tmp_path):
    sensor = INA3221Sensor.find(jetson_nano(tmp_path))
    integral = integral_of(sensor)
    integral.add(0.0, sensor.read())
    put(tmp_path, "sys/bus/i2c/drivers/ina3221x/6-0040/iio:device0/in_power0_input", 9100)
    integral.add(2.0, sensor.read())
    assert integral.joules == pytest.approx([2 * (2.466 + 9.1) / 2, 2 * 0.365, 2 * 0.997])


def test_a_nano_that_draws_the_same_all_the_time(tmp_path):
    sensor = INA3221Sensor.find(jetson_nano(tmp_path))
    sensor.interval_s, sensor.min_seconds = 0.001, 1e-9
    recorder = Recorder(sensor)
    recorder.start()
    # The recorder does not distinguish the thread's readings from ours.
    for _ in range(10):
        recorder.sample()
    recorder.end()
    seconds = recorder.integral.seconds
    assert recorder.refusal() is None
    assert recorder.integral.joules == pytest.approx([2.466 * seconds, 0.365 * seconds, 0.997 * seconds])


# Use.


def test_idle_power_is_that_of_the_total():
    # Ten readings are needed, and half a second is enough for five hundred.
    meter = EnergyMeter([ConstantPower(5.0, 1.0, 9.0, in_total=[True, True, False])])
    assert meter.measure_idle(0.5) == pytest.approx(6.0)


def test_idle_power_is_none_where_the_sensor_fails():
    assert EnergyMeter([ConstantPower(5.0, fails_at=1)]).measure_idle(0.01) is None


def test_idle_power_needs_time():
    sensor = ConstantPower(5.0)
    sensor.min_seconds = 2.0
    with pytest.raises(InputError, match=r"idle power cannot be told from 1\.5 s: constant needs 2 s or more"):
        EnergyMeter([sensor]).measure_idle(1.5)


def test_the_slowest_sensor_decides_how_long():
    first, second = ConstantPower(5.0), ConstantPower(5.0)
    first.min_seconds, second.min_seconds = 0.1, 1.0
    assert EnergyMeter([first, second]).min_seconds == 1.0


def test_threads_run_during_a_measurement_only():
    measurement = EnergyMeter([ConstantPower(5.0), Counter(1.0)]).measure()
    assert threads() == []
    measurement.start()
    assert sorted(thread.name for thread in threads()) == ["energy-constant", "energy-counter"]
    measurement.cancel()
    assert threads() == []
    measurement.cancel()


def test_an_error_in_the_run_ends_the_threads():
    with pytest.raises(ZeroDivisionError), EnergyMeter([ConstantPower(5.0)]).measure():
        raise ZeroDivisionError
    assert threads() == []


def test_a_sensor_that_breaks_at_the_start_leaves_no_thread_of_the_others():
    broken = ConstantPower(5.0, fails_at=1, error=ZeroDivisionError)
    with pytest.raises(ZeroDivisionError):
        EnergyMeter([ConstantPower(5.0), broken]).measure().start()
    assert threads() == []


def test_nothing_is_read_after_the_end():
    sensor = ConstantPower(5.0)
    recorder = Recorder(sensor)
    recorder.start()
    recorder.end()
    read = sensor._readings
    recorder.sample()
    assert sensor._readings == read


def test_a_measurement_is_used_once():
    meter = EnergyMeter([Counter(1.0)])
    measurement = meter.measure()
    with pytest.raises(InputError, match="start it first"):
        measurement.stop(1, None)
    measurement.start()
    with pytest.raises(InputError, match="ask the meter for another one"):
        measurement.start()
    measurement.stop(1, None)
    with pytest.raises(InputError, match="only a measurement that runs"):
        measurement.stop(1, None)
    assert isinstance(measured(*meter.sensors), Energy)


def test_no_runs_is_a_mistake_and_ends_the_threads():
    measurement = EnergyMeter([Counter(1.0)]).measure()
    measurement.start()
    with pytest.raises(InputError, match="one inference at least, got 0"):
        measurement.stop(0, None)
    assert threads() == []


def test_closing_the_meter_closes_its_sensors():
    sensors = [ConstantPower(5.0), ConstantPower(6.0)]
    EnergyMeter(sensors).close()
    assert all(sensor.closed for sensor in sensors)
