import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resemote_edge.evaluation.paired import compare_paired, expected_calibration_error

LABELS = ("a", "b", "c")


def one_hot(classes, confidence=5.0):
    return np.eye(len(LABELS), dtype=np.float32)[classes] * confidence


def test_nothing_changed_still_has_an_interval():
    truth = np.array([0, 1, 2, 0] * 50)
    found = compare_paired(one_hot(truth), one_hot(truth), truth, LABELS)
    assert (found.drop_points, found.flip_rate) == (0.0, 0.0)
    low, high = found.drop_interval_95
    assert low == pytest.approx(-high)
    assert 0.5 < high < 1.0  # 200 images cannot show that less than half a point is lost


def test_counts_by_hand():
    truth = np.zeros(100, dtype=np.int64)
    before = np.zeros(100, dtype=np.int64)
    before[:10] = 1  # ten wrong
    after = before.copy()
    after[:2] = 0  # two won
    after[20:25] = 2  # five lost
    after[5] = 2  # wrong before, and wrong in another way now: a flip that costs nothing
    found = compare_paired(one_hot(before), one_hot(after), truth, LABELS)
    assert found.reference_accuracy == pytest.approx(0.90)
    assert found.accuracy == pytest.approx(0.87)
    assert found.drop_points == pytest.approx(3.0)
    assert found.flip_rate == pytest.approx(0.08)
    assert found.recall_change_points == {"a": pytest.approx(-3.0), "b": 0.0, "c": 0.0}
    # Agresti and Min: half a pair in each cell, so 5.5 lost and 2.5 won of 102.
    difference = 3 / 102
    margin = 1.959964 * np.sqrt((8 / 102 - difference**2) / 102)
    assert found.drop_interval_95 == pytest.approx(((difference - margin) * 100, (difference + margin) * 100))


@given(lost=st.floats(0.0, 0.05), won=st.floats(0.0, 0.05), seed=st.integers(0, 1000))
@settings(max_examples=30, deadline=None)
def test_the_interval_covers_the_truth_about_as_often_as_it_says(lost, won, seed):
    # 40 experiments of 1000 images. At a coverage of 95 %, fewer than 32 hits have a chance below one in a million.
    rng = np.random.default_rng(seed)
    truth = np.zeros(1000, dtype=np.int64)
    hits = 0
    for _ in range(40):
        draw = rng.random(1000)
        before, after = np.zeros(1000, dtype=np.int64), np.zeros(1000, dtype=np.int64)
        after[draw < lost] = 1
        before[(draw >= lost) & (draw < lost + won)] = 1
        low, high = compare_paired(one_hot(before), one_hot(after), truth, LABELS).drop_interval_95
        hits += low <= (lost - won) * 100 <= high
    assert hits >= 32


def test_calibration_error_of_known_confidences():
    truth = np.zeros(100, dtype=np.int64)
    truth[:40] = 1  # always says class 0 with probability 0.8, is right in 60 of 100
    logits = np.log(np.tile([0.8, 0.1, 0.1], (100, 1)))
    assert expected_calibration_error(logits, truth) == pytest.approx(0.2)
    certain = one_hot(truth, 50.0)
    assert expected_calibration_error(certain, truth) == pytest.approx(0.0, abs=1e-9)
