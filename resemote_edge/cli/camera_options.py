"""Options of ``resemote-edge camera``, and what they mean to the rooms that do the work."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from resemote_edge.camera.flip import FLIPS
from resemote_edge.cli.output import detector_option, min_face_score_option
from resemote_edge.cli.parameters import DURATION, SIZE
from resemote_edge.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resemote_edge.camera.broadcast import BroadcastOptions
    from resemote_edge.camera.sinks.base import Existing, Sink
    from resemote_edge.camera.watch import WatchOptions

__all__ = [
    "FACE_OPTIONS",
    "SINK_OPTIONS",
    "SOURCE_OPTIONS",
    "FaceFlags",
    "SinkFlags",
    "SourceFlags",
    "broadcast_options",
    "open_sinks",
    "watch_options",
]


@dataclass(frozen=True, kw_only=True)
class FaceFlags:
    """Options about faces, as they stand on the command line."""

    artifact: Path | None
    detector: str | None
    detector_size: tuple[int, int] | None
    min_face_score: float | None
    detect_every: str
    patience: float
    smooth: float
    hold: float
    min_score: float
    judge_all: bool


@dataclass(frozen=True, kw_only=True)
class SourceFlags:
    """Options about the source."""

    max_fps: float | None
    fps: float | None
    size: tuple[int, int] | None
    flip: str | None
    loop: bool
    stall: float
    give_up: float | None
    reconnect: bool


@dataclass(frozen=True, kw_only=True)
class SinkFlags:
    """Options about what leaves the process."""

    blur_faces: bool
    notice: str
    aggregate: float | None
    min_group: int
    keep: float | None
    force: bool
    append: bool
    live_host: tuple[str, ...]
    tls_cert: Path | None
    tls_key: Path | None


_PATH = click.Path(path_type=Path)

FACE_OPTIONS = (
    click.option("--artifact", type=_PATH, help="Artifact of the classifier.  [default: the prebuilt one]"),
    detector_option,
    click.option("--detector-size", type=SIZE, help="Size that frames are scaled to for the detector, as 640x384."),
    min_face_score_option,
    click.option(
        "--detect-every", default="auto", show_default=True, metavar="N|auto", help="Detect in each n-th frame."
    ),
    click.option("--patience", type=DURATION, default="0.7s", show_default=True, help="Time a face may be unseen."),
    click.option("--smooth", type=DURATION, default="0.2s", show_default=True, help="Time constant of the smoothing."),
    click.option("--hold", type=DURATION, default="0.2s", show_default=True, help="Time a new label must lead."),
    click.option(
        "--min-score",
        type=click.FloatRange(0, 1),
        default=0.4,
        show_default=True,
        help="Lowest probability of an expression that is named; below it the face is unsure.",
    ),
    click.option("--judge-all", is_flag=True, help="Judge faces that are small, dark, blurred or turned away, too."),
)

SOURCE_OPTIONS = (
    click.option("--max-fps", type=float, help="Decide at most this many frames a second."),
    click.option("--fps", type=float, help="Frame rate to ask a camera for, or of a folder or pattern."),
    click.option("--size", type=SIZE, help="Frame size to ask a camera or the pattern for, as 1280x720."),
    click.option("--flip", type=click.Choice(list(FLIPS)), help="Mirror or turn every frame."),
    click.option("--loop", is_flag=True, help="Start a film or folder again at its end."),
    click.option(
        "--stall", type=DURATION, default="5s", show_default=True, help="Silence after which a source is opened again."
    ),
    click.option("--give-up", type=DURATION, help="Silence after which the run ends with code 4.  [default: never]"),
    click.option("--reconnect/--no-reconnect", default=True, show_default=True, help="Open a failed source again."),
)

SINK_OPTIONS = (
    click.option("--blur-faces", is_flag=True, help="Make faces unrecognisable in every picture."),
    click.option("--notice", default="", help="Words to show on every picture and on the live page."),
    click.option("--aggregate", type=DURATION, metavar="DURATION", help="Give sinks counts for each interval only."),
    click.option("--min-group", type=int, default=5, show_default=True, help="Smallest count that --aggregate gives."),
    click.option("--keep", type=DURATION, help="Delete files that sinks wrote once they are this old, as 24h."),
    click.option("--force", is_flag=True, help="Replace files of sinks that exist."),
    click.option("--append", is_flag=True, help="Append to JSON lines that exist."),
    click.option("--live-host", multiple=True, help="Further name under which the live page is reached."),
    click.option("--tls-cert", type=_PATH, help="Certificate for the live page, PEM."),
    click.option("--tls-key", type=_PATH, help="Key of that certificate, PEM."),
)


def watch_options(
    faces: FaceFlags, source: SourceFlags, runtime: str, device: str, threads: int | None
) -> "WatchOptions":
    """What the flags about faces and the source mean.

    Raises:
        InputError: A value is out of its range.
    """
    from resemote_edge.camera.decider import DeciderOptions
    from resemote_edge.camera.reader import ReaderOptions
    from resemote_edge.camera.sources.base import SourceOptions
    from resemote_edge.camera.watch import WatchOptions
    from resemote_edge.faces.quality import QualityGate
    from resemote_edge.faces.smoothing import SmoothingOptions
    from resemote_edge.faces.tracker import TrackerOptions

    every: int | str = int(faces.detect_every) if faces.detect_every.isdecimal() else faces.detect_every
    return WatchOptions(
        artifact=faces.artifact,
        detector=faces.detector or "yunet",
        runtime=runtime,
        device=device,
        threads=threads,
        min_face_score=faces.min_face_score,
        detector_size=faces.detector_size,
        source=SourceOptions(loop=source.loop, fps=source.fps, size=source.size, stall_s=source.stall),
        reader=ReaderOptions(
            max_fps=source.max_fps, reconnect=source.reconnect, give_up_s=source.give_up, flip=source.flip
        ),
        decider=DeciderOptions(
            detect_every=every,
            tracker=TrackerOptions(patience_s=faces.patience),
            smoothing=SmoothingOptions(time_constant_s=faces.smooth, hold_s=faces.hold, min_score=faces.min_score),
            quality=None if faces.judge_all else QualityGate(),
            max_fps=source.max_fps,
        ),
    )


def broadcast_options(flags: SinkFlags) -> "BroadcastOptions":
    """What the flags about privacy mean.

    Raises:
        InputError: A value is out of its range.
    """
    from resemote_edge.camera.broadcast import BroadcastOptions
    from resemote_edge.camera.privacy.aggregate import Aggregator

    aggregator = None
    if flags.aggregate is not None:
        aggregator = Aggregator(seconds=flags.aggregate, min_group=flags.min_group)
    return BroadcastOptions(blur_faces=flags.blur_faces, notice=flags.notice, aggregator=aggregator)


def open_sinks(addresses: "Sequence[str]", flags: SinkFlags, fps: float | None) -> "list[Sink]":
    """The sinks that addresses name.

    Args:
        addresses: Their addresses.
        flags: What else was asked for.
        fps: Frame rate that was asked for, if any.

    Raises:
        InputError: An address names no sink, or options contradict each other.
        MissingDependencyError: A package is not installed.
    """
    from resemote_edge.camera.live.options import LiveOptions
    from resemote_edge.camera.sinks import open_sink
    from resemote_edge.camera.sinks.base import SinkOptions

    if flags.force and flags.append:
        raise InputError("--force replaces a file and --append keeps it", hint="pass one of them")
    existing: Existing = "replace" if flags.force else "append" if flags.append else "refuse"
    live = LiveOptions(hosts=flags.live_host, tls_cert=flags.tls_cert, tls_key=flags.tls_key, notice=flags.notice)
    options = SinkOptions(
        existing=existing,
        frames_per_second=fps,
        keep_seconds=flags.keep,
        aggregate=flags.aggregate is not None,
        live=live,
    )
    return [open_sink(address, options) for address in addresses]
