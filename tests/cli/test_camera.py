"""``resemote-edge camera`` as it is typed, and as a process that is stopped."""

import json
import re
import signal
import subprocess
import sys
import threading

import msgspec
import pytest
from typed import resemote_edge

from resemote_edge.camera.results import FrameResult

QUICK = ("pattern://?faces=1&seconds=1.5", "--size", "640x360", "--threads", 1)


def test_results_are_lines_of_the_published_schema(tmp_path):
    done = resemote_edge("camera", *QUICK, "jsonl:faces.jsonl", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    results = [
        msgspec.json.decode(line, type=FrameResult) for line in (tmp_path / "faces.jsonl").read_bytes().splitlines()
    ]
    assert summary["decided"] == len(results) == summary["sinks"][0]["written"]
    assert summary["captured"] == summary["decided"] + sum(summary["dropped"].values()) == 45
    schema = json.loads(resemote_edge("camera", "--schema").stdout)
    fields = schema["$defs"]["FrameResult"]["properties"]
    assert set(json.loads(msgspec.json.encode(results[0]))) == set(fields)


def test_without_a_sink_events_are_printed(tmp_path):
    done = resemote_edge("camera", *QUICK, "--detect-every", 1)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert "face 1: new, " in lines[0]
    assert re.search(r"face \d+: gone after", lines[-1])
    assert "45 came" in done.stderr


def test_counts_alone_leave_with_aggregate(tmp_path):
    done = resemote_edge("camera", *QUICK, "jsonl:counts.jsonl", "--aggregate", "60s", "--min-group", 2, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (line,) = (tmp_path / "counts.jsonl").read_text().splitlines()
    assert (json.loads(line)["faces"], json.loads(line)["expressions"]) == (None, {})
    assert "track" not in line


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ((), 2, "Missing argument 'SOURCE'"),
        (("ftp://host",), 1, "no source begins with ftp:"),
        (("missing.mp4",), 1, "No such file"),
        (("63",), 1, "there is no device /dev/video63"),
        (("pattern://", "ftp://host"), 1, "no sink has the address"),
        (("pattern://", "jsonl:no/such/folder.jsonl"), 1, "is no folder"),
        (("pattern://", "jsonl:-", "--json"), 1, "--json prints the summary"),
        (("pattern://", "--force", "--append"), 1, "pass one of them"),
        (("pattern://", "--detect-every", "often"), 1, "every n-th frame"),
        (("pattern://", "--stall", "soon"), 2, "is no duration"),
        (("pattern://", "--size", "big"), 2, "is no size"),
        (("pattern://", "--detector", "haar"), 1, "unknown detector"),
        (("pattern://", "--artifact", "missing"), 1, "artifact"),
        (("pattern://", "--max-fps", "0"), 1, "frames a second"),
        (("pattern://", "live://127.0.0.1:0", "--tls-cert", "missing.pem"), 1, "missing.pem"),
        (("pattern://?colour=red",), 1, "has no colour"),
    ],
)
def test_a_mistake_is_one_line(words, code, told, tmp_path):
    done = resemote_edge("camera", *words, cwd=tmp_path)
    assert (done.returncode, list(tmp_path.iterdir())) == (code, [])
    assert told in done.stderr.replace("\n", " ")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_with_a_summary(number, tmp_path):
    command = [sys.executable, "-m", "resemote_edge", "camera", "pattern://", "jsonl:-", "--size", "640x360"]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert running.stdout is not None
    first = json.loads(running.stdout.readline())
    threading.Timer(0.5, running.send_signal, (number,)).start()
    out, err = running.communicate(timeout=60)
    assert running.returncode == 0, err
    assert "were decided" in err
    last = json.loads(out.splitlines()[-1]) if out else first
    assert last["session"] == first["session"]


def test_a_source_that_is_lost_gives_a_summary_and_its_own_exit_code(tmp_path, monkeypatch):
    from resemote_edge.camera.sources.pattern import PatternSource
    from resemote_edge.errors import SourceError

    read = PatternSource.read

    def read_ten(self):
        captured = read(self)
        if captured.number >= 10:
            raise SourceError("the cable was pulled")
        return captured

    monkeypatch.setattr(PatternSource, "read", read_ten)
    done = resemote_edge("camera", *QUICK, "jsonl:out.jsonl", "--no-reconnect", "--json", cwd=tmp_path)
    assert done.returncode == 4
    assert "the cable was pulled" in done.stderr
    assert json.loads(done.stdout)["lost"] is True
    assert (tmp_path / "out.jsonl").read_text().count("\n") >= 1
