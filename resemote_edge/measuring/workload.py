"""Subject: an artifact opened for measuring, with the same crops as pixels, as files and as the network's input."""

import io
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resemote_edge.artifacts.artifact import Artifact
from resemote_edge.classifier import EmotionClassifier
from resemote_edge.errors import where_installed
from resemote_edge.runtimes.session import Session
from resemote_edge.vision.drawn import drawn_faces

__all__ = ["STAGES", "Subject"]

#: Stages of a decision, in order; `Subject.decide` times each.
STAGES = ("decode", "preprocess", "inference", "postprocess")

_SEED = 1
_JPEG_QUALITY = 90


class Subject:
    """A session with a batch of drawn faces.

    Args:
        session: Session of the artifact that is measured; the caller closes it.
        batch: Crops per call.
        crop_side: Rows and columns of the crops.

    Attributes:
        session: The session.
        batch: Crops per call.
        feeds: Input of `run_model`.
        crops_done: Number of crops that went through the model so far.
    """

    def __init__(self, session: Session, *, batch: int, crop_side: int) -> None:
        self.session, self.batch = session, batch
        self.crops_done = 0
        self._classifier = EmotionClassifier(session, Artifact.expected(session.artifact).passport)
        self._crops = list(drawn_faces(batch, side=crop_side, seed=_SEED))
        self.feeds: dict[str, NDArray[Any]] = {
            session.inputs[0].name: self._classifier.preprocess(self._crops, color="rgb")
        }
        self._encoded = _encoded(self._crops)

    @property
    def decodes(self) -> bool:
        """Whether crops are decoded from JPEG first; False if Pillow is not installed."""
        return bool(self._encoded)

    def run_model(self) -> None:
        """Run the model alone, on input that is ready."""
        self.session.run(self.feeds)
        self.crops_done += self.batch

    def decide(self) -> tuple[int, int, int, int]:
        """Go from files to decisions, as an application does.

        Returns:
            Nanoseconds of each of `STAGES`; the first is near 0 where nothing is decoded.
        """
        clock, classifier = time.perf_counter_ns, self._classifier
        begun = clock()
        crops = [_decoded(data) for data in self._encoded] or self._crops
        decoded = clock()
        batch = classifier.preprocess(crops, color="rgb")
        ready = clock()
        outputs = classifier.infer(batch)
        inferred = clock()
        classifier.decide(outputs)
        ended = clock()
        self.crops_done += self.batch
        return decoded - begun, ready - decoded, inferred - ready, ended - inferred


def _encoded(crops: list[NDArray[np.uint8]]) -> list[bytes]:
    """The crops as JPEG; none where Pillow is not installed, as on a device that is fed pixels."""
    encoded = []
    with where_installed("PIL"):
        from PIL import Image

        for crop in crops:
            stream = io.BytesIO()
            Image.fromarray(crop).save(stream, format="JPEG", quality=_JPEG_QUALITY)
            encoded.append(stream.getvalue())
    return encoded


def _decoded(data: bytes) -> NDArray[np.uint8]:
    from PIL import Image

    with Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
        return np.asarray(image)
