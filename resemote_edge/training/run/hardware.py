"""Hardware: the precision and settings with which a processor or card trains best."""

import ctypes
import os

import torch

from resemote_edge.runtimes.cpu_features import why_no_bf16

__all__ = ["autocast_dtype", "keep_freed_memory", "network_form", "prepare"]

# parameters of glibc's mallopt
_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4


def autocast_dtype(precision: str, device: torch.device) -> torch.dtype | None:
    """Data type of autocast, or None for plain fp32.

    Args:
        precision: Precision asked for: ``fp32``, ``bf16``, or ``auto`` for bf16 where the device has instructions for
            it.
        device: Device to compute on.
    """
    if precision == "auto":
        # Without instructions for bf16 products, oneDNN emulates them, slower than fp32.
        has = torch.cuda.is_bf16_supported() if device.type == "cuda" else why_no_bf16() is None
        precision = "bf16" if has else "fp32"
    return torch.bfloat16 if precision == "bf16" else None


def network_form(device: torch.device) -> str:
    """The fastest form of `TrainingNetwork` on a device: as measured on CPUs; cuDNN has kernels for small maps."""
    return "patches" if device.type == "cpu" else "compact"


def prepare(device: torch.device) -> None:
    """Let cuDNN find the fastest kernels by trial, which pays because all batches of a run have the same shape."""
    if device.type == "cuda":
        torch.backends.cudnn.benchmark = True


def keep_freed_memory() -> bool:
    """Stop glibc from returning large blocks to the system after every step and faulting them in again.

    The two environment variables that do the same must be set before the process starts. Nothing is done if the user
    set one of them, or with another C library.

    Returns:
        Whether glibc accepted the settings.
    """
    if {"MALLOC_MMAP_MAX_", "MALLOC_TRIM_THRESHOLD_"} & set(os.environ):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    return bool(mallopt(_M_MMAP_MAX, 0)) and bool(mallopt(_M_TRIM_THRESHOLD, 2**31 - 1))
