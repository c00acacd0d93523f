"""resemote-edge: ResEmoteNet, facial emotion recognition, on desktop GPUs, Jetson boards and CPUs.

>>> import resemote_edge
>>> classifier = resemote_edge.load()            # doctest: +SKIP
>>> classifier(face_crop, color="bgr")[0].label  # doctest: +SKIP
'happy'

Importing this module loads the standard library and numpy, nothing else; everything heavier is imported by the call
that needs it.
"""

from resemote_edge.classifier import Emotion, EmotionClassifier, load

__all__ = ["Emotion", "EmotionClassifier", "__version__", "load"]

__version__ = "0.1.0"
