"""Control group: the share of the machine that this process was given, under cgroup v1 and v2.

The limits of all groups above apply as well, so the smallest counts. A container often sees its own group as the root,
or is told a path of the host that it cannot see. So every leading part of the path is tried.
"""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from resemote_edge.machine.sysfs import read_int, read_text

__all__ = ["cpu_quota_cores", "memory_limit_bytes", "throttled_seconds"]

_MOUNT = "sys/fs/cgroup"
# For no limit, cgroup v1 writes the largest multiple of a page below 2**63.
_NO_LIMIT_BYTES = 2**60


def cpu_quota_cores(root: Path) -> float | None:
    """Number of cores' worth of time that the group may use; None without a quota."""
    quotas = [quota for folder in _v2_folders(root) if (quota := _quota_v2(folder)) is not None]
    quotas += [quota for folder in _v1_folders(root, "cpu") if (quota := _quota_v1(folder)) is not None]
    return min(quotas, default=None)


def memory_limit_bytes(root: Path) -> int | None:
    """Memory that the group may use; None without a limit."""
    limits = [read_int(folder / "memory.max") for folder in _v2_folders(root)]
    limits += [read_int(folder / "memory.limit_in_bytes") for folder in _v1_folders(root, "memory")]
    return min((limit for limit in limits if limit is not None and limit < _NO_LIMIT_BYTES), default=None)


def throttled_seconds(root: Path) -> float | None:
    """Time for which quotas held back the group or those above it since they were created; None if none counts it.

    This is the sum over the groups, because each counts the effect of its own quota only.
    """
    waits = [_stat(folder, "throttled_usec", 1e-6) for folder in _once(_v2_folders(root))]
    waits += [_stat(folder, "throttled_time", 1e-9) for folder in _once(_v1_folders(root, "cpu"))]
    known = [wait for wait in waits if wait is not None]
    return sum(known) if known else None


def _memberships(root: Path) -> Iterator[tuple[str, str]]:
    """Controllers and path of every line of /proc/self/cgroup; no controllers for v2."""
    for line in (read_text(root / "proc/self/cgroup") or "").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        yield controllers, path


def _v2_folders(root: Path) -> list[Path]:
    mounts = [root / _MOUNT, root / _MOUNT / "unified"]  # the second name under systemd's hybrid layout
    paths = [path for controllers, path in _memberships(root) if not controllers] or ["/"]
    return [folder for mount in mounts for path in paths for folder in _upwards(mount, path)]


def _v1_folders(root: Path, controller: str) -> list[Path]:
    folders = []
    for controllers, path in _memberships(root):
        if controller in controllers.split(","):
            # The mount has the name of all its controllers, or of one of them.
            mounts = {root / _MOUNT / controllers, root / _MOUNT / controller}
            folders += [folder for mount in sorted(mounts) for folder in _upwards(mount, path)]
    return folders


def _upwards(mount: Path, path: str) -> list[Path]:
    """The group's folder, those above it, and the mount; some may not exist."""
    inside = PurePosixPath(path.lstrip("/"))
    if ".." in inside.parts:  # The group is outside of this namespace.
        return [mount]
    return [mount / part for part in (inside, *inside.parents)]


def _once(folders: list[Path]) -> list[Path]:
    """The folders, each once although it may have several names; sorted, so that sums are always rounded alike."""
    return sorted({folder.resolve() for folder in folders})


def _quota_v2(folder: Path) -> float | None:
    quota, _, period = (read_text(folder / "cpu.max") or "").partition(" ")
    return int(quota) / int(period) if quota.isdigit() and period.isdigit() and int(period) else None


def _quota_v1(folder: Path) -> float | None:
    quota, period = read_int(folder / "cpu.cfs_quota_us"), read_int(folder / "cpu.cfs_period_us")
    return quota / period if quota is not None and period and quota > 0 else None


def _stat(folder: Path, key: str, unit_s: float) -> float | None:
    for line in (read_text(folder / "cpu.stat") or "").splitlines():
        name, _, value = line.partition(" ")
        if name == key and value.isdigit():
            return int(value) * unit_s
    return None
