"""Films are read back frame by frame: their time is the source's, and they are whole or not there."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from apart import run_python
from sink_parts import picture, result, running

from resemote_edge.camera.privacy import retention
from resemote_edge.camera.sinks import open_sink
from resemote_edge.camera.sinks.base import SinkOptions
from resemote_edge.camera.sinks.video import LONGEST_STILL_SECONDS
from resemote_edge.camera.sinks.worker import SinkWorkers
from resemote_edge.errors import InputError

cv2 = pytest.importorskip("cv2")

_TESTS = str(Path(__file__).resolve().parents[2])


def shades(path: Path) -> list[int]:
    """Gray of the lower right corner of each frame of a film, to the nearest ten."""
    capture = cv2.VideoCapture(str(path))
    found = []
    while True:
        there, pixels = capture.read()
        if not there:
            return found
        found.append(round(float(np.median(pixels[100:, 100:])) / 10) * 10)


def film(path: Path, times: list[tuple[float, int]], rate: float | None = 10.0, **options: object) -> SinkWorkers:
    """Write pictures of some shades at some times."""
    sink = open_sink(str(path), SinkOptions(frames_per_second=rate, **options))  # type: ignore[arg-type]
    with SinkWorkers([sink], tell=lambda line: None, every_frame=True) as workers:
        for number, (seconds, shade) in enumerate(times):
            workers.put(result(number, seconds=seconds), {"annotated": picture(shade)}.get)
    return workers


def test_every_frame_of_a_film_is_read_back_at_its_rate(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    times = [(number / 29.97, number % 20 * 10 + 20) for number in range(60)]
    workers = film(path, times, rate=29.97)
    assert shades(path) == [shade for _, shade in times]
    capture = cv2.VideoCapture(str(path))
    assert capture.get(cv2.CAP_PROP_FPS) == pytest.approx(29.97, abs=0.01)
    assert (capture.get(cv2.CAP_PROP_FRAME_WIDTH), capture.get(cv2.CAP_PROP_FRAME_HEIGHT)) == (160, 120)
    assert workers.facts[0][1].written == 60
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]


@pytest.mark.parametrize(
    ("times", "rate", "frames"),
    [
        ([number / 25 for number in range(30)], 25, 30),
        ([number / 30 for number in (0, 1, 3, 4, 5, 8, 9, 10, 12, 14, 15)], 30, 16),
        ([number / 30 + (number % 3 - 1) * 0.002 for number in range(30)], 30, 30),
        ([0.0, 0.04, 0.08], 25, 3),
        ([7.0], 30, 1),
        ([float(number) for number in range(12)], 1, 12),
    ],
)
def test_a_rate_that_nobody_named_is_that_of_the_first_frames(
    tmp_path: Path, times: list[float], rate: float, frames: int
) -> None:
    path = tmp_path / "out.mp4"
    film(path, [(seconds, 100) for seconds in times], rate=None)
    assert cv2.VideoCapture(str(path)).get(cv2.CAP_PROP_FPS) == pytest.approx(rate, abs=0.01)
    assert len(shades(path)) == frames


def test_pictures_are_repeated_while_the_source_was_slow_and_merged_where_it_hurried(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    film(path, [(5.0, 20), (5.3, 60), (5.4, 100), (5.41, 140), (5.5, 180)])
    assert shades(path) == [20, 20, 20, 60, 140, 180]


def test_a_long_pause_is_cut_and_the_film_goes_on_in_time(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    film(path, [(0.0, 20), (1000.0, 100), (1000.2, 180)])
    still = round(LONGEST_STILL_SECONDS * 10)
    assert shades(path) == [20] * still + [100, 100, 180]


def test_a_source_that_begins_again_goes_on_in_the_film(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    film(path, [(0.0, 20), (0.1, 60), (0.0, 100), (0.1, 140)])
    assert shades(path) == [20, 60, 100, 140]


def test_a_frame_of_another_size_is_lost_and_the_film_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    sink = open_sink(str(path), SinkOptions(frames_per_second=10))
    with SinkWorkers([sink], tell=lambda line: None) as workers:
        workers.put(result(0, seconds=0.0), {"annotated": picture(20)}.get)
        workers.put(result(1, seconds=0.1), {"annotated": picture(60, width=320)}.get)
        workers.put(result(2, seconds=0.2), {"annotated": picture(100)}.get)
    assert shades(path) == [20, 20, 100]
    assert workers.facts[0][1].lost == {"a frame of another size than the film's 160x120 pixels": 1}


def test_a_film_that_exists_is_refused_or_replaced_and_never_added_to(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    film(path, [(0.0, 20)])
    with pytest.raises(InputError, match="exists") as caught:
        film(path, [(0.0, 100)])
    assert "--force" in caught.value.hint
    assert shades(path) == [20]
    film(path, [(0.0, 100)], existing="replace")
    assert shades(path) == [100]
    with pytest.raises(InputError, match="appended"):
        film(path, [(0.0, 100)], existing="append")


def test_a_file_that_appears_meanwhile_stays_and_the_film_gets_another_name(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    sink = open_sink(str(path), SinkOptions(frames_per_second=10))
    with SinkWorkers([sink], tell=lambda line: None) as workers:
        workers.put(result(0, seconds=0.0), {"annotated": picture(20)}.get)
        path.write_text("mine")
    assert path.read_text() == "mine"
    assert shades(tmp_path / "out-2.mp4") == [20]
    assert "out-2.mp4" in str(workers.facts[0][1].unfinished)


def test_a_run_without_a_frame_leaves_nothing(tmp_path: Path) -> None:
    film(tmp_path / "out.mp4", [])
    assert list(tmp_path.iterdir()) == []


def test_rates_and_folders_that_cannot_work_are_refused_before_the_run(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="0 frames per second"):
        open_sink(str(tmp_path / "out.mp4"), SinkOptions(frames_per_second=0.0))
    with pytest.raises(InputError, match=r"/proc/out\.mp4: "):
        open_sink("/proc/out.mp4", SinkOptions()).open()


_PROGRAM = """
import sys
sys.path.insert(0, sys.argv[2])
from sink_parts import picture, result
from resemote_edge.camera.sinks import open_sink
from resemote_edge.camera.sinks.base import SinkOptions
from resemote_edge.camera.sinks.worker import SinkWorkers

with SinkWorkers([open_sink(sys.argv[1], SinkOptions())], tell=print, every_frame=True) as workers:
    said = False
    for number in range(10**9):
        workers.put(result(number), {"annotated": picture(number % 20 * 10 + 20)}.get)
        if not said and workers.facts[0][1].written >= 20:
            said = True
            print("running", flush=True)
"""


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGKILL])
def test_a_film_is_whole_after_an_interrupt_and_not_there_after_a_kill(tmp_path: Path, sign: signal.Signals) -> None:
    path = tmp_path / "out.mp4"
    with running(sys.executable, "-c", _PROGRAM, str(path), _TESTS) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == b"running\n"
        program.send_signal(sign)
        program.wait(60)
    if sign is signal.SIGINT:
        found = shades(path)
        assert len(found) >= 20
        assert found == [number % 20 * 10 + 20 for number in range(len(found))]
    else:
        assert not path.exists()
        assert len(list(tmp_path.iterdir())) == 1, "the hidden folder of the film"
        film(path, [(0.0, 20)])
    assert [one.name for one in tmp_path.iterdir()] == ["out.mp4"]


def test_a_film_that_may_grow_no_more_is_told_and_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    done = run_python(
        """
        import resource, sys
        sys.path.insert(0, sys.argv[2])
        import numpy as np
        from sink_parts import result
        from resemote_edge.camera.sinks import open_sink
        from resemote_edge.camera.sinks.base import SinkOptions
        from resemote_edge.camera.sinks.worker import SinkWorkers
        from resemote_edge.vision.frame import Frame

        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
        noise = np.random.default_rng(0).integers(0, 256, (120, 160, 3), dtype=np.uint8)
        with SinkWorkers([open_sink(sys.argv[1], SinkOptions())], tell=print, every_frame=True) as workers:
            for number in range(60):
                workers.put(result(number), {"annotated": Frame(noise, "bgr")}.get)
        print(workers.facts[0][1].unfinished)
        """,
        path,
        _TESTS,
    )
    told, kept = done.stdout.splitlines()[-2:]
    assert told.endswith(kept)
    assert "frames can be read back, so it was not kept" in kept, done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_loses_pictures_and_keeps_the_film_before_it(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("a file system cannot be mounted here")
    try:
        sink = open_sink(str(disk / "out.mp4"), SinkOptions(frames_per_second=10))
        with SinkWorkers([sink], tell=lambda line: None, every_frame=True) as workers:
            workers.put(result(0, seconds=0.0), {"annotated": picture(20)}.get)
            workers.put(result(1, seconds=0.1), {"annotated": picture(60)}.get)
            while workers.facts[0][1].written < 2:
                pass
            (disk / "other").write_bytes(bytes(12 << 20))
            workers.put(result(2, seconds=0.2), {"annotated": picture(100)}.get)
        assert workers.facts[0][1].lost == {"No space left on device": 1}
        assert shades(disk / "out.mp4") == [20, 60]
    finally:
        subprocess.run(["umount", str(disk)], check=False)


def test_with_retention_a_film_ends_in_time_and_is_deleted_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1_800_000_000.0]
    real = retention.Retention
    monkeypatch.setattr(
        "resemote_edge.camera.sinks.video.Retention",
        lambda path, keep_seconds: real(path, keep_seconds=keep_seconds, clock=lambda: now[0]),
    )
    sink = open_sink(str(tmp_path / "out.mp4"), SinkOptions(frames_per_second=10, keep_seconds=86400.0))
    sink.open()
    for number in range(4):
        sink.write(result(number, seconds=number / 10), picture(20 + 40 * number))
        now[0] += 1800.0
    sink.tick()
    first, second = sorted(tmp_path.glob("out-*.mp4"))
    assert (shades(first), shades(second)) == ([20, 60], [100, 140])
    now[0] += 86400.0 - 5400.0
    sink.tick()
    assert sorted(tmp_path.glob("out-*.mp4")) == [second]
    sink.close()
    assert sorted(os.listdir(tmp_path)) == [f".{second.name}.kept", second.name]
