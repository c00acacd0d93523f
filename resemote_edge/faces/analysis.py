"""Analysis of one frame: which faces are in it, and what each expresses."""

from typing import NamedTuple

from resemote_edge.classifier import Emotion, EmotionClassifier
from resemote_edge.faces.detectors.base import Detector
from resemote_edge.faces.face import Face
from resemote_edge.vision.frame import Frame, side_within
from resemote_edge.vision.preprocessing import MIN_CROP_SIDE

__all__ = ["JudgedFace", "find_and_classify"]


class JudgedFace(NamedTuple):
    """A face of a frame.

    Attributes:
        face: Where it is.
        emotion: What it expresses.
    """

    face: Face
    emotion: Emotion


def find_and_classify(frame: Frame, detector: Detector, classifier: EmotionClassifier) -> list[JudgedFace]:
    """Find the faces of a frame and classify them all in one batch.

    The classifier is shown the square of the detector's framing, with the pixels of the frame's border repeated beyond
    it. A face of whose square less than 8x8 pixels lie in the frame is left out, because there is nothing to look at.

    Args:
        frame: The picture, in any pixel format; not modified.
        detector: Finds the faces.
        classifier: Judges them.

    Returns:
        The faces, those with the highest detection scores first.

    Raises:
        ArtifactError: An engine fails.
        SessionClosedError: The detector or the classifier was closed.
    """
    framed = [(face, detector.framing.square(*face.box)) for face in detector.detect(frame)]
    seen = [(face, square) for face, square in framed if side_within(frame, square) >= MIN_CROP_SIDE]
    emotions = classifier.classify_frame(frame, [square for _, square in seen], edges="replicated")
    return [JudgedFace(face, emotion) for (face, _), emotion in zip(seen, emotions, strict=True)]
