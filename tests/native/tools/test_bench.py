"""`resemote bench` writes reports that Python reads, and tells of a board what Python tells of it."""

import json
import os
import re
import subprocess
import threading
import time
from pathlib import Path

import msgspec
import pytest
from resemote_tool import PROGRAM, engine_environment, resemote
from sysfs_trees import agx_orin_rails, jetson_nano, jetson_orin_nano, put, virtual_machine, x86_server

from resemote_edge.benchmarks.report.imported import import_report
from resemote_edge.data.packing import pack_split
from resemote_edge.machine.energy import Energy, NotMeasured, find_energy_sensors
from resemote_edge.machine.environment import capture_environment
from resemote_edge.machine.jetson import JETPACKS
from resemote_edge.machine.pinning import choose_cores
from resemote_edge.machine.state import capture_machine_state, throttled
from resemote_edge.measuring.latency import runs_needed
from resemote_edge.measuring.results import BenchReport, BenchRow
from resemote_edge.measuring.scenarios import Camera, Offline, SingleStream

QUICK = ("--preset", "quick", "--min-seconds", "0.2", "--threads", 1)
TREES = {
    "nano": jetson_nano,
    "orin nano": jetson_orin_nano,
    "rails of agx orin": agx_orin_rails,
    "x86": x86_server,
    "virtual": virtual_machine,
}
#: Facts that only Python has.
OURS = {"python", "packages", "git_commit", "topology", "tenancy", "transparent_hugepages"}


@pytest.fixture(scope="module")
def artifact(artifacts):
    return artifacts("cpu-onnxruntime-fp32")


def measure(folder: Path, artifact, *words: object, **variables: str) -> BenchReport:
    path = folder / "board.json"
    done = resemote("bench", artifact.path, *QUICK, *words, "-o", path, "--force", **variables)
    assert done.returncode == 0, done.stderr
    assert f"written: {path}" in done.stderr
    return import_report(path)


def test_every_scenario_is_a_row(artifact, tmp_path):
    report = measure(tmp_path, artifact, "--scenario", "single-stream,offline,camera", "--batch", "1,3", "--fps", 200)
    rows = {(row.scenario, row.batch): row for row in report.rows}
    assert set(rows) == {(name, batch) for name in ("single-stream", "offline", "camera") for batch in (1, 3)}
    assert report.environment["packages"]["onnxruntime"]
    assert report.settings is not None
    assert (report.settings.min_seconds, report.settings.fps, report.settings.min_runs) == (0.2, 200.0, 50)
    for row in report.rows:
        speed = row.speed
        assert (row.artifact, row.runtime, row.target) == (artifact.passport.name, "native", artifact.passport.target)
        assert (speed.file, speed.device, len(speed.cores)) == ("model.onnx", "cpu", 1)
        assert speed.model.runs >= 50 or isinstance(speed.outcome, Camera)
        assert set(speed.stages) == {"preprocess", "inference", "postprocess"}
        assert row.model_size_bytes == (artifact.path / "model.onnx").stat().st_size
        assert speed.peak_memory_bytes > 1 << 20
        assert isinstance(speed.energy, NotMeasured)
    assert isinstance(rows["single-stream", 1].speed.outcome, SingleStream)
    assert isinstance(rows["offline", 3].speed.outcome, Offline)
    assert rows["offline", 3].speed.outcome.crops % 3 == 0


def test_percentiles_need_enough_samples(artifact, tmp_path):
    (few,) = measure(tmp_path, artifact, "--batch", 1, "--min-seconds", 0, "--min-runs", 50).rows
    (many,) = measure(tmp_path, artifact, "--batch", 1, "--min-seconds", 0, "--min-runs", runs_needed(0.99)).rows
    # Calls are made in blocks of 20 at most.
    assert 50 <= few.speed.model.runs < 70
    assert runs_needed(0.99) <= many.speed.model.runs < runs_needed(0.99) + 20
    assert few.speed.model.p90_ms is not None
    assert few.speed.model.p99_ms is None
    assert many.speed.model.p99_ms is not None
    assert set(many.speed.model.interval_95_ms) == {"p50", "p90", "p95", "p99"}
    low, high = many.speed.model.interval_95_ms["p50"]
    assert low <= many.speed.model.p50_ms <= high


def test_a_camera_that_is_too_fast_drops_frames(artifact, tmp_path):
    words = ("--scenario", "camera", "--batch", 1, "--fps", 10000, "--min-runs", 400, "--min-seconds", 0)
    (row,) = measure(tmp_path, artifact, *words).rows
    camera = row.speed.outcome
    assert isinstance(camera, Camera)
    assert camera.frames == 400
    assert 0 < camera.dropped_frames < 400
    assert camera.dropped_share == camera.dropped_frames / 400
    assert camera.age.runs == 400 - camera.dropped_frames


def test_sessions_work_side_by_side(artifact, tmp_path):
    (row,) = measure(tmp_path, artifact, "--scenario", "offline", "--batch", 1, "--streams", 2).rows
    assert row.streams == 2
    assert isinstance(row.speed.outcome, Offline)
    assert row.speed.outcome.streams == 2


def test_a_row_that_fails_ends_no_other(artifact, tmp_path):
    (tmp_path / "empty").mkdir()
    path = tmp_path / "board.json"
    done = resemote("bench", artifact.path, tmp_path / "empty", "--batch", 1, *QUICK, "-o", path)
    assert done.returncode == 1
    report = import_report(path)
    assert len(report.rows) == 1
    (other,) = report.unmeasured
    assert (other.artifact, other.state) == ("empty", "failed")
    assert "not an artifact" in other.reason


def test_accuracy_is_that_of_eval(artifact, drawn_fer2013, tmp_path):
    crops = tmp_path / "test.crops"
    pack_split(drawn_fer2013, "test", crops)
    report = measure(tmp_path, artifact, "--batch", "1,2", "--crops", crops)
    found = json.loads(resemote("eval", artifact.path, crops, "--json").stdout)
    assert report.accuracy_data == "fer2013 test"
    for row in report.rows:
        assert row.accuracy is not None
        assert row.accuracy.samples == 70
        for name, value in msgspec.json.decode(msgspec.json.encode(row.accuracy)).items():
            assert found.get(name) == value, name


def test_crops_are_checked_before_anything_is_measured(artifact, tmp_path):
    (tmp_path / "bad.crops").write_bytes(b"nothing")
    done = resemote("bench", artifact.path, "--crops", tmp_path / "bad.crops")
    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: {tmp_path / 'bad.crops'}: ")


def test_a_missing_engine_is_named(artifact, tmp_path):
    done = resemote("bench", artifact.path, "--library", "/nowhere", *QUICK)
    assert done.returncode == 1
    assert "nothing was measured" in done.stderr
    assert "/nowhere" in done.stderr


def test_a_process_that_dies_is_a_row_that_failed(artifact, tmp_path):
    resemote("--version")
    words = ("bench", artifact.path, "--batch", 1, "--min-seconds", 60, "-o", tmp_path / "board.json")
    running = subprocess.Popen([PROGRAM, *map(str, words)], stderr=subprocess.PIPE, text=True, env=engine_environment())
    children = Path(f"/proc/{running.pid}/task/{running.pid}/children")
    for _ in range(100):
        time.sleep(0.05)
        if found := children.read_text().split():
            os.kill(int(found[0]), 9)
            break
    _, told = running.communicate(timeout=30)
    assert running.returncode == 1
    assert "its process was ended by signal 9" in told


def test_no_process_is_left_after_an_interruption(artifact):
    resemote("--version")
    running = subprocess.Popen(
        [PROGRAM, "bench", artifact.path, "--min-seconds", "60"],
        stderr=subprocess.DEVNULL, env=engine_environment(),
    )  # fmt: skip
    children = Path(f"/proc/{running.pid}/task/{running.pid}/children")
    child = ""
    for _ in range(100):
        time.sleep(0.05)
        if child := children.read_text().strip():
            break
    running.terminate()
    assert running.wait(timeout=20) == 128 + 15
    assert child
    assert not Path(f"/proc/{child}").exists()


def test_it_takes_too_long(artifact):
    done = resemote("bench", artifact.path, "--batch", 1, "--min-seconds", 60, "--timeout", 1)
    assert done.returncode == 1
    assert "longer than 1 s; allow more with --timeout" in done.stderr


@pytest.mark.parametrize("tree", TREES)
def test_it_tells_of_a_board_what_python_tells(tree, artifact, tmp_path):
    root = TREES[tree](tmp_path / "root")
    report = measure(tmp_path, artifact, "--batch", 1, RESEMOTE_ROOT=str(root))
    want = msgspec.json.decode(msgspec.json.encode(capture_environment(root).to_dict()))
    for name in sorted(set(want) - OURS):
        assert report.environment.get(name) == want[name], name
    (row,) = report.rows
    assert msgspec.to_builtins(row.speed.state_before) == msgspec.to_builtins(capture_machine_state(root))
    assert row.speed.state_after == row.speed.state_before
    assert row.speed.throttled == ()


def one_row(root: Path, artifact, tmp_path, *words: object) -> BenchRow:
    (row,) = measure(tmp_path, artifact, "--batch", 1, *words, RESEMOTE_ROOT=str(root)).rows
    return row


def test_energy_is_that_of_the_rails(artifact, tmp_path):
    root = jetson_orin_nano(tmp_path / "root")
    energy = one_row(root, artifact, tmp_path).speed.energy
    assert isinstance(energy, Energy)
    (sensor,) = find_energy_sensors(root).sensors
    watts = dict(zip([rail.name for rail in sensor.rails], sensor.read(), strict=True))
    assert {rail.rail: rail.in_total for rail in energy.rails} == {rail.name: rail.in_total for rail in sensor.rails}
    for rail in energy.rails:
        assert rail.joules == pytest.approx(watts[rail.rail] * energy.seconds, rel=1e-6)
    assert energy.sensor == "ina3221"
    assert energy.watts == pytest.approx(watts["VDD_IN"], rel=1e-6)
    assert energy.idle_watts == pytest.approx(watts["VDD_IN"], rel=1e-6)
    # The tree's power never changes, so the work itself takes nothing.
    assert energy.joules_per_inference == pytest.approx(0.0, abs=1e-6)
    assert energy.seconds >= 3.0


def test_throttling_during_a_run_is_seen(artifact, tmp_path):
    root = jetson_nano(tmp_path / "root")
    limit = "sys/devices/system/cpu/cpu{}/cpufreq/scaling_max_freq"
    child = threading.Event()

    def throttle() -> None:
        """Lower the limit for a while, in the middle of the run."""
        child.wait(1.5)
        for mhz in (614400, 1479000):
            for core in range(4):
                put(root, limit.format(core), mhz)
            child.wait(2.5)

    meddler = threading.Thread(target=throttle)
    meddler.start()
    speed = one_row(root, artifact, tmp_path, "--min-seconds", 3).speed
    child.set()
    meddler.join()
    assert speed.did_throttle
    assert any(re.match(r"the CPU's clock limit fell from 1479 to 614 MHz", line) for line in speed.throttled)


def test_heat_and_events_after_a_run_are_sentences_of_python(artifact, tmp_path):
    root = jetson_orin_nano(tmp_path / "root")
    before = capture_machine_state(root)
    ended = threading.Event()

    def heat() -> None:
        ended.wait(1.2)
        for path in root.rglob("oc3_event_cnt"):
            put(root, str(path.relative_to(root)), 40)
        put(root, "sys/class/thermal/thermal_zone0/temp", 70000)

    meddler = threading.Thread(target=heat)
    meddler.start()
    speed = one_row(root, artifact, tmp_path, "--min-seconds", 2).speed
    ended.set()
    meddler.join()
    assert speed.state_before == before
    assert speed.throttled == throttled(before, capture_machine_state(root))
    assert len(speed.throttled) == 2
    assert speed.did_throttle


def test_cores_are_chosen_as_python_chooses_them(artifact, tmp_path):
    (row,) = measure(tmp_path, artifact, "--batch", 1).rows
    assert row.speed.cores == choose_cores(1)


def test_the_table_of_jetpacks_is_pythons():
    source = Path(__file__).parents[3] / "runtimes" / "tools" / "machine" / "jetson.cpp"
    assert dict(re.findall(r'^    \{"([\d.]+)", "([^"]+)"\},$', source.read_text(), re.MULTILINE)) == JETPACKS


def test_the_report_is_not_replaced_unasked(artifact, tmp_path):
    (tmp_path / "board.json").write_text("mine")
    done = resemote("bench", artifact.path, *QUICK, "-o", tmp_path / "board.json")
    assert done.returncode == 1
    assert "pass --force to replace it" in done.stderr
    assert (tmp_path / "board.json").read_text() == "mine"


def test_json_is_the_report(artifact):
    done = resemote("bench", artifact.path, *QUICK, "--batch", 1, "--json")
    assert done.returncode == 0
    assert len(json.loads(done.stdout)["rows"]) == 1
