"""``resemote-edge camera``."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click
import msgspec

from resemote_edge.cli.camera_options import (
    FACE_OPTIONS,
    SINK_OPTIONS,
    SOURCE_OPTIONS,
    FaceFlags,
    SinkFlags,
    SourceFlags,
    broadcast_options,
    open_sinks,
    watch_options,
)
from resemote_edge.cli.output import (
    device_option,
    echo_json,
    gathered_options,
    json_option,
    runtime_option,
    threads_option,
)
from resemote_edge.errors import InputError

if TYPE_CHECKING:
    from resemote_edge.camera.watch import Watch

#: The source failed, or had not come back when the run ended.
EXIT_LOST = 4


@click.command()
@click.argument("source", required=False)
@click.argument("sinks", nargs=-1)
@gathered_options("faces", FaceFlags, FACE_OPTIONS)
@gathered_options("source_flags", SourceFlags, SOURCE_OPTIONS)
@gathered_options("sink_flags", SinkFlags, SINK_OPTIONS)
@runtime_option("auto")
@device_option
@threads_option
@click.option("--schema", is_flag=True, help="Print the JSON schema of a line of results, and end.")
@json_option
def camera(
    source: str | None,
    sinks: tuple[str, ...],
    faces: FaceFlags,
    source_flags: SourceFlags,
    sink_flags: SinkFlags,
    runtime: str,
    device: str,
    threads: int | None,
    schema: bool,
    as_json: bool,
) -> None:
    """Follow the faces that SOURCE shows, and send what they express to each of SINKS.

    SOURCE is a camera (0, v4l2:///dev/video0, csi://0), a stream (rtsp://, http://, gst:), a film, a folder of images,
    or pattern://, which draws faces that move. A camera or stream is never behind: late frames are dropped, and
    counted. When it fails, it is opened again. A film or folder gives every frame.

    SINKS are live://, a page for browsers; FILE.mp4; jsonl:FILE or jsonl:-; text:-; mqtt://HOST/TOPIC; udp://HOST:PORT;
    webhook+https://HOST/PATH; and display://. Any number of them work at once, and a slow one delays nothing. Without a
    sink, text:- prints each change of expression. No picture is stored or sent unless a sink does it.

    Control-C ends the run with a summary. The exit code is 4 if the source failed and was not back by then.

    \b
    Example:
      resemote-edge camera pattern:// live://
      resemote-edge camera rtsp://camera.local/stream jsonl:faces.jsonl mqtt://broker.local/hall
    """
    from resemote_edge.camera.results import result_schema

    if schema:
        echo_json(result_schema())
        return
    if source is None:
        raise click.UsageError("Missing argument 'SOURCE', such as 0 or pattern://.")
    from resemote_edge.camera.broadcast import broadcast
    from resemote_edge.camera.watch import watch
    from resemote_edge.cli.terminal import open_console
    from resemote_edge.cli.views.camera import summary_table

    def tell(text: str) -> None:
        click.echo(text, err=True)

    if as_json and any(address in ("jsonl:-", "text:-") for address in sinks):
        raise InputError("--json prints the summary where a sink prints its lines", hint="leave one of them out")
    broadcasting = broadcast_options(sink_flags)
    made = open_sinks(sinks or (() if as_json else ("text:-",)), sink_flags, source_flags.fps)
    watching = watch(source, watch_options(faces, source_flags, runtime, device, threads), notice=tell)
    with _until_stopped(watching):
        summary = broadcast(watching, made, broadcasting, tell)
    if as_json:
        echo_json(msgspec.to_builtins(summary))
    else:
        open_console(stderr=True).print(summary_table(summary))
    if summary.lost:
        raise SystemExit(EXIT_LOST)


@contextmanager
def _until_stopped(watching: "Watch") -> Iterator[None]:
    """Let Control-C and the system's request to end stop the watch, which then ends in order; twice ends at once."""

    def stop(number: int, _: object) -> None:
        watching.stop()
        signal.signal(number, before[signal.Signals(number)])

    signals = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, stop) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
