"""One URI names a sink; what names none is refused with the forms that do, and passwords are shown nowhere."""

import os
from pathlib import Path

import pytest
from sink_parts import ESCAPED_PASSWORD, PASSWORD, face, result

from resemote_edge.camera.results import encode_result
from resemote_edge.camera.sinks import SINKS, open_sink
from resemote_edge.camera.sinks.base import SinkOptions
from resemote_edge.camera.sinks.worker import SinkWorkers
from resemote_edge.errors import DeviceUnavailableError, InputError


def test_each_address_finds_its_sink(tmp_path: Path) -> None:
    kinds = {
        f"jsonl:{tmp_path}/a.jsonl": "JsonlSink",
        "jsonl:-": "JsonlSink",
        f"{tmp_path}/film.mp4": "VideoSink",
        f"file://{tmp_path}/film.MP4": "VideoSink",
        "mqtt://host/topic": "MqttSink",
        "MQTTS://host/topic": "MqttSink",
        "udp://127.0.0.1:9": "UdpSink",
        "webhook+http://host/": "WebhookSink",
        "webhook+https://host/": "WebhookSink",
    }
    assert {address: type(open_sink(address, SinkOptions())).__name__ for address in kinds} == kinds


@pytest.mark.parametrize("address", ["", "film.avi", "http://host/", "rtsp://a:secret@b", "mqtt", "pattern://"])
def test_other_addresses_are_refused_with_the_forms_there_are(address: str) -> None:
    with pytest.raises(InputError) as caught:
        open_sink(address, SinkOptions())
    assert "secret" not in str(caught.value)
    assert all(kind.form in caught.value.hint for kind in SINKS.values())


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("jsonl:", "names no file"),
        ("jsonl:{tmp}", "is a folder"),
        ("jsonl:{tmp}/no/such.jsonl", "is no folder"),
        ("{tmp}/no/such.mp4", "is no folder"),
        ("file://{tmp}/film.avi", "is no .mp4 file"),
        ("mqtt://host", "names no topic"),
        ("mqtt://host/a/+/b", "names no topic"),
        ("mqtt://host/a%23", "names no topic"),
        ("udp://host", "is no address of this kind"),
        ("udp://host:9/path", "is no address of this kind"),
        ("webhook+http://", "without a host"),
        ("webhook+http://host/ä", "letters that a URL cannot have"),
    ],
)
def test_addresses_that_can_never_work_are_refused_at_once(tmp_path: Path, address: str, found: str) -> None:
    with pytest.raises(InputError) as caught:
        open_sink(address.format(tmp=tmp_path), SinkOptions())
    assert found in caught.value.reason
    assert caught.value.hint


@pytest.mark.parametrize("address", ["film.mp4", "display://", "live://127.0.0.1:8080"])
def test_sinks_that_show_faces_are_refused_with_counts(address: str) -> None:
    if address.startswith("live"):
        pytest.importorskip("resemote_edge.camera.live.sink")
    with pytest.raises(InputError, match="--aggregate"):
        open_sink(address, SinkOptions(aggregate=True))


def test_a_window_is_refused_where_opencv_or_the_machine_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(DeviceUnavailableError, match=r"without windows|there is no screen") as caught:
        open_sink("display://", SinkOptions())
    assert "live://" in caught.value.hint


@pytest.mark.parametrize(
    "address",
    [
        f"mqtt://edge:{ESCAPED_PASSWORD}@127.0.0.1:9/faces",
        f"webhook+http://edge:{ESCAPED_PASSWORD}@127.0.0.1:9/s3cret?token=s3cret",
        f"udp://edge:{ESCAPED_PASSWORD}@127.0.0.1:9",
        f"mqtt://edge:{ESCAPED_PASSWORD}@127.0.0.1:9",
        f"mqtt://edge:{PASSWORD}@127.0.0.1:9/faces",
    ],
)
def test_no_name_error_or_line_has_the_password(address: str) -> None:
    said: list[str] = []
    try:
        sink = open_sink(address, SinkOptions())
        with SinkWorkers([sink], tell=said.append) as workers:
            for number in range(5):
                workers.put(result(number, face(1, "sad" if number % 2 else "happy")), {}.get)
        said += [repr(workers.facts), repr(sink), sink.name]
    except InputError as error:
        said += [str(error), repr(error)]
    assert said
    for secret in ("s3cret", PASSWORD, ESCAPED_PASSWORD, "edge:"):
        assert not any(secret in line for line in said), said


def test_results_have_the_source_as_it_was_given_to_them() -> None:
    # Who makes results removes passwords of sources: a result carries its text as it is.
    assert b'"source":"rtsp://camera"' in encode_result(result(source="rtsp://camera"))


def test_importing_the_table_needs_no_extra() -> None:
    from apart import run_python

    done = run_python(
        "import sys, resemote_edge.camera.sinks, resemote_edge.camera.sinks.worker;"
        "print([name for name in ('cv2', 'paho', 'aiohttp', 'PIL', 'torch') if name in sys.modules])"
    )
    assert done.stdout.strip() == "[]", done.stderr
    assert os.linesep == "\n"
