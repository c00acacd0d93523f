import pytest
from sysfs_trees import link, put, unreadable

from resemote_edge.machine.cgroup import cpu_quota_cores, memory_limit_bytes, throttled_seconds

MOUNT = "sys/fs/cgroup"
NO_LIMIT_V1 = 9223372036854771712  # value of memory.limit_in_bytes without a limit


@pytest.fixture
def v2(tmp_path):
    """A group two levels below the root, which has no files of its own as in the kernel."""
    put(tmp_path, "proc/self/cgroup", "0::/pod/container")
    put(tmp_path, f"{MOUNT}/pod/cpu.max", "max 100000")
    put(tmp_path, f"{MOUNT}/pod/memory.max", "max")
    put(tmp_path, f"{MOUNT}/pod/container/cpu.max", "max 100000")
    put(tmp_path, f"{MOUNT}/pod/container/memory.max", "max")
    put(tmp_path, f"{MOUNT}/cpu.stat", "usage_usec 9000000\nuser_usec 8000000\nsystem_usec 1000000")
    return tmp_path


@pytest.fixture
def v1(tmp_path):
    """As systemd mounts it: both controllers under one name, with links for each."""
    put(tmp_path, "proc/self/cgroup", "5:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc\n1:name=systemd:/docker/abc")
    for name, value in (("cpu.cfs_quota_us", -1), ("cpu.cfs_period_us", 100000)):
        put(tmp_path, f"{MOUNT}/cpu,cpuacct/docker/abc/{name}", value)
    put(tmp_path, f"{MOUNT}/memory/docker/abc/memory.limit_in_bytes", NO_LIMIT_V1)
    for name in ("cpu", "cpuacct"):
        link(tmp_path, f"{MOUNT}/{name}", f"{MOUNT}/cpu,cpuacct")
    return tmp_path


def limits(root):
    return cpu_quota_cores(root), memory_limit_bytes(root), throttled_seconds(root)


def test_v2_without_limits(v2):
    assert limits(v2) == (None, None, None)


def test_v2_limits_of_the_group(v2):
    put(v2, f"{MOUNT}/pod/container/cpu.max", "150000 100000")
    put(v2, f"{MOUNT}/pod/container/memory.max", 2**30)
    put(v2, f"{MOUNT}/pod/container/cpu.stat", "usage_usec 9\nnr_throttled 3\nthrottled_usec 250000")
    assert limits(v2) == (1.5, 2**30, 0.25)


def test_the_smallest_limit_above_holds(v2):
    put(v2, f"{MOUNT}/pod/container/cpu.max", "400000 100000")
    put(v2, f"{MOUNT}/pod/cpu.max", "25000 50000")
    put(v2, f"{MOUNT}/pod/container/memory.max", 2**30)
    put(v2, f"{MOUNT}/pod/memory.max", 2**29)
    assert limits(v2)[:2] == (0.5, 2**29)


def test_time_of_every_level_is_added_up(v2):
    put(v2, f"{MOUNT}/pod/cpu.stat", "throttled_usec 1000000")
    put(v2, f"{MOUNT}/pod/container/cpu.stat", "throttled_usec 250000")
    assert throttled_seconds(v2) == 1.25


@pytest.mark.parametrize(
    "membership",
    ["0::/", "0::/kubepods/of/the/host", "0::/../outside", ""],
    ids=["own namespace", "a path of the host", "outside of the namespace", "nothing"],
)
def test_a_container_sees_its_group_as_the_root(membership, tmp_path):
    put(tmp_path, "proc/self/cgroup", membership)
    put(tmp_path, f"{MOUNT}/cpu.max", "200000 100000")
    put(tmp_path, f"{MOUNT}/memory.max", 2**30)
    put(tmp_path, f"{MOUNT}/cpu.stat", "throttled_usec 250000")
    assert limits(tmp_path) == (2.0, 2**30, 0.25)


def test_a_path_does_not_lead_out_of_the_mount(tmp_path):
    put(tmp_path, "proc/self/cgroup", "0::/../secret")
    put(tmp_path, "sys/fs/secret/cpu.max", "100000 100000")
    (tmp_path / MOUNT).mkdir()
    assert cpu_quota_cores(tmp_path) is None


def test_v1_without_limits(v1):
    assert limits(v1) == (None, None, None)


def test_v1_limits_of_the_group(v1):
    put(v1, f"{MOUNT}/cpu/docker/abc/cpu.cfs_quota_us", 50000)
    put(v1, f"{MOUNT}/cpu/docker/abc/cpu.stat", "nr_periods 9\nnr_throttled 3\nthrottled_time 250000000")
    put(v1, f"{MOUNT}/memory/docker/memory.limit_in_bytes", 2**30)
    # It is listed once, although the mount has three names.
    assert limits(v1) == (0.5, 2**30, 0.25)


def test_the_hybrid_layout_has_both(tmp_path):
    put(tmp_path, "proc/self/cgroup", "4:cpu,cpuacct:/a\n0::/b")
    put(tmp_path, f"{MOUNT}/cpu,cpuacct/a/cpu.cfs_quota_us", 300000)
    put(tmp_path, f"{MOUNT}/cpu,cpuacct/a/cpu.cfs_period_us", 100000)
    put(tmp_path, f"{MOUNT}/unified/b/cpu.max", "200000 100000")
    assert cpu_quota_cores(tmp_path) == 2.0


@pytest.mark.parametrize("text", ["", "max", "150000", "150000 0", "a b", "-1 100000"])
def test_a_quota_that_is_none_is_none(text, v2):
    put(v2, f"{MOUNT}/pod/container/cpu.max", text)
    assert cpu_quota_cores(v2) is None


def test_what_cannot_be_read_is_none(v2):
    for name in ("cpu.max", "memory.max", "cpu.stat"):
        unreadable(v2 / MOUNT / "pod/container" / name)
    assert limits(v2) == (None, None, None)


def test_a_machine_without_groups(tmp_path):
    assert limits(tmp_path) == (None, None, None)
