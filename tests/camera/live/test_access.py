"""Who is let in: tokens, hosts, origins; and what never reaches a log."""

import base64
import logging
import socket
import time
from contextlib import suppress

import aiohttp
import pytest
from drawn_camera import DrawnCamera

from resemote_edge.camera.live.address import read_address

TOKEN = "a-token-of-more-than-24-letters"


def port_of(sink):
    return read_address(sink.name).port


def open_socket(talk, sink, *, url=None, **headers):
    """Status with which a WebSocket is refused, or 101."""

    async def trying(session):
        try:
            async with session.ws_connect((url or sink.address) + "frames", headers=headers) as socket:
                await socket.send_str("pause")
                return 101
        except aiohttp.WSServerHandshakeError as error:
            return error.status

    return talk(trying)


@pytest.mark.parametrize("path", ["/", "/state.json", "/stream.mjpg", "/metrics", "/frames", "/nothing"])
@pytest.mark.parametrize("address", ["live://127.0.0.2:0", "live://0.0.0.0:0"])
def test_at_a_second_address_nothing_is_had_without_the_token(live, get, address, path):
    sink = live(address)
    sink.write(*DrawnCamera().frame(0))
    status, text, headers = get(sink, path, url=f"http://127.0.0.2:{port_of(sink)}/")
    assert status == 401
    assert "token" in text
    assert "Set-Cookie" not in headers
    assert sink.address_with_token.partition("=")[2] not in text


def test_a_websocket_without_the_token_is_refused(live, talk):
    sink = live("live://127.0.0.2:0")
    assert open_socket(talk, sink) == 401
    assert open_socket(talk, sink, Authorization="Bearer " + sink.address_with_token.partition("=")[2]) == 101


def test_health_needs_no_token_and_tells_nothing(live, get):
    sink = live("live://127.0.0.2:0")
    assert get(sink, "healthz")[:2] == (503, '{"status":"no frame yet"}')
    sink.write(*DrawnCamera().frame(0))
    status, text, _ = get(sink, "healthz")
    assert status == 200
    assert text.startswith('{"status":"ok","newest_frame_seconds":')


def test_the_token_is_handed_over_once_and_becomes_a_cookie(live, talk):
    sink = live("live://127.0.0.2:0", token=TOKEN)

    async def entering(session):
        async with session.get(f"{sink.address}state.json?token={TOKEN}&kept=1", allow_redirects=False) as first:
            (cookie,) = first.headers.getall("Set-Cookie")
            place = first.headers["Location"]
        async with session.get(sink.address) as then:
            return first.status, place, cookie, then.status

    status, place, cookie, then = talk(entering)
    assert (status, place, then) == (303, "/state.json?kept=1", 200)
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert "Secure" not in cookie
    assert TOKEN not in cookie


def test_a_link_on_another_site_leads_in_as_well(live, talk):
    # A browser would not send the cookie along with a redirect that the other site began.
    sink = live("live://127.0.0.2:0", token=TOKEN)
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}

    async def entering(session):
        async with session.get(sink.address_with_token, headers=headers) as first:
            text = await first.text()
        async with session.get(sink.address) as then:
            return first.status, text, then.status

    status, text, then = talk(entering)
    assert (status, then) == (200, 200)
    assert 'http-equiv="refresh" content="0;url=/"' in text
    assert TOKEN not in text


@pytest.mark.parametrize(
    "given",
    [
        {"headers": {"Authorization": f"Bearer {TOKEN}"}},
        {"headers": {"Authorization": f"bearer {TOKEN}"}},
        {"headers": {"Authorization": "Basic " + base64.b64encode(f"anyone:{TOKEN}".encode()).decode()}},
    ],
    ids=["Bearer", "bearer", "Basic"],
)
def test_a_program_brings_the_token_in_a_header(live, get, given):
    sink = live("live://127.0.0.2:0", token=TOKEN)
    assert get(sink, "metrics", **given)[0] == 200


@pytest.mark.parametrize(
    "given",
    [
        {"headers": {"Authorization": f"Bearer {TOKEN}x"}},
        {"headers": {"Authorization": "Bearer "}},
        {"headers": {"Authorization": "Basic ***"}},
        {"headers": {"Authorization": "Basic " + base64.b64encode(TOKEN.encode()).decode()}},
        {"headers": {"Authorization": f"Digest {TOKEN}"}},
        {"params": {"token": TOKEN[:-1]}},
        {"params": {"token": ""}},
        {"params": {"token": "ü"}},
        {"cookies": {"resemote-live-0": TOKEN}},
    ],
)
def test_anything_but_the_token_is_refused(live, get, given):
    sink = live("live://127.0.0.2:0", token=TOKEN)
    if "cookies" in given:
        given = {"cookies": {f"resemote-live-{port_of(sink)}": TOKEN}}
    assert get(sink, "metrics", **given)[0] == 401


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1.evil.example", "127.0.0.2", "[", ""]
)
def test_a_foreign_host_name_is_refused(live, get, talk, host):
    sink = live()
    name = host.format(port=port_of(sink))
    for path in ("", "state.json", "healthz", "page/page.css"):
        status, text, _ = get(sink, path, headers={"Host": name})
        assert status == 403, path
        assert "evil" not in text
    assert open_socket(talk, sink, Host=name) == 403


def test_its_own_names_and_those_that_it_was_given_are_known(live, get):
    own = live()
    for name in ("localhost", "127.0.0.1:99", "[::1]", "LOCALHOST"):
        assert get(own, headers={"Host": name})[0] == 200, name
    proxied = live(hosts=("cam.example",), token=TOKEN)
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    assert get(proxied, headers={"Host": "cam.example", **bearer})[0] == 200
    everywhere = live("live://0.0.0.0:0", token=TOKEN)
    for name in ("192.0.2.7", socket.gethostname()):
        assert get(everywhere, headers={"Host": name, **bearer})[0] == 200, name
    assert get(everywhere, headers={"Host": "evil.example", **bearer})[0] == 403


def test_a_websocket_of_another_origin_is_refused(live, talk):
    sink = live()
    port = port_of(sink)
    for origin in (
        "http://evil.example",
        f"http://evil.example:{port}",
        "null",
        "file://",
        f"http://127.0.0.1:{port + 1}",
    ):
        assert open_socket(talk, sink, Origin=origin) == 403, origin
    assert open_socket(talk, sink, Origin=f"http://127.0.0.1:{port}") == 101
    assert open_socket(talk, sink) == 101  # a program has none


def test_behind_a_proxy_that_speaks_https_the_socket_opens(live, get, talk):
    sink = live(hosts=("cam.example",), token=TOKEN)
    proxied = {"Host": "cam.example:8443", "Authorization": f"Bearer {TOKEN}"}
    assert open_socket(talk, sink, Origin="https://cam.example:8443", **proxied) == 101
    assert open_socket(talk, sink, Origin="https://cam.example", **proxied) == 403
    policy = get(sink, headers=proxied)[2]["Content-Security-Policy"]
    assert "connect-src 'self' wss://cam.example:8443" in policy


def test_what_stands_in_the_host_cannot_change_the_policy(live, get):
    _, _, headers = get(live(), headers={"Host": "127.0.0.1; script-src *"})
    assert "script-src *" not in headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["stream.mjpg", "state.json", "metrics"])
def test_another_site_may_not_put_it_in_its_page(live, get, path):
    sink = live()
    sink.write(*DrawnCamera().frame(0))
    for site in ("cross-site", "same-site"):
        headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
        assert get(sink, path, headers=headers)[0] == 403
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}
    assert get(sink, headers=headers)[0] == 403


def test_every_answer_tells_the_browser_what_it_may_not(live, get):
    sink = live("live://127.0.0.2:0", token=TOKEN)
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    for path, headers in (("", bearer), ("", {}), ("nothing", bearer), ("page/main.js", {}), ("state.json", bearer)):
        _, _, found = get(sink, path, headers=headers)
        policy = found["Content-Security-Policy"].split("; ")
        assert "default-src 'none'" in policy
        assert "script-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert not any("unsafe" in part or "*" in part for part in policy)
        assert found["X-Content-Type-Options"] == "nosniff"
        assert found["Cross-Origin-Resource-Policy"] == "same-origin"
        assert found["Cache-Control"] == "no-store"
        assert found["Server"] == "resemote-edge"


@pytest.mark.parametrize(
    "path", ["page/../sink.py", "page/%2e%2e/sink.py", "page/..%2fsink.py", "page/", "page/sink.py", "page//etc/passwd"]
)
def test_only_the_files_of_the_page_are_served(live, talk, path):
    import yarl

    sink = live()

    async def asking(session):
        async with session.get(yarl.URL(sink.address + path, encoded=True)) as answer:
            return answer.status

    assert talk(asking) == 404


def test_the_token_is_in_no_log(live, get, talk, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    sink = live("live://127.0.0.2:0", token=TOKEN)
    get(sink, f"?token={TOKEN}")
    get(sink, f"nothing?token={TOKEN}")
    get(sink, "state.json", headers={"Authorization": f"Bearer {TOKEN}"})
    open_socket(talk, sink, Authorization=f"Bearer {TOKEN}")
    for words in (f"GET /?token={TOKEN} HTTP/1.1\r\nbroken", f"GET / HTTP/1.1\r\nAuthorization Bearer {TOKEN}", TOKEN):
        with socket.create_connection(("127.0.0.2", port_of(sink))) as broken:
            broken.sendall(f"{words}\r\n\r\n".encode())
            assert b"400" in broken.recv(4096)
    sink.close()
    said = capfd.readouterr()
    assert TOKEN not in caplog.text + said.out + said.err


def test_a_connection_that_asks_for_nothing_is_dropped(live, get):
    sink = live(request_seconds=0.5)
    with socket.create_connection(("127.0.0.1", port_of(sink)), timeout=20) as silent:
        with socket.create_connection(("127.0.0.1", port_of(sink)), timeout=20) as slow:
            slow.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-")
            began = time.monotonic()
            for connection in (silent, slow):
                with suppress(ConnectionResetError):
                    assert connection.recv(1) == b""
        assert time.monotonic() - began < 10
    assert 'clients_dropped_total{reason="no request"} 2.0' in get(sink, "metrics")[1]


def test_a_second_request_that_never_ends_is_dropped_as_well(live):
    sink = live(request_seconds=0.5)
    with socket.create_connection(("127.0.0.1", port_of(sink)), timeout=20) as slow:
        slow.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert slow.recv(4096).startswith(b"HTTP/1.1 503")
        slow.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-")
        with suppress(ConnectionResetError):
            assert slow.recv(1) == b""


def test_what_is_not_asked_in_the_right_way_is_refused(live, talk):
    sink = live()

    async def asking(session):
        statuses = []
        for method, path in (("GET", "frames"), ("POST", ""), ("PUT", "state.json"), ("HEAD", "stream.mjpg")):
            async with session.request(method, sink.address + path) as answer:
                statuses.append(answer.status)
        return statuses

    assert talk(asking) == [400, 405, 405, 405]


def test_a_fault_of_ours_is_logged_without_the_request(live, get, caplog, monkeypatch):
    sink = live("live://127.0.0.2:0", token=TOKEN)
    monkeypatch.setattr("resemote_edge.camera.live.metrics.generate_latest", lambda registry: 1 / 0)
    status, text, _ = get(sink, "metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert status == 500
    assert "division" not in text
    assert "ZeroDivisionError" in caplog.text
    assert TOKEN not in caplog.text


def test_no_more_connections_are_let_in_than_there_is_room_for(live):
    sink = live(max_clients=1)
    held = [socket.create_connection(("127.0.0.1", port_of(sink)), timeout=20) for _ in range(33)]
    time.sleep(0.5)
    with socket.create_connection(("127.0.0.1", port_of(sink)), timeout=20) as one_more:
        assert one_more.recv(64).startswith(b"HTTP/1.1 503")
    for connection in held:
        connection.close()
