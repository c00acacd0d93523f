"""Trees of /sys, /proc and /etc as machines show them, written into a folder.

Names and formats are those of the kernel's Documentation/ABI and Documentation/hwmon, and of NVIDIA's Jetson Linux
Developer Guide; the figures are made up.
"""

from pathlib import Path


def write(root: Path, files: dict[str, str]) -> Path:
    """Write files, each ending in a newline as the kernel's do."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n", encoding="utf-8")
    return root


def _cpufreq(cores, governor, lowest, now, highest):
    return {
        f"sys/devices/system/cpu/cpu{core}/cpufreq/{name}": value
        for core in cores
        for name, value in {
            "scaling_governor": governor,
            "scaling_min_freq": lowest,
            "scaling_cur_freq": now,
            "scaling_max_freq": highest,
        }.items()
    }


def _zones(temperatures):
    return {
        f"sys/class/thermal/thermal_zone{at}/{name}": value
        for at, (kind, millidegrees) in enumerate(temperatures.items())
        for name, value in {"type": kind, "temp": str(millidegrees)}.items()
    }


_ARM_CPUINFO = "processor\t: 0\nBogoMIPS\t: 38.40\nFeatures\t: fp asimd aes crc32 cpuid\nCPU part\t: 0x{part}"


def jetson_nano(root: Path) -> Path:
    """JetPack 4.6: kernel 4.9, NVIDIA's own driver of the power monitor."""
    monitor = "sys/bus/i2c/drivers/ina3221x/6-0040/iio:device0"
    rails = {"POM_5V_IN": (3000, 5000, 600), "POM_5V_GPU": (500, 5000, 100), "POM_5V_CPU": (900, 5000, 180)}
    power = {
        f"{monitor}/{name}": value
        for at, (rail, (milliwatts, millivolts, milliamperes)) in enumerate(rails.items())
        for name, value in {
            f"rail_name_{at}": rail,
            f"in_power{at}_input": str(milliwatts),
            f"in_voltage{at}_input": str(millivolts),
            f"in_current{at}_input": str(milliamperes),
        }.items()
    }
    gpu = "sys/devices/57000000.gpu/devfreq/57000000.gpu"
    return write(root, {
        **power,
        **_cpufreq(range(4), "schedutil", "102000", "921600", "1479000"),
        **_zones({"CPU-therm": 38500, "GPU-therm": 36000, "iwlwifi": -256000}),
        f"{gpu}/cur_freq": "76800000", f"{gpu}/min_freq": "76800000", f"{gpu}/max_freq": "921600000",
        "sys/devices/system/cpu/online": "0-3",
        "proc/cpuinfo": _ARM_CPUINFO.format(part="d07"),
        "proc/meminfo": "MemTotal:        4059272 kB\nSwapTotal:       2029632 kB\nSwapFree:        2029632 kB",
        "proc/self/status": "Name:\tpython3\nCpus_allowed_list:\t0-3",
        "proc/device-tree/model": "NVIDIA Jetson Nano Developer Kit\0",
        "etc/nv_tegra_release": "# R32 (release), REVISION: 6.1, GCID: 27863751, BOARD: t210ref, EABI: aarch64",
        "etc/os-release": 'NAME="Ubuntu"\nPRETTY_NAME="Ubuntu 18.04.6 LTS"',
        "etc/nvpmodel.conf": "< POWER_MODEL ID=0 NAME=MAXN >\nCPU_ONLINE CORE_0 1\n< POWER_MODEL ID=1 NAME=5W >",
        "var/lib/nvpmodel/status": "pmode:0001",
        "usr/local/cuda/version.txt": "CUDA Version 10.2.300",
        "usr/lib/aarch64-linux-gnu/libnvinfer.so.8": "",
        "usr/lib/aarch64-linux-gnu/libnvinfer.so.8.2.1": "",
    })  # fmt: skip


def jetson_orin_nano(root: Path) -> Path:
    """JetPack 6: the kernel's own driver, hwmon; counters of over-current events."""
    chip = "sys/bus/i2c/drivers/ina3221/1-0040/hwmon/hwmon1"
    rails = {1: ("VDD_IN", 5000, 1200), 2: ("VDD_CPU_GPU_CV", 5000, 300), 3: ("VDD_SOC", 5000, 250)}
    power = {
        f"{chip}/{name}": value
        for at, (rail, millivolts, milliamperes) in rails.items()
        for name, value in {
            f"in{at}_label": rail,
            f"in{at}_enable": "1",
            f"in{at}_input": str(millivolts),
            f"curr{at}_input": str(milliamperes),
        }.items()
    }
    gpu = "sys/class/devfreq/17000000.gpu"
    return write(root, {
        **power,
        f"{chip}/in7_label": "sum of shunt voltages", f"{chip}/update_interval": "4",
        **_cpufreq(range(6), "schedutil", "729600", "729600", "1510400"),
        **_zones({"cpu-thermal": 48000, "gpu-thermal": 47500}),
        f"{gpu}/cur_freq": "306000000", f"{gpu}/min_freq": "306000000", f"{gpu}/max_freq": "624750000",
        "sys/class/hwmon/hwmon2/name": "soctherm_oc",
        "sys/class/hwmon/hwmon2/oc1_event_cnt": "0", "sys/class/hwmon/hwmon2/oc3_event_cnt": "7",
        "sys/class/thermal/cooling_device0/type": "pwm-fan", "sys/class/thermal/cooling_device0/cur_state": "1",
        "sys/class/thermal/cooling_device1/type": "cpufreq-cpu0", "sys/class/thermal/cooling_device1/cur_state": "0",
        "sys/devices/system/cpu/online": "0-5",
        "proc/cpuinfo": _ARM_CPUINFO.format(part="d42"),
        "proc/meminfo": "MemTotal:        7802000 kB",
        "proc/self/status": "Cpus_allowed_list:\t0-5",
        "proc/device-tree/model": "NVIDIA Jetson Orin Nano Developer Kit\0",
        "etc/nv_tegra_release": "# R36 (release), REVISION: 4.3, GCID: 38968081, BOARD: generic, EABI: aarch64",
        "etc/os-release": 'PRETTY_NAME="Ubuntu 22.04.5 LTS"',
        "etc/nvpmodel.conf": "< POWER_MODEL ID=0 NAME=15W >\n< POWER_MODEL ID=2 NAME=MAXN_SUPER >",
        "var/lib/nvpmodel/status": "pmode:0002",
        "usr/local/cuda/version.json": '{"cuda": {"name": "CUDA SDK", "version": "12.6.11"}}',
        "usr/lib/aarch64-linux-gnu/libnvinfer.so.10.3.0": "",
    })  # fmt: skip


def jetson_agx_orin(root: Path) -> Path:
    """The rails of two chips, which add up to the module."""
    rails = {
        "1-0040/hwmon/hwmon3": ("VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0"),
        "1-0041/hwmon/hwmon4": ("NC", "VDDQ_VDD2_1V8AO", "NC"),
    }
    return write(root, {
        f"sys/bus/i2c/drivers/ina3221/{chip}/{name}": value
        for chip, labels in rails.items()
        for at, label in enumerate(labels, 1)
        for name, value in {f"in{at}_label": label, f"in{at}_input": "5000", f"curr{at}_input": str(400 * at)}.items()
    })  # fmt: skip


def x86_server(root: Path) -> Path:
    """Two sockets of two cores with two threads each; RAPL with memory; a control group with a quota."""
    zones = {
        "intel-rapl:0": "package-0", "intel-rapl:0:0": "core", "intel-rapl:0:1": "dram",
        "intel-rapl:1": "package-1", "intel-rapl:1:0": "dram",
    }  # fmt: skip
    rapl = {
        f"sys/class/powercap/{zone}/{key}": value
        for at, (zone, name) in enumerate(zones.items())
        for key, value in {
            "name": name, "energy_uj": str(1_000_000 * (at + 1)), "max_energy_range_uj": "262143328850"
        }.items()
    }  # fmt: skip
    cpus = {}
    for cpu in range(8):
        folder, core = f"sys/devices/system/cpu/cpu{cpu}", cpu % 4
        cpus |= {
            f"{folder}/topology/physical_package_id": str(core // 2),
            f"{folder}/topology/core_id": str(core % 2),
            f"{folder}/topology/core_cpus_list": f"{core},{core + 4}",
            f"{folder}/thermal_throttle/core_throttle_count": "3" if core == 0 else "0",
            f"{folder}/thermal_throttle/package_throttle_count": "0",
        }
    caches = [("1", "Data", "32K"), ("1", "Instruction", "32K"), ("2", "Unified", "1024K"), ("3", "Unified", "24M")]
    for at, (level, kind, size) in enumerate(caches):
        folder = f"sys/devices/system/cpu/cpu0/cache/index{at}"
        shared = "0-1,4-5" if level == "3" else "0,4"
        cpus |= {f"{folder}/level": level, f"{folder}/type": kind, f"{folder}/size": size}
        cpus |= {f"{folder}/shared_cpu_list": shared}
    return write(root, {
        **rapl, **cpus,
        **_cpufreq(range(8), "powersave", "800000", "2600000", "3500000"),
        **_zones({"x86_pkg_temp": 55000}),
        "sys/devices/system/cpu/online": "0-7",
        "sys/devices/system/cpu/smt/active": "1",
        "sys/devices/system/node/node0/cpulist": "0-1,4-5", "sys/devices/system/node/node1/cpulist": "2-3,6-7",
        "sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never",
        "sys/class/dmi/id/sys_vendor": "Maker", "sys/class/dmi/id/product_name": "R1",
        "proc/cpuinfo": "processor\t: 0\nmodel name\t: Some Xeon\nflags\t\t: fpu avx2 avx512f avx512_vnni",
        "proc/meminfo": "MemTotal:       65536000 kB\nSwapTotal:       1024 kB\nSwapFree:        1000 kB",
        "proc/self/status": "Cpus_allowed_list:\t0-1,4-5",
        "proc/self/cgroup": "0::/bench.slice/run.scope",
        "proc/stat": "cpu  1000 0 500 8000 100 0 0 400 0 0\ncpu0 1 2 3 4",
        "proc/loadavg": "0.50 1.25 2.00 3/512 9999",
        "proc/sys/kernel/osrelease": "6.8.0-generic",
        "sys/fs/cgroup/bench.slice/cpu.max": "150000 100000",
        "sys/fs/cgroup/bench.slice/memory.max": "8589934592",
        "sys/fs/cgroup/bench.slice/run.scope/cpu.max": "max 100000",
        "sys/fs/cgroup/bench.slice/cpu.stat": "usage_usec 5\nnr_throttled 2\nthrottled_usec 2500000",
        "etc/os-release": 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"',
    })  # fmt: skip


def virtual_machine(root: Path) -> Path:
    """Nothing of it but what every kernel has."""
    return write(root, {
        "proc/cpuinfo": "processor\t: 0\nmodel name\t: Virtual\ncpu MHz\t\t: 2000.000\nflags\t: fpu avx2 hypervisor",
        "proc/meminfo": "MemTotal: 1048576 kB",
        "proc/self/status": "Cpus_allowed_list:\t0",
        ".dockerenv": "",
    })  # fmt: skip
