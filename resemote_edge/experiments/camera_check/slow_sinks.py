"""Slow sinks: whether frames are decided as fast with sinks behind which nobody reads."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from resemote_edge.camera.broadcast import BroadcastOptions, broadcast
from resemote_edge.camera.sinks import open_sink
from resemote_edge.camera.sinks.base import SinkOptions
from resemote_edge.camera.summary import CameraSummary
from resemote_edge.camera.watch import WatchOptions, watch
from resemote_edge.errors import InputError
from resemote_edge.experiments.camera_check.report import SlowSinks
from resemote_edge.experiments.camera_check.server import free_port

__all__ = ["measure_slow_sinks"]

_TURNS = 3


def measure_slow_sinks(options: WatchOptions, *, seconds: float, notice: Callable[[str], None]) -> SlowSinks:
    """Watch drawn people with a file as sink, and with a broker, a server and a browser that are silent, in turns.

    Args:
        options: Networks, and how frames are decided.
        seconds: Length of each turn.
        notice: Told what is being done.
    """
    alone: list[float] = []
    joined: list[float] = []
    summary = None
    for turn in range(_TURNS):
        notice(f"slow sinks, turn {turn + 1} of {_TURNS}")
        alone.append(_fps(_run(options, seconds, [])))
        with _silent_server() as broker, _silent_server() as server:
            page = free_port()
            with _stalled_browser(page):
                addresses = [
                    f"mqtt://127.0.0.1:{broker}/faces",
                    f"webhook+http://127.0.0.1:{server}/faces",
                    f"live://127.0.0.1:{page}",
                ]
                summary = _run(options, seconds, addresses)
        joined.append(_fps(summary))
    assert summary is not None, "there is a turn"
    return SlowSinks(fps_alone=tuple(alone), fps_with=tuple(joined), sinks=summary.sinks)


def _run(options: WatchOptions, seconds: float, others: list[str]) -> CameraSummary:
    with TemporaryDirectory() as folder:
        addresses = [f"jsonl:{Path(folder) / 'faces.jsonl'}", *others]
        sinks = [open_sink(address, SinkOptions()) for address in addresses]
        watching = watch(f"pattern://?faces=2&seconds={seconds:g}", options)
        return broadcast(watching, sinks, BroadcastOptions(), lambda text: None)


def _fps(summary: CameraSummary) -> float:
    if summary.fps is None:
        raise InputError("fewer than two frames were decided", hint="is the machine too slow?")
    return summary.fps


@contextmanager
def _silent_server() -> Iterator[int]:
    """Port of a server that takes every connection, and reads and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listening:
        yield int(listening.getsockname()[1])


@contextmanager
def _stalled_browser(port: int) -> Iterator[None]:
    """Ask a page that will be there soon for its stream, and read none of it."""
    ended = threading.Event()

    def stall() -> None:
        with ExitStack() as stack:
            while not ended.wait(0.05):
                try:
                    asking = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
                except OSError:
                    continue
                asking.sendall(f"GET /stream.mjpg HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
                ended.wait()

    stalling = threading.Thread(target=stall)
    stalling.start()
    try:
        yield
    finally:
        ended.set()
        stalling.join()
