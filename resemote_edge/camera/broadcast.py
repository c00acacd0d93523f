"""Broadcast: every decision to every sink, with the pictures that they ask for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from resemote_edge.camera.notify import notify_systemd
from resemote_edge.camera.privacy.aggregate import Aggregator
from resemote_edge.camera.privacy.blur import blur_faces
from resemote_edge.camera.privacy.notice import draw_notice
from resemote_edge.camera.results import FrameResult
from resemote_edge.camera.sinks.base import Picture, Sink
from resemote_edge.camera.sinks.marks import mark_of
from resemote_edge.camera.sinks.worker import SinkWorkers
from resemote_edge.camera.summary import CameraSummary, SinkSummary
from resemote_edge.camera.watch import Watch
from resemote_edge.errors import SourceError
from resemote_edge.vision.annotate import annotate
from resemote_edge.vision.frame import Frame, bgr_pixels

__all__ = ["BroadcastOptions", "broadcast"]


@dataclass(frozen=True, kw_only=True)
class BroadcastOptions:
    """What leaves the process.

    Attributes:
        blur_faces: Whether faces are blurred in every picture.
        notice: Words on every annotated picture; empty for none. A sink of plain pictures shows them in its own way.
        aggregator: Counts faces per interval; sinks then get its counts and nothing else. None gives them results.
    """

    blur_faces: bool = False
    notice: str = ""
    aggregator: Aggregator | None = None


def broadcast(
    watch: Watch, sinks: Sequence[Sink], options: BroadcastOptions, tell: Callable[[str], None]
) -> CameraSummary:
    """Watch a source until it ends, and give every sink what is decided.

    Args:
        watch: The source; closed at the end.
        sinks: The sinks; opened here, and closed at the end.
        options: What leaves the process.
        tell: Shows a person one line, such as that a sink loses results.

    Returns:
        What became of all frames.

    Raises:
        InputError: A sink can never work; nothing was watched then.
        SourceError: The source did not open, or gave no frame. One that is lost later is told, and in the summary.
        ArtifactError: An engine failed.
    """
    workers = SinkWorkers(sinks, tell=tell, every_frame=not watch.live)
    # A program that waits for its source to come back is alive as well.
    watch.on_idle = partial(notify_systemd, "WATCHDOG=1")
    with watch, workers:
        try:
            for result in watch:
                notify_systemd("READY=1" if watch.decided == 1 else "WATCHDOG=1")
                if options.aggregator is None:
                    workers.put(result, _pictures(watch, result, workers.pictures, options))
                elif (counts := options.aggregator.add(result)) is not None:
                    workers.put_aggregate(counts)
                if workers.finished:
                    watch.stop()
        except SourceError as error:
            if not watch.decided:
                raise
            tell(str(error))  # The summary says that the source is lost.
        notify_systemd("STOPPING=1")
        if options.aggregator is not None and (counts := options.aggregator.finish()) is not None:
            workers.put_aggregate(counts)
    return watch.summary(
        tuple(
            SinkSummary(sink=name, written=facts.written, lost=facts.lost, unfinished=facts.unfinished)
            for name, facts in workers.facts
        )
    )


def _pictures(
    watch: Watch, result: FrameResult, kinds: frozenset[Picture], options: BroadcastOptions
) -> dict[Picture, Frame]:
    """The pictures that sinks ask for, each drawn once."""
    if watch.frame is None or not kinds:
        return {}
    plain = bgr_pixels(watch.frame)
    if options.blur_faces:
        plain = blur_faces(plain, [*result.faces, *watch.quiet])
    pictures: dict[Picture, Frame] = {}
    if "plain" in kinds:
        pictures["plain"] = Frame(plain, "bgr")
    if "annotated" in kinds:
        noticed = draw_notice(plain, options.notice) if options.notice else plain
        pictures["annotated"] = Frame(annotate(noticed, map(mark_of, result.faces)), "bgr")
    return pictures
