import resource
import subprocess
import sys
import textwrap

import pytest
import torch

from resemote_edge.errors import TrainingError
from resemote_edge.training.run.state import STATE_FILE, EpochRecord, RunState, load_state, save_state

RECORD = EpochRecord(
    epoch=1,
    learning_rate=0.1,
    dropout=(0.0, 0.1),
    loss=1.0,
    train_accuracy=0.5,
    validation_loss=1.1,
    validation_accuracy=0.4,
    images_per_second=10.0,
    seconds=1.0,
    memory_mb=100.0,
)


def state(**changes) -> RunState:
    weights = {"a": torch.arange(6.0).reshape(2, 3)}
    return RunState(
        **{
            "recipe": {"epochs": 2},
            "context": {"labels": ["x", "y"]},
            "weights": weights,
            "averaged": weights,
            "optimizer": {"state": {}, "param_groups": []},
            "history": (RECORD,),
            "epoch": 1,
            "sums": (1.0, 2.0, 3.0, 4.0),
            **changes,
        }
    )


def test_what_is_saved_comes_back(tmp_path):
    save_state(state(), tmp_path)
    loaded = load_state(tmp_path)
    assert (loaded.epoch, loaded.history, loaded.sums, loaded.context) == (
        1,
        (RECORD,),
        (1.0, 2.0, 3.0, 4.0),
        {"labels": ["x", "y"]},
    )
    assert torch.equal(loaded.weights["a"], torch.arange(6.0).reshape(2, 3))
    assert [path.name for path in tmp_path.iterdir()] == [STATE_FILE]


def test_a_full_disk_leaves_the_state_before_it_whole(tmp_path):
    save_state(state(epoch=1), tmp_path)
    # A file size limit replaces the full disk: the write fails halfway in both cases.
    script = f"""
        import resource, signal, torch
        from pathlib import Path
        from resemote_edge.errors import TrainingError
        from resemote_edge.training.run.state import RunState, save_state
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, resource.RLIM_INFINITY))
        big = {{"a": torch.zeros(100_000)}}
        try:
            late = RunState(recipe={{}}, context={{}}, weights=big, averaged=big, optimizer={{}}, epoch=9)
            save_state(late, Path({str(tmp_path)!r}))
        except TrainingError as error:
            print(error)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=True)
    assert "cannot be written" in done.stdout
    assert "--resume" in done.stdout
    assert load_state(tmp_path).epoch == 1
    assert [path.name for path in tmp_path.iterdir()] == [STATE_FILE]
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY


def test_no_state_a_damaged_one_and_one_of_another_format_are_told_apart(tmp_path):
    with pytest.raises(TrainingError, match=r"no state\.pt"):
        load_state(tmp_path)
    save_state(state(), tmp_path)
    whole = (tmp_path / STATE_FILE).read_bytes()
    (tmp_path / STATE_FILE).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(TrainingError, match="not a whole run state"):
        load_state(tmp_path)
    torch.save({"format": 99}, tmp_path / STATE_FILE)
    with pytest.raises(TrainingError, match="format 99"):
        load_state(tmp_path)
