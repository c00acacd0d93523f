"""Imports of packages that phone home, with their telemetry switched off."""

import os
import sys
from typing import Any

from resemote_edge.errors import needs

__all__ = ["hide_openvino_telemetry", "import_onnxruntime", "import_openvino"]


def import_openvino(purpose: str) -> Any:
    """Import ``openvino`` without its telemetry, which sends a usage event at the import.

    Args:
        purpose: Work that needs the package, for the message when it is not installed.

    Returns:
        The module.

    Raises:
        MissingDependencyError: The package is not installed.
    """
    hide_openvino_telemetry(before="openvino")
    with needs("openvino", purpose):
        import openvino
    return openvino


def hide_openvino_telemetry(*, before: str) -> None:
    """Make OpenVINO's telemetry package look absent in this process, if the package of this name is not imported yet.

    Whoever reports through it falls back to a stub when it is absent. A user can opt out by a file in the home
    directory; so nothing is written there.
    """
    if before not in sys.modules:
        sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]


def import_onnxruntime(purpose: str) -> Any:
    """Import ``onnxruntime`` without its telemetry; otherwise as `import_openvino`.

    From 1.32 on, importing it starts a thread that asks for its collector's address, and writes to the user's cache and
    temporary folders. An environment variable that is set before the import prevents all of that; processes that this
    one starts inherit it. A caller who set it to another value has chosen.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    with needs("onnxruntime", purpose):
        import onnxruntime
    onnxruntime.disable_telemetry_events()
    return onnxruntime
