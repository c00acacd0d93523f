"""Environment: the machine a number was measured on."""

import os
import platform
import shutil
import subprocess
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

import msgspec

__all__ = ["Environment", "capture_environment"]

#: CPU features that decide how fast the engines are, as /proc/cpuinfo spells them.
_FEATURES = (
    "avx2", "avx512f", "avx_vnni", "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_bf16", "amx_int8",
    "asimd", "asimddp", "i8mm", "bf16", "sve",
)  # fmt: skip

_PACKAGES = (
    "resemote-edge", "numpy", "torch", "onnx", "onnxruntime", "onnxruntime-gpu", "openvino", "tensorrt",
    "tensorrt-rtx", "cuda-python", "pycuda", "pillow", "safetensors",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Environment:
    """What is known of this machine; None or empty where it cannot be told.

    Attributes:
        cpu_model: As the kernel names it.
        cpu_features: Those of the features engines care about.
        cores_allowed: Cores this process may use.
        memory_total_bytes: Of the machine.
        memory_limit_bytes: Of the control group, if it sets one.
        os: Distribution.
        kernel: Release.
        python: Version.
        packages: Versions of the packages that matter.
        gpus: NVIDIA GPUs as ``name, driver, compute capability``.
        jetpack: L4T release on a Jetson.
        board: Device-tree model on a board.
        governor: CPU frequency governor.
        load_average_1m: Load before the measurement; well above 0 means company.
        git_commit: Of the checkout, ``-dirty`` when it has changes.
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

    def to_dict(self) -> dict[str, Any]:
        """The same as plain JSON types."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return plain

    def short(self) -> str:
        """One line for people."""
        gpus = "; ".join(self.gpus) or "no NVIDIA GPU"
        memory = self.memory_total_bytes / 2**30
        return f"{self.board or self.cpu_model}, {self.cores_allowed} cores, {memory:.0f} GiB, {gpus}"


def capture_environment() -> Environment:
    """Read the environment; never changes anything."""
    cpuinfo = _cpuinfo()
    return Environment(
        cpu_model=cpuinfo.get("model name") or cpuinfo.get("Model") or platform.processor() or platform.machine(),
        cpu_features=tuple(
            name for name in _FEATURES if name in (cpuinfo.get("flags") or cpuinfo.get("Features") or "").split()
        ),
        cores_allowed=len(os.sched_getaffinity(0)),
        memory_total_bytes=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        memory_limit_bytes=_memory_limit(),
        os=_distribution(),
        kernel=platform.release(),
        python=platform.python_version(),
        packages=_package_versions(),
        gpus=_nvidia_gpus(),
        jetpack=_first_line(Path("/etc/nv_tegra_release")),
        board=_first_line(Path("/proc/device-tree/model")),
        governor=_first_line(Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")),
        load_average_1m=os.getloadavg()[0],
        git_commit=_git_commit(),
    )


def _first_line(path: Path) -> str | None:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return text.replace("\0", "").strip().splitlines()[0] if text.strip() else None


def _cpuinfo() -> dict[str, str]:
    """First processor's fields."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    fields: dict[str, str] = {}
    for line in lines:
        key, _, value = line.partition(":")
        fields.setdefault(key.strip(), value.strip())
    return fields


def _memory_limit() -> int | None:
    text = _first_line(Path("/sys/fs/cgroup/memory.max"))
    return int(text) if text and text.isdigit() else None


def _distribution() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.system()


def _package_versions() -> dict[str, str]:
    versions = {}
    for package in _PACKAGES:
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
    git = ["git", "-C", str(checkout)]
    commit = _run([*git, "rev-parse", "--short=12", "HEAD"])
    dirty = "-dirty" if _run([*git, "status", "--porcelain", "--untracked-files=no"]) else ""
    return commit + dirty if commit else None


def _run(command: list[str]) -> str:
    """Output of a command; empty when it is absent or fails, since all of these are optional facts."""
    if shutil.which(command[0]) is None:
        return ""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except subprocess.TimeoutExpired:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
