import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import resemote_edge
from resemote_edge.errors import DeviceUnavailableError, InputError, ResEmoteEdgeError
from resemote_edge.measuring.interleave import Schedule, interleave
from resemote_edge.measuring.processes.contestant import PARENT_VARIABLE, Contestant
from resemote_edge.measuring.processes.worker_process import WorkerProcess, run_apart
from resemote_edge.measuring.statistics.ratio import ratio_of_p50

QUICK = Schedule(
    seconds=0.0, min_rounds=3, warmup_runs=1, runs_per_turn=2, open_timeout_s=30, turn_timeout_s=2, quiet_timeout_s=1
)


@pytest.fixture(autouse=True)
def _openers_on_the_path(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]))


def contestant(function, name=None, threads=None, **arguments):
    opener = f"interleave_openers:{function}"
    return Contestant(name=name or function, opener=opener, arguments=arguments, threads=threads)


def another_python(folder, *lines):
    """A Python that does something before it starts, as the start of a virtual environment would."""
    path = folder / "bin" / "python"
    path.parent.mkdir(parents=True)
    path.write_text("\n".join(["#!/bin/sh", *lines, f'exec {sys.executable} "$@"', ""]))
    path.chmod(0o755)
    return path


def wait_for(happened):
    end = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.05)


def ended(pid):
    """Whether a process is gone, or only waits for somebody to ask how it ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].startswith("Z")
    except FileNotFoundError:
        return True


def gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_a_planted_slower_contestant_is_found():
    schedule = Schedule(seconds=1.5, min_rounds=8, warmup_runs=1, runs_per_turn=5)
    measured = interleave([contestant("sleeper", "fast", ms=4), contestant("sleeper", "slow", ms=12)], schedule)
    fast, slow = measured["fast"].nanoseconds, measured["slow"].nanoseconds
    assert fast.shape == slow.shape
    assert fast.shape[0] >= 8
    assert fast.shape[1] == 5
    assert fast.min() >= 4e6
    found = ratio_of_p50(fast, slow)
    low, high = found.interval_95
    assert low <= found.value <= high
    assert 2.0 < low < 3.05
    assert 2.0 < high < 3.2


def test_workers_are_told_their_threads_and_their_prints_do_no_harm():
    measured = interleave([contestant("sleeper", "a", threads=3, ms=0, noise=True)], QUICK)
    assert measured["a"].facts == {"ms": 0, "omp": "3"}


def test_progress_ends_at_one():
    told = []
    interleave([contestant("sleeper", ms=0)], QUICK, told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0


@pytest.mark.parametrize(
    ("broken", "error", "says"),
    [
        (contestant("mayfly", calls=4), ResEmoteEdgeError, "mayfly: its process ended with exit code 9.*so it ends"),
        (contestant("hanger"), ResEmoteEdgeError, "a turn of hanger took longer than 2 s and was ended"),
        (contestant("spinner", seconds=3600), ResEmoteEdgeError, "spinner: its threads still run 1 s after its turn"),
        (contestant("refuser"), DeviceUnavailableError, "opening refuser failed: there is no such device"),
        (contestant("crasher"), ResEmoteEdgeError, "crasher: .* exit code 1.*ValueError: an unexpected value"),
        (contestant("aborter"), ResEmoteEdgeError, "aborter: its process was ended by SIGABRT; .* last words"),
        (contestant("full_disk"), ResEmoteEdgeError, "full_disk failed: /samples.npz: No space left on device"),
    ],
    ids=lambda value: value.name if isinstance(value, Contestant) else "",
)
def test_one_that_fails_is_named_soon_and_nobody_is_left_behind(broken, error, says, tmp_path):
    pids = tmp_path / "pids"
    start = time.monotonic()
    with pytest.raises(error, match=says):
        interleave([contestant("sleeper", "healthy", ms=1, pid_file=str(pids)), broken], QUICK)
    assert time.monotonic() - start < 30
    assert all(gone(int(pid)) for pid in pids.read_text().split())


def test_a_process_is_on_its_cores_before_anything_is_imported():
    core = max(os.sched_getaffinity(0))
    facts = run_apart(replace(contestant("pinned"), cores=(core,)), timeout_s=30)
    assert facts == {"cores": [core], "now": [core]}


def test_what_a_contestant_started_ends_with_it(tmp_path):
    took_longer = pytest.raises(ResEmoteEdgeError, match="measuring parent took longer than 3 s and was ended; wait")
    with took_longer:
        run_apart(
            replace(contestant("parent", pid_file=str(tmp_path / "pids")), advice="wait"),
            timeout_s=3,
            doing="measuring",
        )
    wait_for(lambda: all(ended(int(pid)) for pid in (tmp_path / "pids").read_text().split()))


def test_a_contestant_ends_when_its_parent_is_killed(tmp_path):
    pids = tmp_path / "pids"
    code = f"from test_interleave import *\nrun_apart(contestant('parent', pid_file={str(pids)!r}), timeout_s=3600)"
    process = subprocess.Popen([sys.executable, "-c", code])
    wait_for(lambda: pids.exists() and len(pids.read_text().split()) == 2)
    child, left = map(int, pids.read_text().split())
    process.kill()
    process.wait()
    wait_for(lambda: ended(child))
    os.kill(left, signal.SIGKILL)


def test_a_contestant_whose_parent_died_before_it_could_ask_to_end_with_it_ends():
    """The variable names a process that is not its parent any more: as if that had died while modules were imported."""
    command = [sys.executable, "-m", "resemote_edge.measuring.processes.contestant"]
    environment = {**os.environ, PARENT_VARIABLE: "1"}
    orphan = subprocess.Popen(command, stdin=subprocess.PIPE, env=environment)
    assert orphan.wait(60) == 1
    orphan.stdin.close()


def test_opening_has_a_limit_too():
    took_longer = pytest.raises(ResEmoteEdgeError, match=r"opening slow_opener took longer than 0\.5 s")
    with WorkerProcess(contestant("slow_opener")) as worker, took_longer:
        worker.open(0.5)
    assert gone(worker.pid)


def test_threads_that_spin_for_a_while_are_waited_for():
    with WorkerProcess(contestant("spinner", seconds=0.6)) as worker:
        worker.open(30)
        worker.turn(0, 1, 5)
        start = time.monotonic()
        worker.wait_until_quiet(10)
        assert 0.3 < time.monotonic() - start < 5


def test_an_idle_worker_burns_no_processor_time():
    def ticks():
        fields = Path(f"/proc/{worker.pid}/stat").read_text().rpartition(") ")[2].split()
        return int(fields[11]) + int(fields[12])

    with WorkerProcess(contestant("sleeper", ms=1)) as worker:
        worker.open(30)
        worker.turn(1, 5, 5)
        worker.wait_until_quiet(5)
        before = ticks()
        time.sleep(0.5)
        assert ticks() - before <= 1


def test_contestants_need_names_of_their_own():
    with pytest.raises(InputError, match="names of their own, got a, a"):
        interleave([contestant("sleeper", "a", ms=1), contestant("sleeper", "a", ms=2)], QUICK)


def drifting(rounds=40, seed=0):
    """Two contestants, the second 1.5 times slower, on a machine whose speed drifts threefold."""
    rng = np.random.default_rng(seed)
    drift = 1e6 * np.exp(np.linspace(0, np.log(3), rounds))[:, None]
    return [(drift * factor * rng.normal(1, 0.02, (rounds, 10))).astype(np.int64) for factor in (1.0, 1.5)]


def test_drift_that_both_share_does_not_widen_the_interval_much():
    found = ratio_of_p50(*drifting())
    low, high = found.interval_95
    assert low < 1.5 < high
    assert high - low < 0.15


def test_the_interval_covers_the_truth_most_of_the_time_and_is_reproducible():
    intervals = [ratio_of_p50(*drifting(20, seed)).interval_95 for seed in range(20)]
    assert sum(low <= 1.5 <= high for low, high in intervals) >= 16
    assert ratio_of_p50(*drifting(20, 0)).interval_95 == intervals[0]


def test_ratios_need_the_same_rounds():
    with pytest.raises(InputError, match=r"got shapes \(2, 3\) and \(3, 3\)"):
        ratio_of_p50(np.ones((2, 3), np.int64), np.ones((3, 3), np.int64))


def test_a_contestant_may_live_in_another_python_and_brings_this_package_and_nothing_else(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["/of/ours", os.environ["PYTHONPATH"]]))
    python = another_python(tmp_path, "export MARK=other", f'PYTHONPATH="$PYTHONPATH:{Path(__file__).parent}"')
    opener = "interleave_openers:whereabouts"
    with WorkerProcess(Contestant(name="a", opener=opener, python=python)) as worker:
        facts = worker.open(30)
        brought = [path.name for path in Path(facts["path"][0]).iterdir()]
    assert facts["mark"] == "other"
    assert facts["package"] == str(Path(resemote_edge.__file__).resolve().parent)
    assert brought == ["resemote_edge"]
    assert "/of/ours" not in facts["path"]
    with WorkerProcess(Contestant(name="a", opener=opener)) as worker:
        facts = worker.open(30)
    assert facts["mark"] is None
    assert "/of/ours" in facts["path"]


def test_a_python_that_cannot_run_a_worker_is_named(tmp_path):
    python = another_python(tmp_path, 'echo "no msgspec here" >&2', "exit 7")
    contestant = Contestant(name="guest", opener="interleave_openers:whereabouts", python=python)
    with WorkerProcess(contestant) as worker, pytest.raises(ResEmoteEdgeError) as caught:
        worker.open(30)
    assert "guest" in str(caught.value)
    assert f"({python}) ended with exit code 7; its last words: no msgspec here" in str(caught.value)
