"""Counts per interval: right, and no reader can compute a group that is too small."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sink_parts import face, result

from resemote_edge.camera.privacy.aggregate import Aggregator, encode_aggregate, withheld
from resemote_edge.errors import InputError

LABELS = ("anger", "disgust", "fear", "happy", "sad", "surprise", "neutral", "unsure", "not judged")


def crowd(*labels: str | None, first: int = 1) -> list[object]:
    return [face(first + number, label) for number, label in enumerate(labels)]


def test_each_track_counts_once_under_the_expression_it_showed_longest() -> None:
    counts = Aggregator(seconds=60, min_group=2)
    for frame in range(10):
        labels = ["happy", "happy", "sad" if frame < 7 else "happy", "sad"]
        assert counts.add(result(frame, *crowd(*labels))) is None
    found = counts.finish()
    assert found is not None
    assert (found.faces, found.expressions) == (4, {"happy": 2, "sad": 2})


def test_an_interval_is_told_when_the_next_one_begins_and_the_rest_at_the_end() -> None:
    counts = Aggregator(seconds=60, min_group=2)
    assert counts.add(result(0, *crowd("happy", "happy"), seconds=1.0)) is None
    assert counts.add(result(1, *crowd("happy", "happy"), seconds=59.9)) is None
    first = counts.add(result(2, *crowd("sad", "sad", "sad"), seconds=200.0))
    last = counts.finish()
    assert first is not None
    assert last is not None
    assert (first.from_seconds, first.to_seconds, first.expressions) == (0.0, 60.0, {"happy": 2})
    assert (last.from_seconds, last.to_seconds, last.expressions) == (180.0, 200.0, {"sad": 3})
    assert counts.finish() is None


def test_a_face_counts_as_not_judged_only_if_it_never_was() -> None:
    counts = Aggregator(seconds=60, min_group=2)
    for frame in range(9):
        counts.add(result(frame, *crowd(*["sad" if frame == 8 else None] * 2, None, None)))
    found = counts.finish()
    assert found is not None
    assert found.expressions == {"sad": 2, "not judged": 2}


def test_nothing_of_a_face_is_in_the_record() -> None:
    counts = Aggregator(seconds=60, min_group=2)
    counts.add(result(0, face(4711, "happy", x=1234.5), face(4712, "happy")))
    found = counts.finish()
    assert found is not None
    line = encode_aggregate(found)
    assert not any(word in line for word in (b"471", b"1234", b"track", b"score", b"box", b"frame"))


def test_small_groups_are_withheld() -> None:
    assert withheld(Counter(happy=7, sad=3, fear=2), 5) == (12, {"happy": 7})


def test_a_small_total_is_withheld_like_none_at_all() -> None:
    assert withheld(Counter(happy=4), 5) == withheld(Counter(), 5) == (None, {})


def test_a_group_that_the_total_would_give_away_takes_another_with_it() -> None:
    # 12 less 6 less 5 would leave one person under another label.
    assert withheld(Counter(happy=6, sad=5, fear=1), 5) == (12, {"happy": 6})


@given(st.dictionaries(st.sampled_from(LABELS), st.integers(1, 30)), st.integers(2, 10))
def test_what_is_given_and_what_is_left_is_never_a_small_group(counts: dict[str, int], min_group: int) -> None:
    total, shown = withheld(Counter(counts), min_group)
    assert all(count == counts[label] and count >= min_group for label, count in shown.items())
    if total is None:
        assert sum(counts.values()) < min_group
        assert shown == {}
    else:
        left = total - sum(shown.values())
        assert left == 0 or left >= min_group
        # One label alone may stay hidden only where its number is no small group, which the reader could compute.
        hidden = [count for label, count in counts.items() if label not in shown]
        assert len(hidden) != 1 or hidden[0] >= min_group


@pytest.mark.parametrize(("seconds", "min_group"), [(9.0, 5), (float("nan"), 5), (60.0, 1)])
def test_intervals_and_groups_that_would_show_single_people_are_refused(seconds: float, min_group: int) -> None:
    with pytest.raises(InputError) as caught:
        Aggregator(seconds=seconds, min_group=min_group)
    assert "pass at least" in caught.value.hint
