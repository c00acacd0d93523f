"""Detectors: one module each, and the table of all of them by name."""

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from resemote_edge.errors import InputError

if TYPE_CHECKING:
    from resemote_edge.faces.detectors.base import Detector, DetectorOptions

__all__ = ["DETECTORS", "DetectorInfo", "open_detector"]


@dataclass(frozen=True, kw_only=True)
class DetectorInfo:
    """A row of the table.

    Attributes:
        implementation: Class of the detector, as ``module:Class``; its ``open(place, options)`` opens it.
        summary: What it is, for lists.
        suffix: Suffix of the file it reads; empty where it reads none, or an artifact.
    """

    implementation: str
    summary: str
    suffix: str = ""


#: A new detector is a module and a row here, and a row of `FAMILIES` if it has a network.
DETECTORS: dict[str, DetectorInfo] = {
    "yunet": DetectorInfo(
        implementation="resemote_edge.faces.detectors.yunet:YuNet",
        summary="YuNet (2023), which comes with the package: fast, with landmarks",
    ),
    "centerface": DetectorInfo(
        implementation="resemote_edge.faces.detectors.centerface:CenterFace",
        summary="CenterFace (2019), to be exported first: smaller faces, several times slower",
    ),
    "none": DetectorInfo(
        implementation="resemote_edge.faces.detectors.whole_frame:WholeFrame", summary="the frame is the face"
    ),
    "boxes": DetectorInfo(
        implementation="resemote_edge.faces.detectors.boxes_file:BoxesFile",
        summary="boxes from a .jsonl file, one object for each frame",
        suffix=".jsonl",
    ),
}


def open_detector(name_or_path: "str | Path" = "yunet", options: "DetectorOptions | None" = None) -> "Detector":
    """Open a detector.

    Args:
        name_or_path: Name in `DETECTORS`, folder of a detector's artifact, or file with boxes.
        options: Options of the detector.

    Returns:
        The detector; close it or use it as a context manager.

    Raises:
        InputError: There is no such detector or file.
        ArtifactError: The artifact is not whole, or no detector.
        DeviceUnavailableError: The device asked for is not there.
        MissingDependencyError: No runtime that can run it is installed.
    """
    from resemote_edge.faces.detectors.base import DetectorOptions

    options = options or DetectorOptions()
    path = Path(name_or_path)
    if str(name_or_path) in DETECTORS:
        return _open(str(name_or_path), None, options)
    for name, info in DETECTORS.items():
        if info.suffix and path.suffix == info.suffix:
            return _open(name, path, options)
    if path.suffix == ".onnx":
        raise InputError(
            f"{path}: an ONNX file, not an artifact",
            hint=f"run: resemote-edge export --detector {path} --target onnx; then pass the artifact's folder",
        )
    if not path.exists():
        raise InputError(
            f"unknown detector {str(name_or_path)!r}",
            hint=f"choose one of {', '.join(DETECTORS)}, or pass the folder of a detector's artifact",
        )
    from resemote_edge.artifacts.artifact import DetectorArtifact

    family = DetectorArtifact.load(path).passport.family
    if family not in DETECTORS:
        raise InputError(
            f"{path}: a detector of the family {family[:80]!r}, which this version does not know",
            hint="install the version that wrote it",
        )
    return _open(family, path, options)


def _open(name: str, place: Path | None, options: "DetectorOptions") -> "Detector":
    module, _, attribute = DETECTORS[name].implementation.partition(":")
    detector: Detector = getattr(import_module(module), attribute).open(place, options)
    return detector
