"""``resemote camera``, run as a program: the decisions of Python's command, and sources that fail."""

import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import time
from datetime import datetime
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest
from camera_servers import need_rtsp, rtsp, silent_server, stalling_camera

import resemote_edge
from resemote_edge.artifacts.prebuilt import PREBUILT_DETECTORS, prebuilt_detector_path, prebuilt_path
from resemote_edge.camera.decider import Decider, DeciderOptions
from resemote_edge.camera.results import FaceResult, FrameResult, result_schema
from resemote_edge.camera.sources.base import Captured, FrameClock, SourceOptions
from resemote_edge.camera.sources.pattern import PatternSource
from resemote_edge.camera.summary import CameraSummary
from resemote_edge.experiments.camera_check.server import free_port
from resemote_edge.faces.detectors import open_detector
from resemote_edge.faces.detectors.base import DetectorOptions
from resemote_edge.runtimes.native.library import engine_library
from resemote_edge.vision.frame import Frame

TOOL = Path(__file__).resolve().parents[3] / "build" / "native-release" / "runtimes" / "tools" / "resemote"

#: Time for one run at most, seconds; the machine may be busy.
PATIENCE = 120


def environment():
    places = {name: engine_library(name) for name in ("openvino", "onnxruntime")}
    return {**os.environ, **{f"RESEMOTE_{name.upper()}_LIBRARY": place for name, place in places.items() if place}}


@pytest.fixture(scope="module", autouse=True)
def _built():
    if not TOOL.is_file():
        pytest.skip("resemote is not built; run: make native")
    done = subprocess.run([TOOL, "camera", "--help"], capture_output=True, text=True, check=False)
    if "built without OpenCV" in done.stderr:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stderr


def artifacts_of(detector=None, size=(320, 192)):
    detector = detector or prebuilt_detector_path("yunet", *size)
    return ("--artifact", prebuilt_path(), "--detector", detector, "--backend", "onnxruntime", "--threads", 1)


def command(*words, **options):
    return [str(word) for word in (TOOL, "camera", *words, *artifacts_of(**options))]


def camera(*words, cwd=None, **options):
    return subprocess.run(
        command(*words, **options),
        capture_output=True, text=True, check=False, env=environment(), cwd=cwd, timeout=PATIENCE,
    )  # fmt: skip


def results_of(text):
    return [msgspec.json.decode(line, type=FrameResult) for line in text.splitlines()]


@contextlib.contextmanager
def running(*words, **options):
    """The program while it runs; killed at the end if it still does."""
    one = subprocess.Popen(
        command(*words, **options), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
    )
    try:
        yield one
    finally:
        one.kill()
        one.communicate()


def wait_until(happened, what):
    end = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < end, what
        time.sleep(0.05)


def lines_until(process, done, patience=PATIENCE):
    """Results as they come, until `done` holds of them."""
    found, buffer, end = [], b"", time.monotonic() + patience
    descriptor = process.stdout.fileno()
    while not done(found) and time.monotonic() < end:
        if select.select([descriptor], [], [], 0.1)[0]:
            chunk = os.read(descriptor, 1 << 16)
            assert chunk, process.stderr.read()
            *lines, buffer = (buffer + chunk).split(b"\n")
            found += [msgspec.json.decode(line, type=FrameResult) for line in lines]
    assert done(found), f"{len(found)} results"
    return found


def write_film(path, frames, size, code="mp4v", fps=25.0):
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*code), fps, size)
    for pixels in frames:
        writer.write(pixels)
    writer.release()
    return path


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """Two people who move, and leave the picture at its left edge and come back: crops at the border included."""
    source = PatternSource("pattern://?faces=2", SourceOptions(size=(640, 360)), FrameClock())
    source.open()
    shifts = (round(60 + 200 * np.sin(number / 12)) for number in range(75))
    frames = [np.roll(source.draw(number / 25), -shift, axis=1) for number, shift in enumerate(shifts)]
    return write_film(tmp_path_factory.mktemp("films") / "film.mp4", frames, (640, 360))


def assert_same_results(got, want, *, box=0.0, share=0.0):
    """The same tracks with the same labels; boxes and probabilities may differ by so much."""
    assert len(got) == len(want)
    faces = 0
    for mine, theirs in zip(got, want, strict=True):
        assert [(f.track, f.event, f.detected, f.label, f.not_judged) for f in mine.faces] == [
            (f.track, f.event, f.detected, f.label, f.not_judged) for f in theirs.faces
        ], mine.frame
        assert (mine.frame, mine.width, mine.height, mine.ended) == (
            theirs.frame, theirs.width, theirs.height, theirs.ended,
        )  # fmt: skip
        assert mine.seconds == pytest.approx(theirs.seconds, abs=1e-6)
        for one, other in zip(mine.faces, theirs.faces, strict=True):
            faces += 1
            for name in ("x", "y", "width", "height"):
                assert getattr(one, name) == pytest.approx(getattr(other, name), abs=box + 1e-9)
            assert one.probabilities == pytest.approx(other.probabilities, abs=share + 1e-9)
            assert one.detection_score == pytest.approx(other.detection_score, abs=1.1e-3)
    return faces


@pytest.mark.parametrize("size", [row[1:] for row in PREBUILT_DETECTORS], ids=str)
@pytest.mark.parametrize("every", [1, 3])
def test_decisions_about_a_film_are_those_of_python(film, size, every):
    done = camera(film, "--detect-every", every, size=size)
    assert done.returncode == 0, done.stderr
    options = resemote_edge.WatchOptions(
        runtime="onnxruntime", threads=1, detector_size=size, decider=DeciderOptions(detect_every=every)
    )
    want = list(resemote_edge.watch(film, options))
    # Boxes are told to a tenth of a pixel and probabilities to four digits: the last one may be rounded otherwise.
    assert assert_same_results(results_of(done.stdout), want, box=0.1, share=1e-4) > 60
    assert any(face.not_judged for result in want for face in result.faces)
    assert "75 came, 75 were decided" in done.stderr


def test_lines_and_summary_have_the_published_schemas(film, tmp_path):
    done = camera(film, "jsonl:out.jsonl", "out.avi", "--json", "--frames", 30, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    summary = msgspec.json.decode(done.stdout, type=CameraSummary)
    results = results_of((tmp_path / "out.jsonl").read_text())
    assert summary.decided == len(results) == 30
    assert [(sink.sink, sink.written, sink.lost) for sink in summary.sinks] == [
        ("jsonl:out.jsonl", 30, {}),
        ("out.avi", 30, {}),
    ]
    assert (summary.decision_age, summary.lost, summary.session) == (None, False, results[0].session)
    assert set(json.loads(done.stdout)) == set(CameraSummary.__struct_fields__)
    line = json.loads((tmp_path / "out.jsonl").read_text().splitlines()[-1])
    definitions = result_schema()["$defs"]
    assert list(line) == list(FrameResult.__struct_fields__) == list(definitions["FrameResult"]["properties"])
    assert list(line["faces"][0]) == list(FaceResult.__struct_fields__)
    age = time.time() - datetime.fromisoformat(line["captured_utc"]).timestamp()
    assert 0 <= age < PATIENCE


def test_the_film_that_is_written_is_annotated_and_keeps_the_time(film, tmp_path):
    assert camera(film, "out.avi", "--frames", 40, cwd=tmp_path).returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == ["out.avi"]
    written, plain = cv2.VideoCapture(str(tmp_path / "out.avi")), cv2.VideoCapture(str(film))
    assert (written.get(cv2.CAP_PROP_FRAME_COUNT), written.get(cv2.CAP_PROP_FPS)) == (40, 25)
    changed = []
    for _ in range(40):
        one, other = written.read()[1], plain.read()[1]
        changed.append((np.abs(one.astype(int) - other).max(axis=2) > 60).mean())
    assert max(changed[:2]) < 0.002 < 0.005 < min(changed[10:])  # a face speaks from its third detection on


def test_without_a_detector_the_frame_is_the_face(film):
    done = camera(film, "--frames", 6, detector="none")
    assert done.returncode == 0, done.stderr
    last = results_of(done.stdout)[-1]
    assert [(face.x, face.y, face.width, face.height) for face in last.faces] == [(0, 0, 640, 360)]


def test_nv12_frames_are_decided_as_in_python(film, tmp_path):
    # What a Jetson's nvvidconv gives: luma and chroma, which the classifier takes as they are.
    reader, frames = cv2.VideoCapture(str(film)), []
    while (read := reader.read())[0]:
        planes = cv2.cvtColor(read[1], cv2.COLOR_BGR2YUV_I420)
        chroma = planes[360:].reshape(2, -1)
        frames.append(np.concatenate([planes[:360], np.stack(list(chroma), axis=-1).reshape(180, 640)]))
    (tmp_path / "film.nv12").write_bytes(b"".join(frame.tobytes() for frame in frames))
    pipeline = (
        f"gst:filesrc location={tmp_path / 'film.nv12'} ! rawvideoparse format=nv12 width=640 height=360 "
        "framerate=25/1 ! video/x-raw,format=NV12 ! appsink sync=false"
    )
    done = camera(pipeline, "--every-frame", "--no-reconnect", "--detect-every", 1)
    if "built without GStreamer" in done.stderr or "does not start" in done.stderr:
        pytest.skip(done.stderr)
    assert "gives no more frames" in done.stderr  # a pipeline has no end that could be told from a failure
    got = results_of(done.stdout)
    with (
        open_detector("yunet", DetectorOptions(runtime="onnxruntime", threads=1, size=(320, 192))) as detector,
        resemote_edge.load(runtime="onnxruntime", threads=1) as classifier,
    ):
        decider = Decider(detector, classifier, "nv12", DeciderOptions(detect_every=1))
        want = [
            decider.decide(
                Captured(frame=Frame(pixels, "nv12"), number=number, seconds=mine.seconds, captured_ns=0, utc=0.0),
                live=False,
                dropped={},
            )
            for number, (pixels, mine) in enumerate(zip(frames, got, strict=True))
        ]
    # Times are told in microseconds, which leaves a little of each filter open.
    assert assert_same_results(got, want, box=0.2, share=1e-3) > 60


def test_the_last_caps_of_a_pipeline_say_what_a_frame_is():
    need_gstreamer()
    caps = "video/x-raw,width=64,height=48,framerate=30/1,format=NV12"
    done = camera(
        f"gst:videotestsrc is-live=true ! {caps} ! videoconvert ! video/x-raw,format=GRAY8 ! appsink",
        "--frames", 1, detector="none",
    )  # fmt: skip
    (result,) = results_of(done.stdout)
    assert (result.width, result.height) == (64, 48)


def test_a_server_that_is_killed_and_returns_is_found_within_three_seconds():
    need_rtsp()
    port = free_port()
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(rtsp(port))
        tool = stack.enter_context(running(f"rtsp://me:secret@127.0.0.1:{port}/stream", "--stall", 2, detector="none"))
        before = lines_until(tool, lambda found: len(found) >= 20)
        server.kill()
        server.wait()
        with contextlib.suppress(AssertionError):
            before += lines_until(tool, lambda _: False, patience=1.0)  # what was under way
        stack.enter_context(rtsp(port))
        returned = time.monotonic()
        after = lines_until(tool, bool)
        taken = time.monotonic() - returned
        after += lines_until(tool, lambda found: len(found) >= 20)
        tool.send_signal(signal.SIGTERM)
        out, err = tool.communicate(timeout=30)
    assert tool.returncode == 0, err
    assert taken < 3.0
    numbers = [result.frame for result in before + after]
    assert numbers == sorted(set(numbers))
    assert len({result.session for result in before + after}) == 1
    assert all(len({face.track for face in result.faces}) == len(result.faces) <= 1 for result in before + after)
    assert "trying again" in err
    assert "frames come again" in err
    assert "came back 1 time" in err
    assert "secret" not in err + out
    assert all("secret" not in result.source for result in after)


@pytest.mark.parametrize("raw", [False, True], ids=["FFmpeg", "GStreamer"])
def test_a_camera_that_falls_silent_is_opened_anew(raw):
    with stalling_camera(raw=raw) as (given, clients):
        address = given
        if raw:  # nothing but the watchdog ends this wait: it leaves the thread behind
            need_gstreamer()
            host, port = given.removeprefix("http://").partition("/")[0].split(":")
            parsed = "rawvideoparse format=bgr width=64 height=48 framerate=100/1"
            address = f"gst:tcpclientsrc host={host} port={port} ! {parsed} ! appsink sync=false"
        with running(address, "--stall", 0.5, detector="none") as tool:
            deadline = time.monotonic() + PATIENCE
            while len(clients) < 4 and time.monotonic() < deadline:
                time.sleep(0.1)
            lines_until(tool, lambda found: len(found) >= 60)
            tool.send_signal(signal.SIGINT)
            _, err = tool.communicate(timeout=30)
        assert len(clients) >= 4
        assert tool.returncode in (0, 4), err  # 4 if the signal came while it was silent
        assert ("silent for 0.5 s; trying again" in err) or not raw
        assert "trying again" in err
        assert "came back" in err


@pytest.mark.parametrize("scheme", ["rtsp", "http"])
def test_a_server_that_accepts_and_is_silent_does_not_open(scheme):
    with silent_server() as port:
        done = camera(f"{scheme}://127.0.0.1:{port}/x", "--stall", 0.5, detector="none")
    assert (done.returncode, done.stdout) == (1, "")
    assert "does not open" in done.stderr


@pytest.mark.parametrize("words", [("--no-reconnect",), ("--give-up", 2)])
def test_a_source_that_does_not_come_back_has_an_exit_code_of_its_own(words):
    with stalling_camera(again=False) as (address, _):
        done = camera(address, "--stall", 0.5, "--json", *words, detector="none")
    assert done.returncode == 4, done.stderr
    summary = msgspec.json.decode(done.stdout, type=CameraSummary)
    assert summary.lost
    assert summary.captured == summary.decided + sum(summary.dropped.values()) > 0
    assert summary.decision_age is not None


PATTERN = "gst:videotestsrc is-live=true ! video/x-raw,width=64,height=48,framerate={fps}/1,format=BGR ! appsink"


def need_gstreamer():
    done = camera(PATTERN.format(fps=30), "--frames", 1, detector="none")
    if done.returncode != 0:
        pytest.skip(done.stderr)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_with_a_summary(number):
    need_gstreamer()
    with running(PATTERN.format(fps=30), detector="none") as tool:
        lines_until(tool, lambda found: len(found) >= 10)
        tool.send_signal(number)
        out, err = tool.communicate(timeout=30)
    assert tool.returncode == 0, err
    assert all(results_of(out)), "whole lines to the end"
    for word in ("were decided", "decision age", "p50", "p95", "p99"):
        assert word in err


def test_a_signal_ends_the_run_while_the_source_opens():
    with silent_server() as port, running(f"rtsp://127.0.0.1:{port}/x", "--stall", 30, detector="none") as tool:
        connections = Path(f"/proc/{tool.pid}/net/tcp")
        wait_until(lambda: f":{port:04X} 01 " in connections.read_text(), "it asks the server")
        tool.send_signal(signal.SIGINT)
        _, err = tool.communicate(timeout=10)
    assert tool.returncode == 0, err
    assert "0 came, 0 were decided" in err


def test_a_pipeline_that_hangs_while_it_opens_ends_the_run():
    need_gstreamer()
    with silent_server() as port:
        parsed = "rawvideoparse format=bgr width=64 height=48 framerate=100/1"
        began = time.monotonic()
        done = camera(
            f"gst:tcpclientsrc host=127.0.0.1 port={port} ! {parsed} ! appsink", "--stall", 0.5, detector="none"
        )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1].startswith("Error: ")
    assert time.monotonic() - began < 40


def test_a_signal_ends_a_film_whose_reader_stalls(tmp_path):
    frames = [np.full((48, 64, 3), number % 200, np.uint8) for number in range(900)]
    film = write_film(tmp_path / "long.mp4", frames, (64, 48))
    with running(film, "--judge-all", detector="none") as tool:
        facts = Path(f"/proc/{tool.pid}/stat")
        seen = [0.0]

        def rests():
            time.sleep(0.4)
            seen.append(sum(map(int, facts.read_text().rpartition(")")[2].split()[11:13])))
            return seen[-1] > 0 and seen[-1] - seen[-2] <= 1 and select.select([tool.stdout], [], [], 0)[0]

        wait_until(rests, "nothing more fits into the pipe")
        tool.send_signal(signal.SIGINT)
        tool.wait(timeout=9)  # 5 s of them are the sink's
        err = tool.stderr.read()
    assert tool.returncode == 0
    assert "it still had not taken all results" in err


def test_late_frames_are_dropped_and_max_fps_is_kept():
    need_gstreamer()
    done = camera(PATTERN.format(fps=60), "--max-fps", 10, "--frames", 20, "--json", detector="none")
    assert done.returncode == 0, done.stderr
    summary = msgspec.json.decode(done.stdout, type=CameraSummary)
    assert summary.dropped["above --max-fps"] >= 60
    assert summary.fps <= 11.5


def test_a_reader_that_stalls_delays_no_frame_and_what_it_lost_is_told():
    need_gstreamer()
    with running(PATTERN.format(fps=120), "--judge-all", "--frames", 500, detector="none") as tool:
        # Its output is not read while it runs.
        began = time.monotonic()
        while tool.poll() is None and time.monotonic() - began < 60:
            time.sleep(0.1)
        err = tool.stderr.read()
    assert tool.returncode == 0, err
    assert "500 were decided" in err
    assert " late" in err.partition("jsonl:-")[2]


def test_a_reader_that_goes_away_ends_the_run(film):
    with running(film, "--frames", 100000) as tool:
        lines_until(tool, lambda found: len(found) >= 1)
        tool.stdout.close()
        tool.stdout = None
        assert tool.wait(timeout=60) == 0


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ((), 2, "missing argument SOURCE"),
        (("ftp://host",), 1, "no source begins with ftp:"),
        (("missing.mp4",), 1, "No such file"),
        (("film.txt",), 1, "not a film that OpenCV can read"),
        (("63",), 1, "there is no device /dev/video63"),
        (("v4l2:///dev/video63",), 1, "there is no device /dev/video63"),
        (("film.mp4", "ftp://host"), 1, "no sink has the address"),
        (("film.mp4", "jsonl:no/such/folder.jsonl"), 1, "No such file"),
        (("film.mp4", "no/such.avi"), 1, "No such file"),
        (("film.mp4", "jsonl:film.txt"), 1, "pass --force"),
        (("film.mp4", "jsonl:-", "--json"), 1, "--json prints the summary"),
        (("film.mp4", "--force", "--append"), 1, "pass one of them"),
        (("film.mp4", "--detect-every", "often"), 2, "no whole number"),
        (("film.mp4", "--stall", "soon"), 2, "no number"),
        (("film.mp4", "--size", "big"), 2, "is no size"),
        (("film.mp4", "--max-fps", "0"), 2, "no number"),
        (("rtsp://me:secret@127.0.0.1:9/x?token=abc",), 1, "rtsp://***@127.0.0.1:9/x?...: the stream"),
        (("rtsp://me:se/cret@127.0.0.1:9/x",), 1, "rtsp://***@127.0.0.1:9/x: the stream does not open"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line(words, code, told, film, tmp_path):
    (tmp_path / "film.mp4").symlink_to(film)
    (tmp_path / "film.txt").write_text("a film\n")
    done = camera(*words, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    assert told in done.stderr.splitlines()[-1]
    assert len(done.stderr.splitlines()) == (2 if code == 2 else 1)
    assert "secret" not in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["film.mp4", "film.txt"]


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [(("--frames", "0"), 2, "no whole number"), (("jsonl:here.txt",), 1, "exists"), (("here.txt",), 1, "no sink has")],
)
def test_the_command_line_and_the_sinks_are_judged_before_an_engine_starts(words, code, told, film, tmp_path):
    (tmp_path / "here.txt").write_text("mine")
    done = subprocess.run(
        [str(word) for word in (TOOL, "camera", film, *words, "--artifact", "/nowhere", "--detector", "/nowhere")],
        capture_output=True, text=True, check=False, env=environment(), cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == code
    assert told in done.stderr
    assert (tmp_path / "here.txt").read_text() == "mine"


def test_a_film_replaces_nothing_but_files(film, tmp_path):
    os.mkfifo(tmp_path / "pipe.avi")
    done = camera(film, "pipe.avi", "--force", cwd=tmp_path)
    assert done.returncode == 1
    assert "pipe.avi: a pipe rather than a file" in done.stderr
    assert (tmp_path / "pipe.avi").is_fifo()


def test_artifacts_of_the_wrong_kind_are_refused(film):
    swapped = ("--artifact", prebuilt_detector_path("yunet", 320, 192), "--detector", prebuilt_path())
    for words in (swapped, (*swapped[:2], "--detector", "none")):
        done = subprocess.run(
            [str(word) for word in (TOOL, "camera", film, *words)],
            capture_output=True, text=True, check=False, env=environment(),
        )  # fmt: skip
        assert done.returncode == 1
        assert "not a " in done.stderr


def test_without_its_program_the_command_says_what_is_missing(film, tmp_path):
    alone = tmp_path / "resemote"
    shutil.copy(TOOL, alone)
    done = subprocess.run([alone, "camera", film], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"there is no {tmp_path}/resemote-camera: this resemote was built without OpenCV" in done.stderr
    assert "libopencv-dev" in done.stderr


def test_the_other_commands_need_no_opencv():
    if shutil.which("readelf") is None:
        pytest.skip("readelf is not installed")
    done = subprocess.run(["readelf", "--dynamic", TOOL], capture_output=True, text=True, check=True)
    assert "libresemote" in done.stdout
    assert "opencv" not in done.stdout


@pytest.mark.slow
def test_memory_does_not_grow_with_the_frames(tmp_path):
    source = PatternSource("pattern://?faces=2", SourceOptions(size=(320, 192)), FrameClock())
    source.open()
    frames = (source.draw(number / 25) for number in range(1200))
    film = write_film(tmp_path / "long.mp4", frames, (320, 192))

    def memory(process):
        status = Path(f"/proc/{process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    with running(film, "--detect-every", 1) as tool:
        lines_until(tool, lambda found: len(found) >= 400)
        early = memory(tool)
        lines_until(tool, lambda found: len(found) >= 700)
        late = memory(tool)
    assert late - early < 3.0  # MB
