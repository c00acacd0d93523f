"""Intervals between restarts: how often they hold the truth, and what they shrug off."""

import math

import numpy as np
import pytest

from resemote_edge.errors import InputError
from resemote_edge.measuring.statistics.restart_ratio import MIN_RESTARTS, rank_of_interval, ratio_over_restarts


def tables(offsets, *, rounds=3, runs=20, noise=0.02, drift=0.0, seed=0):
    """Restarts whose second process takes exp(offset) times as long as the first; drift is shared by both."""
    rng = np.random.default_rng(seed)
    made = []
    for offset in offsets:
        speed = np.exp(np.linspace(0.0, drift, rounds))[:, None] * 1e6
        a, b = (speed * factor * rng.normal(1.0, noise, (rounds, runs)) for factor in (1.0, math.exp(offset)))
        made.append((a.astype(np.int64), b.astype(np.int64)))
    return made


def test_a_ratio_is_the_median_of_restarts_each_the_median_of_its_rounds():
    rounds = np.array([[100, 100, 100], [100, 100, 100], [100, 100, 100]])
    # Rounds of 110, 120 and 500: the last was disturbed, and the median ignores it.
    one = (rounds, np.array([[110, 110, 900], [120, 1, 120], [500, 500, 500]]))
    others = [(rounds, rounds * factor) for factor in (1, 1, 2, 2, 3)]
    found = ratio_over_restarts([one, *others])
    assert found.of_restarts == pytest.approx((1.2, 1.0, 1.0, 2.0, 2.0, 3.0))
    assert found.value == pytest.approx(math.sqrt(1.2 * 2.0))
    assert found.interval == pytest.approx((1.0, 3.0))  # of six, from end to end


@pytest.mark.parametrize(
    ("restarts", "rank", "coverage"),
    [(6, 1, 0.96875), (8, 1, 0.9921875), (9, 2, 0.9609375), (12, 3, 0.96142578125), (20, 6, 0.9586105346679688)],
)
def test_which_restarts_an_interval_ends_at(restarts, rank, coverage):
    # Rank and coverage as in the tables of the sign test.
    assert rank_of_interval(restarts) == rank
    offsets = np.linspace(-0.3, 0.5, restarts)
    found = ratio_over_restarts(tables(np.random.default_rng(1).permutation(offsets), noise=0.0))
    assert found.coverage == pytest.approx(coverage)
    assert found.interval == pytest.approx(tuple(np.exp(offsets[[rank - 1, -rank]])), rel=1e-5)


def skewed(rng, shape):
    """Lopsided and heavy-tailed, with median 0."""
    return np.exp(rng.normal(0.0, 1.0, shape)) - 1.0


@pytest.mark.parametrize("restarts", [6, 9])
@pytest.mark.parametrize("draw", [lambda rng, shape: rng.normal(0.0, 1.0, shape), skewed], ids=["normal", "skewed"])
def test_the_interval_holds_the_truth_as_often_as_it_says(restarts, draw):
    # The offsets between processes dominate; the calls within a process hardly vary.
    truth, trials = math.log(1.07), 500
    offsets = truth + 0.02 * draw(np.random.default_rng(7), (trials, restarts))
    quiet = np.full((1, 1), 1_000_000, dtype=np.int64)
    held = 0
    for row in offsets:
        found = ratio_over_restarts([(quiet, (quiet * math.exp(offset)).astype(np.int64)) for offset in row])
        held += found.interval[0] <= 1.07 <= found.interval[1]
    expected = found.coverage
    assert held / trials == pytest.approx(expected, abs=4 * math.sqrt(expected * (1 - expected) / trials))
    assert expected >= 0.95


def test_drift_that_both_share_cancels():
    # The machine becomes three times slower within a restart, and everything is 1.1.
    found = ratio_over_restarts(tables([math.log(1.1)] * 9, rounds=30, drift=math.log(3.0)))
    low, high = found.interval
    assert low < 1.1 < high
    assert high - low < 0.01


def test_more_calls_do_not_hide_that_processes_differ():
    offsets = np.random.default_rng(3).normal(0.0, 0.05, 9)
    few, many = (ratio_over_restarts(tables(offsets, runs=runs)).interval for runs in (20, 2000))
    assert many[1] - many[0] > 0.5 * (few[1] - few[0])
    assert many[1] - many[0] > 0.04


@pytest.mark.parametrize("wrong", [5.0, -5.0])
def test_of_nine_restarts_one_may_go_wrong(wrong):
    steady = list(np.linspace(-0.01, 0.01, 8))
    found = ratio_over_restarts(tables([*steady, wrong]))
    assert 0.97 < found.interval[0] <= found.value <= found.interval[1] < 1.03


def test_restarts_may_differ_in_rounds_and_runs():
    made = [table for index in range(6) for table in tables([0.0], rounds=3 + index, runs=5 + index)]
    assert ratio_over_restarts(made).value == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("count", [0, 1, MIN_RESTARTS - 1])
def test_too_few_restarts(count):
    with pytest.raises(InputError, match=f"at least 6 of them, got {count}"):
        ratio_over_restarts(tables([0.0] * count))


@pytest.mark.parametrize(
    ("a", "b"),
    [((3, 5), (4, 5)), ((3,), (3,)), ((3, 5), (3,)), ((0, 5), (0, 5)), ((3, 0), (3, 5)), ((3, 5, 1), (3, 5, 1))],
)
def test_turns_that_are_no_pairs(a, b):
    broken = (np.ones(a, dtype=np.int64), np.ones(b, dtype=np.int64))
    with pytest.raises(InputError, match="two tables with the same rounds, got shapes"):
        ratio_over_restarts([*tables([0.0] * 6), broken])
