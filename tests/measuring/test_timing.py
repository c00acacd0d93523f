import numpy as np
import pytest

from resemote_edge.measuring.timing import Budget, Samples, time_calls, time_in_blocks, warm_up


def test_calls_take_turns_and_every_sample_is_kept():
    calls = []
    both = time_calls(
        [lambda: calls.append("a"), lambda: calls.append("b")], Budget(warmup_runs=3, min_runs=7, min_seconds=0.0)
    )
    assert calls == ["a", "b"] * 10
    assert [(samples.runs, samples.warmup_runs) for samples in both] == [(7, 3), (7, 3)]
    (capped,) = time_calls([lambda: None], Budget(warmup_runs=0, min_runs=1, min_seconds=60.0, max_runs=9))
    assert capped.runs == 9


def test_percentiles_are_in_ms():
    samples = Samples(0, np.arange(1, 101, dtype=np.int64) * 1_000_000)
    assert samples.percentile_ms(50) == pytest.approx(50.5)
    assert samples.percentile_ms(99) == pytest.approx(99.01)
    assert samples.mean_ms == pytest.approx(50.5)


def test_blocks_of_two_kinds_take_turns():
    calls = []

    def whole():
        calls.append("w")
        return (1, 2)

    model, stages = time_in_blocks(lambda: calls.append("m"), whole, Budget(min_runs=45, min_seconds=0.0))
    assert "".join(calls) == "m" * 20 + "w" * 20 + "m" * 20 + "w" * 20 + "m" * 20 + "w" * 20
    assert model.shape == (60,)
    assert stages.shape == (60, 2)
    assert (stages == [1, 2]).all()


def test_warming_up_waits_until_times_settle():
    waits = iter([4_000_000] * 12 + [200_000] * 10_000)
    clock = Waiting(waits)
    found = warm_up(clock, Budget(warmup_runs=2, warmup_seconds=30.0))
    assert found.settled is True
    # Two calls, two slow groups of calls, and then groups until three in a row agree.
    assert 2 + 2 * 5 + 3 * 5 <= found.runs < 1000


def test_warming_up_gives_up_and_says_so():
    waits = iter([100_000, 100_000, 100_000, 100_000, 100_000, 900_000, 900_000, 900_000, 900_000, 900_000] * 10_000)
    found = warm_up(Waiting(waits), Budget(warmup_runs=0, warmup_seconds=0.2))
    assert found.settled is False


def test_a_fixed_number_of_calls_is_not_waited_for():
    calls = []
    found = warm_up(lambda: calls.append(1), Budget(warmup_runs=4))
    assert (len(calls), found.runs, found.settled) == (4, 4, None)


class Waiting:
    """Takes as long as the next of its waits says, at least."""

    def __init__(self, waits):
        self._waits = waits

    def __call__(self):
        import time

        end = time.perf_counter_ns() + next(self._waits)
        while time.perf_counter_ns() < end:
            pass
