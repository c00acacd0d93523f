"""Smoothing in time: labels that can be read, and follow a face within half a second."""

import itertools
import math
import random

import pytest

from resemote_edge.errors import InputError
from resemote_edge.faces.smoothing import UNSURE, Smoother, SmoothingOptions


def shares(happy):
    return {"happy": happy, "sad": 1.0 - happy}


def labels(smoother, stream, fps=30.0):
    return [smoother.update(shares(happy), number / fps).label for number, happy in enumerate(stream)]


def test_the_first_frame_is_shown_as_it_is():
    shown = Smoother().update(shares(0.8), 12.0)
    assert (shown.label, shown.score, shown.probabilities) == ("happy", 0.8, shares(0.8))


def test_the_mean_is_exponential_in_time_not_in_frames():
    options = SmoothingOptions(time_constant_s=0.5, hold_s=0.0)
    for fps in (4, 25, 100):
        smoother = Smoother(options=options)
        smoother.update(shares(1.0), 0.0)
        for number in range(1, fps + 1):
            shown = smoother.update(shares(0.0), number / fps)
        assert shown.probabilities["happy"] == pytest.approx(math.exp(-1.0 / 0.5))
        assert sum(shown.probabilities.values()) == pytest.approx(1.0)


@pytest.mark.parametrize("fps", [5, 10, 30, 60])
def test_a_change_of_expression_is_followed_within_half_a_second(fps):
    smoother = Smoother()
    stream = [0.9] * (2 * fps) + [0.1] * (2 * fps)
    changed = labels(smoother, stream, fps).index("sad")
    assert 0.2 <= (changed - 2 * fps) / fps <= 0.5


def test_a_flicker_shorter_than_the_hold_is_not_shown():
    options = SmoothingOptions(time_constant_s=0.0, hold_s=0.3)
    stream = ([0.9] * 20 + [0.1] * 8) * 5
    assert set(labels(Smoother(options=options), stream)) == {"happy"}
    assert set(labels(Smoother(options=SmoothingOptions(time_constant_s=0.0, hold_s=0.0)), stream)) == {"happy", "sad"}


def test_noise_changes_the_label_far_less_often():
    noise = random.Random(0)
    stream = [min(max(0.55 + noise.gauss(0, 0.2), 0.0), 1.0) for _ in range(1800)]

    def changes(options):
        shown = labels(Smoother(options=options), stream)
        return sum(a != b for a, b in itertools.pairwise(shown))

    raw = changes(SmoothingOptions(time_constant_s=0.0, hold_s=0.0))
    assert raw > 500
    assert changes(SmoothingOptions()) < raw / 20


def test_an_expression_that_is_not_clear_is_not_named():
    thirds = {"happy": 0.34, "sad": 0.33, "fear": 0.33}
    shown = Smoother(options=SmoothingOptions(min_score=0.4)).update(thirds, 0.0)
    assert (shown.label, shown.score) == (UNSURE, 0.34)
    assert Smoother(options=SmoothingOptions(min_score=0.3)).update(thirds, 0.0).label == "happy"


def test_a_long_gap_forgets_what_was_before_it():
    smoother = Smoother()
    smoother.update(shares(1.0), 0.0)
    assert smoother.update(shares(0.0), 60.0).probabilities["happy"] == pytest.approx(0.0)


def test_time_goes_on_and_something_was_shown():
    smoother = Smoother()
    with pytest.raises(InputError, match="nothing was smoothed"):
        smoother.current()
    smoother.update(shares(0.5), 1.0)
    with pytest.raises(InputError, match="cannot follow"):
        smoother.update(shares(0.5), 1.0)


@pytest.mark.parametrize("options", [{"time_constant_s": -1}, {"hold_s": math.nan}, {"min_score": 1.1}])
def test_options_out_of_range_are_refused(options):
    with pytest.raises(InputError, match="cannot work with"):
        SmoothingOptions(**options)
