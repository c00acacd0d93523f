"""The prebuilt artifact: what classifies where nobody names an artifact, and torch is not installed.

It is the embedded weights `s` as ONNX with eight-bit weights, computed in single precision: ONNX Runtime, OpenVINO and
the native library run it, on any CPU. docs/decisions/0014-prebuilt-artifact.md says why this one.
``python -m resemote_edge.experiments prebuilt`` makes it.
"""

from pathlib import Path

__all__ = ["PREBUILT_NAME", "prebuilt_path"]

#: Name of the artifact, and of its folder beside this module.
PREBUILT_NAME = "resemotenet-s-fer2013-onnx-w8"


def prebuilt_path() -> Path:
    """Folder of the prebuilt artifact, for `Artifact.load`."""
    return Path(__file__).parent / PREBUILT_NAME
