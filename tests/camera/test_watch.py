"""From a source to decisions: the pattern, films made of it, and the prebuilt networks."""

import json
import threading
from dataclasses import asdict, replace
from functools import cache
from itertools import pairwise

import cv2
import numpy as np
import pytest

import resemote_edge
from resemote_edge.camera.decider import CUT_OFF, NOT_SEEN, DeciderOptions
from resemote_edge.camera.results import FrameResult
from resemote_edge.camera.sources import make_source
from resemote_edge.camera.sources.base import FrameClock, SourceOptions
from resemote_edge.camera.watch import WatchOptions, watch
from resemote_edge.errors import ArtifactError, InputError, SourceError
from resemote_edge.faces.smoothing import SmoothingOptions
from resemote_edge.vision.frame import Box, crops

SIZE = (640, 360)
PATTERN = "pattern://?faces=2"


@cache
def pattern(size):
    return make_source(PATTERN, SourceOptions(size=size), FrameClock())


def drawn(seconds, size=SIZE):
    return pattern(size).draw(seconds), pattern(size).truth(seconds)


def film_of(path, frames, fps=20.0):
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), fps, (frames[0].shape[1], frames[0].shape[0]))
    for pixels in frames:
        writer.write(pixels)
    writer.release()
    return str(path)


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """Three seconds of two drawn people who move, at 20 frames a second."""
    return film_of(tmp_path_factory.mktemp("films") / "two.mp4", [drawn(n / 20)[0] for n in range(60)])


def boxes_file(folder, boxes, frames):
    """A detector that reports the same boxes in every frame."""
    path = folder / "boxes.jsonl"
    path.write_text((json.dumps({"faces": [asdict(box) for box in boxes]}) + "\n") * frames)
    return str(path)


def options(**decider):
    return WatchOptions(threads=1, decider=DeciderOptions(**({"detect_every": 1} | decider)))


@pytest.fixture(scope="module")
def results(film):
    return list(watch(film, options()))


def test_every_frame_of_a_film_is_decided(results):
    assert [result.frame for result in results] == list(range(60))
    assert {(result.width, result.height) for result in results} == {SIZE}
    assert all(result.dropped == {} for result in results)
    assert len({result.session for result in results}) == 1


def test_two_people_are_two_tracks_from_the_third_frame_to_the_last(results):
    assert [len(result.faces) for result in results[:3]] == [0, 0, 2]
    assert {face.track for result in results for face in result.faces} == {1, 2}
    assert [face.event for face in results[2].faces] == ["new", "new"]
    assert {face.event for result in results[3:] for face in result.faces} == {"update"}
    for result in results[3:]:
        _, truth = drawn(result.seconds)
        for face in result.faces:
            middle = face.x + face.width / 2, face.y + face.height / 2
            inside = [one.x < middle[0] < one.x + one.width and one.y < middle[1] < one.y + one.height for one in truth]
            assert sum(inside) == 1


def test_a_face_is_judged_and_its_probabilities_are_smoothed(results):
    for face in results[-1].faces:
        assert face.not_judged is None
        assert face.score == max(face.probabilities.values())
        assert sum(face.probabilities.values()) == pytest.approx(1.0, abs=1e-3)
        assert face.seconds == pytest.approx(results[-1].seconds - results[0].seconds)


def test_the_crop_is_that_of_predict_to_the_bit(tmp_path):
    picture, truth = drawn(0.0)
    boxes = [Box(*(round(value) for value in one.box)) for one in truth]
    unsmoothed = SmoothingOptions(time_constant_s=0.0, hold_s=0.0, min_score=0.0)
    asked = options(smoothing=unsmoothed)
    lossless = tmp_path / "pictures"
    lossless.mkdir()
    for number in range(4):
        cv2.imwrite(str(lossless / f"{number}.png"), picture)
    with watch(str(lossless), replace(asked, detector=boxes_file(tmp_path, boxes, 4))) as watching:
        last = list(watching)[-1]
    with resemote_edge.load(threads=1) as classifier:
        emotions = classifier.classify_frame(resemote_edge.Frame(picture, "bgr"), boxes, edges="replicated")
    assert len(last.faces) == 2
    for face in last.faces:
        emotion = emotions[boxes.index(Box(*map(int, (face.x, face.y, face.width, face.height))))]
        assert face.probabilities == {label: round(share, 4) for label, share in emotion.probabilities.items()}


def test_between_detections_faces_are_followed(film):
    found = list(watch(film, options(detect_every=4)))
    detected = [[face.detected for face in result.faces] for result in found if result.faces]
    assert {(True, True), (False, False)} == set(map(tuple, detected))
    assert sum(map(all, detected)) * 3 <= sum(not any(flags) for flags in detected) + 6
    assert {face.track for result in found for face in result.faces} == {1, 2}
    assert all(face.not_judged is None for result in found for face in result.faces)


def test_a_face_that_leaves_is_kept_for_its_patience_and_then_ends(tmp_path):
    picture, _ = drawn(0.0)
    empty = np.full_like(picture, 120)
    film = film_of(tmp_path / "leaves.mp4", [picture] * 10 + [empty] * 30)
    found = list(watch(film, options()))
    gone = [result for result in found[10:] if result.faces]
    assert {face.not_judged for result in gone for face in result.faces} == {NOT_SEEN}
    ended = [result for result in found if result.ended]
    assert [result.ended for result in ended] == [(1, 2)]
    assert ended[0].seconds - found[9].seconds == pytest.approx(0.75, abs=0.06)


def test_a_face_at_the_edge_is_framed_with_the_edge_repeated():
    picture, _ = drawn(0.0)
    frame = resemote_edge.Frame(picture, "bgr")
    corner = Box(-20, -20, 60, 60)
    (crop,), _ = crops(frame, [corner], color=False, edges="replicated")
    assert crop.shape == (60, 60, 3)
    assert (crop[:21, :21] == picture[0, 0]).all()
    assert (crop[20:, 20:] == picture[:40, :40]).all()


@pytest.mark.parametrize(("left", "reason"), [(-49, None), (-51, CUT_OFF)])
def test_a_face_of_which_half_is_outside_is_not_judged(tmp_path, left, reason):
    film = film_of(tmp_path / "cut.mp4", [drawn(0.0)[0]] * 4)
    asked = replace(options(quality=None), detector=boxes_file(tmp_path, [Box(left, 100, 100, 100)], 4))
    (face,) = list(watch(film, asked))[-1].faces
    assert face.not_judged == reason
    assert (face.label is None) == (reason is not None)


def test_the_callback_form_gives_the_same_results(film, results):
    found, done = [], threading.Event()
    watching = watch(film, options())
    watching.start(lambda result: (found.append(result), done.set() if result.frame == 59 else None))
    assert done.wait(120)
    assert watching.join(30)

    def plain(result):
        return replace_times(result)

    assert list(map(plain, found)) == list(map(plain, results))


def replace_times(result):
    fields = {name: getattr(result, name) for name in FrameResult.__struct_fields__}
    return FrameResult(**fields | {"session": "", "captured_utc": "", "decision_age_ms": 0.0})


def test_an_error_in_a_callback_is_raised_by_join(film):
    watching = watch(film, options())
    watching.start(lambda result: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        while not watching.join(1):
            pass


def test_a_watch_can_be_stopped_from_another_thread():
    watching = watch(PATTERN, replace(options(), source=SourceOptions(size=SIZE)))
    seen = threading.Event()
    watching.start(lambda result: seen.set())
    assert seen.wait(60)
    watching.stop()
    assert watching.join(60)
    with pytest.raises(InputError, match="being watched already"):
        next(iter(watching))


def test_the_summary_adds_up():
    watching = watch(f"{PATTERN}&seconds=1.5", replace(options(), source=SourceOptions(size=SIZE)))
    found = list(watching)
    summary = watching.summary()
    assert summary.captured == 45
    assert summary.decided == len(found)
    assert summary.decided + sum(summary.dropped.values()) == summary.captured
    assert (summary.restarts, summary.lost) == (0, False)
    ages = sorted(result.decision_age_ms for result in found)
    assert summary.decision_age.max_ms == pytest.approx(ages[-1], abs=0.01)
    assert ages[0] <= summary.decision_age.p50_ms <= summary.decision_age.p95_ms <= ages[-1] + 0.01
    assert all(later.frame > earlier.frame for earlier, later in pairwise(found))


def test_a_source_that_does_not_open_is_an_error_with_the_reason():
    with pytest.raises(SourceError, match="there is no device /dev/video63"):
        list(watch("63", options()))


def test_an_artifact_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ArtifactError, match="missing"):
        watch(PATTERN, WatchOptions(artifact=tmp_path / "missing"))
