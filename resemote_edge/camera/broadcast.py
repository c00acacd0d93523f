"""Broadcast: every decision to every sink, with the pictures that they ask for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from resemote_edge.camera.notify import notify_systemd
from resemote_edge.camera.pictures import Pictures
from resemote_edge.camera.privacy.aggregate import Aggregator
from resemote_edge.camera.privacy.blur import Boxed
from resemote_edge.camera.results import FrameResult
from resemote_edge.camera.sinks.base import Sink
from resemote_edge.camera.sinks.worker import SinkWorkers
from resemote_edge.camera.summary import CameraSummary, SinkSummary
from resemote_edge.camera.watch import Watch
from resemote_edge.errors import SourceError

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
                    workers.put(result, _pictures(watch, result, workers, options))
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


def _pictures(watch: Watch, result: FrameResult, workers: SinkWorkers, options: BroadcastOptions) -> Pictures:
    assert watch.frame is not None, "a result is about one"
    blurred: list[Boxed] = [*result.faces, *watch.tentative] if options.blur_faces else []
    pictures = Pictures(watch.frame, result, blurred, options.notice)
    if watch.decided == 1:  # A notice that cannot be drawn ends the run here, and not in every sink.
        for kind in workers.pictures:
            pictures(kind)
    return pictures
