"""MQTT against a real broker: birth, last will, state, events, and what a dead or silent broker costs."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from sink_parts import MOSQUITTO, NO_MOSQUITTO, PASSWORD, Broker, Listener, certificate, eventually, face, result

from resemote_edge.camera.privacy.aggregate import Aggregator
from resemote_edge.camera.sinks import mqtt, open_sink
from resemote_edge.camera.sinks.base import SinkOptions
from resemote_edge.camera.sinks.worker import SinkWorkers
from resemote_edge.experiments.camera_check.server import free_port

pytest.importorskip("paho.mqtt.client")
needs_broker = pytest.mark.skipif(MOSQUITTO is None, reason=NO_MOSQUITTO)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    found = Broker(tmp_path)
    found.start()
    yield found
    found.stop()


@pytest.fixture
def listener(broker: Broker) -> Iterator[Listener]:
    found = Listener(broker)
    yield found
    found.close()


def workers_of(address: str, said: list[str], **options: object) -> SinkWorkers:
    return SinkWorkers([open_sink(address, SinkOptions(**options))], tell=said.append, every_frame=True)  # type: ignore[arg-type]


@needs_broker
def test_birth_state_events_and_a_goodbye(broker: Broker, listener: Listener) -> None:
    said: list[str] = []
    with workers_of(f"mqtt://127.0.0.1:{broker.port}/hall/faces", said, state_seconds=0.0) as workers:
        eventually(lambda: listener.of("hall/faces/status") == ["online"])
        workers.put(result(0, face(1, "happy")), {}.get)
        workers.put(result(1, face(1, "happy")), {}.get)
        workers.put(result(2, face(1, "sad"), face(2, "fear")), {}.get)
        workers.put(result(3, face(2, "fear"), ended=(1,)), {}.get)
        eventually(lambda: len(listener.of("hall/faces/state")) == 4)
    eventually(lambda: listener.of("hall/faces/status") == ["online", "offline"])
    events = [(event["event"], event["track"]) for event in listener.of("hall/faces/events")]  # type: ignore[index]
    assert events == [("new", 1), ("update", 1), ("new", 2), ("end", 1), ("end", 2)]
    assert [state["frame"] for state in listener.of("hall/faces/state")] == [0, 1, 2, 3]  # type: ignore[index]
    assert said == []
    late = Listener(broker)
    eventually(lambda: len(late.messages) == 2)
    late.close()
    assert {(topic, retained) for topic, _, retained in late.messages} == {
        ("hall/faces/status", True),
        ("hall/faces/state", True),
    }
    assert late.of("hall/faces/status") == ["offline"]


@needs_broker
def test_states_come_at_a_bounded_rate_and_the_newest_is_the_last(broker: Broker, listener: Listener) -> None:
    said: list[str] = []
    with workers_of(f"mqtt://127.0.0.1:{broker.port}/faces", said, state_seconds=1000.0) as workers:
        eventually(lambda: listener.of("faces/status"))
        for number in range(300):
            workers.put(result(number, face(1)), {}.get)
    eventually(lambda: len(listener.of("faces/status")) == 2)
    assert [state["frame"] for state in listener.of("faces/state")] == [0, 299]  # type: ignore[index]
    assert [event["event"] for event in listener.of("faces/events")] == ["new", "end"]  # type: ignore[index]


@needs_broker
def test_the_broker_itself_tells_that_the_program_died(broker: Broker, listener: Listener) -> None:
    sink = open_sink(f"mqtt://127.0.0.1:{broker.port}/faces", SinkOptions())
    sink.open()
    eventually(lambda: listener.of("faces/status") == ["online"])
    sink._client.loop_stop()  # type: ignore[attr-defined]
    sink._client.socket().close()  # type: ignore[attr-defined]  # As the kernel does when a program is killed.
    eventually(lambda: listener.of("faces/status") == ["online", "offline"])


@needs_broker
def test_a_broker_that_comes_back_gets_the_events_that_waited(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    with workers_of(f"mqtt://127.0.0.1:{broker.port}/faces", said, state_seconds=0.0) as workers:
        sink = workers._workers[0].sink
        eventually(sink._client.is_connected)  # type: ignore[attr-defined]
        broker.stop()
        eventually(lambda: not sink._client.is_connected())  # type: ignore[attr-defined]
        for number in range(100):
            workers.put(result(number, face(1, "sad" if number % 2 else "happy")), {}.get)
        eventually(lambda: sum(workers.facts[0][1].lost.values()) == 100)
        assert len(said) == len(workers.facts[0][1].lost) <= 2, "each reason is told once"
        assert all("127.0.0.1" in line for line in said)
        broker.start()
        listener = Listener(broker)
        eventually(lambda: len(listener.of("faces/events")) == 100)
        # A message whose receipt the broker could not confirm any more comes twice.
        assert set(listener.of("faces/status")) == {"online"}
    eventually(lambda: len(listener.of("faces/events")) == 101)
    listener.close()
    assert [event["frame"] for event in listener.of("faces/events")] == [*range(100), 99]  # type: ignore[index]


@needs_broker
def test_a_broker_that_hangs_costs_events_that_are_counted_and_delays_nobody(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mqtt, "_GOODBYE_SECONDS", 0.2)
    said: list[str] = []
    with workers_of(f"mqtt://127.0.0.1:{broker.port}/faces", said) as workers:
        eventually(workers._workers[0].sink._client.is_connected)  # type: ignore[attr-defined]
        assert broker.process is not None
        os.kill(broker.process.pid, signal.SIGSTOP)
        for number in range(1500):
            workers.put(result(number, face(1, "sad" if number % 2 else "happy")), {}.get)
        eventually(lambda: workers.facts[0][1].written == 1500)
        lost = workers.facts[0][1].lost[f"more than {mqtt.MOST_EVENTS} events waited for the broker"]
        assert 400 < lost <= 500
        assert len(said) == 1


def test_no_broker_is_told_once_and_every_result_counted() -> None:
    said: list[str] = []
    port = free_port()
    with workers_of(f"mqtt://127.0.0.1:{port}/faces", said) as workers:
        sink = workers._workers[0].sink
        eventually(lambda: sink._trouble)  # type: ignore[attr-defined]
        for number in range(200):
            workers.put(result(number), {}.get)
    assert workers.facts[0][1].lost == {f"no connection to 127.0.0.1:{port}": 200}
    assert len(said) == 1


@needs_broker
def test_a_password_is_sent_and_a_wrong_one_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broker = Broker(tmp_path, PASSWORD)
    broker.start()
    try:
        listener = Listener(broker, login=("edge", PASSWORD))
        said: list[str] = []
        monkeypatch.setenv(mqtt.PASSWORD_VARIABLE, PASSWORD)
        with workers_of(f"mqtt://edge@127.0.0.1:{broker.port}/faces", said):
            eventually(lambda: listener.of("faces/status") == ["online"])
        with workers_of(f"mqtt://edge:hush@127.0.0.1:{broker.port}/faces", said) as workers:
            sink = workers._workers[0].sink
            eventually(lambda: sink._trouble)  # type: ignore[attr-defined]
            workers.put(result(0), {}.get)
        listener.close()
    finally:
        broker.stop()
    [line] = said
    assert "refused the connection: Not authorized" in line
    assert "hush" not in line


@needs_broker
def test_counts_are_retained_under_their_own_topic(broker: Broker, listener: Listener) -> None:
    said: list[str] = []
    counts = Aggregator(seconds=60, min_group=2)
    counts.add(result(0, face(1), face(2)))
    found = counts.finish()
    assert found is not None
    with workers_of(f"mqtt://127.0.0.1:{broker.port}/faces", said, aggregate=True) as workers:
        eventually(lambda: listener.of("faces/status"))
        workers.put_aggregate(found)
    eventually(lambda: listener.of("faces/counts"))
    assert listener.of("faces/counts")[0]["expressions"] == {"happy": 2}  # type: ignore[index]
    assert listener.of("faces/events") == listener.of("faces/state") == []


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # paho leaves a refused socket unclosed.
@needs_broker
def test_a_certificate_that_is_trusted_is_taken_and_any_other_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls = certificate(tmp_path)
    broker = Broker(tmp_path, tls=tls)
    broker.start()
    said: list[str] = []
    address = f"mqtts://localhost:{broker.port}/faces"
    try:
        with workers_of(address, said) as workers:
            eventually(lambda: workers._workers[0].sink._trouble)  # type: ignore[attr-defined]
        monkeypatch.setenv("SSL_CERT_FILE", str(tls[0]))
        with workers_of(address, said) as workers:
            eventually(workers._workers[0].sink._client.is_connected)  # type: ignore[attr-defined]
            workers.put(result(0), {}.get)
    finally:
        broker.stop()
    assert said == []
    assert workers.facts[0][1].written == 1
