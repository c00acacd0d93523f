"""What every command of `resemote` does: help, errors with exit codes, and output that no name can command."""

import json
import shutil
import signal
import subprocess
import time

import pytest
from resemote_tool import PROGRAM, engine_environment, resemote

import resemote_edge

COMMANDS = ("probe", "inspect", "verify", "build", "classify", "bench", "eval")


def test_help_lists_every_command():
    done = resemote("--help")
    assert done.returncode == 0
    listed = done.stdout.partition("Commands:\n")[2].partition("\n\n")[0]
    names = [line.split()[0] for line in listed.splitlines()]
    assert set(COMMANDS) <= set(names)
    for name in names:
        told = resemote(name, "--help")
        assert told.returncode == 0
        assert f"resemote {name}" in told.stdout.partition("Example:\n")[2]
        assert told.stdout.startswith(f"Usage: resemote {name} ")
        assert "--json" in told.stdout
        assert all(len(line) <= 120 for line in told.stdout.splitlines())


def test_version_is_that_of_the_package():
    assert resemote("--version").stdout == f"resemote, version {resemote_edge.__version__}\n"


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ((), 2, ""),
        (("nothing",), 2, "no command 'nothing'"),
        (("--nothing",), 2, "no option '--nothing'"),
        (("verify",), 2, "missing argument ARTIFACT"),
        (("verify", "a", "b"), 2, "'b'"),
        (("verify", "a", "--threads"), 2, "'--threads' needs a value"),
        (("verify", "a", "--threads", "x"), 2, "'x' is no whole number from 1"),
        (("verify", "a", "--threads", "0"), 2, "'0' is no whole number from 1"),
        (("verify", "a", "--nothing"), 2, "there is no option '--nothing'"),
        (("verify", "a", "-x"), 2, "there is no option '-x'"),
        (("verify", "-backend", "x", "a"), 2, "there is no option '-b'"),
        (("verify", "a", "-hx"), 2, "there is no option '-x'"),
        (("verify", "a", "--json=1"), 2, "option --json takes no value"),
        (("bench", "a", "--min=1"), 2, "could be any of --min-seconds, --min-runs"),
        (("classify", "a", "b", "--box", "1,2,3"), 2, "'1,2,3' is no box, such as"),
        (("verify", "/nowhere"), 1, "/nowhere: an artifact is a folder"),
        (("inspect", "/nowhere"), 1, "/nowhere: an artifact is a folder"),
        (("classify", "/nowhere", "face.png"), 1, "/nowhere: an artifact is a folder"),
        (("bench", "/nowhere"), 1, "/nowhere: an artifact is a folder"),
        (("bench", "/nowhere", "--scenario", "multi"), 2, "'multi'"),
        (("bench", "/nowhere", "-o", "/no/such/b.json"), 1, "/no/such/b.json: cannot be written: No such file"),
        (("bench", "/nowhere", "-o", "/dev/null"), 1, "/dev/null: a device rather than a file"),
        (("bench", "/nowhere", "-o", "/dev/null", "--force"), 1, "/dev/null: a device rather than a file"),
        (("bench", "/nowhere", "-o", ""), 1, "pass the name of a file"),
        (("eval", "/nowhere", "/nowhere.crops", "--predictions", "/no/such/p.csv"), 1, "/no/such/p.csv: cannot be"),
        (("eval", "/nowhere", "/nowhere.crops", "--predictions", "/tmp", "--force"), 1, "/tmp: a folder rather"),
        (("build", "/nowhere"), 1, "/nowhere: an artifact is a folder"),
        (("eval", "/nowhere", "/nowhere.crops"), 1, "/nowhere.crops: no such file"),
    ],
)
def test_an_error_says_what_is_wrong(words, code, message):
    done = resemote(*words)
    assert done.returncode == code
    if message:
        assert done.stdout == ""
        *before, last = done.stderr.splitlines()
        assert last.startswith("Error: ")
        assert message in last
        assert (code == 2) == any(line.endswith("--help' for help.") for line in before)


def test_probe_lists_the_backends():
    found = json.loads(resemote("probe", "--json").stdout)
    assert set(found) == {"tensorrt", "onnxruntime", "openvino"}
    assert found["onnxruntime"]["available"]
    assert found["onnxruntime"]["devices"][0] == "cpu"
    table = resemote("probe").stdout.splitlines()
    assert [line.split()[0] for line in table] == [
        "backend",
        *(name for name in ("tensorrt", "onnxruntime", "openvino")),
    ]
    missing = json.loads(resemote("probe", "--json", "--library", "/nowhere").stdout)
    assert not missing["onnxruntime"]["available"]
    assert "/nowhere" in missing["onnxruntime"]["reason"]


def test_inspect_shows_the_passport_and_where_it_runs(artifacts):
    artifact = artifacts("cpu-onnxruntime-fp32")
    shown = json.loads(resemote("inspect", artifact.path, "--json").stdout)
    here = shown.pop("here")
    assert (here["runs"], here["backend"], here["device"], here["file"]) == (True, "onnxruntime", "cpu", "model.onnx")
    assert shown.pop("kind") == "classifier"
    assert shown == json.loads((artifact.path / "passport.json").read_bytes())
    text = resemote("inspect", artifact.path).stdout
    assert artifact.passport.name in text
    assert "model.onnx in onnxruntime on cpu" in text


def test_inspect_needs_no_engine(artifacts):
    path = artifacts("cpu-onnxruntime-fp32").path
    done = resemote("inspect", path, "--json", "--backend", "openvino", "--library", "/nowhere")
    assert done.returncode == 0
    assert json.loads(done.stdout)["here"]["runs"] is False


@pytest.mark.parametrize("command", ["inspect", "verify"])
def test_a_changed_file_is_refused(command, artifacts, tmp_path):
    shutil.copytree(artifacts("cpu-onnxruntime-fp32").path, tmp_path / "copy")
    model = tmp_path / "copy" / "model.onnx"
    model.write_bytes(model.read_bytes()[:-1] + b"\0")
    done = resemote(command, tmp_path / "copy")
    assert done.returncode == 1
    assert "model.onnx" in done.stderr
    assert "sha256" in done.stderr


@pytest.mark.parametrize(
    ("recipe", "backend"), [("cpu-onnxruntime-fp32", "onnxruntime"), ("cpu-openvino-fp32", "openvino")]
)
def test_verify_runs_the_golden_crops(recipe, backend, artifacts):
    path = artifacts(recipe).path
    done = resemote("verify", path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("passed: 32 golden crops")
    result = json.loads(resemote("verify", path, "--json", "--threads", 1).stdout)
    assert (result["status"], result["crops"], result["backend"]) == ("passed", 32, backend)
    assert 0.0 <= result["max_abs_diff"] <= result["max_abs_diff_limit"]


def test_verify_says_that_it_was_not_passed(artifacts, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(artifacts("cpu-onnxruntime-fp32").path, folder)
    passport = json.loads((folder / "passport.json").read_bytes())
    passport["golden"]["max_abs_diff"] = 1e-30
    (folder / "passport.json").write_text(json.dumps(passport))
    done = resemote("verify", folder, "--json")
    assert done.returncode == 3, done.stderr
    assert json.loads(done.stdout)["status"] == "failed"
    assert resemote("verify", folder).stdout.startswith("FAILED: 32 golden crops")


def test_no_name_commands_the_terminal(tmp_path):
    done = resemote("verify", tmp_path / "\x1b[2Jclear\x07\u202e")
    assert done.returncode == 1
    assert "\\x1b[2Jclear\\x07\\u202e" in done.stderr
    assert not set("\x1b\x07\u202e") & set(done.stderr)
    done = subprocess.run([bytes(PROGRAM), b"verify", b"/tmp/\xff\xfe"], capture_output=True, check=False)
    assert b"/tmp/\\xff\\xfe" in done.stderr


@pytest.mark.parametrize("words", [("--help",), ("probe", "--json"), ("--version",)])
def test_output_that_cannot_be_written_is_an_error(words):
    resemote("--version")  # skips where it is not built
    with open("/dev/full", "w") as full:
        done = subprocess.run([PROGRAM, *words], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert "No space left" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_measurement(number, artifacts, tmp_path):
    resemote("--version")
    words = ("bench", artifacts("cpu-onnxruntime-fp32").path, "--min-seconds", "60", "-o", tmp_path / "report.json")
    running = subprocess.Popen([PROGRAM, *map(str, words)], stderr=subprocess.PIPE, text=True, env=engine_environment())
    time.sleep(1.0)
    running.send_signal(number)
    _, told = running.communicate(timeout=20)
    assert running.returncode == 128 + number
    assert told.splitlines()[-1] == "Aborted."
    assert list(tmp_path.iterdir()) == []
