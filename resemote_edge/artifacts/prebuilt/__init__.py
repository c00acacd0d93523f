"""The prebuilt artifacts: what classifies, and what finds faces, where nobody names an artifact.

The classifier is the embedded weights `s` as ONNX with eight-bit weights, computed in single precision: ONNX Runtime,
OpenVINO and the native library run it, on any CPU. docs/decisions/0014-prebuilt-artifact.md says why this one. The
detectors are YuNet as ONNX, for frames scaled to two sizes. ``python -m resemote_edge.experiments prebuilt`` makes all.
"""

from pathlib import Path

__all__ = ["PREBUILT_DETECTORS", "PREBUILT_NAME", "prebuilt_detector_path", "prebuilt_path"]

#: Name of the classifier, and of its folder beside this module.
PREBUILT_NAME = "resemotenet-s-fer2013-onnx-w8"

#: Family of a detector, width and height of its input, pixels; the first of a family is its default.
PREBUILT_DETECTORS: tuple[tuple[str, int, int], ...] = (("yunet", 640, 384), ("yunet", 320, 192))


def prebuilt_path() -> Path:
    """Folder of the prebuilt classifier, for `Artifact.load`."""
    return Path(__file__).parent / PREBUILT_NAME


def prebuilt_detector_path(family: str, width: int, height: int) -> Path:
    """Folder of a prebuilt detector, one of `PREBUILT_DETECTORS`, for `DetectorArtifact.load`."""
    return Path(__file__).parent / f"{family}-{width}x{height}-onnx-fp32"
