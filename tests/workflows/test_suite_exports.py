"""Suites, run: what is kept, what is measured again, and what goes wrong."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from resemote_edge.artifacts.artifact import Artifact
from resemote_edge.benchmarks.suite.file import load_suite
from resemote_edge.benchmarks.suite.rows import SuiteFolder
from resemote_edge.cli.bench_suite import suite as command
from resemote_edge.errors import InputError
from resemote_edge.measuring.results import read_report
from resemote_edge.workflows.suite_exports import forecast_suite, run_suite

TEXT = """
schema = 1
name = "test"
description = "A test."
artifacts = {artifacts}
runtimes = ["onnxruntime", "openvino"]
scenarios = {scenarios}
threads = [1]
device = "cpu"
timeout_seconds = {timeout}
{more}
[settings]
warmup_runs = 2
warmup_seconds = 0.0
min_runs = 10
min_seconds = 0.0
fps = 100.0
"""

#: Every interpreter runs this code at its start. A worker that opens an artifact named after a fault gets that fault.
FAULTS = """
import os, signal, sys, time

def open_artifact(event, arguments):
    if event != "open" or not str(arguments[0]).endswith("passport.json"):
        return
    if "aborts" in str(arguments[0]):
        os.abort()
    if "crashes" in str(arguments[0]):
        os.kill(os.getpid(), signal.SIGSEGV)
    if "hangs" in str(arguments[0]):
        with open(os.environ["PID_FILE"], "w") as stream:
            stream.write(str(os.getpid()))
        time.sleep(1000)

if "resemote_edge.measuring.processes.contestant" in sys.orig_argv:
    sys.addaudithook(open_artifact)
"""


def write(folder, artifacts, scenarios=("single-stream",), *, timeout=100.0, more=""):
    path = folder / "test.toml"
    listed = json.dumps([str(artifact) for artifact in artifacts])
    path.write_text(TEXT.format(artifacts=listed, scenarios=list(scenarios), timeout=timeout, more=more))
    return path


@pytest.fixture
def pair(artifacts, tmp_path):
    """Two artifacts that a test may change."""
    made = []
    for name, runtime in (("one", "onnxruntime"), ("two", "openvino")):
        shutil.copytree(artifacts(f"cpu-{runtime}-fp32").path, tmp_path / name)
        renamed(tmp_path / name)
        made.append(tmp_path / name)
    return made


def renamed(folder, **changes):
    """Give an artifact its folder's name, and its files the hashes that they have."""
    passport = json.loads((folder / "passport.json").read_text())
    for entry in passport["files"]:
        content = (folder / entry["path"]).read_bytes()
        entry |= {"size_bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    (folder / "passport.json").write_text(json.dumps(passport | {"name": folder.name} | changes))
    return folder


def run(path, folder, **options):
    told = []
    outcome = run_suite(load_suite(path), folder, notice=told.append, **options)
    assert outcome.interrupted is None
    return outcome.report, told


def measured(told):
    return [line for line in told if line.startswith("measured: ")]


def names(report):
    return [(row.artifact, row.runtime, row.scenario) for row in report.rows]


EVERY = [("one", "onnxruntime", "single-stream"), ("one", "onnxruntime", "camera"),
         ("one", "openvino", "single-stream"), ("one", "openvino", "camera"),
         ("two", "openvino", "single-stream"), ("two", "openvino", "camera")]  # fmt: skip


def test_a_finished_suite_is_not_measured_again(pair, tmp_path):
    path, folder = write(tmp_path, pair, ("single-stream", "camera")), tmp_path / "out"
    seen = []
    report, told = run(path, folder, progress=seen.append)
    assert names(report) == EVERY
    assert len(measured(told)) == 6
    assert (report.suite.planned, report.suite.missing, report.suite.notes) == (6, 0, ())
    assert report.unmeasured == ()
    assert [far.done for far in seen] == [0, 1, 2, 3, 4, 5, 6]
    assert all(far.total == 6 for far in seen)
    assert seen[-1].seconds_left == 0.0 < seen[0].seconds_left
    assert len(list((folder / "samples").iterdir())) == 6
    assert (folder / "suite.toml").read_bytes() == path.read_bytes()
    again, told = run(path, folder)
    assert told == []
    assert again.rows == report.rows
    # The forecast says what a run would do, without doing it.
    forecast = forecast_suite(load_suite(path), folder)
    assert [one.state for one in forecast.planned] == ["done"] * 6
    assert forecast.total_seconds == 0.0
    path.write_text("slow_to_ms = 5.0\n" + path.read_text())
    assert {one.why for one in forecast_suite(load_suite(path), folder).planned} == {"changed since: slowed to"}


def test_what_is_missing_is_measured_and_nothing_else(pair, tmp_path):
    path, folder = write(tmp_path, pair), tmp_path / "out"
    before, _ = run(path, folder)
    (folder / "rows" / "one-openvino-single-stream-b1-t1.json").unlink()
    (folder / "samples" / "two-openvino-single-stream-b1-t1.npz").unlink()
    states = [one.state for one in forecast_suite(load_suite(path), folder).planned]
    assert states == ["done", "missing", "changed"]
    after, told = run(path, folder)
    assert [line.split(" · ")[0:2] for line in measured(told)] == [
        ["measured: one", "openvino"], ["measured: two", "openvino"]
    ]  # fmt: skip
    assert any("its samples are gone; measured again" in line for line in told)
    assert after.rows[0] == before.rows[0]
    assert after.rows[1] != before.rows[1]


def test_what_has_changed_is_measured_again_with_a_notice(pair, tmp_path):
    path, folder = write(tmp_path, pair), tmp_path / "out"
    before, _ = run(path, folder)
    renamed(pair[0], notes=["another export"])
    after, told = run(path, folder)
    assert len(measured(told)) == 2
    assert sum("one" in line and "changed since: artifact; measured again" in line for line in told) == 2
    assert after.rows[2] == before.rows[2]
    assert {row.passport_sha256 for row in after.rows[:2]}.isdisjoint({row.passport_sha256 for row in before.rows})
    path.write_text(path.read_text().replace("min_runs = 10", "min_runs = 12"))
    _, told = run(path, folder)
    assert "the suite has changed" in told[0]
    assert sum("changed since: settings; measured again" in line for line in told) == 3


def test_rows_that_the_suite_no_longer_has_are_left_out_and_said(pair, tmp_path):
    path, folder = write(tmp_path, pair), tmp_path / "out"
    run(path, folder)
    write(tmp_path, pair[:1])
    report, told = run(path, folder)
    assert measured(told) == []
    assert names(report) == EVERY[0:3:2]
    assert report.suite.notes == (
        "1 rows in the folder are not in the suite as it is now, and left out: two-openvino-single-stream-b1-t1.",
    )
    assert CliRunner().invoke(command, [str(path), "-o", str(folder)]).exit_code == 0
    assert report.suite.notes[0] in (folder / "report.md").read_text()


def test_rows_of_another_machine_are_refused(pair, tmp_path):
    path, folder = write(tmp_path, pair[:1]), tmp_path / "out"
    run(path, folder)
    row = next((folder / "rows").iterdir())
    kept = json.loads(row.read_text())
    kept["machine"] = {"id": "elsewhere", "summary": "a Jetson"}
    row.write_text(json.dumps(kept))
    with pytest.raises(InputError, match=r"was measured on another machine \(a Jetson, and not this one, ") as caught:
        run(path, folder)
    assert str(row) in str(caught.value)
    row.write_text("{}")
    with pytest.raises(InputError, match="not a finished row"):
        run(path, folder)


def test_a_folder_of_something_else_is_refused(pair, tmp_path):
    path, folder = write(tmp_path, pair[:1]), tmp_path / "out"
    folder.mkdir()
    (folder / "report.json").write_text("{}")
    with pytest.raises(InputError, match=r"report\.json exists and is not of a suite"):
        run(path, folder)
    (folder / "suite.toml").write_text('name = "another"')
    with pytest.raises(InputError, match="holds the results of suite 'another', not of 'test'"):
        run(path, folder)
    assert sorted(entry.name for entry in folder.iterdir()) == ["report.json", "suite.toml"]


def test_two_runs_do_not_share_a_folder(pair, tmp_path):
    path, folder = write(tmp_path, pair[:1]), tmp_path / "out"
    with SuiteFolder(folder).locked(), pytest.raises(InputError, match="another run is measuring into this folder"):
        run(path, folder)
    report, _ = run(path, folder)
    assert len(report.rows) == 2


def test_what_fails_is_kept_as_failed_until_it_is_to_be_retried(pair, tmp_path, artifacts):
    broken = tmp_path / "broken"
    shutil.copytree(artifacts("cpu-onnxruntime-fp32").path, broken)
    (broken / "model.onnx").write_bytes(b"\x08\x09")  # an ONNX of version 9 that holds no graph
    renamed(broken)  # the passport matches the file, so only the runtime notices
    path, folder = write(tmp_path, [broken, pair[1]]), tmp_path / "out"
    report, _ = run(path, folder)
    assert names(report) == EVERY[4:5]
    assert [(row.artifact, row.runtime, row.state, row.scenario) for row in report.unmeasured] == [
        ("broken", "onnxruntime", "failed", "single-stream"),
        ("broken", "openvino", "failed", "single-stream"),
    ]
    assert "ONNX Runtime cannot load it" in report.unmeasured[0].reason
    assert report.failed
    assert report.suite.missing == 0
    again, told = run(path, folder)
    assert told == []
    assert again.unmeasured == report.unmeasured
    assert [one.state for one in forecast_suite(load_suite(path), folder).planned] == ["failed", "failed", "done"]
    _, told = run(path, folder, retry_failed=True)
    assert sum("failed before; measured again" in line for line in told) == 2
    assert sum(line.startswith("failed: broken") for line in told) == 2


def test_artifacts_that_are_gone_or_changed_are_rows_with_the_reason(pair, tmp_path):
    changed = tmp_path / "changed"
    shutil.copytree(pair[0], changed)
    raw = bytearray((changed / "model.onnx").read_bytes())
    raw[1000] ^= 1
    (changed / "model.onnx").write_bytes(raw)
    path = write(tmp_path, [changed, tmp_path / "nowhere", pair[1]])
    result = CliRunner().invoke(command, [str(path), "-o", str(tmp_path / "out"), "--json"])
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    assert [row["artifact"] for row in report["rows"]] == ["two"]
    reasons = {Path(row["artifact"]).name: row["reason"] for row in report["unmeasured"]}
    assert "the file was changed" in reasons["changed"]
    assert "found nothing there" in reasons["nowhere"]
    assert {row["state"] for row in report["unmeasured"]} == {"failed"}


def test_an_artifact_that_vanishes_on_the_way_is_a_row_with_the_reason(pair, tmp_path):
    path, folder = write(tmp_path, pair, ("single-stream", "offline")), tmp_path / "out"

    def notice(text):
        if text.startswith("measured: one · openvino · single-stream"):
            shutil.rmtree(pair[0])

    report = run_suite(load_suite(path), folder, notice=notice).report
    assert names(report) == [EVERY[0], EVERY[2], EVERY[4], ("two", "openvino", "offline")]
    assert [(row.artifact, row.scenario) for row in report.unmeasured] == [("one", "offline")] * 2
    assert all("found nothing there" in row.reason for row in report.unmeasured)


def test_an_artifact_that_is_replaced_on_the_way_is_not_mixed_in(pair, tmp_path):
    path, folder = write(tmp_path, pair, ("single-stream", "offline")), tmp_path / "out"

    def notice(text):
        if text.startswith("measured: one · openvino · single-stream"):
            renamed(pair[0], notes=["another export"])

    report = run_suite(load_suite(path), folder, notice=notice).report
    assert [row.reason for row in report.unmeasured] == [
        f"{pair[0]}: was replaced while it was measured; measure again"
    ] * 2
    report, _ = run(path, folder)
    assert len(report.rows) == 6


def environment(tmp_path):
    """Of a process whose workers have the faults their artifacts are named after."""
    (tmp_path / "faults").mkdir(exist_ok=True)
    (tmp_path / "faults" / "sitecustomize.py").write_text(FAULTS)
    here = str(Path(__file__).resolve().parents[2])
    paths = os.pathsep.join([str(tmp_path / "faults"), here])
    return {**os.environ, "PYTHONPATH": paths, "PID_FILE": str(tmp_path / "pid")}


def suite_command(path, folder, *options):
    return [sys.executable, "-m", "resemote_edge", "bench", "suite", str(path), "-o", str(folder), *options]


def faulty(pair, tmp_path, name):
    shutil.copytree(pair[1], tmp_path / name)
    return renamed(tmp_path / name)


def test_children_that_crash_or_hang_are_rows_with_the_reason(pair, tmp_path):
    made = [faulty(pair, tmp_path, name) for name in ("aborts", "crashes", "hangs")]
    path, folder = write(tmp_path, [*made, pair[1]], timeout=6.0), tmp_path / "out"
    done = subprocess.run(
        suite_command(path, folder), env=environment(tmp_path), capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    report = read_report(folder / "report.json")
    assert names(report) == EVERY[4:5]
    reasons = {row.artifact: row.reason for row in report.unmeasured}
    assert "was ended by SIGABRT" in reasons["aborts"]
    assert "was ended by SIGSEGV" in reasons["crashes"]
    assert "took longer than 6 s and was ended" in reasons["hangs"]
    assert not alive(int((tmp_path / "pid").read_text()))
    for name, reason in reasons.items():
        assert (
            f"- {name} in openvino, single-stream, batch 1, threads 1 (failed): {reason}"
            in (folder / "report.md").read_text()
        )


def alive(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2]
    except FileNotFoundError:
        return False
    return not state.startswith("Z")


def start_and_wait(pair, tmp_path):
    """A suite whose second row hangs, as it does so."""
    path, folder = write(tmp_path, [pair[1], faulty(pair, tmp_path, "hangs")], timeout=500.0), tmp_path / "out"
    process = subprocess.Popen(
        suite_command(path, folder),
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    pid = tmp_path / "pid"
    wait_for(lambda: process.poll() is not None or (pid.exists() and pid.read_text()))
    assert process.poll() is None, process.communicate()
    return path, folder, process, int(pid.read_text())


def wait_for(happened):
    end = time.monotonic() + 120.0
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_an_interruption_ends_the_child_and_keeps_what_is_done(pair, tmp_path, number, code):
    path, folder, process, child = start_and_wait(pair, tmp_path)
    process.send_signal(number)
    said, errors = process.communicate()
    assert process.returncode == code, errors
    assert not alive(child)
    assert "Traceback" not in errors
    assert "the same command continues" in errors
    assert "1 of 2 rows are missing" in said
    report = read_report(folder / "report.json")
    assert names(report) == EVERY[4:5]
    assert (report.suite.planned, report.suite.missing) == (2, 1)
    assert "**Partial: 1 of 2 rows are missing" in (folder / "report.md").read_text()
    # Without the fault, the same command measures the rows that are missing.
    after, told = run(path, folder)
    assert len(measured(told)) == 1
    assert after.rows[0] == report.rows[0]
    assert after.suite.missing == 0


def test_a_run_that_is_killed_leaves_no_child_and_nothing_that_disturbs(pair, tmp_path):
    path, folder, process, child = start_and_wait(pair, tmp_path)
    process.kill()
    process.communicate()
    wait_for(lambda: not alive(child))
    for name in ("rows/.x.json.partial-1", "samples/.x.npz.partial-1", "artifacts/.x.partial-y"):
        (folder / name).mkdir(parents=True)
        (folder / name / "x").write_text("half")
    report, told = run(path, folder)
    assert len(measured(told)) == 1
    assert len(report.rows) == 2
    assert [entry for entry in folder.rglob("*") if "partial" in entry.name] == []


def unshared(script):
    """A shell of its own that may mount; skipped where the system does not let us."""
    command = ["unshare", "--map-root-user", "--mount", "bash", "-c", script]
    if shutil.which("unshare") is None:
        pytest.skip("there is no unshare to mount a small disk with")
    if subprocess.run([*command[:-1], "mount -t tmpfs tmpfs /mnt"], capture_output=True, check=False).returncode != 0:
        pytest.skip("this system does not let us mount a small disk")
    return command


def test_a_full_disk_is_a_reason_and_what_was_kept_is_kept(pair, tmp_path):
    path, disk = write(tmp_path, pair, ("single-stream", "offline")), tmp_path / "disk"
    disk.mkdir()
    suite = " ".join(suite_command(path, disk / "out", "--json"))
    script = f"""
        mount -t tmpfs -o size=56k tmpfs {disk}
        {suite} >{tmp_path}/full.json 2>{tmp_path}/full.txt
        echo $? >{tmp_path}/full.rc
        cp -r {disk}/out/rows {tmp_path}/rows
        mount -o remount,size=50m {disk}
        {suite} --retry-failed >{tmp_path}/after.json 2>{tmp_path}/after.txt
        echo $? >{tmp_path}/after.rc
    """
    subprocess.run(unshared(script), check=True)
    assert (tmp_path / "full.rc").read_text() == "1\n"
    text = (tmp_path / "full.txt").read_text()
    assert "Traceback" not in text
    assert f"Error: {disk}/out/report.json: No space left on device" in text
    full = json.loads((tmp_path / "full.json").read_text())
    assert 0 < len(full["rows"]) < 6
    assert len(full["rows"]) + len(full["unmeasured"]) == 6
    for row in full["unmeasured"]:
        assert f"{disk}/out/rows/{row['artifact']}-{row['runtime']}-" in row["reason"]
        assert "No space left on device; make room" in row["reason"]
    # Rows that were kept are not measured again.
    after = json.loads((tmp_path / "after.json").read_text())
    assert (tmp_path / "after.rc").read_text() == "0\n"
    assert len(after["rows"]) == 6
    for row in full["rows"]:
        assert row in after["rows"]
    assert not any("partial" in file.name for file in (tmp_path / "rows").iterdir())
    assert (tmp_path / "after.txt").read_text().count("measured: ") == len(full["unmeasured"])


def test_a_folder_that_cannot_be_written_to_is_said_at_once(pair, tmp_path):
    path, disk = write(tmp_path, pair), tmp_path / "disk"
    disk.mkdir()
    suite = " ".join(suite_command(path, disk / "out"))
    script = f"mount -t tmpfs -o ro tmpfs {disk}; {suite} 2>{tmp_path}/said.txt; echo $? >{tmp_path}/rc"
    subprocess.run(unshared(script), check=True)
    assert (tmp_path / "rc").read_text() == "1\n"
    assert (tmp_path / "said.txt").read_text().strip() == f"Error: {disk}/out: Read-only file system"


def test_accuracy_stands_in_the_rows_of_the_same_file(pair, tmp_path, tiny_fer2013):
    more = 'accuracy = {split = "validation", reference = "one"}'
    path, folder = write(tmp_path, pair, more=more), tmp_path / "out"
    report, told = run(path, folder, data=tiny_fer2013)
    assert len(measured(told)) == 6  # three rows, three accuracies
    assert report.accuracy_data == "fer2013 validation"
    for row in report.rows:
        assert row.accuracy.samples == 14
        assert row.accuracy.paired.flip_rate <= 1 / 14  # the same network
    again, told = run(path, folder, data=tiny_fer2013)
    assert told == []
    assert again.rows == report.rows
    # Without data, there are rows without accuracies, and nothing is lost.
    without, told = run(path, folder)
    assert told == []
    assert all(row.accuracy is None for row in without.rows)
    # With other images, accuracies are measured again.
    next((tiny_fer2013 / "validation" / "happy").iterdir()).unlink()
    _, told = run(path, folder, data=tiny_fer2013)
    assert len(measured(told)) == 3
    assert sum("changed since: data; measured again" in line for line in told) == 3


def test_data_for_a_suite_without_accuracy_is_refused(pair, tmp_path, tiny_fer2013):
    with pytest.raises(InputError, match="asks for no accuracy; leave --data out"):
        run(write(tmp_path, pair), tmp_path / "out", data=tiny_fer2013)
    assert not (tmp_path / "out").exists()


EXPORTS = """
[[export]]
variant = "xs"
recipe = "cpu-openvino-fp16"
name = "mine"
"""


def test_embedded_weights_are_exported_on_first_use(tmp_path):
    path, folder = write(tmp_path, []), tmp_path / "out"
    path.write_text(path.read_text() + EXPORTS)
    forecast = forecast_suite(load_suite(path), folder)
    assert forecast.exports == ("mine",)
    assert [one.state for one in forecast.planned] == ["missing"]
    assert forecast.total_seconds > 0
    assert not folder.exists()
    report, told = run(path, folder)
    assert told[0] == "exported: mine"
    assert names(report) == [("mine", "openvino", "single-stream")]
    assert Artifact.load(folder / "artifacts" / "mine").passport.precision == "fp16"
    assert report.unmeasured == ()
    again, told = run(path, folder)
    assert told == []
    assert again.rows == report.rows
    # The artifact was damaged since. The message says so, and what to do.
    weights = folder / "artifacts" / "mine" / "model.bin"
    whole = weights.read_bytes()
    weights.write_bytes(b"")
    broken, _ = run(path, folder)
    assert broken.rows == ()
    assert "and it is exported again" in broken.unmeasured[0].reason
    # The recipe has changed, so it is exported and measured again.
    weights.write_bytes(whole)
    # The same with target and precision.
    path.write_text(path.read_text().replace('recipe = "cpu-openvino-fp16"', 'target = "openvino"\nprecision = "fp32"'))
    report, told = run(path, folder)
    assert any("another recipe; it is exported again" in line for line in told)
    assert report.rows[0].precision == "fp32"


def test_what_would_be_measured_is_listed_and_nothing_is_written(pair, tmp_path):
    path, folder = write(tmp_path, pair, ("single-stream", "camera")), tmp_path / "out"
    result = CliRunner().invoke(command, [str(path), "-o", str(folder), "--dry-run"])
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].startswith("missing   one · onnxruntime · single-stream · batch 1 · threads 1, about ")
    assert lines[-1].startswith("6 of 6 rows to measure, about ")
    result = CliRunner().invoke(command, [str(path), "-o", str(folder), "--dry-run", "--json"])
    told = json.loads(result.stdout)
    assert [row["state"] for row in told["rows"]] == ["missing"] * 6
    assert told["estimated_seconds"] == pytest.approx(sum(row["estimated_seconds"] for row in told["rows"]))
    assert not folder.exists()
