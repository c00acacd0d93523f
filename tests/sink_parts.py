"""Parts for tests of sinks: made-up results of frames, and the real servers that they are sent to, on loopback."""

import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import numpy as np
import pytest

from resemote_edge.camera.results import FaceResult, FrameResult
from resemote_edge.experiments.camera_check.server import free_port
from resemote_edge.vision.drawn import drawn_faces
from resemote_edge.vision.frame import Frame

#: A password with every sign that an address has to escape, as it is and as it is written.
PASSWORD, ESCAPED_PASSWORD = "s3cret/p@ss?w#rd:", "s3cret%2Fp%40ss%3Fw%23rd%3A"


def face(track: int = 1, label: str | None = "happy", **fields: object) -> FaceResult:
    """A face of a result."""
    known = {
        "event": "update",
        "x": 20.0 * track,
        "y": 10.0,
        "width": 40.0,
        "height": 48.0,
        "detection_score": 0.9,
        "detected": True,
        "score": None if label is None else 0.8,
        "probabilities": {} if label is None else {label: 0.8, "neutral": 0.2},
        "not_judged": "too small" if label is None else None,
        "seconds": 1.0,
    }
    return FaceResult(track=track, label=label, **{**known, **fields})  # type: ignore[arg-type]


def result(frame: int = 0, *faces: FaceResult, seconds: float | None = None, **fields: object) -> FrameResult:
    """A result of one frame of a source with 30 frames per second."""
    known = {"source": "pattern://", "session": "abc", "captured_utc": "2026-11-27T22:00:00.000Z"}
    return FrameResult(
        frame=frame,
        seconds=frame / 30 if seconds is None else seconds,
        width=160,
        height=120,
        decision_age_ms=5.0,
        faces=faces,
        **{**known, **fields},  # type: ignore[arg-type]
    )


def picture(shade: int = 0, *, width: int = 160, height: int = 120) -> Frame:
    """A picture with a drawn face on a gray of one shade."""
    pixels = np.full((height, width, 3), shade, dtype=np.uint8)
    pixels[10:58, 20:68] = drawn_faces(1, side=48)[0, :, :, ::-1]
    return Frame(pixels, "bgr")


def eventually(holds: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait until something holds; fails if it never does."""
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "it never held"
        time.sleep(0.01)


@contextmanager
def running(*command: str) -> Iterator[subprocess.Popen[bytes]]:
    """A program with pipes for its output and errors, which is killed if it still runs at the end of the block."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
        try:
            yield program
        finally:
            program.kill()


class WebServer:
    """A web server that records what is posted, and answers as it is told.

    Attributes:
        posts: Path, headers and decoded body of each request.
        answers: Status of the answers to come; 200 when there are none left.
        gate: Open unless a test closes it; requests wait for it.
    """

    def __init__(self) -> None:
        self.posts: list[tuple[str, dict[str, str], dict[str, list[dict[str, object]]]]] = []
        self.answers: list[int] = []
        self.location = ""
        self.gate = threading.Event()
        self.gate.set()
        self.waiting = 0

    def events(self) -> list[dict[str, object]]:
        """All events that were posted."""
        return [event for _, _, body in list(self.posts) for event in body["events"]]


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for localhost that signs itself, and its key; the test is skipped without openssl."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    paths = folder / "localhost.pem", folder / "localhost.key"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost", "-out", str(paths[0]), "-keyout", str(paths[1])]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return paths


@contextmanager
def web_server(port: int = 0, tls: tuple[Path, Path] | None = None) -> Iterator[tuple[WebServer, int]]:
    """A real HTTP server on loopback, and its port; with a certificate and its key, HTTPS."""
    server = WebServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            server.waiting += 1
            server.gate.wait(30)
            status = server.answers.pop(0) if server.answers else 200
            if status == 200:
                server.posts.append((self.path, dict(self.headers), msgspec.json.decode(body)))
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", server.location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    if tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*tls)
        # The handshake is left to the thread of the connection, whose failure is the client's affair.
        http.socket = context.wrap_socket(http.socket, server_side=True, do_handshake_on_connect=False)
        http.handle_error = lambda *arguments: None  # type: ignore[method-assign]
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server, http.server_address[1]
    finally:
        server.gate.set()
        http.shutdown()
        http.server_close()
        thread.join()


#: The MQTT broker of the tests, and why they are skipped where it is missing.
MOSQUITTO = shutil.which("mosquitto") or shutil.which("/usr/sbin/mosquitto")
NO_MOSQUITTO = "mosquitto is not installed (Debian's package of that name)"


class Broker:
    """A real broker on loopback, which can be stopped, halted and started again on the same port.

    Args:
        folder: Folder for its configuration.
        password: Password of the user ``edge``; None to let everyone in.
        tls: Certificate and key; None for no TLS.
    """

    def __init__(self, folder: Path, password: str | None = None, tls: tuple[Path, Path] | None = None) -> None:
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        lines = [f"listener {self.port} 127.0.0.1", "persistence false", "user root"]
        if tls is not None:
            lines += [f"certfile {tls[0]}", f"keyfile {tls[1]}"]
        if password is None:
            lines.append("allow_anonymous true")
        else:
            users = folder / "users"
            command = ["mosquitto_passwd", "-b", "-c", str(users), "edge", password]
            subprocess.run(command, check=True, capture_output=True, timeout=30)
            lines += ["allow_anonymous false", f"password_file {users}"]
        self._configuration = folder / "mosquitto.conf"
        self._configuration.write_text("\n".join(lines) + "\n")

    def start(self) -> None:
        assert MOSQUITTO is not None
        self.process = subprocess.Popen(
            [MOSQUITTO, "-c", str(self._configuration)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        eventually(self._listens)

    def _listens(self) -> bool:
        with socket.socket() as found:
            return found.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


class Listener:
    """A client of a broker that records what it is sent.

    Attributes:
        messages: Topic, decoded or plain payload, and whether it was retained, in the order of arrival.
    """

    def __init__(self, broker: Broker, topic: str = "#", login: tuple[str, str] | None = None) -> None:
        import paho.mqtt.client as paho

        self.messages: list[tuple[str, object, bool]] = []
        self.client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        if login is not None:
            self.client.username_pw_set(*login)
        self.client.reconnect_delay_set(1, 1)
        self._ready = threading.Event()
        self.client.on_message = lambda client, user, message: self.messages.append(
            (message.topic, _decoded(message.payload), message.retain)
        )
        self.client.on_connect = lambda client, *rest: client.subscribe(topic, qos=1)
        self.client.on_subscribe = lambda *rest: self._ready.set()
        self.client.connect("127.0.0.1", broker.port)
        self.client.loop_start()
        assert self._ready.wait(20)

    def of(self, topic: str) -> list[object]:
        """Payloads of one topic so far."""
        return [payload for name, payload, _ in list(self.messages) if name == topic]

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


def _decoded(payload: bytes) -> object:
    try:
        return msgspec.json.decode(payload)
    except msgspec.DecodeError:
        return payload.decode()
