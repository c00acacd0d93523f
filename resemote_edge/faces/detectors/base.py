"""Detector: the interface that all face detectors share."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from types import TracebackType
from typing import TypeVar

from resemote_edge.faces.face import Face
from resemote_edge.vision.frame import Frame
from resemote_edge.vision.framing import Framing

__all__ = ["Detector", "DetectorOptions"]

_D = TypeVar("_D", bound="Detector")


@dataclass(frozen=True, kw_only=True)
class DetectorOptions:
    """Options to open a detector with.

    Attributes:
        runtime: Runtime that runs its network, or ``auto``.
        device: Device, or ``auto``.
        threads: Number of CPU threads; None leaves it to the runtime.
        min_score: Lowest score of a face that is reported, in [0, 1]; None for the detector's own.
        size: Width and height that a frame is scaled to, in pixels; None for the detector's own.
    """

    runtime: str = "auto"
    device: str = "auto"
    threads: int | None = None
    min_score: float | None = None
    size: tuple[int, int] | None = None


class Detector(ABC):
    """Finds the faces of a frame; used by one thread at a time.

    Attributes:
        name: Name on the command line and in JSON.
        framing: How its boxes become the squares that a classifier is shown.
    """

    name: str
    framing: Framing

    @abstractmethod
    def detect(self, frame: Frame) -> list[Face]:
        """Find the faces of a frame.

        Args:
            frame: The picture, in any pixel format; not modified.

        Returns:
            The faces, those with the highest scores first.

        Raises:
            ArtifactError: The engine fails.
            SessionClosedError: After `close`.
        """

    @abstractmethod
    def close(self) -> None:
        """Release what the detector holds; calling it again does nothing."""

    def __enter__(self: _D) -> _D:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
