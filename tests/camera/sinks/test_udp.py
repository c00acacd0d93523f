"""UDP: one datagram a frame; what does not fit, and what nobody takes, is counted."""

import socket
from collections.abc import Iterator

import msgspec
import pytest
from sink_parts import face, result

from resemote_edge.camera.results import FrameResult
from resemote_edge.camera.sinks import open_sink
from resemote_edge.camera.sinks.base import SinkOptions
from resemote_edge.camera.sinks.worker import SinkWorkers
from resemote_edge.errors import InputError
from resemote_edge.experiments.camera_check.server import free_port


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as found:
        found.bind(("127.0.0.1", 0))
        found.settimeout(20)
        yield found


def test_each_frame_is_a_datagram(listener: socket.socket) -> None:
    sink = open_sink(f"udp://127.0.0.1:{listener.getsockname()[1]}", SinkOptions())
    with SinkWorkers([sink], tell=pytest.fail) as workers:
        for number in range(10):
            workers.put(result(number, face(1)), {}.get)
    found = [msgspec.json.decode(listener.recv(1 << 16), type=FrameResult) for _ in range(10)]
    assert found == [result(number, face(1)) for number in range(10)]
    assert workers.facts[0][1].written == 10


def test_a_result_that_does_not_fit_is_counted_and_the_next_one_sent(listener: socket.socket) -> None:
    said: list[str] = []
    sink = open_sink(f"udp://localhost:{listener.getsockname()[1]}", SinkOptions())
    with SinkWorkers([sink], tell=said.append) as workers:
        workers.put(result(0, *(face(track) for track in range(1, 500))), {}.get)
        workers.put(result(1), {}.get)
    [(_, facts)] = workers.facts
    assert facts.lost == {"longer than the 65507 bytes of a datagram": 1}
    assert msgspec.json.decode(listener.recv(1 << 16))["frame"] == 1
    assert len(said) == 1


def test_nobody_who_listens_is_counted_and_nothing_waits() -> None:
    said: list[str] = []
    sink = open_sink(f"udp://127.0.0.1:{free_port()}", SinkOptions())
    with SinkWorkers([sink], tell=said.append, every_frame=True) as workers:
        for number in range(500):
            workers.put(result(number), {}.get)
    [(_, facts)] = workers.facts
    assert facts.written + facts.lost["Connection refused"] == 500
    assert facts.lost["Connection refused"] > 100
    assert len(said) == 1


def test_a_host_that_is_not_known_is_refused_before_the_run() -> None:
    with pytest.raises(InputError, match=r"udp://no-such-host\.invalid:9"):
        open_sink("udp://no-such-host.invalid:9", SinkOptions()).open()
