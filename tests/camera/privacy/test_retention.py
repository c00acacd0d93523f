"""Retention deletes what this program wrote and is too old, and nothing else."""

import os
from pathlib import Path

import pytest

from resemote_edge.camera.privacy.retention import LEAST_SECONDS, Retention
from resemote_edge.errors import InputError

DAY = 86400.0


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


def written(retention: Retention) -> Path:
    path = retention.begin()
    path.write_text("{}\n")
    retention.end()
    return path


def test_files_are_named_by_time_and_never_twice_the_same(tmp_path: Path) -> None:
    retention = Retention(tmp_path / "faces.jsonl", keep_seconds=DAY, clock=Clock())
    first, second = written(retention), written(retention)
    assert first.name == "faces-20270115T080000Z.jsonl"
    assert second.name == "faces-20270115T080000Z-2.jsonl"


def test_a_file_is_deleted_with_its_marker_when_it_is_too_old(tmp_path: Path) -> None:
    clock = Clock()
    retention = Retention(tmp_path / "faces.jsonl", keep_seconds=DAY, clock=clock)
    old = written(retention)
    clock.now += DAY / 2
    young = written(retention)
    clock.now += DAY / 2
    retention.sweep()
    assert old.exists()
    clock.now += 1
    # Another run deletes what this one left.
    Retention(tmp_path / "faces.jsonl", keep_seconds=DAY, clock=clock).sweep()
    assert sorted(path.name for path in tmp_path.iterdir()) == [f".{young.name}.kept", young.name]


def test_a_file_is_due_in_time_for_all_of_it_to_be_deleted(tmp_path: Path) -> None:
    clock = Clock()
    retention = Retention(tmp_path / "faces.jsonl", keep_seconds=DAY, clock=clock)
    written(retention)
    assert not retention.is_due
    clock.now += DAY / 24
    assert retention.is_due


def test_only_files_with_the_name_and_the_marker_are_deleted(tmp_path: Path) -> None:
    clock = Clock()
    retention = Retention(tmp_path / "faces.jsonl", keep_seconds=DAY, clock=clock)
    unmarked = tmp_path / "faces-20200101T000000Z.jsonl"
    other = written(Retention(tmp_path / "other.jsonl", keep_seconds=DAY, clock=clock))
    forged = tmp_path / "faces-20200102T000000Z.jsonl"
    renamed = tmp_path / "faces.jsonl"
    for path in (unmarked, forged, renamed):
        path.write_text("mine")
    (tmp_path / f".{forged.name}.kept").write_text('{"written_by": "me", "began": 0.0}')
    (tmp_path / f".{renamed.name}.kept").write_text('{"written_by": "resemote-edge", "began": 0.0}')
    clock.now += 100 * DAY
    retention.sweep()
    assert all(path.exists() for path in (unmarked, other, forged, renamed))


def test_the_file_that_is_being_written_stays(tmp_path: Path) -> None:
    clock = Clock()
    retention = Retention(tmp_path / "faces.jsonl", keep_seconds=DAY, clock=clock)
    path = retention.begin()
    path.write_text("{}\n")
    clock.now += 2 * DAY  # The clock was set: nobody waited that long.
    retention.sweep()
    assert path.exists()
    assert retention.is_due


def test_links_and_folders_are_not_followed(tmp_path: Path) -> None:
    clock = Clock()
    folder = tmp_path / "kept"
    folder.mkdir()
    retention = Retention(folder / "faces.jsonl", keep_seconds=DAY, clock=clock)
    linked, replaced, marked = (written(retention) for _ in range(3))
    precious = tmp_path / "precious.jsonl"
    precious.write_text("mine")
    linked.unlink()
    linked.symlink_to(precious)
    replaced.unlink()
    replaced.mkdir()
    (replaced / "mine").write_text("mine")
    marker = folder / f".{marked.name}.kept"
    content = marker.read_text()
    marker.unlink()
    (tmp_path / "marker").write_text(content)
    marker.symlink_to(tmp_path / "marker")
    clock.now += 2 * DAY
    retention.sweep()
    assert precious.read_text() == "mine"
    assert linked.is_symlink()
    assert (replaced / "mine").exists()
    assert marked.exists()


def test_a_marker_that_is_a_pipe_is_no_marker_and_is_not_waited_for(tmp_path: Path) -> None:
    clock = Clock()
    retention = Retention(tmp_path / "faces.jsonl", keep_seconds=DAY, clock=clock)
    first, second = written(retention), written(retention)
    marker = tmp_path / f".{first.name}.kept"
    marker.unlink()
    os.mkfifo(marker)  # A marker that would block whoever reads it.
    clock.now += 2 * DAY
    retention.sweep()
    assert first.exists()
    assert not second.exists()


@pytest.mark.parametrize("seconds", [0.0, LEAST_SECONDS - 1, float("inf"), float("nan")])
def test_times_that_cannot_be_kept_are_refused(tmp_path: Path, seconds: float) -> None:
    with pytest.raises(InputError, match="keep them for at least"):
        Retention(tmp_path / "faces.jsonl", keep_seconds=seconds)
