import json
import os
import pty
import select
import shutil
import subprocess
import sys

import pytest
from made_up_reports import made_up_report, row
from typed import exit_code

from resemote_edge.artifacts.prebuilt import prebuilt_path
from resemote_edge.cli import cli
from resemote_edge.cli.terminal import escape

#: Ends a title that it sets, clears the screen, and turns the line around.
EVIL = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202e"

COMMAND = [sys.executable, "-m", "resemote_edge"]


def on_a_terminal(*words: object, cwd: object) -> str:
    """What a terminal of 200 columns gets from a command."""
    leader, follower = pty.openpty()
    environment = {**os.environ, "COLUMNS": "200", "TERM": "xterm-256color", "LANG": "C.UTF-8"}
    process = subprocess.Popen([*COMMAND, *map(str, words)], stdout=follower, stderr=follower, cwd=cwd, env=environment)
    os.close(follower)
    found = b""
    while True:
        ready, _, _ = select.select([leader], [], [], 60)
        try:
            chunk = os.read(leader, 65536) if ready else b""
        except OSError:  # The other end is closed.
            chunk = b""
        if not chunk:
            break
        found += chunk
    process.wait()
    os.close(leader)
    return found.decode()


@pytest.fixture
def artifact(tmp_path):
    folder = tmp_path / "artifact"
    shutil.copytree(prebuilt_path(), folder)
    passport = json.loads((folder / "passport.json").read_text())
    passport["notes"] = [f"note {EVIL}"]
    passport["labels"] = [f"label{EVIL}", *passport["labels"][1:]]
    passport["lineage"]["training_data"] = f"data {EVIL}"
    passport["recipe"]["description"] = f"recipe {EVIL}"
    (folder / "passport.json").write_text(json.dumps(passport))
    return folder


def check(text: str, *escaped: str) -> None:
    for odd in ("\x1b]", "\x1b[2J", "\x9b", "\x07", "\u202e"):
        assert odd not in text
    for word in escaped:
        assert word in text


def test_what_an_artifact_says_of_itself(artifact, tmp_path):
    check(on_a_terminal("inspect", artifact, cwd=tmp_path), r"note \x1b]0;owned", r"\x9b31m\u202e")


def test_errors_about_names_and_values(artifact, tmp_path):
    check(on_a_terminal("inspect", f"no{EVIL}where", cwd=tmp_path), r"no\x1b]0;owned")
    check(on_a_terminal(f"nocommand{EVIL}", cwd=tmp_path), "nocommand")
    check(on_a_terminal("bench", artifact, "--scenario", f"x{EVIL}", cwd=tmp_path), r"x\x1b]0;owned")
    check(on_a_terminal("predict", f"face{EVIL}.png", cwd=tmp_path), r"face\x1b]0;owned")


def test_json_for_programs(artifact, tmp_path):
    done = subprocess.run([*COMMAND, "inspect", artifact, "--json"], capture_output=True, text=True, check=True)
    check(done.stdout)
    assert json.loads(done.stdout)["notes"] == [f"note {EVIL}"]


def test_reports(tmp_path):
    report = made_up_report(rows=(row(f"art{EVIL}", "onnxruntime", "single-stream", 1, 2.0),))
    (tmp_path / "report.json").write_bytes(report.to_json())
    shutil.copy(tmp_path / "report.json", tmp_path / "b.json")
    check(on_a_terminal("bench", "compare", tmp_path / "report.json", tmp_path / "b.json", cwd=tmp_path), "art")


def test_colours_of_ours_reach_the_terminal(tmp_path):
    assert "\x1b[" in on_a_terminal("runtimes", cwd=tmp_path)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain äöü 😀\n\tline", "plain äöü 😀\n\tline"),
        ("\x1b[0m", r"\x1b[0m"),
        ("a\rb\x00", r"a\rb\x00"),
        ("\x85\u2028\u200f", r"\x85\u2028\u200f"),
        ("\udcff", r"\udcff"),
    ],
)
def test_escapes(text, shown):
    assert escape(text) == shown
    assert escape(shown) == shown


NAMES = {
    "artifact to be measured": "bench {odd} --runtime openvino --batch 1 --min-runs 2 --min-seconds 0 -o {folder}/out",
    "artifact of ONNX": "verify {odd} --runtime onnxruntime",
    "weights": "export {odd}/caf\udce9.pt --target onnx -o {folder}/out",
}


@pytest.mark.parametrize("case", NAMES)
def test_names_that_are_no_utf_8_are_said_to_be_the_reason(case, checkpoint_path, tmp_path, capsys):
    odd = tmp_path / "caf\udce9"
    shutil.copytree(prebuilt_path(), odd)
    shutil.copy(checkpoint_path, odd / "caf\udce9.pt")
    assert exit_code(cli, *NAMES[case].format(odd=odd, folder=tmp_path).split()) == 1
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith("Error: ")
    assert "caf\\udce9" in said
    assert "UTF-8" in said
    assert "rename" in said
    assert not (tmp_path / "out").exists()
