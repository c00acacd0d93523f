"""Sink: where results go, and the queue before each, so that a slow or dead sink never delays a frame."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from resemote_edge.camera.address import without_secrets
from resemote_edge.camera.privacy.aggregate import AggregateResult
from resemote_edge.camera.results import FrameResult
from resemote_edge.errors import InputError
from resemote_edge.vision.frame import Frame

if TYPE_CHECKING:
    from resemote_edge.camera.live.options import LiveOptions

__all__ = ["Existing", "Picture", "Sink", "SinkEnded", "SinkFacts", "SinkOptions", "file_path"]

#: What a sink is shown of a frame.
Picture: TypeAlias = Literal["none", "plain", "annotated"]

#: What becomes of a file that exists where a sink is to write one.
Existing: TypeAlias = Literal["refuse", "replace", "append"]


class SinkEnded(Exception):  # noqa: N818 - it is no fault
    """Raised by `Sink.write` when whoever looked at the sink has left, such as the reader of a pipe.

    The run ends as if the user had stopped it.
    """


@dataclass(frozen=True, kw_only=True)
class SinkOptions:
    """What the user asked for besides the address; each sink uses what concerns it.

    Attributes:
        existing: What becomes of a file that exists; a video cannot be appended to.
        frames_per_second: Frame rate of a video; None for that of its first frames.
        keep_seconds: Age at which a file of this run, or of an earlier one, is deleted; None to keep all files.
        state_seconds: Least time between two states that a broker is sent.
        aggregate: Whether the sink gets counts per interval in place of results and pictures.
        live: Options of the live page; None for its defaults.
    """

    existing: Existing = "refuse"
    frames_per_second: float | None = None
    keep_seconds: float | None = None
    state_seconds: float = 1.0
    aggregate: bool = False
    live: "LiveOptions | None" = None


@dataclass(kw_only=True)
class SinkFacts:
    """What became of what a sink was given.

    Attributes:
        written: Results that it took.
        lost: Results that it lost, and events made of them, by reason: ``queue full``, or what went wrong.
        unfinished: What went wrong at the end, such as a film that cannot be read back; None if it ended well.
    """

    written: int = 0
    lost: dict[str, int] = field(default_factory=dict)
    unfinished: str | None = None


class Sink(ABC):
    """A place for results. Its methods are called by one thread of its own, which may wait for disks and networks.

    Args:
        address: Address as the user wrote it.
        options: What the user asked for besides.

    Attributes:
        name: Address, as it may be shown.
        picture: Picture that `write` is given: ``"none"``; ``"plain"``, the frame as it came, faces blurred where the
            user asked for that; or ``"annotated"``, with boxes, labels, bars and the notice, which cost time to draw.
        queue_frames: Results that may wait for it; the oldest is dropped, and counted, when another arrives.
        takes_aggregates: Whether it can be given counts in place of results.
        lose: Function that counts losses which no exception of `write` shows; takes the reason and how many. It may
            be called by any thread.
        tell: Function that shows a person one line, once in a while if it repeats; may be called by any thread.
    """

    name: str
    picture: Picture = "none"
    queue_frames: int = 64
    takes_aggregates: bool = False
    lose: Callable[[str, int], None] = staticmethod(lambda reason, count: None)
    tell: Callable[[str], None] = staticmethod(lambda text: None)

    def __init__(self, address: str, options: SinkOptions) -> None:
        del options
        self.name = without_secrets(address)

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
            SinkEnded: Whoever looked at it has left.
            Exception: Anything; the result is then lost, counted under the error's text, and the next one is tried.
        """

    def write_aggregate(self, result: AggregateResult) -> None:
        """Take the counts of one interval, in place of the results of its frames.

        Raises:
            SinkEnded: As of `write`.
            Exception: As of `write`.
        """
        raise InputError(f"{self.name} cannot be given counts", hint="leave out --aggregate")

    def tick(self) -> None:  # noqa: B027
        """Do what time asks for; called about once a second, whether results come or not.

        Raises:
            Exception: Anything; it is told, and nothing is counted as lost.
        """

    def close(self) -> None:  # noqa: B027
        """Finish what was written and release everything; called once, after the last `write`.

        Raises:
            Exception: Anything; it is told.
        """


def file_path(text: str, name: str) -> Path:
    """The path of a file that a sink is to write.

    Args:
        text: Path as the user wrote it.
        name: Name of the sink, for the error.

    Raises:
        InputError: It names no file, a folder, or a file in a folder that is not there.
    """
    path = Path(text).expanduser()
    if not text or not path.name:
        raise InputError(f"{name} names no file", hint="add the file's path")
    if path.is_dir():
        raise InputError(f"{path} is a folder", hint="add the file's name")
    if not path.parent.is_dir():
        raise InputError(f"{path.parent} is no folder", hint="make it, or pass another path")
    return path
