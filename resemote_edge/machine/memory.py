"""Memory of this process, as the kernel counts it."""

from pathlib import Path

__all__ = ["peak_bytes", "resident_bytes"]


def resident_bytes() -> int:
    """Resident memory now."""
    return _status("VmRSS:")


def peak_bytes() -> int:
    """High-water mark of resident memory; getrusage would carry over the parent's across exec."""
    return _status("VmHWM:")


def _status(field: str) -> int:
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith(field):
            return int(line.split()[1]) * 1024
    return 0
