"""The live page as a sink: addresses, what cannot be opened and why, what is waited for, and what is left behind."""

import socket
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from drawn_camera import DrawnCamera

from resemote_edge.camera.live.address import LiveAddress, read_address
from resemote_edge.camera.live.options import LiveOptions
from resemote_edge.camera.live.sink import LiveSink
from resemote_edge.camera.sinks.base import SinkOptions
from resemote_edge.errors import InputError
from resemote_edge.vision.frame import Frame


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("live://", "127.0.0.1", 8080),
        ("live://127.0.0.1:9000", "127.0.0.1", 9000),
        ("live://:9000/", "127.0.0.1", 9000),
        ("live://[::1]:9000", "::1", 9000),
        ("0.0.0.0:80", "0.0.0.0", 80),
    ],
)
def test_an_address_is_read(text, host, port):
    address = read_address(text)
    assert address == LiveAddress(host=host, port=port)
    assert read_address(str(address)) == address


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("http://127.0.0.1:80", "is not an address of the live page"),
        ("live://127.0.0.1:80/page", "is not an address of the live page"),
        ("live://127.0.0.1:80000", "cannot be read: Port out of range"),
        ("live://127.0.0.1:web", "cannot be read"),
        ("live://[::1", "cannot be read"),
    ],
)
def test_an_address_that_is_none_is_refused(text, message):
    with pytest.raises(InputError, match=message):
        read_address(text)


def test_a_password_in_an_address_is_refused_and_not_repeated():
    with pytest.raises(InputError, match="holds a user or password") as caught:
        LiveSink("live://me:geheim@127.0.0.1:80", SinkOptions(live=LiveOptions()))
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"token": "short"}, "token has 5 characters"),
        ({"token": "with a space and more than enough"}, "that an address cannot hold"),
        ({"hosts": ("https://cam.example",)}, "not the name of a host"),
        ({"tls_key": "key.pem"}, "a TLS key and no certificate"),
        ({"jpeg_quality": 0}, "jpeg_quality of the live page is 0; choose 1 to 95"),
        ({"max_clients": 0}, "max_clients"),
    ],
)
def test_options_that_cannot_be_used_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        LiveOptions(**options)


def test_a_port_in_use_is_named(live):
    first = live()
    port = read_address(first.name).port
    with pytest.raises(InputError, match=rf"live://127\.0\.0\.1:{port}: port {port} is in use; choose another"):
        live(first.name)


def test_an_address_of_another_machine_is_named():
    with pytest.raises(InputError, match=r"192\.0\.2\.1 is not an address of this machine; `ip address`"):
        LiveSink("live://192.0.2.1:0", SinkOptions(live=LiveOptions())).open()


def test_a_name_without_an_address_is_named():
    with pytest.raises(InputError, match=r"the name 'no-such-host\.invalid' has no address"):
        LiveSink("live://no-such-host.invalid:0", SinkOptions(live=LiveOptions())).open()


@pytest.mark.parametrize("package", ["aiohttp", "prometheus_client"])
def test_a_missing_package_names_its_extra(package):
    code = (
        f"import sys; sys.modules[{package!r}] = None\n"
        "from resemote_edge.camera.live.options import LiveOptions\n"
        "from resemote_edge.camera.live.sink import LiveSink\n"
        "from resemote_edge.camera.sinks.base import SinkOptions\n"
        "try: LiveSink('live://127.0.0.1:0', SinkOptions(live=LiveOptions())).open()\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == (
        f"MissingDependencyError the live page needs the package '{package}', which is not installed; "
        "run: pip install 'resemote-edge[live]'\n"
    )


def test_a_token_is_made_for_every_address_but_this_machines_own():
    def token(address, **options):
        return LiveSink(address, SinkOptions(live=LiveOptions(**options))).address_with_token.partition("?token=")[2]

    assert [token(f"live://{host}:0") for host in ("127.0.0.1", "localhost", "[::1]")] == ["", "", ""]
    made = [token(f"live://{host}:0") for host in ("0.0.0.0", "127.0.0.2", "[::]", "camera.example")]
    made.append(token("live://127.0.0.1:0", hosts=("cam.example",)))  # a proxy leads others here
    assert all(len(one) >= 40 for one in made)
    assert len(set(made)) == len(made)
    assert token("live://127.0.0.1:0", token="a" * 24) == "a" * 24


@pytest.mark.parametrize("token", [None, "a-token-of-more-than-24-letters"])
def test_it_tells_where_it_is_once_and_only_a_token_that_it_made(token):
    told = []
    sink = LiveSink("live://127.0.0.2:0", SinkOptions(live=LiveOptions(token=token)))
    sink.tell = told.append
    sink.open()
    sink.write(*DrawnCamera().frame(0))
    sink.close()
    assert told == [f"open {sink.address if token else sink.address_with_token} in a browser"]
    assert ("?token=" in told[0]) == (token is None)


def test_the_address_can_be_opened_by_a_browser_of_this_machine(live, get):
    sink = live("live://0.0.0.0:0")
    assert sink.address.startswith("http://127.0.0.1:")
    assert get(sink, url=sink.address_with_token, path="")[0] == 200


def test_a_write_waits_for_nobody(live):
    sink, (result, frame) = live(), DrawnCamera().frame(0)
    sink.write(result, frame)
    with socket.create_connection(("127.0.0.1", read_address(sink.name).port)) as silent:
        silent.sendall(b"GET /stream.mjpg HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        silent.recv(12)
        began = time.perf_counter()
        for _ in range(300):
            sink.write(result, frame)
        assert time.perf_counter() - began < 3.0


def test_a_frame_in_another_format_is_refused(live):
    result, _ = DrawnCamera().frame(0)
    with pytest.raises(InputError, match="was given a frame in gray"):
        live().write(result, Frame(np.zeros((64, 64), np.uint8), "gray"))


def test_closed_it_leaves_no_thread_and_no_port(live):
    before = set(threading.enumerate())
    sink = live()
    result, frame = DrawnCamera().frame(0)
    sink.write(result, frame)
    address = sink.name
    assert set(threading.enumerate()) > before
    sink.close()
    sink.close()
    assert set(threading.enumerate()) == before
    assert live(address).name == address


def test_what_it_says_of_itself_holds_no_token(live):
    sink = live("live://127.0.0.2:0")
    token = sink.address_with_token.partition("?token=")[2]
    assert token
    assert token not in f"{sink.name} {sink.address} {sink!r}"


def test_without_pictures_it_asks_for_none(live, get):
    sink = live(pictures=False)
    assert sink.picture == "none"
    result, frame = DrawnCamera().frame(0)
    sink.write(result, frame)
    assert get(sink, "stream.mjpg")[0] == 404
    assert get(sink, "state.json")[0] == 200
