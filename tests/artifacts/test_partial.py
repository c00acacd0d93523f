import errno
import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from resemote_edge.artifacts import files, partial
from resemote_edge.artifacts.files import staged_files, staged_folder, write_file
from resemote_edge.artifacts.partial import exchange, partial_folder, scratch_folder
from resemote_edge.errors import InputError


def left_behind(code, *arguments):
    """Run code in a process that kills itself where the code says `die()`."""
    head = "import os, signal, sys\nfrom pathlib import Path\ndie = lambda: os.kill(os.getpid(), signal.SIGKILL)\n"
    ended = subprocess.run([sys.executable, "-c", head + textwrap.dedent(code), *map(str, arguments)], check=False)
    assert ended.returncode == -signal.SIGKILL


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    "code",
    [
        """
        from resemote_edge.artifacts.files import staged_folder
        with staged_folder(Path(sys.argv[1]) / "out") as folder:
            (folder / "half").write_bytes(bytes(1000))
            die()
        """,
        """
        from resemote_edge.artifacts.partial import partial_folder
        with partial_folder(Path(sys.argv[1]), "out"):
            die()
        """,
    ],
)
def test_the_next_run_clears_away_what_a_killed_one_left(tmp_path, code, caplog):
    left_behind(code, tmp_path)
    (left,) = names(tmp_path)
    assert left.startswith(".out.partial-")
    with staged_folder(tmp_path / "out") as folder:
        (folder / "whole").write_text("whole")
    assert names(tmp_path) == ["out"]
    assert f"{tmp_path / left}: removed, left behind by a run that was killed" in caplog.text


def test_a_folder_that_is_in_use_is_left_alone(tmp_path):
    with partial_folder(tmp_path, "out") as used:
        (used / "file").write_text("mine")
        with partial_folder(tmp_path, "out") as other:
            assert other != used
        assert (used / "file").read_text() == "mine"
    assert names(tmp_path) == []


def test_other_destinations_are_left_alone(tmp_path):
    for name in (".other.partial-abc", ".out.partially", "out.partial-abc"):
        (tmp_path / name).mkdir()
    with staged_folder(tmp_path / "out") as folder:
        (folder / "whole").write_text("whole")
    assert names(tmp_path) == [".other.partial-abc", ".out.partially", "out", "out.partial-abc"]


def test_what_was_moved_aside_by_a_killed_run_is_put_back(tmp_path, caplog):
    """Where places cannot be exchanged in one step, a kill may come between the two."""
    code = """
        from resemote_edge.artifacts import files
        files.exchange = lambda one, other: False
        rename = Path.rename
        def dies_second(self, target):
            if (Path(sys.argv[1]) / "out") == target:
                die()
            return rename(self, target)
        Path.rename = dies_second
        with files.staged_folder(Path(sys.argv[1]) / "out", force=True) as folder:
            (folder / "passport.json").write_text('{"files": []}')
    """
    destination = tmp_path / "out"
    destination.mkdir()
    (destination / "passport.json").write_text('{"files": [], "good": true}')
    left_behind(code, tmp_path)
    assert not destination.exists()
    with pytest.raises(InputError, match="--force"), staged_folder(destination):
        pass
    assert "good" in (destination / "passport.json").read_text()
    assert names(tmp_path) == ["out"]
    assert f"{destination}: put back" in caplog.text


@pytest.mark.parametrize("again", [False, True])
def test_a_replacement_that_fails_keeps_the_only_copy(tmp_path, monkeypatch, again):
    """`again`: it cannot even be put back."""
    destination = tmp_path / "out"
    destination.mkdir()
    (destination / "passport.json").write_text('{"files": [], "good": true}')
    rename = type(tmp_path).rename
    failures = iter([True, again])

    def busy(self, target):
        if target == destination and next(failures):
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), str(target))
        return rename(self, target)

    monkeypatch.setattr(files, "exchange", lambda one, other: False)
    monkeypatch.setattr(type(tmp_path), "rename", busy)
    with pytest.raises(InputError if again else OSError) as caught, staged_folder(destination, force=True) as folder:
        (folder / "passport.json").write_text("{}")
    if again:
        (kept,) = tmp_path.iterdir()
        assert str(kept / "out") in str(caught.value)
        assert "good" in (kept / "out" / "passport.json").read_text()
    else:
        assert "good" in (destination / "passport.json").read_text()
        assert names(tmp_path) == ["out"]


def test_two_paths_change_places_in_one_step(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").write_text("b")
    if not exchange(tmp_path / "a", tmp_path / "b"):
        pytest.skip("this system has no renameat2, or this file system no exchange")
    assert (tmp_path / "a").read_text() == "b"
    assert (tmp_path / "b").is_dir()
    with pytest.raises(FileNotFoundError):
        exchange(tmp_path / "a", tmp_path / "nothing")


def test_the_destination_is_never_missing_while_it_is_replaced(tmp_path):
    destination = tmp_path / "out"
    destination.mkdir()
    (destination / "passport.json").write_text('{"files": []}')
    if not exchange(destination, destination):
        pytest.skip("this file system has no exchange")
    code = """
        from resemote_edge.artifacts.files import staged_folder
        while True:
            with staged_folder(Path(sys.argv[1]), force=True) as folder:
                (folder / "passport.json").write_text('{"files": []}')
    """
    head = "import sys\nfrom pathlib import Path\n"
    writer = subprocess.Popen([sys.executable, "-c", head + textwrap.dedent(code), str(destination)])
    try:
        end, seen, changes = time.monotonic() + 3, 0, 0
        while time.monotonic() < end:
            before, seen = seen, os.stat(destination).st_ino
            changes += before != seen
    finally:
        writer.kill()
        writer.wait()
    assert changes > 2


@pytest.mark.parametrize("write", ["folder", "files", "file"])
def test_a_disk_that_cannot_keep_it_is_a_failure(tmp_path, monkeypatch, write):
    def broken(descriptor):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(OSError, match="Input/output error"):
        if write == "file":
            write_file(tmp_path / "out", "text")
        else:
            staged = staged_folder if write == "folder" else staged_files
            with staged(tmp_path / "out") as folder:
                (folder / "a").write_text("a")
    assert names(tmp_path) == []


def test_a_library_s_own_words_for_a_full_disk_become_that_sentence(tmp_path, monkeypatch):
    usage = type("Usage", (), {"free": 0})
    monkeypatch.setattr(files.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(OSError, match="No space left on device") as caught, staged_folder(tmp_path / "out"):
        raise RuntimeError("basic_ios::clear: iostream error")
    assert caught.value.filename == str(tmp_path / "out")
    monkeypatch.undo()
    with pytest.raises(RuntimeError, match="iostream"), staged_folder(tmp_path / "out"):
        raise RuntimeError("basic_ios::clear: iostream error")


def test_scratch_folders_of_killed_runs_are_collected(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(partial.tempfile, "tempdir", None)
    left_behind("from resemote_edge.artifacts.partial import scratch_folder\nwith scratch_folder('x'): die()")
    (tmp_path / "resemote-edge-of-mine").mkdir()
    assert len(names(tmp_path)) == 2
    with scratch_folder("bench") as mine:
        assert names(tmp_path) == ["resemote-edge-of-mine", mine.name]
    assert names(tmp_path) == ["resemote-edge-of-mine"]
