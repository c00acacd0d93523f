import json
import struct
import subprocess
import sys
import textwrap
import time

import pytest
from tensorboardX.proto.event_pb2 import Event

from resemote_edge.errors import InputError, TrainingError
from resemote_edge.training.run.folder import refuse_taken, written_by_us_alone
from resemote_edge.training.run.log import RunLog
from resemote_edge.training.run.state import STATE_FILE, EpochRecord


def record(epoch: int) -> EpochRecord:
    return EpochRecord(
        epoch=epoch,
        learning_rate=0.1,
        dropout=(0.0, 0.0),
        loss=1.0 / epoch,
        train_accuracy=0.5,
        validation_loss=1.0,
        validation_accuracy=0.25,
        images_per_second=100.0,
        seconds=1.0,
        memory_mb=1.0,
    )


def events(folder) -> list[Event]:
    """TFRecord: length, its checksum, the event, its checksum."""
    found = []
    for path in sorted((folder / "tensorboard").iterdir()):
        raw = path.read_bytes()
        while raw:
            (length,) = struct.unpack("<Q", raw[:8])
            found.append(Event.FromString(raw[12 : 12 + length]))
            raw = raw[16 + length :]
    return found


@pytest.mark.parametrize("left", [[], ["log.jsonl"], ["tensorboard/events"], [".state.pt.partial-x/state.pt"]])
def test_what_a_run_without_a_state_left_is_no_dead_end(tmp_path, left):
    for name in left:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    refuse_taken(tmp_path)
    refuse_taken(tmp_path / "not-there")


def test_a_run_or_anything_else_is_not_overwritten(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / STATE_FILE).write_text("")
    with pytest.raises(InputError, match=f"exists; pass --resume {tmp_path / 'run'} "):
        refuse_taken(tmp_path / "run")
    with pytest.raises(InputError, match="holds run, which no training run wrote; pass another --out"):
        refuse_taken(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="holds a file"):
        refuse_taken(tmp_path / "file")


def test_two_processes_do_not_train_in_one_folder(tmp_path):
    code = """
        import sys
        from pathlib import Path
        from resemote_edge.training.run.folder import written_by_us_alone
        with written_by_us_alone(Path(sys.argv[1])):
            print("held", flush=True)
            sys.stdin.read()
    """
    arguments = [sys.executable, "-c", textwrap.dedent(code), str(tmp_path)]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(TrainingError, match="another process is training there"), written_by_us_alone(tmp_path):
            pass
        holder.kill()
    with written_by_us_alone(tmp_path):  # A lock ends with its process.
        pass


@pytest.mark.parametrize("jump", [-1e9, 1e9])
def test_a_clock_that_jumps_stops_no_log(tmp_path, monkeypatch, jump):
    now = time.time
    with RunLog(tmp_path) as log:
        log.write([record(1)])
        monkeypatch.setattr(time, "time", lambda: now() + jump)
        log.write([record(1), record(2)])
    losses = {event.step: value.simple_value for event in events(tmp_path) for value in event.summary.value
              if value.tag == "loss"}  # fmt: skip
    assert losses == {1: 1.0, 2: 0.5}


def test_a_log_needs_no_shared_memory(tmp_path):
    """Containers often lack /dev/shm, on which semaphores of processes rest."""
    code = """
        import multiprocessing.synchronize, sys
        from pathlib import Path
        def refuse(*_, **__):
            raise OSError(2, "No such file or directory")
        multiprocessing.synchronize.SemLock.__init__ = refuse
        from resemote_edge.training.run.log import RunLog
        with RunLog(Path(sys.argv[1])):
            pass
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code), str(tmp_path)], check=True)
    assert [event.file_version for event in events(tmp_path)] == ["brain.Event:2"]


def test_a_log_that_goes_on_supersedes_what_came_after(tmp_path):
    with RunLog(tmp_path, [record(1)]) as log:
        log.write([record(1), record(2)])
    starts = [event.step for event in events(tmp_path) if event.HasField("session_log")]
    assert starts == [2]


def test_a_log_that_a_kill_left_behind_the_state_is_caught_up_with(tmp_path):
    with RunLog(tmp_path) as log:
        log.write([record(1)])
    with RunLog(tmp_path, [record(1), record(2)]):
        pass
    lines = (tmp_path / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["epoch"] for line in lines] == [1, 2]
