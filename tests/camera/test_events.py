"""Events: each face begins once, changes when its label does, and ends once, whatever results are missing."""

from sink_parts import face, result

from resemote_edge.camera.events import SILENT_SECONDS, Events


def told(events: Events, *results: object) -> list[tuple[str, int, str | None]]:
    found = [event for one in results for event in events.of(one)]  # type: ignore[arg-type]
    return [(event.event, event.track, event.label) for event in found]


def test_a_face_begins_changes_and_ends() -> None:
    events = Events()
    assert told(
        events,
        result(0, face(1, "happy", event="new")),
        result(1, face(1, "happy")),
        result(2, face(1, "sad"), face(2, None, event="new")),
        result(3, face(2, "unsure"), ended=(1,)),
        result(4, ended=(2,)),
        result(5),
    ) == [
        ("new", 1, "happy"),
        ("update", 1, "sad"),
        ("new", 2, None),
        ("end", 1, "sad"),
        ("update", 2, "unsure"),
        ("end", 2, "unsure"),
    ]


def test_an_update_names_the_label_before_it() -> None:
    events = Events()
    events.of(result(0, face(1, "happy")))
    [update] = events.of(result(1, face(1, "sad", score=0.6)))
    assert (update.previous, update.label, update.score, update.frame) == ("happy", "sad", 0.6, 1)


def test_a_face_begins_even_if_its_first_result_was_dropped() -> None:
    assert told(Events(), result(7, face(3, "fear", event="update"))) == [("new", 3, "fear")]


def test_a_face_whose_end_was_dropped_ends_when_nobody_speaks_of_it() -> None:
    events = Events()
    events.of(result(0, face(1), seconds=0.0))
    assert told(events, result(1, seconds=SILENT_SECONDS)) == []
    assert told(events, result(2, seconds=SILENT_SECONDS + 0.1)) == [("end", 1, "happy")]
    assert told(events, result(3, seconds=99.0)) == []


def test_faces_in_view_end_with_the_run_and_say_how_long_they_stayed() -> None:
    events = Events()
    events.of(result(0, face(1, seconds=2.0), face(2, "sad", seconds=0.0), seconds=10.0))
    events.of(result(1, face(1, seconds=5.0), face(2, "sad", seconds=3.0), seconds=13.0))
    assert [(event.event, event.track, event.seconds) for event in events.finish()] == [
        ("end", 1, 5.0),
        ("end", 2, 3.0),
    ]
    assert events.finish() == []


def test_another_session_ends_the_faces_of_the_one_before() -> None:
    events = Events()
    events.of(result(0, face(1)))
    found = events.of(result(0, face(1), session="def"))
    assert [(event.event, event.session) for event in found] == [("end", "abc"), ("new", "def")]
