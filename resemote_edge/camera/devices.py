"""Devices: the cameras of this machine, who holds them, and what stands in the way of opening one.

Video4Linux is asked as the kernel's Documentation/userspace-api/media/v4l describes it, without a library.
"""

import fcntl
import grp
import os
import struct
from pathlib import Path

from resemote_edge.artifacts.record import Strict
from resemote_edge.errors import MissingDependencyError
from resemote_edge.machine.sysfs import first_line

__all__ = ["CameraDevice", "CameraDiagnosis", "diagnose_cameras", "parse_capability", "parse_format"]

# struct v4l2_capability: driver, card, bus, version, capabilities, those of this node, 3 reserved.
_CAPABILITY = struct.Struct("<16s32s32sIII12x")
# struct v4l2_fmtdesc: index, type, flags, description, fourcc, 4 reserved.
_FORMAT = struct.Struct("<III32s4s16x")

_CAPTURE, _CAPTURE_PLANES, _OF_THIS_NODE = 0x1, 0x1000, 0x80000000
_MOST_FORMATS = 64


def _read_request(number: int, size: int, *, both_ways: bool) -> int:
    """Number of an ioctl of Video4Linux: direction, size, type ``V`` and number, as asm-generic/ioctl.h packs them."""
    return ((3 if both_ways else 2) << 30) | (size << 16) | (ord("V") << 8) | number


_QUERYCAP = _read_request(0, _CAPABILITY.size, both_ways=False)
_ENUM_FMT = _read_request(2, _FORMAT.size, both_ways=True)


class CameraDevice(Strict, frozen=True, kw_only=True):
    """One device of Video4Linux that captures video.

    Attributes:
        path: Device, such as ``/dev/video0``; its number is the source that the camera command takes.
        name: Name that its driver gives it; empty if nobody knows.
        formats: Pixel formats by their four letters, in the driver's order.
        holders: Programs that have it open, as ``name (pid)``, as far as this user may see.
        problem: Why it cannot be opened; empty if it can.
    """

    path: str
    name: str
    formats: tuple[str, ...] = ()
    holders: tuple[str, ...] = ()
    problem: str = ""


class CameraDiagnosis(Strict, frozen=True, kw_only=True):
    """What this machine has for reading cameras.

    Attributes:
        devices: Devices that capture video, or that cannot be asked.
        opencv: Version of OpenCV; None if it is not installed.
        gstreamer: Whether that OpenCV can open pipelines of GStreamer, which CSI cameras need.
        jetson_daemon: Whether the daemon that serves a Jetson's CSI cameras is there; None if this is no Jetson.
        advice: What to do, a sentence each.
    """

    devices: tuple[CameraDevice, ...]
    opencv: str | None
    gstreamer: bool
    jetson_daemon: bool | None
    advice: tuple[str, ...]


def diagnose_cameras(root: Path = Path("/")) -> CameraDiagnosis:
    """Look for cameras and for what reads them; opens devices for a moment, and captures nothing.

    Args:
        root: Root of the file system, for tests.
    """
    devices = tuple(
        device for path in sorted(root.glob("dev/video*"), key=_order) if (device := _device(path, root)) is not None
    )
    opencv, gstreamer = _opencv()
    daemon = (root / "tmp/argus_socket").exists() if (root / "etc/nv_tegra_release").exists() else None
    return CameraDiagnosis(
        devices=devices,
        opencv=opencv,
        gstreamer=gstreamer,
        jetson_daemon=daemon,
        advice=tuple(_advice(devices, opencv, gstreamer, daemon)),
    )


def parse_capability(raw: bytes) -> tuple[str, bool]:
    """Name of a device and whether it captures video, from a ``struct v4l2_capability``."""
    _, card, _, _, of_device, of_node = _CAPABILITY.unpack(raw)
    able = of_node if of_device & _OF_THIS_NODE else of_device
    return _text(card), bool(able & (_CAPTURE | _CAPTURE_PLANES))


def parse_format(raw: bytes) -> str:
    """Four letters of a pixel format, from a ``struct v4l2_fmtdesc``."""
    return _text(_FORMAT.unpack(raw)[4]).strip()


def _text(raw: bytes) -> str:
    return raw.split(b"\0")[0].decode("utf-8", "replace")


def _order(path: Path) -> tuple[int, str]:
    digits = path.name.removeprefix("video")
    return (int(digits) if digits.isdecimal() else 1 << 30, path.name)


def _device(path: Path, root: Path) -> CameraDevice | None:
    """One device; None if it is there for something else than capturing, such as metadata."""
    name = first_line(root / "sys/class/video4linux" / path.name / "name") or ""
    shown = "/" + path.relative_to(root).as_posix()
    try:
        # Not waiting, because some drivers let the second program wait in open.
        descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    except PermissionError:
        return CameraDevice(path=shown, name=name, holders=_holders(path, root), problem=_no_permission(path))
    except OSError as error:
        return CameraDevice(path=shown, name=name, holders=_holders(path, root), problem=error.strerror or str(error))
    try:
        card, captures = parse_capability(fcntl.ioctl(descriptor, _QUERYCAP, bytes(_CAPABILITY.size)))
        if not captures:
            return None
        formats = _formats(descriptor)
    except OSError as error:
        problem = f"no device of Video4Linux ({error.strerror})"
        return CameraDevice(path=shown, name=name, holders=_holders(path, root), problem=problem)
    finally:
        os.close(descriptor)
    return CameraDevice(path=shown, name=name or card, formats=formats, holders=_holders(path, root))


def _formats(descriptor: int) -> tuple[str, ...]:
    found: list[str] = []
    for kind in (1, 9):  # single planes, several planes
        for index in range(_MOST_FORMATS):
            asked = _FORMAT.pack(index, kind, 0, b"", b"")
            try:
                found.append(parse_format(fcntl.ioctl(descriptor, _ENUM_FMT, asked)))
            except OSError:  # the list is over
                break
    return tuple(dict.fromkeys(found))


def _no_permission(path: Path) -> str:
    try:
        group = grp.getgrgid(path.stat().st_gid).gr_name
    except (KeyError, OSError):
        group = "video"
    return f"no permission; it belongs to the group {group}"


def _holders(path: Path, root: Path) -> tuple[str, ...]:
    """Programs that have a device open; those of other users are not seen without their rights."""
    holders = []
    own = str(os.getpid())
    for folder in root.glob("proc/[0-9]*/fd"):
        number = folder.parent.name
        try:
            held = number != own and any(os.readlink(one) == str(path) for one in folder.iterdir())
        except OSError:
            continue
        if held:
            holders.append(f"{first_line(folder.parent / 'comm') or 'a program'} ({number})")
    return tuple(sorted(holders))


def _opencv() -> tuple[str | None, bool]:
    from resemote_edge.camera.sources.video import has_gstreamer
    from resemote_edge.vision.opencv import import_opencv

    try:
        cv2 = import_opencv("reading cameras")
    except MissingDependencyError:
        return None, False
    return str(cv2.__version__), has_gstreamer(cv2)


def _advice(devices: tuple[CameraDevice, ...], opencv: str | None, gstreamer: bool, daemon: bool | None) -> list[str]:
    advice = []
    if not devices:
        advice.append("no camera is there: plug one in; in a container, pass the device in (--device /dev/video0)")
    for device in devices:
        if "no permission" in device.problem:
            group = device.problem.rpartition(" ")[2]
            advice.append(f"{device.path}: join the group (sudo usermod -aG {group} $USER), and log in again")
        elif device.holders:
            advice.append(f"{device.path}: {', '.join(device.holders)} has it open; most cameras serve one program")
    if opencv is None and daemon is not None:
        advice.append("OpenCV reads cameras, and JetPack has one with GStreamer: sudo apt install python3-opencv")
    elif opencv is None:
        advice.append("cameras and films are read with OpenCV: pip install 'resemote-edge[video]'")
    elif daemon is not None and not gstreamer:
        advice.append(
            "CSI cameras need an OpenCV with GStreamer: remove pip's opencv packages, so that JetPack's own is used"
        )
    if daemon is False:
        advice.append("the daemon of CSI cameras is not running: sudo systemctl restart nvargus-daemon")
    return advice
