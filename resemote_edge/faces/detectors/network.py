"""NetworkDetector: a detector whose network is an artifact, run by any of the runtimes."""

from abc import abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from resemote_edge.artifacts.artifact import DetectorArtifact
from resemote_edge.artifacts.detector_passport import DetectorPassport
from resemote_edge.artifacts.prebuilt import PREBUILT_DETECTORS, prebuilt_detector_path
from resemote_edge.errors import ArtifactMismatchError, InputError
from resemote_edge.faces.detectors.base import Detector, DetectorOptions
from resemote_edge.faces.detectors.picture import fit
from resemote_edge.faces.face import Face
from resemote_edge.faces.families import FAMILIES
from resemote_edge.runtimes.registry import open_session
from resemote_edge.runtimes.session import Session, SessionOptions
from resemote_edge.vision.frame import Frame
from resemote_edge.vision.opencv import opencv_if_installed

__all__ = ["Candidates", "NetworkDetector", "keep_best"]

_D = TypeVar("_D", bound="NetworkDetector")

#: Places in the network's input that may be faces, the best of which are kept; no picture has as many.
_MOST_CANDIDATES = 5000


class Candidates:
    """Places that may be faces, in pixels of the network's input.

    Attributes:
        boxes: x, y, width and height, float (N, 4).
        scores: float (N,), in [0, 1].
        landmarks: x and y of the five landmarks, float (N, 5, 2).
    """

    def __init__(
        self, boxes: NDArray[np.floating], scores: NDArray[np.floating], landmarks: NDArray[np.floating]
    ) -> None:
        self.boxes = boxes.astype(np.float64)
        self.scores = scores.astype(np.float64)
        self.landmarks = landmarks.astype(np.float64)


class NetworkDetector(Detector):
    """Scales a frame, runs the network, and keeps the best of boxes that overlap; a subclass reads the outputs.

    Attributes:
        session: Session of the network.
        passport: Passport of the artifact.
        min_score: Lowest score of a face that is reported.
    """

    #: Family of its networks.
    family: str

    def __init__(self, session: Session, passport: DetectorPassport, min_score: float | None = None) -> None:
        self.session = session
        self.passport = passport
        self.name = passport.family
        self.framing = passport.framing
        self.min_score = passport.min_score if min_score is None else min_score
        opencv_if_installed()  # Its first import takes longer than a frame may.
        expected, found = FAMILIES[self.family].outputs, {spec.name for spec in passport.outputs}
        if passport.family != self.family or not set(expected) <= found:
            raise ArtifactMismatchError(
                f"{session.artifact.path}: a detector of the family {passport.family[:80]!r} with the outputs "
                f"{', '.join(sorted(found))} is not read as {self.family}",
                hint="export it again: resemote-edge export --detector",
            )

    @classmethod
    def open(cls: type[_D], place: Path | None, options: DetectorOptions) -> _D:
        """Open an artifact of the family.

        Args:
            place: Folder of the artifact; None for the one that comes with the package.
            options: Options of the detector.

        Raises:
            ArtifactError: The artifact is not whole, or no detector.
            DeviceUnavailableError: The device asked for is not there.
            InputError: No such artifact comes with the package, or the artifact takes frames in another size.
            MissingDependencyError: No runtime that can run it is installed.
        """
        artifact = DetectorArtifact.load(cls._prebuilt(options.size) if place is None else place)
        passport = artifact.passport
        if options.size not in (None, (passport.width, passport.height)):
            raise InputError(
                f"{artifact.path}: its network takes {passport.width}x{passport.height}, not "
                f"{options.size[0]}x{options.size[1]}",
                hint="leave the size out, or export the detector in that size",
            )
        settings = SessionOptions(device=options.device, threads=options.threads)
        session = open_session(artifact, options.runtime, settings)
        try:
            return cls(session, passport, options.min_score)
        except BaseException:
            session.close()
            raise

    @classmethod
    def _prebuilt(cls, size: tuple[int, int] | None) -> Path:
        sizes = [each for family, *each in PREBUILT_DETECTORS if family == cls.family]
        if not sizes:
            raise InputError(
                f"the detector {cls.family} does not come with the package",
                hint=f"run: resemote-edge export --detector {cls.family} --target onnx; then pass the artifact's "
                "folder as --detector",
            )
        wanted = list(size or sizes[0])
        if wanted not in sizes:
            raise InputError(
                f"{cls.family} comes with the package for {' and '.join(f'{w}x{h}' for w, h in sizes)}, not for "
                f"{wanted[0]}x{wanted[1]}",
                hint=f"run: resemote-edge export --detector {cls.family} --size {wanted[0]}x{wanted[1]}",
            )
        return prebuilt_detector_path(cls.family, *wanted)

    def detect(self, frame: Frame) -> list[Face]:
        """Find the faces of a frame; see `Detector.detect`."""
        passport = self.passport
        picture = fit(frame, passport.width, passport.height)
        found = self.read(self.session.run({passport.inputs[0].name: passport.feed(picture.pixels)}))
        return list(self._faces(found, np.array([picture.across, picture.down])))

    def _faces(self, found: Candidates, scale: NDArray[np.float64]) -> Iterator[Face]:
        boxes = found.boxes * np.tile(scale, 2)
        landmarks = found.landmarks * scale
        for index in keep_best(found.boxes, found.scores, self.passport.max_overlap):
            x, y, width, height = boxes[index].tolist()
            if min(width, height) <= 0 or not np.isfinite((x, y, width, height)).all():
                continue  # A network's exponential may leave the range of numbers.
            yield Face(
                x=x,
                y=y,
                width=width,
                height=height,
                score=float(found.scores[index]),
                landmarks=tuple((float(a), float(b)) for a, b in landmarks[index]),
            )

    @abstractmethod
    def read(self, outputs: dict[str, NDArray[np.float32]]) -> Candidates:
        """Turn the network's outputs into places whose score is at least `min_score`."""

    def close(self) -> None:
        """Release the session; calling it again does nothing."""
        self.session.close()


def keep_best(boxes: NDArray[np.float64], scores: NDArray[np.float64], max_overlap: float) -> list[int]:
    """Choose boxes, the best first, none of which overlaps a better one too much (non-maximum suppression).

    Args:
        boxes: x, y, width and height, float64 (N, 4).
        scores: float64 (N,).
        max_overlap: Largest intersection over union of two that are kept.

    Returns:
        Indices of the boxes that are kept, those with the highest scores first.
    """
    order = np.argsort(-scores, kind="stable")[:_MOST_CANDIDATES]
    low, sides = boxes[:, :2], boxes[:, 2:]
    high, areas = low + sides, sides.prod(axis=1)
    kept: list[int] = []
    while len(order):
        best, order = int(order[0]), order[1:]
        kept.append(best)
        shared = (np.minimum(high[best], high[order]) - np.maximum(low[best], low[order])).clip(min=0).prod(axis=1)
        order = order[shared <= max_overlap * (areas[best] + areas[order] - shared)]
    return kept
