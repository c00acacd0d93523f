"""resemote-edge: runs ResEmoteNet, a facial expression network, on desktop GPUs, Jetson boards and CPUs.

>>> import resemote_edge
>>> classifier = resemote_edge.load()            # doctest: +SKIP
>>> classifier(face_crop, color="bgr")[0].label  # doctest: +SKIP
'happy'

Importing this module loads only the standard library and numpy. Heavier packages are imported by the call that needs
them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from resemote_edge.classifier import Emotion, EmotionClassifier, load
from resemote_edge.vision.frame import Box, Frame

if TYPE_CHECKING:
    from resemote_edge.camera.watch import WatchOptions, watch
    from resemote_edge.faces.analysis import find_and_classify
    from resemote_edge.faces.detectors import open_detector
    from resemote_edge.faces.face import Face
    from resemote_edge.runtimes.native.classifier import NativeClassifier

__all__ = [
    "Box",
    "Emotion",
    "EmotionClassifier",
    "Face",
    "Frame",
    "NativeClassifier",
    "WatchOptions",
    "__version__",
    "find_and_classify",
    "load",
    "open_detector",
    "watch",
]

#: Public name to the module that has it, which is imported when the name is first used.
_LAZY = {
    "Face": "resemote_edge.faces.face",
    "NativeClassifier": "resemote_edge.runtimes.native.classifier",
    "WatchOptions": "resemote_edge.camera.watch",
    "find_and_classify": "resemote_edge.faces.analysis",
    "open_detector": "resemote_edge.faces.detectors",
    "watch": "resemote_edge.camera.watch",
}

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
