"""Sources: addresses, films, folders and the pattern; streams are in test_rtsp.py."""

import cv2
import numpy as np
import pytest
from PIL import Image

from resemote_edge.camera.sources import SOURCES, make_source
from resemote_edge.camera.sources.base import FrameClock, SourceOptions
from resemote_edge.errors import InputError, SourceError


def frames_of(address, **options):
    source = make_source(str(address), SourceOptions(**options), FrameClock())
    source.open()
    found = []
    while len(found) < 100 and (captured := source.read()) is not None:
        found.append(captured)
    source.close()
    return found


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """Ten frames at ten a second, each brighter than the one before."""
    path = tmp_path_factory.mktemp("films") / "film.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), 10.0, (64, 48))
    for number in range(10):
        writer.write(np.full((48, 64, 3), 20 * number, np.uint8))
    writer.release()
    return path


def levels(found):
    return [round(float(captured.frame.pixels.mean()) / 20) for captured in found]


def test_a_film_gives_every_frame_at_its_own_time(film):
    for address in (film, f"file://{film}"):
        found = frames_of(address)
        assert levels(found) == list(range(10))
        assert [captured.number for captured in found] == list(range(10))
        assert [captured.seconds for captured in found] == pytest.approx([n / 10 for n in range(10)], abs=1e-3)
        assert {captured.frame.format for captured in found} == {"bgr"}


def test_a_film_in_a_loop_goes_on_in_time(film):
    found = frames_of(film, loop=True)
    assert levels(found) == list(range(10)) * 10
    assert [captured.seconds for captured in found] == pytest.approx([n / 10 for n in range(100)], abs=0.01)


def test_a_folder_gives_its_images_in_order_and_nothing_else(tmp_path):
    for number in (2, 0, 1):
        Image.new("RGB", (32, 24), (40 * number, 0, 0)).save(tmp_path / f"{number}.png")
    (tmp_path / "notes.txt").write_text("no image")
    (tmp_path / "inner").mkdir()
    found = frames_of(tmp_path, fps=5)
    assert [captured.frame.pixels[0, 0].tolist() for captured in found] == [[0, 0, 0], [0, 0, 40], [0, 0, 80]]
    assert [captured.seconds for captured in found] == pytest.approx([0, 0.2, 0.4])
    assert len(frames_of(f"folder://{tmp_path}", loop=True)) == 100


def test_the_pattern_shows_faces_where_it_says_they_are():
    source = make_source("pattern://?faces=2", SourceOptions(size=(320, 240)), FrameClock())
    ground = make_source("pattern://?faces=0", SourceOptions(size=(320, 240)), FrameClock()).draw(0.0)
    for seconds in (0.0, 1.7, 25.0):
        picture = source.draw(seconds).astype(int)
        changed = np.abs(picture - ground).sum(axis=2) > 30
        inside = np.zeros_like(changed)
        for face in source.truth(seconds):
            inside[int(face.y) : int(face.y + face.height) + 2, int(face.x) : int(face.x + face.width) + 2] = True
            assert changed[inside].any()
        assert not changed[~inside].any()
        assert min(min(face.x, face.y) for face in source.truth(seconds)) >= 0


def test_the_pattern_keeps_its_pace_and_ends():
    found = frames_of("pattern://?faces=1&seconds=0.5", fps=40, size=(160, 120))
    assert len(found) == 20
    assert found[-1].seconds == pytest.approx(19 / 40, abs=0.2)


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("ftp://host/x", "no source begins with ftp:"),
        ("missing.mp4", "No such file"),
        ("pattern://?faces=99", "no number from 0 to 16"),
        ("pattern://?faces=many", "no number from 0 to 16"),
        ("pattern://?colour=red", "has no colour"),
        ("rtps://me:secret@host/x", "no source begins with rtps:"),
    ],
)
def test_an_address_that_names_nothing_is_refused(address, why):
    with pytest.raises(InputError, match=why) as found:
        frames_of(address)
    assert "secret" not in str(found.value)


def test_a_file_that_is_no_film_and_a_folder_without_images(tmp_path):
    (tmp_path / "film.mp4").write_bytes(b"not a film" * 100)
    with pytest.raises(InputError, match="not a film that FFmpeg can read"):
        frames_of(tmp_path / "film.mp4")
    with pytest.raises(InputError, match="no images among the 1 entries"):
        frames_of(tmp_path)


@pytest.mark.parametrize("address", ["63", "v4l2:///dev/video63", "/dev/video63"])
def test_a_camera_that_is_not_there_says_so(address):
    with pytest.raises(SourceError, match="there is no device /dev/video63"):
        frames_of(address)


def test_a_stream_that_nobody_serves_says_so_and_keeps_the_password():
    with pytest.raises(SourceError, match="nobody answers") as found:
        frames_of("rtsp://me:secret@127.0.0.1:9/x", stall_s=2.0)
    assert "secret" not in str(found.value)


def test_a_pipeline_is_run_or_says_what_is_missing():
    pipeline = "gst:videotestsrc num-buffers=5 ! video/x-raw,width=64,height=48 ! videoconvert ! appsink"
    if cv2.videoio_registry.hasBackend(cv2.CAP_GSTREAMER):
        source = make_source(pipeline, SourceOptions(), FrameClock())
        source.open()
        assert [source.read().frame.pixels.shape for _ in range(5)] == [(48, 64, 3)] * 5
        with pytest.raises(SourceError, match="gives no more frames"):
            source.read()
        with pytest.raises(SourceError, match="pipeline does not start"):
            frames_of("csi://0")
        return
    for address in (pipeline, "csi://0"):
        with pytest.raises(InputError, match="without GStreamer"):
            frames_of(address)


def test_every_row_can_be_made():
    for row in SOURCES.values():
        assert make_source(row.example, SourceOptions(), FrameClock()).name == row.example


def test_times_that_stand_still_or_jump_back_go_on():
    clock = FrameClock()
    frame = frames_of("pattern://?faces=0&seconds=0.05")[0].frame
    times = [clock.stamp(frame, seconds).seconds for seconds in (0.0, 0.0, 0.5, 0.1, 0.6)]
    assert times == sorted(set(times))
    assert times[-1] == 0.6


@pytest.mark.parametrize("options", [{"fps": 0}, {"fps": 1e6}, {"stall_s": 0}])
def test_options_out_of_range_are_refused(options):
    with pytest.raises(InputError):
        SourceOptions(**options)
