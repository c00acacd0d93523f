import pytest
from sysfs_trees import ordinary_user, put, unreadable, virtual_machine, x86_server

from resemote_edge.errors import DeviceUnavailableError
from resemote_edge.machine.energy import NotMeasured, find_energy_sensors
from resemote_edge.machine.energy.integral import integral_of
from resemote_edge.machine.energy.rapl import RAPLSensor

PACKAGE = "sys/class/powercap/intel-rapl:0"
WRAPS_AT = 262143.328850  # max_energy_range_uj of that zone, in joules


@pytest.fixture
def server(tmp_path):
    return x86_server(tmp_path)


def rails(sensor):
    return {rail.name: rail.in_total for rail in sensor.rails}


def joules(sensor, integral):
    return dict(zip(rails(sensor), integral.joules, strict=True))


def test_packages_and_memory_are_the_total_and_cores_lie_inside(server):
    sensor = RAPLSensor.find(server)
    assert rails(sensor) == {
        "package-0": True, "package-0/core": False, "package-0/dram": True,
        "package-1": True, "package-1/core": False, "package-1/dram": True,
    }  # fmt: skip
    assert sensor.read() == pytest.approx((240e3, 90e3, 11e3) * 2)
    assert [rail.wraps_at for rail in sensor.rails[:3]] == pytest.approx([WRAPS_AT, WRAPS_AT, 65712.999613])
    assert (sensor.gives, sensor.covers) == ("joules", "cpu")


def test_joules_between_two_readings(server):
    sensor = RAPLSensor.find(server)
    integral = integral_of(sensor)
    integral.add(0.0, sensor.read())
    put(server, f"{PACKAGE}/energy_uj", 240_012_500_000)
    put(server, f"{PACKAGE}:1/energy_uj", 11_000_250_000)
    integral.add(2.0, sensor.read())
    assert joules(sensor, integral) == pytest.approx(
        {**dict.fromkeys(rails(sensor), 0.0), "package-0": 12.5, "package-0/dram": 0.25}, abs=1e-6
    )
    assert integral.seconds == 2.0


def test_a_counter_that_starts_again_is_counted_once(server):
    sensor = RAPLSensor.find(server)
    integral = integral_of(sensor)
    for time_s, microjoules in enumerate([262_143_000_000, 1_000_000, 3_000_000]):
        put(server, f"{PACKAGE}/energy_uj", microjoules)
        integral.add(time_s, sensor.read())
    assert joules(sensor, integral)["package-0"] == pytest.approx(WRAPS_AT - 262143.0 + 3.0, abs=1e-6)


def test_a_counter_without_a_range_may_not_go_back(server):
    (server / PACKAGE / "max_energy_range_uj").unlink()
    sensor = RAPLSensor.find(server)
    integral = integral_of(sensor)
    integral.add(0.0, sensor.read())
    put(server, f"{PACKAGE}/energy_uj", 5)
    with pytest.raises(DeviceUnavailableError, match=r"went back from 240000\.000 to 0\.000 J.*measure again"):
        integral.add(1.0, sensor.read())


def test_ten_zones_and_more_stay_in_their_packages(server):
    for number in (2, 10):
        put(server, f"sys/class/powercap/intel-rapl:{number}/name", f"package-{number}")
        put(server, f"sys/class/powercap/intel-rapl:{number}/energy_uj", 0)
    put(server, "sys/class/powercap/intel-rapl:10:0/name", "dram")
    put(server, "sys/class/powercap/intel-rapl:10:0/energy_uj", 0)
    assert list(rails(RAPLSensor.find(server)))[-3:] == ["package-2", "package-10", "package-10/dram"]


def test_psys_is_around_packages_and_not_added_to_them(server):
    put(server, "sys/class/powercap/intel-rapl:2/name", "psys")
    put(server, "sys/class/powercap/intel-rapl:2/energy_uj", 7)
    assert rails(RAPLSensor.find(server))["psys"] is False


def test_psys_alone_is_the_total(tmp_path):
    put(tmp_path, f"{PACKAGE}/name", "psys")
    put(tmp_path, f"{PACKAGE}/energy_uj", 7_000_000)
    sensor = RAPLSensor.find(tmp_path)
    assert rails(sensor) == {"psys": True}
    assert sensor.read() == (7.0,)


def test_zones_that_stand_for_nothing_whole_are_named(tmp_path):
    put(tmp_path, f"{PACKAGE}/name", "dram")
    put(tmp_path, f"{PACKAGE}/energy_uj", 7)
    missing = RAPLSensor.find(tmp_path)
    assert isinstance(missing, NotMeasured)
    assert "the zones dram and neither a package nor psys" in missing.reason


def test_a_virtual_machine_has_none(tmp_path):
    missing = RAPLSensor.find(virtual_machine(tmp_path))
    assert isinstance(missing, NotMeasured)
    for part in ("intel-rapl:*", "virtual machines hardly ever", "sudo modprobe intel_rapl_msr"):
        assert part in missing.reason


def test_one_zone_that_cannot_be_read_spoils_the_total(server):
    unreadable(server / "sys/devices/virtual/powercap/intel-rapl/intel-rapl:1/intel-rapl:1:1/energy_uj")
    missing = RAPLSensor.find(server)
    assert isinstance(missing, NotMeasured)
    assert "intel-rapl:1:1/energy_uj cannot be read" in missing.reason


def test_counters_for_root_alone_say_how_to_open_them_all(open_folder):
    # Permissions as in kernels since 5.10.
    for path in x86_server(open_folder).glob("sys/devices/virtual/powercap/*/**/energy_uj"):
        path.chmod(0)
    with ordinary_user(open_folder):
        missing = RAPLSensor.find(open_folder)
    assert isinstance(missing, NotMeasured)
    assert "intel-rapl:0/energy_uj may not be read by this user; run as root" in missing.reason
    assert f"sudo chmod a+r {open_folder}/sys/class/powercap/intel-rapl:*/energy_uj" in missing.reason


def test_the_registry_finds_it_and_says_why_others_are_missing(server):
    found = find_energy_sensors(server)
    assert [sensor.name for sensor in found.sensors] == ["rapl"]
    assert sorted(found.missing) == ["ina3221", "nvml"]
    assert all(found.missing.values())


def test_this_machine_has_sensors_or_reasons():
    found = find_energy_sensors()
    try:
        assert sorted([*found.missing, *(sensor.name for sensor in found.sensors)]) == ["ina3221", "nvml", "rapl"]
        for sensor in found.sensors:
            assert len(sensor.read()) == len(sensor.rails)
    finally:
        for sensor in found.sensors:
            sensor.close()
