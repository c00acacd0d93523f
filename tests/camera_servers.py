"""Sources that fail, on loopback: an RTSP server that can be killed, and servers that fall silent.

The RTSP server is GStreamer's, run by the system's Python.
"""

import contextlib
import functools
import socket
import subprocess
import threading
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from resemote_edge.experiments import camera_check

SERVER = Path(camera_check.__file__).with_name("rtsp_server.py")
SYSTEM_PYTHON = "/usr/bin/python3"


@functools.cache
def _rtsp_works():
    probe = "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import GstRtspServer"
    found = Path(SYSTEM_PYTHON).exists() and subprocess.run(
        [SYSTEM_PYTHON, "-c", probe], capture_output=True, check=False
    )
    return bool(found) and found.returncode == 0


def need_rtsp():
    """Skip the test where there is no RTSP server."""
    if not _rtsp_works():
        pytest.skip("the system's Python has no GStreamer RTSP server (gir1.2-gst-rtsp-server-1.0, python3-gi)")


@contextlib.contextmanager
def rtsp(port, film="pattern"):
    server = subprocess.Popen(
        [SYSTEM_PYTHON, str(SERVER), "serve", str(port), str(film)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout.readline() == "ready\n"
        yield server
    finally:
        server.kill()
        server.wait()
        server.stdout.close()


@contextlib.contextmanager
def silent_server():
    """Accepts connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        held = []

        def accept():
            with contextlib.suppress(OSError):
                while True:
                    held.append(server.accept()[0])

        threading.Thread(target=accept, daemon=True).start()
        yield server.getsockname()[1]
        for connection in held:
            connection.close()


@contextlib.contextmanager
def stalling_camera(*, again=True, raw=False):
    """MJPEG over HTTP: some frames, then silence; for every client anew, or for the first alone.

    With `raw`, the frames are bytes in BGR, and nobody has to ask for them.
    """
    jpeg = cv2.imencode(".jpg", np.zeros((48, 64, 3), np.uint8))[1].tobytes()
    part = b"--f\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%b\r\n" % (len(jpeg), jpeg)
    clients = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve(connection):
            with contextlib.suppress(OSError):
                if not raw:
                    connection.recv(4096)
                    connection.sendall(
                        b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=f\r\n\r\n"
                    )
                for _ in range(40 if again or connection is clients[0] else 0):
                    connection.sendall(bytes(48 * 64 * 3) if raw else part)
                    time.sleep(0.01)
                time.sleep(60)

        def accept():
            with contextlib.suppress(OSError):
                while True:
                    clients.append(server.accept()[0])
                    threading.Thread(target=serve, args=(clients[-1],), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/cam.mjpg", clients
        for connection in clients:
            connection.close()
