"""Trees of sysfs, procfs and /etc as machines show them, written to a folder for tests.

Where the layouts and formats come from:

- INA3221: the kernel's Documentation/hwmon/ina3221 (mV, mA), for JetPack 4 NVIDIA's iio driver of kernel 4.9 (mW).
- RAPL: the kernel's Documentation/power/powercap (microjoules); class folders hold links into /sys/devices.
- cpufreq in kHz, devfreq in Hz, thermal in thousandths of a degree, thermal_throttle, caches and topology: the kernel's
  Documentation/ABI, files sysfs-devices-system-cpu, sysfs-class-devfreq and sysfs-class-thermal.
- /proc: proc(5), and Documentation/filesystems/proc.
- nv_tegra_release, nvpmodel and over-current counters: NVIDIA's Jetson Linux Developer Guide.

The numbers are plausible and made up. Every file ends in a newline as the kernel writes it, the device tree in a NUL.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

__all__ = [
    "agx_orin_rails",
    "jetson_nano",
    "jetson_orin_nano",
    "link",
    "ordinary_user",
    "put",
    "unreadable",
    "virtual_machine",
    "x86_server",
]

_CPU = "sys/devices/system/cpu"
_NOBODY = 65534


def put(root: Path, path: str, value: object) -> Path:
    """Write one file, or write it anew."""
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"{value}\n")
    return file


def link(root: Path, path: str, target: str) -> None:
    """A relative link between two places of the tree, as class folders and drivers have them."""
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.symlink_to(os.path.relpath(root / target, file.parent), target_is_directory=True)


def unreadable(path: Path) -> None:
    """Put a folder in place of a file, which not even root can read."""
    path.unlink(missing_ok=True)
    path.mkdir(parents=True)


@contextmanager
def ordinary_user(root: Path) -> Iterator[None]:
    """Drop root's rights, in case root runs the tests; `root` and its parents remain accessible."""
    if os.geteuid() != 0:
        yield
        return
    try:
        os.seteuid(_NOBODY)
    except PermissionError:
        pytest.skip("root may not become another user here, and no file can be kept from root")
    try:
        if not os.access(root, os.R_OK | os.X_OK, effective_ids=True):
            pytest.skip(f"{root} lies where only root may look")
        yield
    finally:
        os.seteuid(0)


def jetson_nano(root: Path) -> Path:
    """Jetson Nano with JetPack 4.6.1: kernel 4.9, the monitor under iio."""
    _put_all(
        root,
        "",
        {
            "etc/nv_tegra_release": "# R32 (release), REVISION: 7.1, GCID: 29818004, BOARD: t210ref, EABI: aarch64, "
            "DATE: Sat Feb 19 17:05:08 UTC 2022",
            "etc/os-release": 'NAME="Ubuntu"\nVERSION="18.04.6 LTS (Bionic Beaver)"\n'
            'PRETTY_NAME="Ubuntu 18.04.6 LTS"\nVERSION_ID="18.04"',
            "etc/nvpmodel.conf": "# < POWER_MODEL ID=id_num NAME=mode_name >\n\n< PARAM TYPE=FILE NAME=CPU_ONLINE >\n"
            "CORE_0 /sys/devices/system/cpu/cpu0/online\n\n< POWER_MODEL ID=0 NAME=MAXN >\nCPU_ONLINE CORE_0 1\n\n"
            "< POWER_MODEL ID=1 NAME=5W >\nCPU_ONLINE CORE_2 0\n\n< PM_CONFIG DEFAULT=0 >",
            "var/lib/nvpmodel/status": "pmode:0000 fmode:fanNull",
            "usr/local/cuda/version.txt": "CUDA Version 10.2.300",
            "usr/lib/aarch64-linux-gnu/libnvinfer.so.8": "",
            "usr/lib/aarch64-linux-gnu/libnvinfer.so.8.2.1": "",
        },
    )
    _device_tree_model(root, "NVIDIA Jetson Nano Developer Kit")
    _arm_processes(root, cpus=4, features="fp asimd evtstrm aes pmull sha1 sha2 crc32", memory_kb=4059712)
    put(root, "proc/sys/kernel/osrelease", "4.9.253-tegra")
    for cpu in range(4):
        # Kernels before 5.3 do not have core_cpus_list.
        _put_all(root, f"{_CPU}/cpu{cpu}/topology", {"thread_siblings_list": cpu, "physical_package_id": 0})
        _cpufreq(root, cpu, "schedutil", now=1479000, limits=(102000, 1479000))
    _caches(root, 0, {"L1 Data": ("32K", "0"), "L1 Instruction": ("48K", "0"), "L2 Unified": ("2048K", "0-3")})

    chip = "sys/devices/7000c400.i2c/i2c-6/6-0040"
    for number, (rail, millivolts, milliamperes) in enumerate(
        [("POM_5V_IN", 5096, 484), ("POM_5V_GPU", 5080, 72), ("POM_5V_CPU", 5088, 196)]
    ):
        _put_all(
            root,
            f"{chip}/iio:device0",
            {
                f"rail_name_{number}": rail,
                f"in_voltage{number}_input": millivolts,
                f"in_current{number}_input": milliamperes,
                f"in_power{number}_input": millivolts * milliamperes // 1000,
            },
        )
    put(root, f"{chip}/iio:device0/name", "ina3221x")
    link(root, "sys/bus/i2c/drivers/ina3221x/6-0040", chip)
    put(root, "sys/bus/i2c/drivers/ina3221x/bind", "")

    _devfreq(root, "sys/devices/57000000.gpu", now=76800000, limits=(76800000, 921600000))
    _zones(
        root,
        {"AO-therm": 45500, "CPU-therm": 38500, "GPU-therm": 37500, "PLL-therm": 36500, "PMIC-Die": 50000},
        {"pwm-fan": 0, "tegra-balanced": 0},
    )
    return root


def jetson_orin_nano(root: Path) -> Path:
    """Jetson Orin Nano with JetPack 6.2: kernel 5.15, the monitor under hwmon."""
    _put_all(
        root,
        "",
        {
            "etc/nv_tegra_release": "# R36 (release), REVISION: 4.3, GCID: 38968081, BOARD: generic, EABI: aarch64, "
            "DATE: Wed Jan  8 01:49:37 UTC 2025\n# KERNEL_VARIANT: oot\nTARGET_USERSPACE_LIB_DIR=nvidia",
            "etc/os-release": 'PRETTY_NAME="Ubuntu 22.04.5 LTS"\nNAME="Ubuntu"\nVERSION_ID="22.04"',
            "etc/nvpmodel.conf": "< POWER_MODEL ID=0 NAME=15W >\n\n< POWER_MODEL ID=1 NAME=25W >\n\n"
            "< POWER_MODEL ID=2 NAME=MAXN_SUPER >\n\n< PM_CONFIG DEFAULT=1 >",
            "var/lib/nvpmodel/status": "pmode:0001",
            "usr/local/cuda/version.json": '{"cuda" : {"name" : "CUDA SDK", "version" : "12.6.11"}}',
            "usr/lib/aarch64-linux-gnu/libnvinfer.so.10": "",
            "usr/lib/aarch64-linux-gnu/libnvinfer.so.10.3.0": "",
        },
    )
    _device_tree_model(root, "NVIDIA Jetson Orin Nano Engineering Reference Developer Kit Super")
    _arm_processes(root, cpus=6, features="fp asimd evtstrm aes crc32 atomics fphp asimdhp asimddp", memory_kb=7802916)
    put(root, "proc/sys/kernel/osrelease", "5.15.148-tegra")
    for cpu in range(6):
        # Clusters of four and two cores, each shown as a package.
        _put_all(root, f"{_CPU}/cpu{cpu}/topology", {"core_cpus_list": cpu, "physical_package_id": cpu // 4})
        _cpufreq(root, cpu, "schedutil", now=729600, limits=(729600, 1344000))
    _caches(root, 0, {"L1 Data": ("64K", "0"), "L1 Instruction": ("64K", "0"), "L2 Unified": ("256K", "0")})

    chip = "sys/devices/platform/bus@0/c240000.i2c/i2c-1/1-0040"
    _ina3221(root, chip, "hwmon1", [("VDD_IN", 5064, 904), ("VDD_CPU_GPU_CV", 5056, 128), ("VDD_SOC", 5064, 264)])
    link(root, "sys/bus/i2c/drivers/ina3221/1-0040", chip)
    put(root, "sys/bus/i2c/drivers/ina3221/bind", "")

    events = "sys/devices/platform/soctherm-oc-event/hwmon/hwmon3"
    counters = {f"oc{number}_event_cnt": count for number, count in ((1, 0), (2, 15), (3, 37))}
    _put_all(root, events, {"name": "soctherm_oc", **counters, "oc1_throt_en": 1})
    link(root, "sys/class/hwmon/hwmon3", events)

    _devfreq(root, "sys/devices/platform/bus@0/17000000.gpu", now=306000000, limits=(306000000, 1020000000))
    _zones(
        root,
        {"cpu-thermal": 48843, "gpu-thermal": 48093, "soc0-thermal": 47750, "tj-thermal": 48843, "cv0-thermal": 0},
        {"pwm-fan": 1, "cpufreq-cpu0": 0},
    )
    # Units without power answer with an error.
    unreadable(root / "sys/devices/virtual/thermal/thermal_zone4/temp")
    return root


def agx_orin_rails(root: Path) -> Path:
    """The two power monitors of a Jetson AGX Orin, and nothing else."""
    for address, hwmon, rails in (
        ("1-0040", "hwmon3", [("VDD_GPU_SOC", 20000, 120), ("VDD_CPU_CV", 20000, 40), ("VIN_SYS_5V0", 5000, 640)]),
        ("1-0041", "hwmon4", [("NC", 0, 0), ("VDDQ_VDD2_1V8AO", 5000, 100), ("NC", 0, 0)]),
    ):
        chip = f"sys/devices/platform/c240000.i2c/i2c-1/{address}"
        _ina3221(root, chip, hwmon, rails)
        link(root, f"sys/bus/i2c/drivers/ina3221/{address}", chip)
    return root


def x86_server(root: Path) -> Path:
    """Two packages of four cores with two threads each; CPUs 0 to 3 and 8 to 11 are the first."""
    flags = "fpu vme sse sse2 avx avx2 avx512f avx512dq avx512_vnni"
    _x86_processes(root, cpus=16, model="Intel(R) Xeon(R) Gold 5222 CPU @ 3.80GHz", flags=flags, clock="3800.000")
    _put_all(
        root,
        "",
        {
            "etc/os-release": 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nVERSION_ID="12"',
            "sys/class/dmi/id/sys_vendor": "Dell Inc.",
            "sys/class/dmi/id/product_name": "PowerEdge R640",
            "sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never",
            f"{_CPU}/smt/active": 1,
            "sys/devices/system/node/node0/cpulist": "0-3,8-11",
            "sys/devices/system/node/node1/cpulist": "4-7,12-15",
        },
    )
    for cpu in range(16):
        core, package = cpu % 8, cpu % 8 // 4
        _put_all(
            root,
            f"{_CPU}/cpu{cpu}/topology",
            {"core_cpus_list": f"{core},{core + 8}", "physical_package_id": package, "core_id": core % 4},
        )
        _cpufreq(root, cpu, "powersave", now=1200000 + 1000 * cpu, limits=(1200000, 3900000))
        # Both threads show their core's count, all threads their package's.
        _put_all(
            root,
            f"{_CPU}/cpu{cpu}/thermal_throttle",
            {"core_throttle_count": 3 if core == 1 else 0, "package_throttle_count": 5 if package == 0 else 0},
        )
    _caches(
        root,
        0,
        {
            "L1 Data": ("32K", "0,8"),
            "L1 Instruction": ("32K", "0,8"),
            "L2 Unified": ("1024K", "0,8"),
            "L3 Unified": ("16896K", "0-3,8-11"),
        },
    )
    for package in (0, 1):
        zone = f"sys/devices/virtual/powercap/intel-rapl/intel-rapl:{package}"
        _rapl_zone(root, zone, f"package-{package}", microjoules=240_000_000_000, largest=262143328850)
        _rapl_zone(root, f"{zone}/intel-rapl:{package}:0", "core", microjoules=90_000_000_000, largest=262143328850)
        _rapl_zone(root, f"{zone}/intel-rapl:{package}:1", "dram", microjoules=11_000_000_000, largest=65712999613)
    # The control type, which is no zone.
    put(root, "sys/devices/virtual/powercap/intel-rapl/enabled", 1)
    link(root, "sys/class/powercap/intel-rapl", "sys/devices/virtual/powercap/intel-rapl")
    _zones(root, {"x86_pkg_temp": 41000, "acpitz": 8300}, {"Processor": 0, "intel_powerclamp": -1})
    return root


def virtual_machine(root: Path) -> Path:
    """Two CPUs of a shared host: no sensors, no clocks, and a container with a quota."""
    flags = "fpu vme sse sse2 avx avx2 hypervisor"
    _x86_processes(root, cpus=2, model="Intel Xeon Processor (Cascadelake)", flags=flags, clock="2494.140")
    _put_all(
        root,
        "",
        {
            "etc/os-release": "PRETTY_NAME='Alpine Linux v3.20'\nID=alpine",
            "sys/class/dmi/id/sys_vendor": "QEMU",
            "sys/class/dmi/id/product_name": "Standard PC (Q35 + ICH9, 2009)",
            "sys/kernel/mm/transparent_hugepage/enabled": "[always] madvise never",
            # user nice system idle iowait irq softirq steal guest guest_nice
            "proc/stat": "cpu  600 0 100 200 0 0 0 100 50 0\ncpu0 300 0 50 100 0 0 0 50 25 0",
            "proc/self/cgroup": "0::/",
            "proc/1/cgroup": "0::/",
            "sys/fs/cgroup/cpu.max": "150000 100000",
            "sys/fs/cgroup/memory.max": 2 * 2**30,
            "sys/fs/cgroup/cpu.stat": "usage_usec 9000000\nnr_periods 50\nnr_throttled 2\nthrottled_usec 250000",
            ".dockerenv": "",
        },
    )
    for cpu in range(2):
        _put_all(root, f"{_CPU}/cpu{cpu}/topology", {"core_cpus_list": cpu, "physical_package_id": 0, "core_id": cpu})
    return root


def _put_all(root: Path, folder: str, files: Mapping[str, object]) -> None:
    for name, value in files.items():
        put(root, f"{folder}/{name}" if folder else name, value)


def _device_tree_model(root: Path, model: str) -> None:
    put(root, "proc/device-tree/model", "").write_bytes(model.encode() + b"\0")


def _processes(root: Path, cpus: int, memory_kb: int) -> None:
    _put_all(
        root,
        "",
        {
            f"{_CPU}/online": f"0-{cpus - 1}",
            "proc/self/status": f"Name:\tpython3\nCpus_allowed_list:\t0-{cpus - 1}\nMems_allowed:\t1",
            "proc/self/cgroup": "0::/",
            "proc/meminfo": f"MemTotal:       {memory_kb} kB\nMemFree:          123456 kB\n"
            "SwapTotal:       2097152 kB\nSwapFree:        1572864 kB",
            "proc/loadavg": "0.52 0.58 0.59 3/602 23456",
            "proc/stat": "cpu  1000 0 500 98500 0 0 0 0 0 0\ncpu0 500 0 250 49250 0 0 0 0 0 0",
        },
    )


def _arm_processes(root: Path, cpus: int, features: str, memory_kb: int) -> None:
    _processes(root, cpus, memory_kb)
    blocks = (
        f"processor\t: {cpu}\nmodel name\t: ARMv8 Processor rev 1 (v8l)\nBogoMIPS\t: 38.40\nFeatures\t: {features}\n"
        "CPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x1\nCPU part\t: 0xd07\nCPU revision\t: 1\n"
        for cpu in range(cpus)
    )
    put(root, "proc/cpuinfo", "\n".join(blocks))


def _x86_processes(root: Path, cpus: int, model: str, flags: str, clock: str) -> None:
    _processes(root, cpus, memory_kb=65674640)
    blocks = (
        f"processor\t: {cpu}\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 85\nmodel name\t: {model}\n"
        f"stepping\t: 7\ncpu MHz\t\t: {clock}\ncache size\t: 16896 KB\nflags\t\t: {flags}\nbugs\t\t: spectre_v1\n"
        f"power management:\n"
        for cpu in range(cpus)
    )
    put(root, "proc/cpuinfo", "\n".join(blocks))
    put(root, "proc/sys/kernel/osrelease", "6.1.0-26-amd64")


def _cpufreq(root: Path, cpu: int, governor: str, now: int, limits: tuple[int, int]) -> None:
    folder = f"{_CPU}/cpu{cpu}/cpufreq"
    clocks = dict(zip(("scaling_cur_freq", "scaling_min_freq", "scaling_max_freq"), (now, *limits), strict=True))
    _put_all(root, folder, {"scaling_governor": governor, **clocks})


def _devfreq(root: Path, device: str, now: int, limits: tuple[int, int]) -> None:
    name = Path(device).name
    folder = f"{device}/devfreq/{name}"
    _put_all(root, folder, dict(zip(("cur_freq", "min_freq", "max_freq"), (now, *limits), strict=True)))
    link(root, f"sys/class/devfreq/{name}", folder)


def _caches(root: Path, cpu: int, caches: Mapping[str, tuple[str, str]]) -> None:
    """Caches by level and type, each with its size and the CPUs that share it."""
    for index, (name, (size, cpus)) in enumerate(caches.items()):
        level, kind = name.split()
        files = {"level": level[1:], "type": kind, "size": size, "shared_cpu_list": cpus}
        _put_all(root, f"{_CPU}/cpu{cpu}/cache/index{index}", files)


def _zones(root: Path, temperatures: Mapping[str, int], states: Mapping[str, int]) -> None:
    for prefix, name, values in (("thermal_zone", "temp", temperatures), ("cooling_device", "cur_state", states)):
        for number, (kind, value) in enumerate(values.items()):
            folder = f"sys/devices/virtual/thermal/{prefix}{number}"
            _put_all(root, folder, {"type": kind, name: value})
            link(root, f"sys/class/thermal/{prefix}{number}", folder)


def _ina3221(root: Path, chip: str, hwmon: str, rails: list[tuple[str, int, int]]) -> None:
    """Rails by name, in mV and mA; in4 to in7 are the shunts, which are no rails."""
    folder = f"{chip}/hwmon/{hwmon}"
    put(root, f"{folder}/name", "ina3221")
    for number, (name, millivolts, milliamperes) in enumerate(rails, start=1):
        _put_all(
            root,
            folder,
            {
                f"in{number}_label": name,
                f"in{number}_enable": 1,
                f"in{number}_input": millivolts,
                f"curr{number}_input": milliamperes,
                f"in{number + 3}_input": 1,
            },
        )
    put(root, f"{folder}/in7_label", "sum of shunt voltages")
    put(root, f"{folder}/update_interval", 1)
    link(root, f"sys/class/hwmon/{hwmon}", folder)


def _rapl_zone(root: Path, folder: str, name: str, microjoules: int, largest: int) -> None:
    _put_all(root, folder, {"name": name, "energy_uj": microjoules, "max_energy_range_uj": largest, "enabled": 1})
    link(root, f"sys/class/powercap/{Path(folder).name}", folder)
