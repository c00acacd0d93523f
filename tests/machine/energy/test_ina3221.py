import pytest
from sysfs_trees import agx_orin_rails, jetson_nano, jetson_orin_nano, ordinary_user, put, unreadable, virtual_machine

from resemote_edge.errors import DeviceUnavailableError
from resemote_edge.machine.energy import NotMeasured
from resemote_edge.machine.energy.ina3221 import INA3221Sensor

NANO = "sys/bus/i2c/drivers/ina3221x/6-0040/iio:device0"
ORIN = "sys/bus/i2c/drivers/ina3221/1-0040/hwmon/hwmon1"


def rails(sensor):
    return {rail.name: rail.in_total for rail in sensor.rails}


def watts(sensor):
    return dict(zip(rails(sensor), sensor.read(), strict=True))


def test_the_nano_gives_milliwatts_and_its_input_is_the_total(tmp_path):
    sensor = INA3221Sensor.find(jetson_nano(tmp_path))
    assert rails(sensor) == {"POM_5V_IN": True, "POM_5V_GPU": False, "POM_5V_CPU": False}
    assert watts(sensor) == {"POM_5V_IN": 2.466, "POM_5V_GPU": 0.365, "POM_5V_CPU": 0.997}
    assert (sensor.gives, sensor.covers) == ("watts", "board")


def test_iio_without_power_has_it_from_voltage_and_current(tmp_path):
    jetson_nano(tmp_path)
    (tmp_path / NANO / "in_power0_input").unlink()
    assert watts(INA3221Sensor.find(tmp_path))["POM_5V_IN"] == pytest.approx(5.096 * 0.484)


def test_the_orin_nano_gives_millivolts_and_milliamperes(tmp_path):
    sensor = INA3221Sensor.find(jetson_orin_nano(tmp_path))
    assert rails(sensor) == {"VDD_IN": True, "VDD_CPU_GPU_CV": False, "VDD_SOC": False}
    assert watts(sensor) == pytest.approx(
        {"VDD_IN": 5.064 * 0.904, "VDD_CPU_GPU_CV": 5.056 * 0.128, "VDD_SOC": 5.064 * 0.264}
    )


def test_the_agx_orin_is_three_rails_of_two_chips(tmp_path):
    sensor = INA3221Sensor.find(agx_orin_rails(tmp_path))
    # The power of the fourth rail comes from VIN_SYS_5V0; NC is not connected.
    assert rails(sensor) == {
        "VDD_GPU_SOC": True, "VDD_CPU_CV": True, "VIN_SYS_5V0": True, "VDDQ_VDD2_1V8AO": False,
    }  # fmt: skip
    total = sum(value for name, value in watts(sensor).items() if rails(sensor)[name])
    assert total == pytest.approx(2.4 + 0.8 + 3.2)


def test_readings_are_new_every_time(tmp_path):
    sensor = INA3221Sensor.find(jetson_nano(tmp_path))
    put(tmp_path, f"{NANO}/in_power0_input", 9100)
    assert watts(sensor)["POM_5V_IN"] == 9.1


@pytest.mark.parametrize(("update_ms", "seconds"), [(1, 0.01), (140, 0.14)])
def test_no_chip_is_read_before_it_has_something_new(update_ms, seconds, tmp_path):
    jetson_orin_nano(tmp_path)
    put(tmp_path, f"{ORIN}/update_interval", update_ms)
    sensor = INA3221Sensor.find(tmp_path)
    assert sensor.interval_s == pytest.approx(seconds)
    assert sensor.min_seconds == pytest.approx(10 * seconds)


def test_a_channel_that_is_off_is_no_rail(tmp_path):
    jetson_orin_nano(tmp_path)
    put(tmp_path, f"{ORIN}/in3_enable", 0)
    assert "VDD_SOC" not in rails(INA3221Sensor.find(tmp_path))


def test_a_rail_beside_the_total_may_fail(tmp_path):
    jetson_orin_nano(tmp_path)
    unreadable(tmp_path / ORIN / "curr2_input")
    assert rails(INA3221Sensor.find(tmp_path)) == {"VDD_IN": True, "VDD_SOC": False}


def test_elsewhere_there_is_none_and_both_layouts_are_named(tmp_path):
    missing = INA3221Sensor.find(virtual_machine(tmp_path))
    assert isinstance(missing, NotMeasured)
    for part in ("only Jetson modules", "ina3221/*/hwmon", "ina3221x/*/iio", "container"):
        assert part in missing.reason


def test_a_board_nobody_knows_names_its_rails_and_the_table(tmp_path):
    jetson_orin_nano(tmp_path)
    put(tmp_path, f"{ORIN}/in1_label", "VDD_NEW")
    missing = INA3221Sensor.find(tmp_path)
    assert isinstance(missing, NotMeasured)
    assert "VDD_CPU_GPU_CV, VDD_NEW, VDD_SOC" in missing.reason
    assert "jetson_rails.py" in missing.reason


def test_a_total_that_cannot_be_read_is_missing_with_its_file(tmp_path):
    jetson_orin_nano(tmp_path)
    unreadable(tmp_path / ORIN / "in1_input")
    missing = INA3221Sensor.find(tmp_path)
    assert isinstance(missing, NotMeasured)
    assert "in1_input cannot be read: Is a directory" in missing.reason


def test_a_total_that_this_user_may_not_read_says_what_to_do(open_folder):
    jetson_orin_nano(open_folder)
    (open_folder / ORIN / "in1_input").chmod(0)
    with ordinary_user(open_folder):
        missing = INA3221Sensor.find(open_folder)
    assert isinstance(missing, NotMeasured)
    assert "in1_input may not be read by this user; run as root" in missing.reason
    assert "sudo chmod a+r" in missing.reason


@pytest.mark.parametrize("text", ["", "n/a"])
def test_what_is_no_number_fails_and_is_quoted(text, tmp_path):
    sensor = INA3221Sensor.find(jetson_nano(tmp_path))
    put(tmp_path, f"{NANO}/in_power0_input", text)
    with pytest.raises(DeviceUnavailableError, match=f"in_power0_input holds '{text}' where a number belongs"):
        sensor.read()
