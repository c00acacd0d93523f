"""The machine's state before and after, and what is said of the change."""

import dataclasses
import json

import msgspec
import pytest
from sysfs_trees import jetson_nano, jetson_orin_nano, virtual_machine, write, x86_server

from resemote_edge.benchmarks.environment import capture_environment
from resemote_edge.benchmarks.jetson import PowerMode, jetpack_version
from resemote_edge.benchmarks.sensors.machine_state import MachineState, capture_machine_state, throttled
from resemote_edge.benchmarks.tenancy import CPUTicks


def test_state_of_a_nano(tmp_path):
    state = capture_machine_state(jetson_nano(tmp_path))
    assert state.governors == ("schedutil",)
    assert (state.cpu_clock_min_mhz, state.cpu_clock_max_mhz, state.cpu_clock_limit_mhz) == (921.6, 921.6, 1479.0)
    assert state.clocks_locked is False
    assert state.gpu_clocks["57000000.gpu"].highest_mhz == pytest.approx(921.6)
    assert state.temperatures_c == {"CPU-therm": 38.5, "GPU-therm": 36.0}  # a zone that is off says -256
    assert state.power_mode == PowerMode(id=1, name="5W")


def test_locked_clocks_are_recognised(tmp_path):
    jetson_nano(tmp_path)
    for path in [*tmp_path.rglob("scaling_min_freq"), *tmp_path.rglob("scaling_cur_freq")]:
        path.write_text("1479000\n")
    for path in tmp_path.rglob("min_freq"):
        path.write_text("921600000\n")
    assert capture_machine_state(tmp_path).clocks_locked is True


def test_state_of_an_orin_and_of_a_server(tmp_path):
    orin = capture_machine_state(jetson_orin_nano(tmp_path / "orin"))
    assert orin.throttle_counts == {"oc1": 0, "oc3": 7}
    assert orin.cooling_states == {"pwm-fan": 1, "cpufreq-cpu0": 0}
    assert str(orin.power_mode) == "MAXN_SUPER (mode 2)"
    server = capture_machine_state(x86_server(tmp_path / "server"))
    assert server.throttle_counts == {"core": 3, "package": 0}  # both threads of a core show the same event
    assert server.quota_throttled_seconds == 2.5
    assert server.cpu_ticks == CPUTicks(total=10_000, stolen=400)


def test_a_virtual_machine_shows_a_clock_and_little_else(tmp_path):
    state = capture_machine_state(virtual_machine(tmp_path))
    assert state.cpu_clock_max_mhz == 2000.0
    assert (state.governors, state.temperatures_c, state.throttle_counts, state.clocks_locked) == ((), {}, {}, None)


STATE = MachineState(
    governors=("performance",), cpu_clock_max_mhz=3000.0, cpu_clock_limit_mhz=3000.0, clocks_locked=True,
    temperatures_c={"cpu": 50.0}, throttle_counts={"core": 1, "oc3": 0}, cooling_states={"cpufreq-cpu0": 0, "fan": 0},
    quota_throttled_seconds=1.0, power_mode=PowerMode(id=0, name="MAXN"), cpu_ticks=CPUTicks(total=1000, stolen=10),
)  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"throttle_counts": {"core": 3, "oc3": 0}}, "a core was too hot and slowed down, 2 times"),
        ({"throttle_counts": {"core": 1, "oc3": 1}}, "the supply's peak current was too high and the module slowed"),
        ({"cpu_clock_limit_mhz": 2000.0, "cpu_clock_max_mhz": 2000.0}, "the CPU's clock limit fell from 3000 to 2000"),
        ({"cpu_clock_max_mhz": 1500.0}, "the CPU's clock is locked at 3000 MHz and was at 1500 MHz"),
        ({"cooling_states": {"cpufreq-cpu0": 2, "fan": 0}}, "cpufreq-cpu0 was throttled, from step 0 to step 2"),
        ({"quota_throttled_seconds": 1.75}, "quota held processes back for 0.75 s"),
        ({"cpu_ticks": CPUTicks(total=1100, stolen=15)}, "the host gave 5.0% of this machine's CPU time to others"),
        ({"governors": ("powersave",)}, "the governor changed from performance to powersave"),
        ({"power_mode": PowerMode(id=1, name="5W")}, "the power mode changed from MAXN (mode 0) to 5W (mode 1)"),
        ({"temperatures_c": {"cpu": 61.0}}, "cpu heated from 50 to 61 °C"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_each_change_is_one_sentence(changes, says):
    (sentence,) = throttled(STATE, msgspec.structs.replace(STATE, **changes))
    assert says in sentence


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"temperatures_c": {"cpu": 55.0}},
        {"cooling_states": {"cpufreq-cpu0": 0, "fan": 3}},
        {"cpu_ticks": CPUTicks(total=2000, stolen=15)},
        {"clocks_locked": False, "cpu_clock_max_mhz": 800.0},
        {"throttle_counts": {"core": 1, "oc3": 0, "new": 5}},
        {"load_average_1m": 9.0},
    ],
    ids=["nothing", "warmer", "fan", "a little stolen", "clock that moves", "new counter", "load"],
)
def test_everyday_changes_are_not_mentioned(changes):
    assert throttled(STATE, msgspec.structs.replace(STATE, **changes)) == ()


# --- environment ---


def test_environment_of_a_nano(tmp_path):
    found = capture_environment(jetson_nano(tmp_path))
    assert (found.board, found.jetpack_version) == ("NVIDIA Jetson Nano Developer Kit", "4.6")
    assert (found.cuda_version, found.tensorrt_version) == ("10.2.300", "8.2.1")
    assert found.os == "Ubuntu 18.04.6 LTS"
    assert found.allowed_cores == (0, 1, 2, 3)
    assert found.memory_total_bytes == 4059272 * 1024
    assert found.power_mode == PowerMode(id=1, name="5W")
    assert found.virtual_machine is None
    assert found.gpus == ()  # of a recorded machine nobody can ask the driver


def test_environment_of_an_orin(tmp_path):
    found = capture_environment(jetson_orin_nano(tmp_path))
    assert (found.jetpack_version, found.cuda_version, found.tensorrt_version) == ("6.2", "12.6.11", "10.3.0")


@pytest.mark.parametrize(
    ("release", "jetpack"),
    [("32.7.4", "4.6.4"), ("35.6.9", "5.1.x"), ("36.9.1", "6.x"), ("38.4.0", "7.1"), ("99.1", None), (None, None)],
)
def test_jetpack_is_known_by_its_family(release, jetpack):
    assert jetpack_version(release) == jetpack


def test_environment_of_a_server(tmp_path):
    found = capture_environment(x86_server(tmp_path))
    assert found.cpu_features == ("avx2", "avx512f", "avx512_vnni")
    assert found.allowed_cores == (0, 1, 4, 5)
    assert (found.topology.sockets, found.topology.cores, found.topology.threads_per_core) == (2, 4, 2)
    assert found.topology.smt is True
    assert found.topology.numa_nodes == 2
    assert [(cache.name, cache.size_bytes, cache.shared_by) for cache in found.topology.caches] == [
        ("L1d", 32 * 2**10, 2), ("L2", 2**20, 2), ("L3", 24 * 2**20, 4),
    ]  # fmt: skip
    assert found.cpu_quota_cores == 1.5
    assert found.memory_limit_bytes == 8 * 2**30
    assert found.tenancy.steal_share == pytest.approx(0.04)
    assert (found.tenancy.runnable_processes, found.tenancy.swap_used_bytes) == (3, 24 * 1024)
    assert (found.transparent_hugepages, found.product, found.kernel) == ("madvise", "Maker R1", "6.8.0-generic")
    assert found.virtual_machine is False


def test_quota_and_memory_of_cgroup_v1(tmp_path):
    write(tmp_path, {
        "proc/self/cgroup": "5:cpu,cpuacct:/docker/abc\n3:memory:/docker/abc",
        "proc/1/cgroup": "5:cpu,cpuacct:/docker/abc",
        "sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_quota_us": "50000",
        "sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_period_us": "100000",
        "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "-1",
        "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712",
        "sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes": "1073741824",
    })  # fmt: skip
    found = capture_environment(tmp_path)
    assert (found.cpu_quota_cores, found.memory_limit_bytes, found.container) == (0.5, 2**30, "docker")


def test_environment_of_a_virtual_machine_and_of_nothing(tmp_path):
    found = capture_environment(virtual_machine(tmp_path / "machine"))
    assert (found.virtual_machine, found.container, found.power_mode) == (True, "docker", None)
    empty = capture_environment(tmp_path / "nothing")
    assert (empty.cpu_model, empty.cores_allowed, empty.memory_total_bytes) == ("unknown", 0, 0)


def test_this_machine_is_told_as_json_would_have_it():
    found = capture_environment()
    assert found.cores_allowed == len(found.allowed_cores) >= 1
    assert found.memory_total_bytes > 2**28
    plain = found.to_dict()
    assert set(plain) == {field.name for field in dataclasses.fields(found)}
    assert json.loads(json.dumps(plain))["topology"]["logical_cpus"] == found.topology.logical_cpus
