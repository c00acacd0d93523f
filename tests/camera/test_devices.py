"""Cameras of a machine: structures of Video4Linux as the kernel packs them, and trees of files."""

import os
import struct

import pytest
from sysfs_trees import put

from resemote_edge.camera import devices
from resemote_edge.camera.devices import diagnose_cameras, parse_capability, parse_format


def capability(card, of_device, of_node):
    return struct.pack("<16s32s32sIII12x", b"uvcvideo", card, b"usb-1", 0x60000, of_device, of_node)


@pytest.mark.parametrize(
    ("of_device", "of_node", "captures"),
    [
        (0x84A00001, 0x04200001, True),  # a USB camera's first node
        (0x84A00001, 0x04A00000, False),  # its second one, for metadata
        (0x04000001, 0, True),  # an old driver that says nothing of nodes
        (0x84201000, 0x04201000, True),  # several planes, as on a Raspberry Pi
        (0x84208000, 0x04208000, False),  # a decoder
    ],
)
def test_which_nodes_capture_video(of_device, of_node, captures):
    assert parse_capability(capability(b"HD Pro Webcam C920", of_device, of_node)) == ("HD Pro Webcam C920", captures)


def test_requests_are_those_of_the_kernel_headers():
    # videodev2.h: VIDIOC_QUERYCAP and VIDIOC_ENUM_FMT on Linux with 64 bits.
    assert (devices._QUERYCAP, devices._ENUM_FMT) == (0x80685600, 0xC0405602)


def test_a_format_is_its_four_letters():
    raw = struct.pack("<III32s4s16x", 0, 1, 0, b"Motion-JPEG", b"MJPG")
    assert parse_format(raw) == "MJPG"
    assert parse_format(struct.pack("<III32s4s16x", 0, 1, 0, b"Greyscale", b"Y8  ")) == "Y8"


def test_a_machine_without_cameras_is_told_what_to_do(tmp_path):
    found = diagnose_cameras(tmp_path)
    assert found.devices == ()
    assert found.jetson_daemon is None
    assert any("no camera is there" in line for line in found.advice)


def test_a_device_that_cannot_be_asked_says_why_and_who_holds_it(tmp_path):
    video = put(tmp_path, "dev/video0", "")
    put(tmp_path, "dev/video10", "")
    put(tmp_path, "sys/class/video4linux/video0/name", "HD Pro Webcam C920\n")
    put(tmp_path, "proc/4242/comm", "guvcview\n")
    (tmp_path / "proc/4242/fd").mkdir()
    os.symlink(video, tmp_path / "proc/4242/fd/7")
    found = diagnose_cameras(tmp_path)
    assert [device.path for device in found.devices] == ["/dev/video0", "/dev/video10"]
    first = found.devices[0]
    assert (first.name, first.holders) == ("HD Pro Webcam C920", ("guvcview (4242)",))
    assert first.problem.startswith("no device of Video4Linux")
    assert any("guvcview (4242) has it open" in line for line in found.advice)


@pytest.mark.parametrize("running", [True, False])
def test_a_jetson_is_asked_for_the_daemon_of_its_csi_cameras(tmp_path, running):
    put(tmp_path, "etc/nv_tegra_release", "# R36 (release), REVISION: 4.3\n")
    if running:
        put(tmp_path, "tmp/argus_socket", "")
    found = diagnose_cameras(tmp_path)
    assert found.jetson_daemon is running
    assert any("nvargus-daemon" in line for line in found.advice) is not running
    if not found.gstreamer:
        assert any("with GStreamer" in line for line in found.advice)
