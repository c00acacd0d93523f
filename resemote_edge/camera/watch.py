"""Watch: the loop from a source to decisions, for programs that embed it and for the command line."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from resemote_edge.artifacts.artifact import Artifact
from resemote_edge.camera.decider import Decider, DeciderOptions
from resemote_edge.camera.reader import FrameReader, ReaderOptions
from resemote_edge.camera.results import FrameResult
from resemote_edge.camera.sources.base import SourceOptions
from resemote_edge.camera.summary import CameraSummary, RunTally, SinkSummary
from resemote_edge.classifier import EmotionClassifier, load
from resemote_edge.errors import InputError, SourceError
from resemote_edge.faces.detectors import open_detector
from resemote_edge.faces.detectors.base import Detector, DetectorOptions
from resemote_edge.faces.face import Face
from resemote_edge.vision.frame import Frame

__all__ = ["Watch", "WatchOptions", "watch"]


@dataclass(frozen=True, kw_only=True)
class WatchOptions:
    """Options of `watch`.

    Attributes:
        artifact: Artifact of the classifier, or its folder; None for the prebuilt one.
        detector: Name of a detector, or the folder or file of one.
        runtime: Runtime of both networks, or ``auto``.
        device: Device of both, or ``auto``.
        threads: CPU threads of each; None leaves it to the runtime.
        min_face_score: Lowest score of a face; None for the detector's own.
        detector_size: Width and height that frames are scaled to for the detector; None for its own.
        source: Options of the source.
        reader: How the source is read.
        decider: How frames are decided.
    """

    artifact: "str | Path | Artifact | None" = None
    detector: str = "yunet"
    runtime: str = "auto"
    device: str = "auto"
    threads: int | None = None
    min_face_score: float | None = None
    detector_size: tuple[int, int] | None = None
    source: SourceOptions = field(default_factory=SourceOptions)
    reader: ReaderOptions = field(default_factory=ReaderOptions)
    decider: DeciderOptions = field(default_factory=DeciderOptions)


class Watch:
    """Decisions about the faces that a source shows, one frame after the other.

    Iterate over it, or let `start` call a function from a thread of its own. Close it, or use it as a context manager;
    a loop that ends closes it as well.

    Attributes:
        frame: The frame that the last result is about; None before the first.
        classifier: The classifier in use.
        detector: The detector in use.
        decider: What decides each frame.
        on_idle: Called about ten times a second while no frame comes.
    """

    def __init__(
        self,
        reader: FrameReader,
        detector: Detector,
        classifier: EmotionClassifier,
        options: DeciderOptions | None = None,
    ) -> None:
        self.frame: Frame | None = None
        self.on_idle: Callable[[], None] = lambda: None
        self.classifier = classifier
        self.detector = detector
        self._reader = reader
        self.decider = Decider(detector, classifier, reader.name, options)
        self._tally = RunTally()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._begun = False
        self._lost = False

    @property
    def live(self) -> bool:
        """Whether frames come at their own pace, so that late ones are dropped; a film waits."""
        return self._reader.live

    @property
    def tentative(self) -> tuple[Face, ...]:
        """Faces of the last frame whose tracks are not confirmed yet; its result leaves them out."""
        return self.decider.tentative

    @property
    def decided(self) -> int:
        """Number of frames that were decided."""
        return self._tally.decided

    def __iter__(self) -> Iterator[FrameResult]:
        """Decide frame after frame until the source ends, fails for good, or `stop` is called.

        Raises:
            SourceError: The source does not open, or ended with a failure.
            ArtifactError: An engine fails.
        """
        if self._begun:
            raise InputError("this source is being watched already", hint="call watch again for another run")
        self._begun = True
        try:
            self._reader.start()
            while not self._stop.is_set() and not self._reader.ended:
                captured = self._reader.take(timeout=0.1)
                if captured is None:
                    self.on_idle()
                    continue
                result = self.decider.decide(captured, live=self._reader.live, dropped=self._reader.dropped)
                self.frame = captured.frame
                self._tally.add(result)
                yield result
            if self._reader.failure is not None and not self._stop.is_set():
                raise self._reader.failure
        finally:
            self.close()

    def start(self, on_result: Callable[[FrameResult], None]) -> None:
        """Watch in a thread of its own.

        Args:
            on_result: Called with every result, in that thread. An exception from it, or from the source, ends the
                watch; `join` raises it.
        """
        self._error: BaseException | None = None

        def run() -> None:
            try:
                for result in self:
                    on_result(result)
            except BaseException as error:
                self._error = error

        self._thread = threading.Thread(target=run, name="watch", daemon=True)
        self._thread.start()

    def join(self, timeout: float | None = None) -> bool:
        """Wait for what `start` began.

        Returns:
            Whether it has ended.

        Raises:
            Exception: What ended it, if it was not its end or `stop`.
        """
        if self._thread is None:
            raise InputError("nothing was started", hint="call start first")
        self._thread.join(timeout)
        if self._thread.is_alive():
            return False
        if self._error is not None:
            raise self._error
        return True

    def stop(self) -> None:
        """Let the loop end after the frame it is at; from any thread or a signal handler."""
        self._stop.set()

    def close(self) -> None:
        """Release the source, the detector and the classifier; calling it again does nothing."""
        self._lost = self._lost or self._reader.lost
        self._stop.set()
        self._reader.close()
        self.detector.close()
        self.classifier.close()

    def summary(self, sinks: tuple[SinkSummary, ...] = ()) -> CameraSummary:
        """What became of all frames so far.

        Args:
            sinks: What became of the results that were passed on.
        """
        return CameraSummary(
            source=self._reader.name,
            session=self.decider.session,
            seconds=round(self._tally.seconds, 3),
            captured=self._reader.captured,
            decided=self._tally.decided,
            dropped=self._reader.dropped,
            restarts=self._reader.restarts,
            lost=self._lost or self._reader.lost or isinstance(self._reader.failure, SourceError),
            faces=self.decider.faces,
            detect_every=self.decider.schedule.every,
            fps=None if self._tally.fps is None else round(self._tally.fps, 2),
            decision_age=self._tally.ages() if self._reader.live else None,
            sinks=sinks,
        )

    def __enter__(self) -> "Watch":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def watch(
    source: str | int, options: WatchOptions | None = None, *, notice: Callable[[str], None] = lambda text: None
) -> Watch:
    """Watch a camera, stream, film or folder.

    >>> for result in resemote_edge.watch("rtsp://camera/stream"):  # doctest: +SKIP
    ...     print([(face.track, face.label) for face in result.faces])

    Args:
        source: Address of the source: ``0``, ``rtsp://...``, ``film.mp4``, ``folder/``, ``pattern://`` and others.
        options: Options.
        notice: Told when the source fails and when it is back.

    Returns:
        The watch; the source is opened when it is iterated over.

    Raises:
        InputError: The address or an option cannot be used.
        ArtifactError: An artifact is not whole.
        MissingDependencyError: A package is not installed.
    """
    options = options or WatchOptions()
    reader = FrameReader(str(source), options.source, options.reader, notice)
    detector = open_detector(
        options.detector,
        DetectorOptions(
            runtime=options.runtime,
            device=options.device,
            threads=options.threads,
            min_score=options.min_face_score,
            size=options.detector_size,
        ),
    )
    try:
        classifier = load(options.artifact, runtime=options.runtime, device=options.device, threads=options.threads)
    except BaseException:
        detector.close()
        raise
    return Watch(reader, detector, classifier, options.decider)
