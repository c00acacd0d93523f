"""Imports of packages that phone home, with their telemetry switched off."""

import os
import sys
from typing import Any

from resemote_edge.errors import needs

__all__ = ["import_onnxruntime", "import_openvino"]


def import_openvino(purpose: str) -> Any:
    """Import ``openvino`` without its telemetry.

    Importing it sends a usage event unless the user has opted out by a file in the home directory. OpenVINO falls back
    to a stub when its telemetry package is absent. So that package is made to look absent in this process, and nothing
    is written to the user's home.

    Args:
        purpose: Work that needs the package, for the message when it is not installed.

    Returns:
        The module.

    Raises:
        MissingDependencyError: The package is not installed.
    """
    if "openvino" not in sys.modules:
        sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    with needs("openvino", purpose):
        import openvino
    return openvino


def import_onnxruntime(purpose: str) -> Any:
    """Import ``onnxruntime`` without its telemetry.

    From 1.32 on, importing it starts a thread that asks for its collector's address, and writes to the user's cache and
    temporary folders. An environment variable that is set before the import prevents all of that; processes that this
    one starts inherit it. A caller who set it to another value has chosen.

    Args:
        purpose: Work that needs the package, for the message when it is not installed.

    Returns:
        The module.

    Raises:
        MissingDependencyError: The package is not installed.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    with needs("onnxruntime", purpose):
        import onnxruntime
    onnxruntime.disable_telemetry_events()
    return onnxruntime
