"""Backend: the engine of the library that runs an artifact, and the device it runs on."""

from typing import NamedTuple

from resemote_edge.artifacts.artifact import Artifact
from resemote_edge.artifacts.passport import FileEntry
from resemote_edge.errors import DeviceUnavailableError
from resemote_edge.runtimes.native.library import NativeLibrary

__all__ = ["Backend", "choose_backend"]

#: Formats a backend loads, best first.
_FORMATS = {
    "tensorrt": ("tensorrt-engine", "onnx"),
    "onnxruntime": ("onnx",),
    "openvino": ("openvino-ir", "onnx"),
}


class Backend(NamedTuple):
    """A backend that runs an artifact.

    Attributes:
        name: Name as the library lists it.
        device: Effective device, never ``auto``.
        file: File of the artifact that it loads.
    """

    name: str
    device: str
    file: FileEntry


def choose_backend(library: NativeLibrary, artifact: Artifact, device: str) -> Backend:
    """The first backend, in the library's order, that runs an artifact here.

    Args:
        library: Library whose backends are considered.
        artifact: Artifact to run.
        device: Device asked for; ``auto`` takes the backend's first.

    Raises:
        DeviceUnavailableError: No backend has the device and a format of the artifact.
    """
    reasons = []
    for name in library.backends():
        file = artifact.find(_FORMATS[name], roles=("model", "source"))
        if file is None:
            continue
        info = library.probe(name)
        devices = tuple(info.devices.decode().split())
        if not info.available:
            reasons.append(f"backend {name}: {info.reason.decode()}")
        elif device in ("auto", *devices):
            return Backend(name, devices[0] if device == "auto" else device, file)
        else:
            reasons.append(f"backend {name} has {', '.join(devices)}")
    why = "; ".join(reasons) or "none loads its format"
    raise DeviceUnavailableError(
        f"runtime native: no backend runs {artifact.path} on {device!r}: {why}",
        hint="pass another --device or --runtime",
    )
