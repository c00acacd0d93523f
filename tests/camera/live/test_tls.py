"""HTTPS with certificate files: what is served, and what is wrong with a file."""

import shutil
import ssl
import subprocess
import warnings

import pytest
from drawn_camera import DrawnCamera

from resemote_edge.camera.live.options import LiveOptions
from resemote_edge.camera.live.sink import LiveSink
from resemote_edge.camera.sinks.base import SinkOptions
from resemote_edge.errors import InputError

OPENSSL = shutil.which("openssl")
pytestmark = pytest.mark.skipif(OPENSSL is None, reason="openssl is not installed")


def make(folder, *more):
    cert, key = folder / "cert.pem", folder / "key.pem"
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -days 2 -subj /CN=localhost"
    names = ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:127.0.0.2"]
    command = [OPENSSL, *words.split(), *names, "-keyout", key, "-out", cert, *(more or ["-nodes"])]
    subprocess.run(command, check=True, capture_output=True)
    return cert, key


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return make(tmp_path_factory.mktemp("tls"))


def test_the_page_and_its_socket_speak_https(files, live, talk):
    sink = live("live://127.0.0.2:0", tls_cert=files[0], tls_key=files[1])
    assert sink.address.startswith("https://127.0.0.2:")
    sink.write(*DrawnCamera().frame(0))
    trusted = ssl.create_default_context(cafile=files[0])

    async def visiting(session):
        async with session.get(sink.address_with_token, ssl=trusted) as answer:
            (first,) = answer.history
            policy = answer.headers["Content-Security-Policy"]
        async with session.ws_connect(sink.address + "frames", ssl=trusted) as page:
            return answer.status, first.headers["Set-Cookie"], policy, await page.receive_bytes()

    status, cookie, policy, message = talk(visiting, goodbye=0.3)
    assert status == 200
    assert "Secure" in cookie
    assert "wss://127.0.0.2:" in policy
    assert message[-2:] == b"\xff\xd9"  # the end of a JPEG


def test_old_protocols_are_refused(files, live, get):
    sink = live(tls_cert=files[0], tls_key=files[1])
    old = ssl.create_default_context(cafile=files[0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(OSError, match=r"(?i)ssl|protocol"):
        get(sink, ssl=old)


def test_files_that_cannot_be_used_are_named(files, tmp_path):
    cert, key = files
    text = tmp_path / "notes.pem"
    text.write_text("no certificate")
    (tmp_path / "other").mkdir()
    other_cert, _ = make(tmp_path / "other")
    (tmp_path / "locked").mkdir()
    locked_cert, locked_key = make(tmp_path / "locked", "-passout", "pass:geheim")
    for given, message in (
        ((tmp_path / "none.pem", key), r"none\.pem: cannot be read for TLS: No such file"),
        ((cert, tmp_path / "none.pem"), r"none\.pem: cannot be read for TLS: No such file"),
        ((text, None), r"notes\.pem: no certificate with its key"),
        ((other_cert, key), r"no certificate with its key in .*key\.pem"),
        ((locked_cert, locked_key), r"key\.pem: the key has a password; remove it: openssl pkey"),
    ):
        with pytest.raises(InputError, match=message):
            LiveSink("live://127.0.0.1:0", SinkOptions(live=LiveOptions(tls_cert=given[0], tls_key=given[1]))).open()
