import json
import os
import platform
from pathlib import Path

import msgspec
import pytest
from sysfs_trees import jetson_nano, jetson_orin_nano, put, unreadable, virtual_machine, x86_server

from resemote_edge.machine.environment import Environment, capture_environment, check_environment
from resemote_edge.machine.jetson import PowerMode
from resemote_edge.machine.tenancy import CPUTicks, Tenancy, container_hint, cpu_ticks
from resemote_edge.machine.topology import CPUCache, CPUTopology, allowed_cores, capture_topology

CPU = "sys/devices/system/cpu"


def cache(name, kibibytes, shared_by):
    return CPUCache(name=name, size_bytes=kibibytes * 1024, shared_by=shared_by)


def test_the_nano(tmp_path):
    found = capture_environment(jetson_nano(tmp_path))
    assert found.board == "NVIDIA Jetson Nano Developer Kit"  # without the device tree's NUL
    assert found.jetpack.startswith("# R32 (release), REVISION: 7.1,")
    assert (found.jetpack_version, found.cuda_version, found.tensorrt_version) == ("4.6.1", "10.2.300", "8.2.1")
    assert found.power_mode == PowerMode(id=0, name="MAXN")
    assert (found.os, found.kernel, found.governor) == ("Ubuntu 18.04.6 LTS", "4.9.253-tegra", "schedutil")
    assert found.cpu_model == "ARMv8 Processor rev 1 (v8l)"
    assert found.cpu_features == ("asimd",)
    assert found.virtual_machine is None  # ARM has no word for it
    assert found.memory_total_bytes == 4059712 * 1024
    assert found.topology == CPUTopology(
        logical_cpus=4, sockets=1, cores=4, threads_per_core=1, smt=False,
        caches=(cache("L1d", 32, 1), cache("L2", 2048, 4)), numa_nodes=None,
    )  # fmt: skip
    assert found.short() == "NVIDIA Jetson Nano Developer Kit, 4 cores, 4 GiB, no NVIDIA GPU"


def test_the_orin_nano(tmp_path):
    found = capture_environment(jetson_orin_nano(tmp_path))
    assert (found.jetpack_version, found.cuda_version, found.tensorrt_version) == ("6.2", "12.6.11", "10.3.0")
    assert found.power_mode == PowerMode(id=1, name="25W")
    assert found.cpu_features == ("asimd", "asimddp")
    assert (found.topology.sockets, found.topology.cores) == (2, 6)  # clusters
    assert found.jetpack.startswith("# R36 (release)")
    assert "\n" not in found.jetpack


def test_the_server(tmp_path):
    found = capture_environment(x86_server(tmp_path))
    assert found.cpu_model == "Intel(R) Xeon(R) Gold 5222 CPU @ 3.80GHz"
    assert found.cpu_features == ("avx2", "avx512f", "avx512_vnni")
    assert found.product == "Dell Inc. PowerEdge R640"
    assert (found.virtual_machine, found.container, found.cpu_quota_cores) == (False, None, None)
    assert (found.governor, found.transparent_hugepages) == ("powersave", "madvise")
    assert (found.cores_allowed, found.allowed_cores) == (16, tuple(range(16)))
    assert found.topology == CPUTopology(
        logical_cpus=16, sockets=2, cores=8, threads_per_core=2, smt=True,
        caches=(cache("L1d", 32, 2), cache("L2", 1024, 2), cache("L3", 16896, 8)), numa_nodes=2,
    )  # fmt: skip
    assert found.tenancy == Tenancy(
        load_average_5m=0.58, load_average_15m=0.59, runnable_processes=3, processes=602, steal_share=0.0,
        swap_total_bytes=2 * 2**30, swap_used_bytes=2**29,
    )  # fmt: skip
    assert (found.jetpack, found.jetpack_version, found.power_mode, found.board) == (None, None, None, None)


def test_a_virtual_machine_with_a_container(tmp_path):
    found = capture_environment(virtual_machine(tmp_path))
    assert (found.virtual_machine, found.container) == (True, "docker")
    assert found.product == "QEMU Standard PC (Q35 + ICH9, 2009)"
    assert found.cpu_quota_cores == 1.5
    assert found.memory_limit_bytes == 2 * 2**30
    assert found.tenancy.steal_share == 0.1
    assert found.os == "Alpine Linux v3.20"
    assert (found.governor, found.topology.caches, found.topology.numa_nodes) == (None, (), None)


def test_of_a_recorded_machine_only_python_and_packages_are_ours(tmp_path):
    found = capture_environment(tmp_path)
    assert found.python == platform.python_version()
    assert "numpy" in found.packages
    assert (found.cpu_model, found.kernel, found.gpus) == ("unknown", "unknown", ())
    assert (found.cores_allowed, found.memory_total_bytes) == (0, 0)
    assert found.tenancy == Tenancy(
        load_average_5m=None, load_average_15m=None, runnable_processes=None, processes=None, steal_share=None,
        swap_total_bytes=None, swap_used_bytes=None,
    )  # fmt: skip


@pytest.mark.parametrize("machine", [jetson_nano, jetson_orin_nano, x86_server, virtual_machine])
def test_no_file_is_needed(machine, tmp_path):
    machine(tmp_path)
    for path in [path for path in tmp_path.rglob("*") if path.is_file() and not path.is_symlink()]:
        unreadable(path)
    found = capture_environment(tmp_path)
    assert (found.cpu_model, found.board, found.power_mode, found.jetpack) == ("unknown", None, None, None)
    assert (found.governor, found.cpu_quota_cores, found.memory_limit_bytes) == (None, None, None)


@pytest.mark.parametrize("machine", [jetson_nano, jetson_orin_nano, x86_server, virtual_machine])
def test_garbage_in_files_is_no_error(machine, tmp_path):
    machine(tmp_path)
    for path in [path for path in tmp_path.rglob("*") if path.is_file() and not path.is_symlink()]:
        path.write_bytes(b"\xff\xfe :-, 7 8\n")
    found = capture_environment(tmp_path)
    assert (found.power_mode, found.jetpack_version, found.cuda_version) == (None, None, None)
    json.dumps(found.to_dict())


def test_this_machine():
    found = capture_environment()
    assert found.cores_allowed == len(os.sched_getaffinity(0)) == len(found.allowed_cores)
    assert found.cpu_model not in ("", "unknown")
    assert found.kernel == platform.release()
    assert 0 < found.memory_total_bytes <= os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert found.topology.logical_cpus >= found.cores_allowed
    assert found.memory_limit_bytes is None or found.memory_limit_bytes > 0
    assert found.cpu_quota_cores is None or found.cpu_quota_cores > 0
    assert found.tenancy.processes >= 1
    assert 0 <= found.tenancy.steal_share <= 1
    assert 0 <= found.tenancy.swap_used_bytes <= found.tenancy.swap_total_bytes
    assert f"{found.cores_allowed} cores" in found.short()


def test_what_was_captured_can_be_written_and_read(tmp_path):
    for found in (capture_environment(), capture_environment(jetson_orin_nano(tmp_path))):
        assert msgspec.convert(json.loads(json.dumps(found.to_dict())), type=Environment, strict=False) == found


# Parts.


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"', "Debian GNU/Linux 12 (bookworm)"),
        ("ID=alpine\nPRETTY_NAME='Alpine Linux v3.20'", "Alpine Linux v3.20"),
        ("PRETTY_NAME=Arch", "Arch"),
        ("NAME=Arch", platform.system()),
    ],
)
def test_distributions_are_named_with_and_without_quotes(text, name, tmp_path):
    put(tmp_path, "usr/lib/os-release", text)
    assert capture_environment(tmp_path).os == name


@pytest.mark.parametrize(
    ("path", "text", "kind"),
    [
        ("run/.containerenv", "", "podman"),
        (".dockerenv", "", "docker"),
        ("proc/1/cgroup", "12:cpu:/docker/0123abc", "docker"),
        ("proc/1/cgroup", "0::/kubepods.slice/kubepods-burstable.slice", "kubepods"),
        ("proc/1/cgroup", "11:memory:/lxc/web", "lxc"),
        ("proc/1/cgroup", "0::/init.scope", None),
        ("proc/1/cgroup", "0::/", None),
    ],
)
def test_containers_leave_traces(path, text, kind, tmp_path):
    put(tmp_path, path, text)
    assert container_hint(tmp_path) == kind


@pytest.mark.parametrize(
    ("text", "ticks"),
    [
        # The time of guests is already included in the user's.
        ("cpu  1 2 3 4 5 6 7 8 900 1000\ncpu0 1 2 3 4 5 6 7 8 900 1000", CPUTicks(total=36, stolen=8)),
        ("cpu  1 2 3 4 5 6 7", None),  # kernels before 2.6.11
        ("cpu  1 2 3 4 5 6 7 x", None),
        ("cpu0 1 2 3 4 5 6 7 8", None),
        ("", None),
    ],
)
def test_steal_is_the_eighth_time(text, ticks, tmp_path):
    put(tmp_path, "proc/stat", text)
    assert cpu_ticks(tmp_path) == ticks


def test_the_cores_of_this_process_and_of_a_recorded_one(tmp_path):
    assert allowed_cores(Path("/")) == tuple(sorted(os.sched_getaffinity(0)))
    put(tmp_path, f"{CPU}/online", "0-2")
    assert allowed_cores(tmp_path) == (0, 1, 2)
    put(tmp_path, "proc/self/status", "Cpus_allowed:\tff\nCpus_allowed_list:\t1-3,7\nMems_allowed:\t1")
    assert allowed_cores(tmp_path) == (1, 2, 3, 7)


def test_threads_that_are_switched_off_are_not_smt(tmp_path):
    x86_server(tmp_path)
    put(tmp_path, f"{CPU}/online", "0-7")
    put(tmp_path, f"{CPU}/smt/active", 0)
    for core in range(8):
        put(tmp_path, f"{CPU}/cpu{core}/topology/core_cpus_list", core)
    topology = capture_topology(tmp_path, tuple(range(8)))
    assert (topology.logical_cpus, topology.cores, topology.threads_per_core, topology.smt) == (8, 8, 1, False)


def test_the_caches_are_those_of_the_first_allowed_core(tmp_path):
    x86_server(tmp_path)
    for name, value in (("level", 1), ("type", "Data"), ("size", "48K"), ("shared_cpu_list", "4")):
        put(tmp_path, f"{CPU}/cpu4/cache/index0/{name}", value)
    assert capture_topology(tmp_path, (4, 5)).caches == (cache("L1d", 48, 1),)


def test_without_a_list_of_cpus_the_folders_are_counted(tmp_path):
    x86_server(tmp_path)
    (tmp_path / CPU / "online").unlink()
    assert capture_topology(tmp_path, (0,)).logical_cpus == 16


def test_a_commit_is_told_by_twelve_digits():
    commit = capture_environment().git_commit
    assert commit is None or len(commit.removesuffix("-dirty")) == 12


ODD_FACTS = {
    "text for a list": {"cpu_features": "avx2"},
    "list in a list": {"cpu_features": [["avx2"]]},
    "number among GPUs": {"gpus": [1]},
    "number for a version": {"packages": {"numpy": 2}},
    "null for a name": {"cpu_model": None},
    "text for a number": {"load_average_1m": "0.1"},
    "number in a later fact": {"container": 1},
}


@pytest.mark.parametrize("case", ODD_FACTS)
def test_recorded_facts_of_another_type_are_refused_by_name(case, tmp_path):
    recorded = capture_environment(x86_server(tmp_path)).to_dict()
    check_environment(recorded)
    ((name, value),) = ODD_FACTS[case].items()
    with pytest.raises(ValueError, match=rf"environment\.{name}: "):
        check_environment({**recorded, name: value})


def test_recorded_facts_may_lack_what_came_later_alone(tmp_path):
    recorded = capture_environment(x86_server(tmp_path)).to_dict()
    check_environment({name: value for name, value in recorded.items() if name not in ("topology", "container")})
    with pytest.raises(ValueError, match=r"environment\.os is missing"):
        check_environment({name: value for name, value in recorded.items() if name != "os"})
