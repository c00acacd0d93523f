"""Reading a source: failures, silence, pace."""

import contextlib
import threading
import time

import cv2
import numpy as np
import pytest
from camera_servers import need_rtsp, rtsp, silent_server, stalling_camera

from resemote_edge.camera.reader import FrameReader, ReaderOptions
from resemote_edge.camera.sources.base import SourceOptions
from resemote_edge.errors import InputError, SourceError
from resemote_edge.experiments.camera_check.server import free_port


@contextlib.contextmanager
def reading(address, *, source=None, notices=None, **options):
    told = (notices if notices is not None else []).append
    reader = FrameReader(str(address), source or SourceOptions(), ReaderOptions(**options), told)
    try:
        yield reader
    finally:
        reader.close()


def take_for(reader, seconds, until=lambda: False):
    """Frames of some seconds, or until something holds."""
    found, end = [], time.monotonic() + seconds
    while time.monotonic() < end and not reader.ended and not until():
        captured = reader.take(0.05)
        if captured is not None:
            found.append(captured)
    return found


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    path = tmp_path_factory.mktemp("films") / "film.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), 25.0, (64, 48))
    for number in range(50):
        writer.write(np.full((48, 64, 3), 4 * number, np.uint8))
    writer.release()
    return path


def test_a_film_loses_no_frame_however_slow_the_taker(film):
    with reading(film) as reader:
        reader.start()
        first = reader.take(5)
        time.sleep(0.3)
        found = [first, *take_for(reader, 20)]
        assert [captured.number for captured in found] == list(range(50))
        assert (reader.dropped, reader.captured, reader.ended, reader.failure) == ({}, 50, True, None)


def test_a_camera_is_never_behind_and_counts_what_it_drops():
    with reading("pattern://?faces=0&seconds=1", source=SourceOptions(fps=50, size=(64, 48))) as reader:
        reader.start()
        ages = []
        while not reader.ended:
            captured = reader.take(1)
            if captured is not None:
                ages.append((time.perf_counter_ns() - captured.captured_ns) / 1e9)
                time.sleep(0.1)
        assert reader.captured == 50
        assert len(ages) + reader.dropped["late"] == 50
        assert reader.dropped["late"] > 25
        assert max(ages[1:]) < 0.1


def test_max_fps_passes_no_more_on():
    options = SourceOptions(fps=50, size=(64, 48))
    with reading("pattern://?faces=0&seconds=2", source=options, max_fps=10) as reader:
        reader.start()
        found = take_for(reader, 10)
        gaps = np.diff([captured.seconds for captured in found])
        assert min(gaps) >= 0.9 / 10
        assert sum(reader.dropped.values()) + len(found) == 100


def test_frames_are_flipped(film):
    with reading(film, flip="clockwise") as reader:
        reader.start()
        assert reader.take(5).frame.pixels.shape == (64, 48, 3)


def test_a_server_that_dies_and_returns_is_found_again():
    need_rtsp()
    port, notices = free_port(), []
    address = f"rtsp://me:secret@127.0.0.1:{port}/stream"
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(rtsp(port))
        reader = stack.enter_context(reading(address, source=SourceOptions(stall_s=2.0), notices=notices))
        reader.start()
        before = take_for(reader, 60, until=lambda: reader.captured >= 10)
        server.kill()
        server.wait()
        take_for(reader, 60, until=lambda: reader.lost)
        assert reader.lost
        stack.enter_context(rtsp(port))
        after = take_for(reader, 60, until=lambda: reader.restarts and reader.captured > len(before) + 20)
        assert reader.restarts == 1
        assert not reader.lost
        numbers = [captured.number for captured in before + after]
        times = [captured.seconds for captured in before + after]
        assert numbers == sorted(set(numbers))
        assert times == sorted(set(times))
    assert [notice.split("; ")[-1].split(": ")[-1] for notice in notices] == ["trying again", "frames come again"]
    assert "secret" not in " ".join(notices)


@pytest.mark.parametrize("scheme", ["rtsp", "http"])
def test_a_server_that_accepts_and_is_silent_is_no_reason_to_wait_for_ever(scheme):
    with (
        silent_server() as port,
        reading(f"{scheme}://127.0.0.1:{port}/x", source=SourceOptions(stall_s=0.5)) as reader,
        pytest.raises(SourceError, match="does not open"),
    ):
        reader.start()


def test_the_watchdog_opens_a_silent_camera_anew():
    notices = []
    with (
        stalling_camera() as (address, clients),
        reading(address, source=SourceOptions(stall_s=0.5), notices=notices) as reader,
    ):
        reader.start()
        take_for(reader, 30, until=lambda: reader.restarts >= 2)
        assert reader.restarts >= 2
        assert len(clients) >= 3
        assert sum(thread.name == "camera-read" for thread in threading.enumerate()) <= 4


def test_without_reconnecting_silence_is_the_end():
    with stalling_camera() as (address, _), reading(address, source=SourceOptions(stall_s=0.5), reconnect=False) as one:
        one.start()
        take_for(one, 20)
        assert one.ended
        assert isinstance(one.failure, SourceError)


def test_a_source_is_given_up_when_that_was_asked_for():
    with (
        stalling_camera(again=False) as (address, clients),
        reading(address, source=SourceOptions(stall_s=0.5), give_up_s=2.0) as reader,
    ):
        reader.start()
        take_for(reader, 30)
        assert reader.ended
        assert str(reader.failure).endswith("no frame for 2 s")
        assert len(clients) >= 2  # it was tried again before


def test_a_bug_in_a_source_ends_the_run_and_is_not_swallowed(film, monkeypatch):
    from resemote_edge.camera.sources.video import VideoSource

    monkeypatch.setattr(VideoSource, "read", lambda self: 1 / 0)
    with reading(film) as reader:
        reader.start()
        assert take_for(reader, 10) == []
        assert isinstance(reader.failure, ZeroDivisionError)


@pytest.mark.parametrize("options", [{"max_fps": 0}, {"give_up_s": -1}, {"flip": "inside out"}])
def test_options_out_of_range_are_refused(options):
    with pytest.raises(InputError):
        ReaderOptions(**options)
