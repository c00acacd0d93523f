"""Energy sensors on recorded trees: what is found, what counts towards the total, and why the others are missing."""

import shutil
import subprocess
import threading
from pathlib import Path

import pytest
from sysfs_trees import jetson_agx_orin, jetson_nano, jetson_orin_nano, virtual_machine, write, x86_server

from resemote_edge.benchmarks.sensors import Energy, EnergyMeter, NotMeasured, find_energy_sensors
from resemote_edge.benchmarks.sensors.ina3221 import INA3221Sensor
from resemote_edge.benchmarks.sensors.integral import CounterDifference, Trapezoid
from resemote_edge.benchmarks.sensors.jetson_rails import BOARD_TOTALS, board_total
from resemote_edge.benchmarks.sensors.nvml_sensor import NVMLSensor
from resemote_edge.benchmarks.sensors.rapl import RAPLSensor
from resemote_edge.benchmarks.sensors.sensor import EnergySensor, Rail
from resemote_edge.errors import DeviceUnavailableError, InputError


def total(sensor):
    return [rail.name for rail in sensor.rails if rail.in_total]


# --- INA3221 ---


def test_nano_reads_milliwatts_and_its_input_is_the_whole_module(tmp_path):
    sensor = INA3221Sensor.find(jetson_nano(tmp_path))
    assert dict(zip([rail.name for rail in sensor.rails], sensor.read(), strict=True)) == {
        "POM_5V_IN": 3.0, "POM_5V_GPU": 0.5, "POM_5V_CPU": 0.9,
    }  # fmt: skip
    assert total(sensor) == ["POM_5V_IN"]
    assert sensor.boards == "Nano"
    assert (sensor.gives, sensor.covers) == ("watts", "board")


def test_without_a_power_file_volts_and_amperes_are_multiplied(tmp_path):
    jetson_nano(tmp_path)
    for path in tmp_path.rglob("in_power*_input"):
        path.unlink()
    assert INA3221Sensor.find(tmp_path).read() == (3.0, 0.5, 0.9)


def test_orin_nano_reads_hwmon_no_faster_than_the_chip_converts(tmp_path):
    sensor = INA3221Sensor.find(jetson_orin_nano(tmp_path))
    assert sensor.read() == (6.0, 1.5, 1.25)
    assert total(sensor) == ["VDD_IN"]
    assert sensor.interval_s == 0.01
    write(tmp_path, {"sys/bus/i2c/drivers/ina3221/1-0040/hwmon/hwmon1/update_interval": "50"})
    assert INA3221Sensor.find(tmp_path).interval_s == 0.05


def test_agx_orin_sums_three_rails_of_two_chips(tmp_path):
    sensor = INA3221Sensor.find(jetson_agx_orin(tmp_path))
    assert [rail.name for rail in sensor.rails] == ["VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0", "VDDQ_VDD2_1V8AO"]
    assert total(sensor) == ["VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0"]


def test_a_disabled_rail_is_left_out(tmp_path):
    write(jetson_orin_nano(tmp_path), {"sys/bus/i2c/drivers/ina3221/1-0040/hwmon/hwmon1/in3_enable": "0"})
    assert [rail.name for rail in INA3221Sensor.find(tmp_path).rails] == ["VDD_IN", "VDD_CPU_GPU_CV"]


def test_a_board_that_is_not_known_is_not_guessed(tmp_path):
    write(jetson_orin_nano(tmp_path), {"sys/bus/i2c/drivers/ina3221/1-0040/hwmon/hwmon1/in1_label": "VDD_NEW"})
    found = INA3221Sensor.find(tmp_path)
    assert isinstance(found, NotMeasured)
    assert "VDD_CPU_GPU_CV, VDD_NEW, VDD_SOC" in found.reason
    assert "jetson_rails.py" in found.reason


def test_an_input_that_cannot_be_read_is_named(tmp_path):
    path = jetson_orin_nano(tmp_path) / "sys/bus/i2c/drivers/ina3221/1-0040/hwmon/hwmon1/curr1_input"
    path.unlink()
    path.mkdir()
    found = INA3221Sensor.find(tmp_path)
    assert isinstance(found, NotMeasured)
    assert "curr1_input cannot be read" in found.reason


@pytest.mark.parametrize("row", BOARD_TOTALS, ids=lambda row: row.boards)
def test_every_board_is_recognised_by_its_own_rails(row):
    assert board_total({*row.rails, "SOMETHING_ELSE"}) == row


# --- RAPL ---


def test_rapl_sums_packages_and_memory_and_not_what_lies_inside(tmp_path):
    sensor = RAPLSensor.find(x86_server(tmp_path))
    assert [rail.name for rail in sensor.rails] == [
        "package-0", "package-0/core", "package-0/dram", "package-1", "package-1/dram",
    ]  # fmt: skip
    assert total(sensor) == ["package-0", "package-0/dram", "package-1", "package-1/dram"]
    assert sensor.read() == (1.0, 2.0, 3.0, 4.0, 5.0)
    assert sensor.rails[0].wraps_at == pytest.approx(262143.32885)


def test_psys_counts_only_where_there_is_no_package(tmp_path):
    zone = "sys/class/powercap/intel-rapl:0"
    write(tmp_path, {f"{zone}/name": "psys", f"{zone}/energy_uj": "5"})
    assert total(RAPLSensor.find(tmp_path)) == ["psys"]
    other = "sys/class/powercap/intel-rapl:1"
    write(tmp_path, {f"{other}/name": "package-0", f"{other}/energy_uj": "5"})
    assert total(RAPLSensor.find(tmp_path)) == ["package-0"]


def test_one_zone_that_cannot_be_read_spoils_the_total(tmp_path):
    path = x86_server(tmp_path) / "sys/class/powercap/intel-rapl:1/energy_uj"
    path.unlink()
    path.mkdir()
    found = RAPLSensor.find(tmp_path)
    assert isinstance(found, NotMeasured)
    assert "intel-rapl:1/energy_uj cannot be read" in found.reason


def test_a_zone_that_is_not_a_number_is_quoted(tmp_path):
    write(x86_server(tmp_path), {"sys/class/powercap/intel-rapl:1/energy_uj": "many"})
    assert "holds 'many'" in RAPLSensor.find(tmp_path).reason


# --- all of them ---


def test_a_virtual_machine_says_why_for_each(tmp_path):
    sensors, missing = find_energy_sensors(virtual_machine(tmp_path))
    assert sensors == ()
    assert set(missing) == {"ina3221", "rapl", "nvml"}
    assert "only Jetson modules" in missing["ina3221"]
    assert "modprobe intel_rapl_msr" in missing["rapl"]
    energy = EnergyMeter(sensors, missing)
    assert energy.measure_idle(5.0) is None
    with energy.measure() as measurement:
        found = measurement.stop(1, None)
    assert isinstance(found, NotMeasured)
    assert all(f"{name}: " in found.reason for name in missing)


# --- integrals ---


def test_a_counter_that_starts_again_is_counted_on():
    integral = CounterDifference([100.0])
    for second, joules in enumerate((90.0, 98.0, 3.0, 10.0)):
        integral.add(float(second), [joules])
    assert integral.joules == [pytest.approx(20.0)]
    assert integral.seconds == 3.0


def test_a_counter_that_may_not_start_again_is_refused():
    integral = CounterDifference([None])
    integral.add(0.0, [10.0])
    with pytest.raises(DeviceUnavailableError, match=r"went back from 10\.000 to 4\.000 J"):
        integral.add(1.0, [4.0])


def test_watts_are_summed_between_readings():
    integral = Trapezoid(1)
    for second, watts in ((0.0, 2.0), (1.0, 4.0), (3.0, 4.0)):
        integral.add(second, [watts])
    assert integral.joules == [pytest.approx(3.0 + 8.0)]


# --- the meter ---


class Steady(EnergySensor):
    """Draws 6 W, read as fast as it goes; fails when told to."""

    name, covers = "steady", "board"

    def __init__(self, covers="board", gives="watts", interval_s=0.001, value=6.0):
        self.covers, self.gives, self.interval_s, self.min_seconds = covers, gives, interval_s, 0.02
        self.rails = (Rail(name="in", in_total=True), Rail(name="inside", in_total=False))
        self.value, self.broken = value, False

    @classmethod
    def find(cls, root):
        return cls()

    def read(self):
        if self.broken:
            raise DeviceUnavailableError("it was pulled out")
        return (self.value, 1.0)


def threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("energy")]


def test_idle_is_subtracted_and_parts_are_not_added():
    meter = EnergyMeter([Steady()])
    with meter.measure() as measurement:
        threading.Event().wait(0.1)
        found = measurement.stop(10, idle_watts=2.0)
    assert isinstance(found, Energy)
    assert found.watts == pytest.approx(6.0)
    assert found.joules == pytest.approx(6.0 * found.seconds)
    assert found.joules_per_inference == pytest.approx(4.0 * found.seconds / 10)
    assert found.joules_per_inference_with_idle == pytest.approx(6.0 * found.seconds / 10)
    assert [(rail.rail, rail.in_total) for rail in found.rails] == [("in", True), ("inside", False)]
    assert found.sample_rate_hz > 0
    assert threads() == []


def test_a_sensor_of_the_board_leaves_the_others_out_of_the_sum():
    other = Steady(covers="gpu", value=3.0)
    other.name = "card"
    with EnergyMeter([other, Steady()]).measure() as measurement:
        threading.Event().wait(0.1)
        found = measurement.stop(1, None)
    assert found.sensor == "steady"
    assert found.watts == pytest.approx(6.0)
    assert [rail.in_total for rail in found.rails] == [False, False, True, False]
    assert found.joules_per_inference is None


def test_a_run_that_is_too_short_says_so():
    with EnergyMeter([Steady()]).measure() as measurement:
        found = measurement.stop(1, None)
    assert isinstance(found, NotMeasured)
    assert "too short for steady, which needs 0.02 s" in found.reason


def test_a_sensor_that_fails_midway_spoils_the_run():
    sensor = Steady()
    with EnergyMeter([sensor]).measure() as measurement:
        sensor.broken = True
        threading.Event().wait(0.05)
        found = measurement.stop(1, None)
    assert found == NotMeasured("steady failed during the run: it was pulled out")
    assert threads() == []


def test_a_sensor_that_counts_nothing_is_not_believed():
    with EnergyMeter([Steady(gives="joules", value=7.0)]).measure() as measurement:
        threading.Event().wait(0.05)
        found = measurement.stop(1, None)
    assert "did not count anything" in found.reason


def test_a_body_that_fails_leaves_no_thread():
    with pytest.raises(KeyError), EnergyMeter([Steady()]).measure():
        raise KeyError
    assert threads() == []


def test_misuse_is_refused():
    meter = EnergyMeter([Steady()])
    with pytest.raises(InputError, match=r"idle power cannot be told from 0\.001 s"):
        meter.measure_idle(0.001)
    measurement = meter.measure()
    with pytest.raises(InputError, match="start it first"):
        measurement.stop(1, None)
    measurement.start()
    with pytest.raises(InputError, match="started once"):
        measurement.start()
    with pytest.raises(InputError, match="needs one inference at least"):
        measurement.stop(0, None)


# --- NVML, through a library of the same functions ---

_NVML = r"""
#include <string.h>
static unsigned long long energy = 5000;
int nvmlInit_v2(void) { return INIT; }
int nvmlShutdown(void) { return 0; }
const char *nvmlErrorString(int status) { return status == 9 ? "Driver Not Loaded" : "Some Error"; }
int nvmlDeviceGetCount_v2(unsigned *count) { *count = COUNT; return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **device) { *device = &energy + index; return 0; }
int nvmlDeviceGetName(void *device, char *name, unsigned size) { strncpy(name, "Made-up Card", size); return 0; }
int nvmlDeviceGetTotalEnergyConsumption(void *device, unsigned long long *joules) {
  *joules = energy += 1500;
  return ENERGY;
}
int nvmlDeviceGetPowerUsage(void *device, unsigned *value) { *value = 42000; return POWER; }
"""


@pytest.fixture
def nvml(tmp_path):
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler to make a library with NVML's functions")

    def build(**values):
        settings = {"INIT": 0, "COUNT": 2, "ENERGY": 0, "POWER": 0} | values
        name = "-".join(map(str, settings.values()))
        (tmp_path / "nvml.c").write_text(_NVML)
        library = tmp_path / f"libnvml-{name}.so"
        flags = [f"-D{key}={value}" for key, value in settings.items()]
        subprocess.run([compiler, "-shared", "-fPIC", *flags, "-o", library, tmp_path / "nvml.c"], check=True)
        return str(library)

    return build


def test_nvml_counts_joules_of_every_card(nvml):
    sensor = NVMLSensor.find(Path("/"), nvml())
    try:
        assert sensor.gives == "joules"
        assert [rail.name for rail in sensor.rails] == ["GPU 0 Made-up Card", "GPU 1 Made-up Card"]
        first, second = sensor.read()
        assert second - first == pytest.approx(1.5)
    finally:
        sensor.close()


def test_nvml_samples_watts_of_cards_without_a_counter(nvml):
    sensor = NVMLSensor.find(Path("/"), nvml(ENERGY=3))
    try:
        assert sensor.gives == "watts"
        assert sensor.read() == (42.0, 42.0)
    finally:
        sensor.close()


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"INIT": 9}, "Driver Not Loaded"),
        ({"COUNT": 0}, "shows this process no GPU"),
        ({"ENERGY": 3, "POWER": 3}, "tells neither its energy nor its power"),
    ],
    ids=["no driver", "no card", "silent card"],
)
def test_nvml_says_why_not(nvml, settings, says):
    found = NVMLSensor.find(Path("/"), nvml(**settings))
    assert isinstance(found, NotMeasured)
    assert says in found.reason


def test_nvml_without_its_library_and_of_a_recorded_machine(tmp_path):
    assert "it comes with NVIDIA's driver" in NVMLSensor.find(Path("/"), "libnot-there.so.1").reason
    assert "not of the one recorded" in NVMLSensor.find(tmp_path).reason
