import pytest

from resemote_edge.errors import InputError
from resemote_edge.measuring.statistics.verdict import check_margin, judge, rules_out


@pytest.mark.parametrize(
    ("interval", "verdict"),
    [
        ((1.031, 1.2), "slower"),
        ((1.03, 1.2), "no difference shown"),  # up to the margin, a difference does not count
        ((1.029, 1.2), "no difference shown"),
        ((0.8, 0.97), "faster"),
        ((0.8, 1 / 1.03), "no difference shown"),
        ((0.8, 0.975), "no difference shown"),
        ((0.99, 1.01), "no difference shown"),
        ((0.5, 2.0), "no difference shown"),
    ],
)
def test_the_whole_interval_must_lie_beyond_the_margin(interval, verdict):
    assert judge(interval, 0.03) == verdict


@pytest.mark.parametrize("interval", [(1.04, 1.05), (1.02, 1.05), (0.9, 1.1), (0.9, 0.96), (0.9, 0.9715)])
def test_both_can_change_places(interval):
    low, high = interval
    other = {"slower": "faster", "faster": "slower"}
    found = judge(interval, 0.03)
    assert judge((1 / high, 1 / low), 0.03) == other.get(found, found)


def test_without_a_margin_any_difference_counts():
    assert judge((1.0001, 1.1), 0.0) == "slower"
    assert judge((1.0, 1.1), 0.0) == "no difference shown"


@pytest.mark.parametrize(
    ("interval", "ruled_out"),
    [
        ((0.98, 1.02), True),
        ((1 / 1.03, 1.03), True),
        ((0.97, 1.0), False),
        ((1.0, 1.031), False),
        ((0.5, 2.0), False),
        ((1.2, 1.3), False),
    ],
)
def test_a_difference_is_ruled_out_where_the_interval_leaves_no_room(interval, ruled_out):
    assert rules_out(interval, 0.03) is ruled_out


@pytest.mark.parametrize("margin", [-0.01, 1.0, 3.0, float("nan"), float("inf")])
def test_what_is_no_margin(margin):
    with pytest.raises(InputError, match="the margin is a fraction from 0, below 1"):
        check_margin(margin)


@pytest.mark.parametrize("margin", [0.0, 0.03, 0.99])
def test_what_is_one(margin):
    check_margin(margin)
