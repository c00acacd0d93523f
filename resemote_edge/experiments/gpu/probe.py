"""Best figures of a device in PyTorch: copies, and large matrix products in each precision."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from resemote_edge.artifacts.record import Record
from resemote_edge.errors import needs
from resemote_edge.measuring.probes import Peak
from resemote_edge.measuring.probes.product import tries
from resemote_edge.runtimes.pytorch import float32_products

__all__ = ["DEVICE_PRECISIONS", "DeviceProbe", "KernelTimes", "kernel_times", "probe_device"]

#: Precisions whose peaks are measured, to the type of the matrices and whether float32 products may be in TF32.
DEVICE_PRECISIONS: dict[str, tuple[str, bool]] = {
    "fp32": ("float32", False),
    "tf32": ("float32", True),
    "fp16": ("float16", False),
    "bf16": ("bfloat16", False),
}

# The first is far larger than a large GPU's cache of 50 MB; the second is about the input of a batch of 256.
_DEVICE_BYTES, _HOST_BYTES = 2**30, 12 * 2**20

# 0.55 T multiply-adds, which take a large GPU 1 ms in its fastest precision and 25 ms in fp32.
_SIDE = 8192

_PROFILED_CALLS = 5  # whose mean is given


class DeviceProbe(Record, frozen=True, kw_only=True):
    """Peak figures of a device, each the best of several tries.

    Attributes:
        device: Name of the device, ``cuda:N`` or ``cpu``.
        name: Name of the GPU, as its driver gives it; ``cpu`` for a CPU.
        memory_gb_per_s: Bandwidth of a large copy within the device's memory, in 1e9 bytes a second; read and written
            bytes both count.
        to_device_gb_per_s: Bandwidth of a copy of 12.6 MB from the host's ordinary (pageable) memory to the device, in
            1e9 bytes a second. None for a CPU.
        cache_bytes: Size of the last cache before the device's memory; None if PyTorch does not tell.
        compute_capability: Compute capability of a GPU, such as ``9.0``; None for a CPU.
        side: Rows and columns of the matrices.
        peaks: Peaks, one for each of `DEVICE_PRECISIONS`.
    """

    device: str
    name: str
    memory_gb_per_s: float
    to_device_gb_per_s: float | None = None
    cache_bytes: int | None = None
    compute_capability: str | None = None
    side: int
    peaks: tuple[Peak, ...]

    def gmac_per_s(self, precision: str) -> float | None:
        """Peak of a precision in 1e9 multiply-adds a second; None if it was not measured."""
        return next((peak.gmac_per_s for peak in self.peaks if peak.precision == precision), None)


class KernelTimes(Record, frozen=True, kw_only=True):
    """Work of a GPU during one call.

    Attributes:
        kernels: Number of kernels it ran.
        kernels_ms: Sum of their times.
        copies_ms: Sum of the times of copies between host and device, and within the device.
    """

    kernels: int
    kernels_ms: float
    copies_ms: float


def probe_device(device: str, *, side: int = _SIDE, copied_bytes: int = _DEVICE_BYTES) -> DeviceProbe:
    """Measure copies and arithmetic peaks.

    Args:
        device: Name of the device, ``cuda:N`` or ``cpu``.
        side: Rows and columns of the matrices; smaller ones give lower peaks.
        copied_bytes: Bytes of the copy within the device's memory.

    Returns:
        The figures; about a second of work on a large GPU.

    Raises:
        MissingDependencyError: PyTorch is not installed.
    """
    torch = _import_torch("probing a device")
    on_gpu = device.startswith("cuda")
    memory = 2 * copied_bytes / _copy_seconds(torch, device, copied_bytes)
    to_device = capability = cache = None
    if on_gpu:
        host = torch.from_numpy(np.ones(_HOST_BYTES // 4, dtype=np.float32))
        to_device = _HOST_BYTES / _fastest(torch, device, lambda: host.to(device)) / 1e9
        properties = torch.cuda.get_device_properties(device)
        capability, cache = f"{properties.major}.{properties.minor}", getattr(properties, "L2_cache_size", None)
    return DeviceProbe(
        device=device,
        name=torch.cuda.get_device_name(device) if on_gpu else "cpu",
        memory_gb_per_s=memory / 1e9,
        to_device_gb_per_s=to_device,
        cache_bytes=cache,
        compute_capability=capability,
        side=side,
        peaks=tuple(_peak(torch, device, precision, side) for precision in DEVICE_PRECISIONS),
    )


def _copy_seconds(torch: Any, device: str, size_bytes: int) -> float:
    source = torch.ones(size_bytes // 4, device=device)
    target = torch.empty_like(source)
    return _fastest(torch, device, lambda: target.copy_(source))


def _peak(torch: Any, device: str, precision: str, side: int) -> Peak:
    """Time the product of two random matrices, because zeros may run faster than real numbers."""
    dtype, tf32 = DEVICE_PRECISIONS[precision]
    if tf32 and not device.startswith("cuda"):
        return Peak(precision=precision, gmac_per_s=None, note="tf32 is a precision of NVIDIA GPUs")
    left, right = (torch.randn(side, side, device=device).to(getattr(torch, dtype)) for _ in range(2))
    with float32_products(torch, tf32=tf32):
        seconds = _fastest(torch, device, lambda: torch.mm(left, right))
    rate = side**3 / seconds / 1e9
    return Peak(precision=precision, gmac_per_s=rate, engine=f"pytorch {torch.__version__}", kernel="torch.mm")


def _fastest(torch: Any, device: str, call: Callable[[], object]) -> float:
    """Seconds of the fastest of several calls, after one that is not timed; the device is idle before and after each.

    On a GPU, events on the device read the clock, so that the launch is not included.
    """
    call()
    if not device.startswith("cuda"):
        best = float("inf")
        for _ in tries():
            start = time.perf_counter()
            call()
            best = min(best, time.perf_counter() - start)
        return best
    times = []
    with torch.cuda.device(device):
        for _ in tries():
            begun, ended = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            torch.cuda.synchronize()
            begun.record()
            call()
            ended.record()
            torch.cuda.synchronize()
            times.append(begun.elapsed_time(ended) / 1e3)
    return float(min(times))


def kernel_times(call: Callable[[], object]) -> KernelTimes | None:
    """Profile calls on a GPU with PyTorch's profiler.

    Profiling also slows down later launches of the process, so it must come after everything that is timed.

    Args:
        call: Function that blocks until its work is done.

    Returns:
        The times; None without a GPU, or if the profiler saw no kernel because its libraries are missing.

    Raises:
        MissingDependencyError: PyTorch is not installed.
    """
    torch = _import_torch("profiling kernels")
    profiler = torch.profiler
    if not torch.cuda.is_available():
        return None
    call()
    with profiler.profile(activities=[profiler.ProfilerActivity.CPU, profiler.ProfilerActivity.CUDA]) as profile:
        for _ in range(_PROFILED_CALLS):
            call()
    events = [
        (event.name, event.time_range.elapsed_us()) for event in profile.events() if "CUDA" in str(event.device_type)
    ]
    is_copy = [name.startswith(("Memcpy", "Memset")) for name, _ in events]
    kernels = [us for (_, us), copy in zip(events, is_copy, strict=True) if not copy]
    copies = [us for (_, us), copy in zip(events, is_copy, strict=True) if copy]
    if not kernels:
        return None
    return KernelTimes(
        kernels=round(len(kernels) / _PROFILED_CALLS),
        kernels_ms=float(sum(kernels)) / _PROFILED_CALLS / 1e3,
        copies_ms=float(sum(copies)) / _PROFILED_CALLS / 1e3,
    )


def _import_torch(purpose: str) -> Any:
    with needs("pytorch", purpose):
        import torch
    return torch
