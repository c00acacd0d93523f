"""Environment: the machine a number was measured on."""

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec

from resemote_edge.machine.cgroup import cpu_quota_cores, memory_limit_bytes
from resemote_edge.machine.jetson import (
    PowerMode,
    cuda_version,
    jetpack_version,
    l4t_release,
    power_mode,
    tensorrt_version,
)
from resemote_edge.machine.sysfs import first_line, is_this_machine, read_text
from resemote_edge.machine.tenancy import Tenancy, capture_tenancy, container_hint, load_averages, meminfo_bytes
from resemote_edge.machine.topology import CPUTopology, allowed_cores, capture_topology

__all__ = ["Environment", "capture_environment", "check_environment", "package_versions"]

#: CPU features that decide how fast the engines are, as /proc/cpuinfo spells them.
_FEATURES = (
    "avx2", "avx512f", "avx_vnni", "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_bf16", "amx_int8",
    "asimd", "asimddp", "i8mm", "bf16", "sve",
)  # fmt: skip

_PACKAGES = (
    "resemote-edge", "numpy", "torch", "onnx", "onnxruntime", "onnxruntime-gpu", "openvino", "tensorrt",
    "tensorrt-rtx", "cuda-python", "pycuda", "pillow", "safetensors",
)  # fmt: skip


#: Types of plain facts, and of what lists and dictionaries of them hold.
_PLAIN = {str, int, float, bool, type(None), Ellipsis}

#: Facts that are shown with every report, so that each report must have them.
_SHOWN = frozenset((
    "cpu_model", "cpu_features", "cores_allowed", "os", "kernel", "packages", "gpus", "load_average_1m", "git_commit",
))  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Environment:
    """Facts about this machine; None or empty if unknown.

    Attributes:
        cpu_model: Name of the processor, as the kernel gives it.
        cpu_features: Features of the processor that engines use, in the kernel's spelling.
        cores_allowed: Number of cores this process may use.
        memory_total_bytes: Memory of the machine.
        memory_limit_bytes: Limit of the control group or one above it, if any sets one.
        os: Name of the distribution.
        kernel: Release of the kernel.
        python: Version of Python.
        packages: Versions of the packages that affect results.
        gpus: NVIDIA GPUs as ``name, driver, compute capability``.
        jetpack: L4T release on a Jetson, the line that NVIDIA writes.
        board: Device-tree model on a board.
        governor: CPU frequency governor of the first core.
        load_average_1m: Load before the measurement; if it is well above 0, something else is running.
        git_commit: Commit of the checkout, with ``-dirty`` when it has changes.
        allowed_cores: Numbers of the cores this process may use.
        topology: Sockets, cores, threads, caches and memory nodes.
        cpu_quota_cores: Cores' worth of time that the control group may use.
        virtual_machine: Whether the processor reports a hypervisor; None on processors that cannot, such as ARM.
        container: Kind of container this looks like.
        product: Vendor and product by the firmware; for a virtual machine, those of its hypervisor.
        tenancy: Load and memory that others use on the machine.
        transparent_hugepages: Mode of transparent huge pages: ``always``, ``madvise`` or ``never``.
        jetpack_version: Version of JetPack as NVIDIA counts it, ``6.2``.
        cuda_version: Version of the system's CUDA toolkit; runtimes from Python packages bring their own.
        tensorrt_version: Version of the system's TensorRT library; runtimes from Python packages bring their own.
        power_mode: Mode set by nvpmodel, on a Jetson.
    """

    cpu_model: str
    cpu_features: tuple[str, ...]
    cores_allowed: int
    memory_total_bytes: int
    memory_limit_bytes: int | None
    os: str
    kernel: str
    python: str
    packages: dict[str, str] = field(default_factory=dict)
    gpus: tuple[str, ...] = ()
    jetpack: str | None = None
    board: str | None = None
    governor: str | None = None
    load_average_1m: float = 0.0
    git_commit: str | None = None
    allowed_cores: tuple[int, ...] = ()
    topology: CPUTopology | None = None
    cpu_quota_cores: float | None = None
    virtual_machine: bool | None = None
    container: str | None = None
    product: str | None = None
    tenancy: Tenancy | None = None
    transparent_hugepages: str | None = None
    jetpack_version: str | None = None
    cuda_version: str | None = None
    tensorrt_version: str | None = None
    power_mode: PowerMode | None = None

    def to_dict(self) -> dict[str, Any]:
        """The environment as plain JSON types."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return plain

    def short(self) -> str:
        """The environment in one line for people."""
        gpus = "; ".join(self.gpus) or "no NVIDIA GPU"
        memory = self.memory_total_bytes / 2**30
        return f"{self.board or self.cpu_model}, {self.cores_allowed} cores, {memory:.0f} GiB, {gpus}"


def check_environment(recorded: Mapping[str, Any]) -> None:
    """Refuse facts of a report that are of another type than this machine's would be.

    Raises:
        ValueError: A fact has another type, or one that is shown with reports is missing; the message names it.
            Decoders expect this type.
    """
    for name, kind in get_type_hints(Environment).items():
        if not set(get_args(kind) or (kind,)) <= _PLAIN:
            continue  # A nested fact, which is checked where it is used.
        if name in _SHOWN and name not in recorded:
            raise ValueError(f"environment.{name} is missing")
        wanted = kind if name in _SHOWN else kind | None
        try:
            msgspec.convert(recorded.get(name), wanted)
        except msgspec.ValidationError as error:
            raise ValueError(f"environment.{name}: {error}") from None


def capture_environment(root: Path = Path("/")) -> Environment:
    """Read the environment; never changes anything.

    Args:
        root: Folder that holds ``proc``, ``sys`` and ``etc``. For a recorded machine, facts that are in no file, such
            as its GPUs, are left out. Python, packages and commit are always those of this process.
    """
    here = is_this_machine(root)
    cpuinfo = _cpuinfo(root)
    flags = (cpuinfo.get("flags") or cpuinfo.get("Features") or "").split()
    cores = allowed_cores(root)
    loads = load_averages(root)
    return Environment(
        cpu_model=cpuinfo.get("model name") or cpuinfo.get("Model") or (_processor() if here else "unknown"),
        cpu_features=tuple(name for name in _FEATURES if name in flags),
        cores_allowed=len(cores),
        memory_total_bytes=_memory_total(root),
        memory_limit_bytes=memory_limit_bytes(root),
        os=_distribution(root),
        kernel=first_line(root / "proc/sys/kernel/osrelease") or (platform.release() if here else "unknown"),
        python=platform.python_version(),
        packages=package_versions(),
        gpus=_nvidia_gpus() if here else (),
        jetpack=first_line(root / "etc/nv_tegra_release"),
        board=first_line(root / "proc/device-tree/model"),
        governor=first_line(root / "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        load_average_1m=loads[0] if loads else 0.0,
        git_commit=_git_commit(),
        allowed_cores=cores,
        topology=capture_topology(root, cores),
        cpu_quota_cores=cpu_quota_cores(root),
        virtual_machine="hypervisor" in flags if "flags" in cpuinfo else None,
        container=container_hint(root),
        product=_product(root),
        tenancy=capture_tenancy(root),
        transparent_hugepages=_transparent_hugepages(root),
        jetpack_version=jetpack_version(l4t_release(root)),
        cuda_version=cuda_version(root),
        tensorrt_version=tensorrt_version(root),
        power_mode=power_mode(root),
    )


def _processor() -> str:
    return platform.processor() or platform.machine()


def _cpuinfo(root: Path) -> dict[str, str]:
    """Fields of the first processor."""
    fields: dict[str, str] = {}
    for line in (read_text(root / "proc/cpuinfo") or "").splitlines():
        key, _, value = line.partition(":")
        fields.setdefault(key.strip(), value.strip())
    return fields


def _memory_total(root: Path) -> int:
    """Memory by /proc/meminfo or the C library; 0 if a recorded machine lacks it."""
    total = meminfo_bytes(root, "MemTotal")
    if total is None and is_this_machine(root):
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return total or 0


def _distribution(root: Path) -> str:
    text = read_text(root / "etc/os-release") or read_text(root / "usr/lib/os-release") or ""
    name = re.search(r"^PRETTY_NAME=(['\"]?)(.*)\1$", text, re.MULTILINE)
    return name[2] if name else platform.system()


def _product(root: Path) -> str | None:
    folder = root / "sys/class/dmi/id"
    return " ".join(text for name in ("sys_vendor", "product_name") if (text := first_line(folder / name))) or None


def _transparent_hugepages(root: Path) -> str | None:
    """The chosen mode, which the kernel writes in brackets."""
    modes = read_text(root / "sys/kernel/mm/transparent_hugepage/enabled") or ""
    chosen = re.search(r"\[(\w+)\]", modes)
    return chosen[1] if chosen else None


def package_versions(packages: Iterable[str] = _PACKAGES) -> dict[str, str]:
    """Versions of those packages that are installed, by name."""
    versions = {}
    for package in packages:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return versions


def _nvidia_gpus() -> tuple[str, ...]:
    query = ["nvidia-smi", "--query-gpu=name,driver_version,compute_cap", "--format=csv,noheader"]
    return tuple(_run(query).splitlines())


def _git_commit() -> str | None:
    checkout = Path(__file__).resolve().parents[2]
    if not (checkout / ".git").exists():
        return None
    git = ["git", "--no-optional-locks", "-C", str(checkout)]  # `status` would write the index
    commit = _run([*git, "rev-parse", "--short=12", "HEAD"])
    dirty = "-dirty" if _run([*git, "status", "--porcelain", "--untracked-files=no"]) else ""
    return commit + dirty if commit else None


def _run(command: list[str]) -> str:
    """Output of a command; empty if it is absent or fails, because all of these facts are optional."""
    if shutil.which(command[0]) is None:
        return ""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except subprocess.TimeoutExpired:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
