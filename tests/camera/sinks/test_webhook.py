"""A webhook gets each event once; a server that fails, hangs or redirects costs events and no results."""

import base64
import threading
from pathlib import Path

import pytest
from sink_parts import ESCAPED_PASSWORD, PASSWORD, certificate, eventually, face, result, web_server

from resemote_edge.camera.privacy.aggregate import Aggregator
from resemote_edge.camera.sinks import open_sink, webhook
from resemote_edge.camera.sinks.base import SinkOptions
from resemote_edge.camera.sinks.worker import SinkWorkers
from resemote_edge.experiments.camera_check.server import free_port


def flipping(count: int, first: int = 0) -> list[object]:
    """Results in which one face changes its label with every frame."""
    return [result(number, face(1, "sad" if number % 2 else "happy")) for number in range(first, first + count)]


def workers_of(address: str, said: list[str], **options: object) -> SinkWorkers:
    return SinkWorkers([open_sink(address, SinkOptions(**options))], tell=said.append, every_frame=True)  # type: ignore[arg-type]


def test_events_are_posted_in_order_and_each_once() -> None:
    said: list[str] = []
    with web_server() as (server, port):
        with workers_of(f"webhook+http://127.0.0.1:{port}/hook?token=abc", said) as workers:
            for one in flipping(100):
                workers.put(one, {}.get)  # type: ignore[arg-type]
        events = server.events()
        path, headers, _ = server.posts[0]
    assert [event["event"] for event in events] == ["new", *["update"] * 99, "end"]
    assert [event["frame"] for event in events] == [*range(100), 99]
    assert path == "/hook?token=abc"
    assert headers["Content-Type"] == "application/json"
    assert "Authorization" not in headers
    assert said == []


def test_user_and_password_are_sent_and_so_is_a_header_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    with web_server() as (server, port):
        with workers_of(f"webhook+http://edge:{ESCAPED_PASSWORD}@127.0.0.1:{port}/", said) as workers:
            workers.put(result(0, face(1)), {}.get)
        monkeypatch.setenv(webhook.AUTHORIZATION_VARIABLE, "Bearer abc")
        with workers_of(f"webhook+http://127.0.0.1:{port}/", said) as workers:
            workers.put(result(0, face(1)), {}.get)
        sent = [headers["Authorization"] for _, headers, _ in server.posts]
    assert base64.b64decode(sent[0].removeprefix("Basic ")).decode() == f"edge:{PASSWORD}"
    assert sent[-1] == "Bearer abc"


def test_a_server_that_fails_is_tried_again_and_nothing_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "_FIRST_BACKOFF_SECONDS", 0.01)
    said: list[str] = []
    with web_server() as (server, port):
        server.answers = [503, 429, 500]
        with workers_of(f"webhook+http://127.0.0.1:{port}/", said) as workers:
            workers.put(result(0, face(1)), {}.get)
            eventually(lambda: server.posts)
        assert [event["event"] for event in server.events()] == ["new", "end"]
    assert workers.facts[0][1].lost == {}
    assert said[0].endswith("the server answered 503; it is tried again")


def test_a_server_that_comes_later_gets_what_waited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "_FIRST_BACKOFF_SECONDS", 0.01)
    monkeypatch.setattr(webhook, "_LONGEST_BACKOFF_SECONDS", 0.05)
    said: list[str] = []
    port = free_port()
    with workers_of(f"webhook+http://127.0.0.1:{port}/", said) as workers:
        for one in flipping(5):
            workers.put(one, {}.get)  # type: ignore[arg-type]
        eventually(lambda: said)
        with web_server(port) as (server, _):
            eventually(lambda: len(server.events()) == 5)
    assert "Connection refused; it is tried again" in said[0]


def test_an_answer_that_no_later_try_will_change_loses_the_events_at_once() -> None:
    said: list[str] = []
    with web_server() as (server, port):
        server.answers = [404]
        with workers_of(f"webhook+http://127.0.0.1:{port}/", said) as workers:
            workers.put(result(0, face(1)), {}.get)
            eventually(lambda: workers.facts[0][1].lost)
            workers.put(result(1, face(2)), {}.get)
            eventually(server.events)
    assert workers.facts[0][1].lost == {"the server answered 404": 1}


def test_redirects_are_not_followed() -> None:
    said: list[str] = []
    with web_server() as (elsewhere, other_port), web_server() as (server, port):
        server.answers = [307]
        server.location = f"http://127.0.0.1:{other_port}/"
        with workers_of(f"webhook+http://edge:secret@127.0.0.1:{port}/", said) as workers:
            workers.put(result(0, face(1)), {}.get)
            eventually(lambda: workers.facts[0][1].lost)
        assert elsewhere.posts == []
    assert workers.facts[0][1].lost == {"the server answered 307, and redirects are not followed": 1}


def test_a_server_that_hangs_costs_the_oldest_events_and_no_result(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "_END_SECONDS", 0.2)
    said: list[str] = []
    with web_server() as (server, port):
        server.gate.clear()
        with workers_of(f"webhook+http://127.0.0.1:{port}/", said) as workers:
            workers.put(result(0, face(1)), {}.get)
            eventually(lambda: server.waiting)
            for one in flipping(1000, first=1):
                workers.put(one, {}.get)  # type: ignore[arg-type]
            eventually(lambda: workers.facts[0][1].written == 1001)
            [(_, facts)] = workers.facts
            # 1001 events: one is under way, 256 wait, and the others were dropped.
            assert facts.lost == {"more than 256 events waited for the server": 1000 - 256}
        [(_, facts)] = workers.facts
    # The end of the face makes one more wait, and so one more is dropped.
    assert facts.lost == {"more than 256 events waited for the server": 745, "not posted before the end": 257}
    assert len(said) == 2


def test_newest_events_arrive_first_of_all_that_waited_too_long() -> None:
    said: list[str] = []
    with web_server() as (server, port):
        server.gate.clear()
        with workers_of(f"webhook+http://127.0.0.1:{port}/", said) as workers:
            workers.put(result(0, face(1)), {}.get)
            eventually(lambda: server.waiting)
            for one in flipping(600, first=1):
                workers.put(one, {}.get)  # type: ignore[arg-type]
            eventually(lambda: workers.facts[0][1].written == 601)
            server.gate.set()
            eventually(lambda: len(server.events()) >= 257)
        frames = [event["frame"] for event in server.events()]
    assert frames == [0, *range(345, 601), 600]


def test_counts_are_posted_under_their_own_key() -> None:
    said: list[str] = []
    counts = Aggregator(seconds=60, min_group=2)
    counts.add(result(0, face(1), face(2)))
    found = counts.finish()
    assert found is not None
    with web_server() as (server, port):
        with workers_of(f"webhook+http://127.0.0.1:{port}/", said, aggregate=True) as workers:
            workers.put_aggregate(found)
        [(_, _, body)] = server.posts
    assert list(body) == ["counts"]
    assert body["counts"][0]["expressions"] == {"happy": 2}


def test_threads_end_with_the_run() -> None:
    before = threading.active_count()
    said: list[str] = []
    with workers_of(f"webhook+http://127.0.0.1:{free_port()}/", said):
        pass
    eventually(lambda: threading.active_count() == before)


def test_a_certificate_that_is_trusted_is_taken_and_any_other_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls = certificate(tmp_path)
    monkeypatch.setattr(webhook, "_END_SECONDS", 0.2)
    said: list[str] = []
    with web_server(tls=tls) as (server, port):
        with workers_of(f"webhook+https://localhost:{port}/", said) as workers:
            workers.put(result(0, face(1)), {}.get)
            eventually(lambda: said)
        assert server.posts == []
        assert "CERTIFICATE_VERIFY_FAILED" in said[0]
        monkeypatch.setenv("SSL_CERT_FILE", str(tls[0]))
        with workers_of(f"webhook+https://localhost:{port}/", said) as workers:
            workers.put(result(0, face(1)), {}.get)
            eventually(lambda: server.posts)
