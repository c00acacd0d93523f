import time

import numpy as np
import pytest

from resemote_edge.errors import InputError, SessionClosedError
from resemote_edge.measuring.slowed_session import SlowedSession
from resemote_edge.runtimes.registry import open_session
from resemote_edge.runtimes.session import SessionOptions


@pytest.fixture
def session(artifacts):
    return open_session(artifacts("cpu-onnxruntime-fp32"), "onnxruntime", SessionOptions(device="cpu", threads=1))


def feeds(session, batch=4):
    rng = np.random.default_rng(0)
    return {session.inputs[0].name: rng.normal(0, 1, (batch, 3, 64, 64)).astype(np.float32)}


def elapsed_ns(session, given):
    start = time.perf_counter_ns()
    session.run(given)
    return time.perf_counter_ns() - start


def test_outputs_are_the_others_and_come_late(session):
    given = feeds(session)
    outputs = session.run(given)
    with SlowedSession(session, at_least_ms=20.0) as slowed:
        assert (slowed.device, slowed.runtime) == (session.device, session.runtime)
        assert elapsed_ns(slowed, given) >= 20e6
        for name, values in slowed.run(given).items():
            np.testing.assert_array_equal(values, outputs[name])
    with pytest.raises(SessionClosedError):
        session.run(given)


def test_a_factor_multiplies_what_each_call_took(session):
    given = feeds(session)
    fastest = min(elapsed_ns(session, given) for _ in range(30))
    # No call can be faster than the factor times the fastest. Half of it, in case none of the thirty was the fastest.
    with SlowedSession(session, factor=10.0) as slowed:
        assert min(elapsed_ns(slowed, given) for _ in range(5)) >= 5 * fastest


@pytest.mark.parametrize("wrong", [{"factor": 0.9}, {"at_least_ms": -1.0}])
def test_nothing_is_made_faster(session, wrong):
    with pytest.raises(InputError, match="a session can only be slowed"):
        SlowedSession(session, **wrong)
