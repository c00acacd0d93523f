"""Tracks: ids that last, boxes that do not jitter, times in seconds."""

import itertools
import math
import random

import numpy as np
import pytest

from resemote_edge.errors import InputError
from resemote_edge.faces.face import Face
from resemote_edge.faces.tracker import Tracker, TrackerOptions


def face(x, y=100.0, side=80.0, score=0.9):
    return Face(x=x - side / 2, y=y - side / 2, width=side, height=side, score=score)


def center(track):
    return track.face.x + track.face.width / 2, track.face.y + track.face.height / 2


def run(tracker, frames, fps=30.0):
    return [tracker.update(faces, number / fps) for number, faces in enumerate(frames)]


def test_a_face_speaks_after_enough_detections_and_keeps_its_number():
    updates = run(Tracker(), [[face(100 + 3 * n)] for n in range(20)])
    assert [len(update.tracks) for update in updates[:4]] == [0, 0, 1, 1]
    assert {track.number for update in updates for track in update.tracks} == {1}
    assert all(track.detected for update in updates for track in update.tracks)


def test_a_face_that_does_not_speak_yet_is_known_in_every_frame():
    updates = run(Tracker(), [[face(100)], None, [face(120)], None, [face(140)], None])
    assert [len(update.tentative) for update in updates] == [1, 1, 1, 1, 0, 0]
    assert [len(update.tracks) for update in updates] == [0, 0, 0, 0, 1, 1]
    assert updates[3].tentative[0].x + 40 == pytest.approx(130, abs=10)


def test_a_false_alarm_of_one_frame_never_speaks_and_takes_no_number():
    frames = [[face(100)]] * 5 + [[face(100), face(500)]] + [[face(100)]] * 5 + [[face(100), face(700)]] * 4
    updates = run(Tracker(), frames)
    assert [track.number for track in updates[-1].tracks] == [1, 2]
    assert all(update.ended == () for update in updates)


def test_without_detection_a_track_goes_on_at_its_own_speed():
    options = TrackerOptions(smoothing_s=0.0)
    frames = [[face(100 + 4 * n)] if n < 12 or n % 4 == 0 else None for n in range(40)]
    updates = run(Tracker(options), frames)
    for number, update in enumerate(updates[4:], start=4):
        (track,) = update.tracks
        assert center(track)[0] == pytest.approx(100 + 4 * number, abs=1e-6)
        assert track.detected is (frames[number] is not None)
        assert track.missed == 0  # nobody looked


def test_frames_that_come_in_a_burst_throw_no_face_away():
    tracker = Tracker()
    times = [0.0, 0.04, 0.08, 0.0801, 0.0802, 0.24]
    updates = [tracker.update([face(300 + n % 2)] if n < 5 else None, seconds) for n, seconds in enumerate(times)]
    (track,) = updates[-1].tracks
    assert center(track)[0] == pytest.approx(300, abs=60)


def test_landmarks_move_along_with_the_box():
    points = tuple((100.0 + dx, 100.0 + dy) for dx, dy in ((-15, -10), (15, -10), (0, 5), (-10, 20), (10, 20)))
    tracker = Tracker(TrackerOptions(smoothing_s=0.0, min_detections=1))
    for number in range(2):
        shifted = tuple((x + 5 * number, y) for x, y in points)
        seen = Face(x=60 + 5 * number, y=60, width=80, height=80, landmarks=shifted)
        tracker.update([seen], number / 10)
    (track,) = tracker.update(None, 0.2).tracks
    np.testing.assert_allclose(track.face.landmarks, np.add(points, (10, 0)))


def test_an_unseen_face_ends_after_its_patience_in_seconds_whatever_the_rate():
    for fps in (5, 15, 60):
        tracker = Tracker(TrackerOptions(patience_s=0.7))
        frames = [[face(100)]] * 4 + [[]] * (2 * fps)
        updates = run(tracker, frames, fps)
        ends = [number for number, update in enumerate(updates) if update.ended]
        assert [updates[number].ended for number in ends] == [(1,)]
        assert ends[0] == 3 + math.floor(0.7 * fps + 1e-9) + 1
        missed = [update.tracks[0].missed for update in updates[4 : ends[0]]]
        assert missed == list(range(1, len(missed) + 1))


def test_a_number_is_never_used_again():
    frames = []
    for _ in range(3):
        frames += [[face(100)]] * 5 + [[]] * 30
    updates = run(Tracker(), frames)
    assert sorted({track.number for update in updates for track in update.tracks}) == [1, 2, 3]


def test_faces_that_pass_each_other_keep_their_numbers():
    frames = [[face(100 + 10 * n, y=100), face(700 - 10 * n, y=150)] for n in range(60)]
    updates = run(Tracker(), frames)
    first, last = updates[2].tracks, updates[-1].tracks
    assert [track.number for track in last] == [1, 2]
    assert center(first[0])[0] < center(first[1])[0]
    assert center(last[0])[0] > center(last[1])[0]


def test_a_small_fast_face_that_never_overlaps_itself_is_one_track():
    tracker = Tracker(TrackerOptions(reach=1.6))
    updates = run(tracker, [[face(100 + 30 * n, side=20)] for n in range(20)])
    assert {track.number for update in updates for track in update.tracks} == {1}


@pytest.mark.parametrize("fps", [2, 5, 30])
def test_a_face_that_moves_by_two_of_its_sizes_a_second_is_one_track_at_any_rate(fps):
    speed = 160.0
    turning = [[face(400 + 200 * math.sin(speed / 200 * n / fps))] for n in range(10 * fps)]
    updates = run(Tracker(), turning, fps)
    assert {track.number for update in updates for track in update.tracks} == {1}
    assert all(update.tracks for update in updates[2:])


def test_a_box_of_another_size_is_another_face():
    updates = run(Tracker(), [[face(100, side=80)]] * 5 + [[face(100, side=20)]] * 5)
    assert [track.number for track in updates[-1].tracks] == [1, 2]
    assert [track.missed for track in updates[-1].tracks] == [5, 0]


def test_the_order_of_detections_does_not_matter():
    shuffle = random.Random(0)
    frames = [[face(100 + 2 * n), face(300 - 2 * n, y=260), face(500, y=100 + 2 * n)] for n in range(40)]
    mixed = [shuffle.sample(faces, len(faces)) for faces in frames]
    tracks = [update.tracks for update in run(Tracker(), frames)]
    others = [update.tracks for update in run(Tracker(), mixed)]
    places = [[center(track) for track in tracks_of] for tracks_of in (tracks[-1], others[-1])]
    assert np.sort(places[0], axis=0) == pytest.approx(np.sort(places[1], axis=0))


def test_smoothing_takes_the_jitter_and_not_the_motion():
    noise = random.Random(1)
    jittered = [[face(200 + noise.gauss(0, 3))] for _ in range(300)]

    def jitter(options):
        places = [center(update.tracks[0])[0] for update in run(Tracker(options), jittered)[10:]]
        return math.sqrt(sum((b - a) ** 2 for a, b in itertools.pairwise(places)) / len(places))

    assert jitter(TrackerOptions()) < 0.6 * jitter(TrackerOptions(smoothing_s=0.0))
    moving = run(Tracker(), [[face(100 + 5 * n)] for n in range(60)])
    assert center(moving[-1].tracks[0])[0] == pytest.approx(100 + 5 * 59, abs=0.5)


@pytest.mark.parametrize("seconds", [0.0, -1.0, math.nan, math.inf])
def test_time_goes_on(seconds):
    tracker = Tracker()
    tracker.update([], 0.0)
    with pytest.raises(InputError, match="cannot follow"):
        tracker.update([], seconds)


@pytest.mark.parametrize(
    "options",
    [{"min_overlap": 0.0}, {"min_overlap": 1.5}, {"reach": -1.0}, {"patience_s": math.inf}, {"min_detections": 0}],
)
def test_options_out_of_range_are_refused(options):
    with pytest.raises(InputError, match="cannot work with"):
        TrackerOptions(**options)
