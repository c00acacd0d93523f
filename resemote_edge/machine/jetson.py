"""Jetson: the release, libraries and power mode that a board runs, from files that NVIDIA puts there."""

import json
import re
from pathlib import Path

from resemote_edge.artifacts.record import Strict
from resemote_edge.machine.sysfs import first_line, read_text

__all__ = ["JETPACKS", "PowerMode", "cuda_version", "jetpack_version", "l4t_release", "power_mode", "tensorrt_version"]

#: L4T (Jetson Linux) release to JetPack, from NVIDIA's JetPack archive. The longest matching prefix counts, so that
#: newer releases are recognised by their family.
JETPACKS: dict[str, str] = {
    "32.4": "4.4.x",
    "32.5": "4.5.x",
    "32.6": "4.6",
    "32.7": "4.6.x",
    "32.7.1": "4.6.1",
    "32.7.2": "4.6.2",
    "32.7.3": "4.6.3",
    "32.7.4": "4.6.4",
    "32.7.5": "4.6.5",
    "32.7.6": "4.6.6",
    "35.1": "5.0.2",
    "35": "5.1.x",
    "35.2.1": "5.1",
    "35.3.1": "5.1.1",
    "35.4.1": "5.1.2",
    "35.5.0": "5.1.3",
    "35.6.0": "5.1.4",
    "35.6": "5.1.x",
    "36.2": "6.0 DP",
    "36.3": "6.0",
    "36.4": "6.x",
    "36.4.0": "6.1",
    "36.4.3": "6.2",
    "36.4.4": "6.2.1",
    "36.4.7": "6.2.1",
    "36": "6.x",
    "38.2": "7.0",
    "38.4": "7.1",
    "38": "7.x",
}

_RELEASE = re.compile(r"R(\d+)\s*\(release\),\s*REVISION:\s*([\d.]+)")
_MODE = re.compile(r"pmode:(\d+)")
_MODE_NAME = re.compile(r"<\s*POWER_MODEL\s+ID=(\d+)\s+NAME=([^\s>]+)")
_CUDA_TEXT = re.compile(r"CUDA Version ([\d.]+)")
# Folders of Debian packages and of NVIDIA's tar files. Only the file's name, not those of links, has the full version.
_TENSORRT = ("usr/lib/*/libnvinfer.so.*", "usr/local/tensorrt/lib/libnvinfer.so.*")


class PowerMode(Strict, frozen=True, kw_only=True):
    """Power mode that nvpmodel has set.

    Attributes:
        id: Number of the mode on this board.
        name: Name of the mode, such as ``MAXN`` or ``15W``; None if the board's list does not have it.
    """

    id: int
    name: str | None

    def __str__(self) -> str:
        return f"{self.name or 'unnamed'} (mode {self.id})"


def l4t_release(root: Path) -> str | None:
    """L4T release, such as ``36.4.3``; None if this is no Jetson."""
    found = _RELEASE.search(first_line(root / "etc/nv_tegra_release") or "")
    return f"{found[1]}.{found[2]}" if found else None


def jetpack_version(release: str | None) -> str | None:
    """JetPack of an L4T release, by `JETPACKS`; None if it is not there."""
    parts = (release or "").split(".")
    beginnings = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((JETPACKS[beginning] for beginning in beginnings if beginning in JETPACKS), None)


def power_mode(root: Path) -> PowerMode | None:
    """The mode that nvpmodel set last; None if it never set one or is not installed."""
    found = _MODE.search(read_text(root / "var/lib/nvpmodel/status") or "")
    if found is None:
        return None
    names = {int(number): name for number, name in _MODE_NAME.findall(read_text(root / "etc/nvpmodel.conf") or "")}
    return PowerMode(id=int(found[1]), name=names.get(int(found[1])))


def cuda_version(root: Path) -> str | None:
    """Version of the toolkit in /usr/local/cuda; None if there is none."""
    folder = root / "usr/local/cuda"
    try:
        version = json.loads(read_text(folder / "version.json") or "{}")["cuda"]["version"]
        return str(version)
    except (ValueError, KeyError, TypeError):  # Before CUDA 11.1 the file holds a sentence.
        found = _CUDA_TEXT.search(read_text(folder / "version.txt") or "")
        return found[1] if found else None


def tensorrt_version(root: Path) -> str | None:
    """Version of the system's TensorRT library; None if there is none. Python's package is not looked at."""
    names = (path.name.partition(".so.")[2] for pattern in _TENSORRT for path in root.glob(pattern))
    versions = [name for name in names if re.fullmatch(r"\d+(\.\d+)+", name)]
    return max(versions, key=lambda name: (name.count("."), [int(part) for part in name.split(".")]), default=None)
