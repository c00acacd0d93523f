"""Sources: one module each, and a row in the table."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from resemote_edge.camera.address import scheme_of, without_secrets
from resemote_edge.camera.sources.base import FrameClock, Source, SourceOptions
from resemote_edge.errors import InputError

__all__ = ["SOURCES", "SourceRow", "make_source"]


class SourceRow(NamedTuple):
    """A kind of source.

    Attributes:
        source: ``module:class`` of the source.
        example: An address of that kind.
        summary: What it is, for people.
    """

    source: str
    example: str
    summary: str


_VIDEO = "resemote_edge.camera.sources.video:VideoSource"

#: Scheme of an address to what opens it.
SOURCES: dict[str, SourceRow] = {
    "v4l2": SourceRow(_VIDEO, "v4l2:///dev/video0", "USB or built-in camera, also by its number"),
    "csi": SourceRow(_VIDEO, "csi://0", "CSI camera of a Jetson, through GStreamer"),
    "rtsp": SourceRow(_VIDEO, "rtsp://host/path", "network camera"),
    "rtsps": SourceRow(_VIDEO, "rtsps://host/path", "network camera, encrypted"),
    "http": SourceRow(_VIDEO, "http://host/stream.mjpg", "MJPEG or another stream over HTTP"),
    "https": SourceRow(_VIDEO, "https://host/stream.mjpg", "the same, encrypted"),
    "gst": SourceRow(_VIDEO, "gst:videotestsrc ! videoconvert ! appsink", "pipeline of GStreamer"),
    "file": SourceRow(_VIDEO, "film.mp4", "film, also by its path"),
    "folder": SourceRow("resemote_edge.camera.sources.folder:FolderSource", "folder/", "images of a folder, in order"),
    "pattern": SourceRow(
        "resemote_edge.camera.sources.pattern:PatternSource", "pattern://?faces=2", "drawn faces that move"
    ),
}


def make_source(address: str, options: SourceOptions, clock: FrameClock) -> Source:
    """Make the source that an address names; nothing is opened yet.

    Args:
        address: URI, number of a camera, or path of a film or folder.
        options: Options.
        clock: Clock of the stream.

    Returns:
        The source.

    Raises:
        InputError: The address names nothing that can be a source.
    """
    scheme = scheme_of(address)
    if not scheme:
        scheme = "v4l2" if address.isdecimal() or address.startswith("/dev/") else "file"
    if scheme == "file" and Path(address.removeprefix("file://")).is_dir():
        scheme = "folder"
    if scheme not in SOURCES:
        raise InputError(
            f"{without_secrets(address)}: no source begins with {scheme}:",
            hint=f"there are {', '.join(row.example for row in SOURCES.values())}",
        )
    module, _, name = SOURCES[scheme].source.partition(":")
    made: Callable[[str, SourceOptions, FrameClock], Source] = getattr(import_module(module), name)
    return made(address, options, clock)
