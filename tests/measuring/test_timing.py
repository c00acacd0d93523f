from resemote_edge.measuring.timing import Budget, time_calls, time_in_blocks, warm_up


def test_every_sample_is_kept():
    calls = []
    taken = time_calls(lambda: calls.append("a"), Budget(warmup_runs=3, min_runs=7, min_seconds=0.0))
    assert (len(calls), len(taken)) == (10, 7)
    assert len(time_calls(lambda: None, Budget(warmup_runs=0, min_runs=1, min_seconds=60.0, max_runs=9))) == 9


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
