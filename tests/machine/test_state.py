import msgspec
import pytest
from sysfs_trees import jetson_nano, jetson_orin_nano, link, put, unreadable, virtual_machine, x86_server

from resemote_edge.machine.clocks import ClockRange
from resemote_edge.machine.jetson import PowerMode
from resemote_edge.machine.state import MachineState, capture_machine_state, throttled
from resemote_edge.machine.tenancy import CPUTicks

CPU = "sys/devices/system/cpu"
CGROUP = "sys/fs/cgroup"


def gpu_limit(mhz):
    return {"17000000.gpu": ClockRange(now_mhz=306.0, lowest_mhz=306.0, highest_mhz=mhz)}


# One machine after the other.


def test_the_nano(tmp_path):
    state = capture_machine_state(jetson_nano(tmp_path))
    assert state.governors == ("schedutil",)
    assert (state.cpu_clock_min_mhz, state.cpu_clock_max_mhz, state.cpu_clock_limit_mhz) == (1479.0, 1479.0, 1479.0)
    assert state.gpu_clocks == {"57000000.gpu": ClockRange(now_mhz=76.8, lowest_mhz=76.8, highest_mhz=921.6)}
    assert state.clocks_locked is False
    assert state.temperatures_c["CPU-therm"] == 38.5
    assert state.cooling_states == {"pwm-fan": 0, "tegra-balanced": 0}
    assert state.throttle_counts == {}
    assert state.power_mode == PowerMode(id=0, name="MAXN")
    assert state.load_average_1m == 0.52


def test_the_orin_nano_counts_over_current_and_skips_zones_without_power(tmp_path):
    state = capture_machine_state(jetson_orin_nano(tmp_path))
    assert state.throttle_counts == {"oc1": 0, "oc2": 15, "oc3": 37}
    assert sorted(state.temperatures_c) == ["cpu-thermal", "gpu-thermal", "soc0-thermal", "tj-thermal"]
    assert state.gpu_clocks == gpu_limit(1020.0)
    assert str(state.power_mode) == "25W (mode 1)"


def test_the_gpu_has_another_name_under_jetpack_5(tmp_path):
    folder = "sys/devices/platform/17000000.ga10b/devfreq/17000000.ga10b"
    for name, value in (("cur_freq", 306000000), ("min_freq", 306000000), ("max_freq", 624750000)):
        put(tmp_path, f"{folder}/{name}", value)
        put(tmp_path, f"sys/class/devfreq/15340000.vic/{name}", value)  # no GPU
    state = capture_machine_state(tmp_path)
    assert list(state.gpu_clocks) == ["17000000.ga10b"]
    assert state.gpu_clocks["17000000.ga10b"].highest_mhz == 624.75


def test_the_server_counts_an_event_of_a_core_once_whatever_its_threads(tmp_path):
    state = capture_machine_state(x86_server(tmp_path))
    # One core of the first package with two threads, and the package itself.
    assert state.throttle_counts == {"core": 3, "package": 5}
    assert (state.cpu_clock_min_mhz, state.cpu_clock_max_mhz, state.cpu_clock_limit_mhz) == (1200.0, 1215.0, 3900.0)
    assert state.temperatures_c == {"x86_pkg_temp": 41.0, "acpitz": 8.3}
    assert state.cooling_states == {"Processor": 0, "intel_powerclamp": -1}
    assert state.power_mode is None


def test_only_the_cores_of_this_process_are_told(tmp_path):
    x86_server(tmp_path)
    put(tmp_path, "proc/self/status", "Cpus_allowed_list:\t2,4-5")
    put(tmp_path, f"{CPU}/cpu4/cpufreq/scaling_governor", "performance")
    state = capture_machine_state(tmp_path)
    assert (state.cpu_clock_min_mhz, state.cpu_clock_max_mhz) == (1202.0, 1205.0)
    assert state.governors == ("performance", "powersave")


def test_a_virtual_machine_says_little(tmp_path):
    assert capture_machine_state(virtual_machine(tmp_path)) == MachineState(
        cpu_clock_min_mhz=2494.14,
        cpu_clock_max_mhz=2494.14,
        quota_throttled_seconds=0.25,
        load_average_1m=0.52,
        cpu_ticks=CPUTicks(total=1000, stolen=100),
    )


def test_nothing_at_all_is_no_error(tmp_path):
    assert capture_machine_state(tmp_path) == MachineState()


def test_this_machine_can_be_read_and_written():
    state = capture_machine_state()
    assert state.cpu_ticks is not None
    assert state.cpu_ticks.total > 0
    assert msgspec.json.decode(msgspec.json.encode(state), type=MachineState) == state
    assert isinstance(throttled(state, capture_machine_state()), tuple)


def test_files_that_cannot_be_read_or_hold_something_else_are_none(tmp_path):
    x86_server(tmp_path)
    for path in ("proc/loadavg", "proc/stat", "proc/self/cgroup", "sys/class/thermal/thermal_zone0/temp"):
        unreadable(tmp_path / path)
    for cpu in range(16):
        put(tmp_path, f"{CPU}/cpu{cpu}/cpufreq/scaling_max_freq", "<unknown>")
        unreadable(tmp_path / f"{CPU}/cpu{cpu}/cpufreq/scaling_governor")
    state = capture_machine_state(tmp_path)
    assert (state.load_average_1m, state.cpu_ticks, state.cpu_clock_limit_mhz) == (None, None, None)
    assert (state.governors, state.clocks_locked) == ((), None)
    assert state.temperatures_c == {"acpitz": 8.3}


def test_chips_give_the_temperature_where_no_zone_does(tmp_path):
    for chip, name, value in (("hwmon0", "nvme", 70000), ("hwmon1", "k10temp", 41500)):
        put(tmp_path, f"sys/devices/pci0/{chip}/name", name)
        put(tmp_path, f"sys/devices/pci0/{chip}/temp1_input", value)
        link(tmp_path, f"sys/class/hwmon/{chip}", f"sys/devices/pci0/{chip}")
    put(tmp_path, "sys/devices/pci0/hwmon1/temp3_input", 44500)
    assert capture_machine_state(tmp_path).temperatures_c == {"k10temp": 44.5}


def test_the_hottest_zone_of_a_name_is_told_and_zones_that_are_off_are_not(tmp_path):
    for number, (kind, value) in enumerate([("soc", 41000), ("soc", 45000), ("soc", 43000), ("off", -256000)]):
        put(tmp_path, f"sys/class/thermal/thermal_zone{number}/type", kind)
        put(tmp_path, f"sys/class/thermal/thermal_zone{number}/temp", value)
    assert capture_machine_state(tmp_path).temperatures_c == {"soc": 45.0}


def test_clocks_without_room_are_locked(tmp_path):
    jetson_nano(tmp_path)
    put(tmp_path, "sys/class/devfreq/57000000.gpu/min_freq", 921600000)
    for cpu in range(4):
        assert capture_machine_state(tmp_path).clocks_locked is False
        put(tmp_path, f"{CPU}/cpu{cpu}/cpufreq/scaling_min_freq", 1479000)
    assert capture_machine_state(tmp_path).clocks_locked is True


# Two states.


@pytest.mark.parametrize(
    ("before", "after", "sentences"),
    [
        ({"throttle_counts": {"core": 3}}, {"throttle_counts": {"core": 4}},
         ["a core was too hot and slowed down, 1 time"]),
        ({"throttle_counts": {"package": 3}}, {"throttle_counts": {"package": 5}},
         ["a processor was too hot and slowed down, 2 times"]),
        ({"throttle_counts": {"oc1": 0, "oc2": 15, "oc3": 37}}, {"throttle_counts": {"oc1": 1, "oc2": 17, "oc3": 40}},
         ["the supply's voltage was too low and the module slowed down, 1 time",
          "the supply's mean current was too high and the module slowed down, 2 times",
          "the supply's peak current was too high and the module slowed down, 3 times"]),
        ({"throttle_counts": {"oc4": 0}}, {"throttle_counts": {"oc4": 1}}, ["oc4, 1 time"]),
        ({"throttle_counts": {}}, {"throttle_counts": {"oc1": 7}}, []),
        ({"throttle_counts": {"oc1": 7}}, {"throttle_counts": {"oc1": 7}}, []),
        ({"cpu_clock_limit_mhz": 1479.0}, {"cpu_clock_limit_mhz": 1132.8},
         ["the CPU's clock limit fell from 1479 to 1133 MHz"]),
        ({"cpu_clock_limit_mhz": 1479.0}, {"cpu_clock_limit_mhz": 1470.0}, []),
        ({"cpu_clock_limit_mhz": 1132.8}, {"cpu_clock_limit_mhz": 1479.0}, []),
        ({"cpu_clock_limit_mhz": 1479.0}, {"cpu_clock_limit_mhz": None}, []),
        ({"gpu_clocks": gpu_limit(1020.0)}, {"gpu_clocks": gpu_limit(612.0)},
         ["the clock limit of 17000000.gpu fell from 1020 to 612 MHz"]),
        ({"gpu_clocks": {}}, {"gpu_clocks": gpu_limit(612.0)}, []),
        ({}, {"clocks_locked": True, "cpu_clock_limit_mhz": 1479.0, "cpu_clock_max_mhz": 921.6},
         ["the CPU's clock is locked at 1479 MHz and was at 922 MHz"]),
        ({}, {"clocks_locked": True, "cpu_clock_limit_mhz": 1479.0, "cpu_clock_max_mhz": 1479.0}, []),
        ({"cooling_states": {"cpufreq-cpu0": 0}}, {"cooling_states": {"cpufreq-cpu0": 2}},
         ["cpufreq-cpu0 was throttled, from step 0 to step 2"]),
        ({"cooling_states": {"cpufreq-cpu0": 2}}, {"cooling_states": {"cpufreq-cpu0": 1}}, []),
        ({"cooling_states": {"pwm-fan": 0, "Fan": 0}}, {"cooling_states": {"pwm-fan": 3, "Fan": 1}}, []),
        ({"cooling_states": {"intel_powerclamp": -1}}, {"cooling_states": {"intel_powerclamp": 0}}, []),
        ({"cooling_states": {"intel_powerclamp": -1}}, {"cooling_states": {"intel_powerclamp": 5}},
         ["intel_powerclamp was throttled, from step 0 to step 5"]),
        ({"quota_throttled_seconds": 1.0}, {"quota_throttled_seconds": 1.25},
         ["the control group's CPU quota held processes back for 0.25 s"]),
        ({"quota_throttled_seconds": None}, {"quota_throttled_seconds": 1.25}, []),
        ({"cpu_ticks": CPUTicks(total=1000, stolen=10)}, {"cpu_ticks": CPUTicks(total=1200, stolen=35)},
         ["the host gave 12.5% of this machine's CPU time to others"]),
        ({"cpu_ticks": CPUTicks(total=1000, stolen=10)}, {"cpu_ticks": CPUTicks(total=2000, stolen=20)}, []),
        ({"governors": ("performance",)}, {"governors": ("ondemand", "performance")},
         ["the governor changed from performance to ondemand and performance"]),
        ({"governors": ("performance",)}, {"governors": ()}, ["the governor changed from performance to unknown"]),
        ({"power_mode": PowerMode(id=0, name="MAXN")}, {"power_mode": PowerMode(id=7, name=None)},
         ["the power mode changed from MAXN (mode 0) to unnamed (mode 7)"]),
        ({"temperatures_c": {"CPU-therm": 38.5, "GPU-therm": 37.0}},
         {"temperatures_c": {"CPU-therm": 48.5, "GPU-therm": 46.9}}, ["CPU-therm heated from 38 to 48 °C"]),
        ({"temperatures_c": {"CPU-therm": 60.0}}, {"temperatures_c": {"CPU-therm": 40.0}}, []),
        ({"temperatures_c": {}}, {"temperatures_c": {"CPU-therm": 90.0}}, []),
    ],
)  # fmt: skip
def test_what_changed_is_said_in_a_sentence(before, after, sentences):
    assert throttled(MachineState(**before), MachineState(**after)) == tuple(sentences)


@pytest.mark.parametrize("machine", [jetson_nano, jetson_orin_nano, x86_server, virtual_machine])
def test_clocks_that_move_with_the_load_are_everyday_life(machine, tmp_path):
    machine(tmp_path)
    before = capture_machine_state(tmp_path)
    for path in [
        *tmp_path.glob(f"{CPU}/cpu*/cpufreq/scaling_cur_freq"),
        *tmp_path.glob("sys/class/devfreq/*/cur_freq"),
    ]:
        path.write_text(f"{int(path.read_text()) // 2}\n")
    put(tmp_path, "proc/loadavg", "2.52 0.58 0.59 3/602 23456")
    after = capture_machine_state(tmp_path)
    assert before != after
    assert throttled(before, after) == ()


def test_several_changes_of_a_recorded_machine(tmp_path):
    jetson_orin_nano(tmp_path)
    before = capture_machine_state(tmp_path)
    put(tmp_path, "sys/class/hwmon/hwmon3/oc3_event_cnt", 41)
    put(tmp_path, "sys/class/thermal/thermal_zone0/temp", 71343)
    put(tmp_path, "sys/class/thermal/cooling_device1/cur_state", 3)
    put(tmp_path, "var/lib/nvpmodel/status", "pmode:0000")
    assert throttled(before, capture_machine_state(tmp_path)) == (
        "the supply's peak current was too high and the module slowed down, 4 times",
        "cpufreq-cpu0 was throttled, from step 0 to step 3",
        "the power mode changed from 25W (mode 1) to 15W (mode 0)",
        "cpu-thermal heated from 49 to 71 °C",
    )


def test_a_group_that_is_held_back_is_seen_below_one_that_was_long_ago(tmp_path):
    put(tmp_path, "proc/self/cgroup", "0::/pod/container")
    put(tmp_path, f"{CGROUP}/pod/cpu.stat", "throttled_usec 100000000")
    put(tmp_path, f"{CGROUP}/pod/container/cpu.stat", "throttled_usec 1000000")
    before = capture_machine_state(tmp_path)
    put(tmp_path, f"{CGROUP}/pod/container/cpu.stat", "throttled_usec 5000000")
    assert throttled(before, capture_machine_state(tmp_path)) == (
        "the control group's CPU quota held processes back for 4.00 s",
    )
