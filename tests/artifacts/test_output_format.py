import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from resemote_edge.artifacts.output_format import in_units_of, limit_in_units_of, log_probabilities, softmax

LOGITS = arrays(np.float32, (3, 7), elements=st.floats(-30, 30, width=32))


def test_softmax_survives_large_logits():
    assert softmax(np.array([[1e4, 1e4, -1e4]], dtype=np.float32)).tolist() == [[0.5, 0.5, 0.0]]


def test_logarithms_of_zero_are_finite():
    logs = log_probabilities(np.array([[1.0, 0.0, 1e-45]], dtype=np.float32))
    assert logs.dtype == np.float32
    np.testing.assert_allclose(logs, [[0.0, -87.33655, -87.33655]], atol=1e-4)


@settings(deadline=None)
@given(LOGITS)
def test_log_probabilities_are_the_logits_up_to_a_constant_per_row(logits):
    logs = log_probabilities(softmax(logits).astype(np.float32))
    shift = logits.astype(np.float64) - logs
    assert np.ptp(shift, axis=1).max() < 1e-4


@settings(deadline=None)
@given(LOGITS, LOGITS)
def test_what_keeps_the_logit_limit_keeps_the_limit_on_probabilities(logits, other):
    limit = np.abs(logits.astype(np.float64) - other).max()
    moved = np.abs(in_units_of("probabilities", logits) - in_units_of("probabilities", other)).max()
    assert moved <= limit_in_units_of("probabilities", limit) * (1 + 1e-12) + 1e-15
    assert limit_in_units_of("logits", limit) == limit
    assert in_units_of("logits", logits) is logits


def test_the_halved_limit_is_not_too_lax():
    # Two equal classes are moved apart, which changes softmax as much as possible.
    step = 1e-3
    moved = softmax(np.array([[step, -step]])) - softmax(np.zeros((1, 2)))
    assert np.abs(moved).max() == pytest.approx(limit_in_units_of("probabilities", step), rel=1e-3)
