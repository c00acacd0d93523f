"""resemote-edge: runs ResEmoteNet, a facial expression network, on desktop GPUs, Jetson boards and CPUs.

>>> import resemote_edge
>>> classifier = resemote_edge.load()            # doctest: +SKIP
>>> classifier(face_crop, color="bgr")[0].label  # doctest: +SKIP
'happy'

Importing this module loads only the standard library and numpy. Heavier packages are imported by the call that needs
them.
"""

from typing import TYPE_CHECKING, Any

from resemote_edge.classifier import Emotion, EmotionClassifier, load
from resemote_edge.vision.frame import Box, Frame

if TYPE_CHECKING:
    from resemote_edge.runtimes.native.classifier import NativeClassifier

__all__ = ["Box", "Emotion", "EmotionClassifier", "Frame", "NativeClassifier", "__version__", "load"]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Import `NativeClassifier` when it is first used."""
    if name == "NativeClassifier":
        from resemote_edge.runtimes.native.classifier import NativeClassifier

        return NativeClassifier
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
