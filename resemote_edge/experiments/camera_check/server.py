"""Films of drawn people, and a server that shows them, in a process of the system's Python."""

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from resemote_edge.camera.sources import make_source
from resemote_edge.camera.sources.base import FrameClock, SourceOptions
from resemote_edge.camera.sources.pattern import PatternSource
from resemote_edge.errors import InputError
from resemote_edge.vision.opencv import import_opencv

__all__ = ["free_port", "make_film", "serving"]

_SCRIPT = Path(__file__).with_name("rtsp_server.py")


def make_film(folder: Path, python: str, *, faces: int, seconds: float, fps: int, size: tuple[int, int]) -> Path:
    """Draw people who move, and encode them as H.264.

    Raises:
        InputError: GStreamer cannot encode it.
    """
    cv2 = import_opencv("writing a film")
    source = make_source(f"pattern://?faces={faces}", SourceOptions(size=size), FrameClock())
    assert isinstance(source, PatternSource)
    raw, film = folder / f"{faces}.avi", folder / f"{faces}.mp4"
    writer: Any = cv2.VideoWriter(str(raw), cv2.VideoWriter_fourcc(*"MJPG"), fps, size)
    for number in range(round(seconds * fps)):
        writer.write(source.draw(number / fps))
    writer.release()
    done = subprocess.run(
        [python, str(_SCRIPT), "encode", str(raw), str(film)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise InputError(f"the film could not be encoded: {done.stderr.strip()}", hint=f"see {_SCRIPT}")
    return film


def free_port() -> int:
    """A port of loopback that nobody uses now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def serving(python: str, port: int, film: Path) -> Iterator[None]:
    """Serve a film at rtsp://127.0.0.1:PORT/stream; the server is killed at the end."""
    server = subprocess.Popen([python, str(_SCRIPT), "serve", str(port), str(film)], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        if server.stdout.readline() != "ready\n":
            raise InputError("the RTSP server does not start", hint=f"see {_SCRIPT}")
        yield
    finally:
        server.kill()
        server.communicate()
