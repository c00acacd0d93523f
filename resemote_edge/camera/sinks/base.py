"""Sink: where results go, and the queue before each, so that a slow or dead sink never delays a frame."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from resemote_edge.camera.results import FrameResult
from resemote_edge.vision.frame import Frame

__all__ = ["Picture", "Sink", "SinkFacts"]

#: What a sink is shown of a frame.
Picture: TypeAlias = Literal["none", "plain", "annotated"]


@dataclass(kw_only=True)
class SinkFacts:
    """What became of the results that a sink was given.

    Attributes:
        written: Results that it took.
        lost: Results that it lost, by reason: ``queue full``, or what went wrong.
    """

    written: int = 0
    lost: dict[str, int] = field(default_factory=dict)


class Sink(ABC):
    """A place for results. Its methods are called by one thread of its own, which may wait for disks and networks.

    Attributes:
        name: Address as the user wrote it, without a password or token that it may hold.
        picture: Picture that `write` is given: ``"none"``; ``"plain"``, the frame as it came, faces blurred where the
            user asked for that; or ``"annotated"``, with boxes, labels and bars, which cost time to draw.
        queue_frames: Results that may wait for it; the oldest is dropped, and counted, when another arrives.
    """

    name: str
    picture: Picture = "none"
    queue_frames: int = 64

    def open(self) -> None:  # noqa: B027
        """Open files and connections; called once, before the first frame, by the thread that starts the run.

        Raises:
            InputError: The sink can never work: no such folder, no permission, an address that cannot be read.
        """

    @abstractmethod
    def write(self, result: FrameResult, picture: Frame | None) -> None:
        """Take one result.

        Args:
            result: What was decided about one frame.
            picture: The frame, BGR, as `picture` asks for; shared with other sinks, so never modified.

        Raises:
            Exception: Anything; the result is then lost, counted under the error's text, and the next one is tried.
        """

    def close(self) -> None:  # noqa: B027
        """Finish what was written and release everything; called once, after the last `write`."""
