"""How often the detector looks."""

import pytest

from resemote_edge.camera.schedule import DetectionSchedule
from resemote_edge.errors import InputError


def looks(schedule, frames):
    return [schedule.due() for _ in range(frames)]


def settle(detecting, rest, interval):
    schedule = DetectionSchedule("auto")
    for _ in range(200):
        schedule.record(detecting=detecting if schedule.due() else None, rest=rest, interval=interval)
    return schedule.every


def test_the_first_frame_and_every_nth_after_it():
    assert looks(DetectionSchedule(1), 3) == [True] * 3
    assert looks(DetectionSchedule(3), 7) == [True, False, False, True, False, False, True]


@pytest.mark.parametrize(
    ("detecting", "rest", "interval", "every"),
    [
        (0.005, 0.003, 1 / 30, 1),  # all fits
        (0.030, 0.003, 1 / 30, 2),
        (0.090, 0.003, 1 / 30, 5),
        (0.500, 0.003, 1 / 30, 7),  # a new face never waits for more than a quarter of a second
        (0.005, 0.050, 1 / 30, 7),  # the rest alone is too slow
        (0.500, 0.003, 1.0, 1),
        (0.500, 0.003, None, 1),  # a film waits
    ],
)
def test_auto_is_as_often_as_the_frames_allow(detecting, rest, interval, every):
    assert settle(detecting, rest, interval) == every


@pytest.mark.parametrize("every", [0, -1, 1001, "often", 1.5])
def test_anything_else_is_refused(every):
    with pytest.raises(InputError, match="every n-th frame"):
        DetectionSchedule(every)
