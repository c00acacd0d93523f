"""Frames that arrive, against what queueing theory says of them; time is simulated, so that it is exact."""

import numpy as np
import pytest

from resemote_edge.measuring.scenarios.arrivals import SystemClock, serve_arrivals

MS = 1_000_000


class Time:
    """A clock that advances only during work and waiting."""

    def __init__(self):
        self.at = 5 * MS

    def now(self):
        return self.at

    def wait_until(self, moment):
        self.at = max(self.at, moment)


class Service:
    """A call that takes the given times, one after the other."""

    batch = 1

    def __init__(self, time, times_ms):
        self.time, self.times = time, iter(times_ms)

    def run_model(self):
        raise AssertionError("arrivals are decided whole")

    def decide(self):
        taken = round(next(self.times) * MS)
        self.time.at += taken
        return 0, 0, taken, 0


def serve(times_ms, *, fps, frames, queue_frames):
    time = Time()
    service = Service(time, times_ms)
    return serve_arrivals(service, fps=fps, frames=frames, queue_frames=queue_frames, clock=time)


def forever(value):
    while True:
        yield value


def test_who_is_fast_enough_decides_every_frame_as_it_comes():
    found = serve(forever(10.0), fps=25.0, frames=50, queue_frames=1)
    assert (found.dropped, found.served.tolist()) == (0, list(range(50)))
    assert (found.ages == 10 * MS).all()
    assert found.age_growth_ms() == 0.0


def test_fifty_ms_at_thirty_frames_a_second():
    # 50 ms is one and a half periods, so two of every three frames are decided. Their ages alternate between 50 ms, if
    # the network was free when the frame arrived, and 50 ms plus half a period. Nothing grows.
    found = serve(forever(50.0), fps=30.0, frames=900, queue_frames=1)
    assert found.dropped == pytest.approx(300, abs=2)
    period = 1000 / 30
    ages = np.sort(np.unique(np.round(found.ages / MS, 1)))
    assert ages.min() == pytest.approx(50.0, abs=0.1)
    assert ages.max() <= 50.0 + period + 0.1
    assert found.age_growth_ms() == pytest.approx(0.0, abs=period / 2 + 0.1)
    # A frame is decided every 50 ms, and the machine is never idle (the utilisation law).
    assert len(found.served) == pytest.approx(30.0 / 0.05 * 1.0, abs=2)


def test_a_queue_of_all_frames_lags_more_and_more():
    found = serve(forever(50.0), fps=30.0, frames=90, queue_frames=None)
    assert found.dropped == 0
    # Each frame waits for all frames before it, 16.7 ms longer than the previous one.
    steps = np.diff(found.ages) / MS
    assert steps == pytest.approx(50.0 - 1000 / 30, abs=0.01)
    assert found.age_growth_ms() > 1000


def test_a_queue_of_three_drops_the_oldest_and_is_as_late_as_its_length():
    found = serve(forever(50.0), fps=30.0, frames=300, queue_frames=3)
    assert found.dropped == pytest.approx(100, abs=4)
    assert np.all(np.diff(found.served) >= 1)
    assert found.ages.max() / MS <= 50.0 + 3 * 1000 / 30 + 0.1


def test_one_stall_costs_the_frames_that_came_in_it():
    times = [5.0] * 10 + [205.0] + [5.0] * 200
    found = serve(times, fps=20.0, frames=60, queue_frames=1)
    missing = sorted(set(range(60)) - set(found.served.tolist()))
    # The stall begins with frame 10 at 500 ms and ends at 705 ms. Frames 11 to 13 are dropped, and 14 is the newest.
    assert missing == [11, 12, 13]
    assert found.ages[10] == 205 * MS
    assert found.ages[11] == 10 * MS
    assert (found.ages[12:] == 5 * MS).all()


def test_ages_count_from_arrival_not_from_when_work_began():
    found = serve(forever(30.0), fps=40.0, frames=4, queue_frames=None)
    assert (found.ages / MS).tolist() == pytest.approx([30.0, 35.0, 40.0, 45.0])


def test_the_machine_s_clock_waits_long_enough():
    clock = SystemClock()
    moment = clock.now() + 3 * MS
    clock.wait_until(moment)
    assert clock.now() >= moment
    clock.wait_until(moment)  # over: at once
