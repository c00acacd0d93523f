"""A sink's thread: nothing that a sink does delays whoever decides, and what it loses is counted and told once."""

import threading

import pytest
from sink_parts import eventually, face, picture, result

from resemote_edge.camera.privacy.aggregate import AggregateResult
from resemote_edge.camera.results import FrameResult
from resemote_edge.camera.sinks import worker as worker_module
from resemote_edge.camera.sinks.base import Sink, SinkEnded
from resemote_edge.camera.sinks.worker import SinkWorkers
from resemote_edge.errors import InputError
from resemote_edge.vision.frame import Frame


class Recorder(Sink):
    """Records what it is given; waits for its gate, and raises what it is told to."""

    takes_aggregates = True

    def __init__(self, name: str = "recorder", queue_frames: int = 4) -> None:
        self.name = name
        self.queue_frames = queue_frames
        self.frames: list[int] = []
        self.pictures: list[Frame | None] = []
        self.counts: list[AggregateResult] = []
        self.gate = threading.Event()
        self.gate.set()
        self.busy = threading.Event()
        self.errors: dict[int, Exception] = {}
        self.said: list[str] = []

    def open(self) -> None:
        self.said.append("open")

    def write(self, result: FrameResult, picture: Frame | None) -> None:
        self.busy.set()
        self.gate.wait()
        if result.frame in self.errors:
            raise self.errors[result.frame]
        self.frames.append(result.frame)
        self.pictures.append(picture)

    def write_aggregate(self, result: AggregateResult) -> None:
        self.counts.append(result)

    def close(self) -> None:
        self.said.append("close")
        if -1 in self.errors:
            raise self.errors[-1]


def test_every_result_is_written_in_order_and_the_sink_is_closed_once() -> None:
    sink = Recorder(queue_frames=100)
    with SinkWorkers([sink], tell=pytest.fail) as workers:
        for number in range(50):
            workers.put(result(number), lambda kind: None)
    assert sink.frames == list(range(50))
    assert sink.said == ["open", "close"]
    [(name, facts)] = workers.facts
    assert (name, facts.written, facts.lost, facts.unfinished) == ("recorder", 50, {}, None)


def test_a_sink_that_stalls_drops_the_oldest_and_delays_nobody() -> None:
    stalled, well, said = Recorder("stalled"), Recorder("well", queue_frames=2000), []
    stalled.gate.clear()
    with SinkWorkers([stalled, well], tell=said.append) as workers:
        workers.put(result(0), lambda kind: None)
        assert stalled.busy.wait(20)
        # Nothing but the puts happens here: if one of them waited for the sink, none after it would ever return.
        for number in range(1, 1001):
            workers.put(result(number), lambda kind: None)
        facts = dict(workers.facts)["stalled"]
        assert facts.lost == {"queue full": 996}
        stalled.gate.set()
    assert stalled.frames == [0, 997, 998, 999, 1000]
    assert well.frames == list(range(1001))
    assert said == ["stalled: queue full; what this sink loses is counted"]


def test_a_sink_that_raises_loses_those_results_and_each_reason_is_told_once() -> None:
    sink, said = Recorder(queue_frames=100), []
    sink.errors = {number: OSError(28, "No space left on device") for number in range(3, 40)}
    sink.errors[5] = InputError("wrong size", hint="use another")
    with SinkWorkers([sink], tell=said.append) as workers:
        for number in range(50):
            workers.put(result(number), lambda kind: None)
    [(_, facts)] = workers.facts
    assert (facts.written, facts.lost) == (13, {"No space left on device": 36, "wrong size": 1})
    assert len(said) == 2


def test_reasons_without_end_are_counted_together() -> None:
    sink, said = Recorder(queue_frames=200), []
    sink.errors = {number: ValueError(f"number {number}") for number in range(100)}
    with SinkWorkers([sink], tell=said.append) as workers:
        for number in range(100):
            workers.put(result(number), lambda kind: None)
    [(_, facts)] = workers.facts
    assert len(facts.lost) == 17
    assert facts.lost["other errors"] == 84
    assert len(said) == 17


def test_a_sink_that_hangs_does_not_hold_up_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_module, "END_SECONDS", 0.2)
    hung, well, said = Recorder("hung", queue_frames=100), Recorder("well", queue_frames=100), []
    hung.gate.clear()
    with SinkWorkers([hung, well], tell=said.append) as workers:
        for number in range(10):
            workers.put(result(number), lambda kind: None)
    facts = dict(workers.facts)
    assert facts["hung"].lost == {"not written before the end": 10}
    assert facts["hung"].unfinished == "it did not end in time"
    assert facts["well"].written == 10
    assert well.said[-1] == "close"
    assert said == ["hung: not written before the end; what this sink loses is counted"]
    hung.gate.set()
    eventually(lambda: hung.said[-1] == "close")
    assert dict(workers.facts)["hung"].written == 0, "what was counted as lost is not counted again"


def test_a_reader_who_left_ends_the_run_and_loses_nothing() -> None:
    sink = Recorder(queue_frames=100)
    sink.errors = {2: SinkEnded()}
    with SinkWorkers([sink], tell=pytest.fail) as workers:
        for number in range(3):
            workers.put(result(number), lambda kind: None)
        eventually(lambda: workers.finished)
        workers.put(result(9), lambda kind: None)
    [(_, facts)] = workers.facts
    assert (sink.frames, facts.lost, facts.unfinished) == ([0, 1], {}, None)


def test_a_sink_that_cannot_open_closes_those_that_did() -> None:
    class Closed(Recorder):
        def open(self) -> None:
            raise InputError("no such place")

    first, never = Recorder(), Recorder()
    with pytest.raises(InputError, match="no such place"):
        SinkWorkers([first, Closed(), never], tell=pytest.fail).__enter__()
    assert (first.said, never.said) == (["open", "close"], [])


def test_an_end_that_goes_wrong_is_told_and_kept() -> None:
    sink, said = Recorder(), []
    sink.errors = {-1: InputError("0 of 9 frames can be read back")}
    with SinkWorkers([sink], tell=said.append) as workers:
        pass
    assert workers.facts[0][1].unfinished == "0 of 9 frames can be read back"
    assert said == ["recorder: 0 of 9 frames can be read back"]


def test_a_film_waits_for_a_slow_sink_but_not_for_a_dead_one(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Recorder(queue_frames=2)
    with SinkWorkers([slow], tell=pytest.fail, every_frame=True) as workers:
        for number in range(200):
            workers.put(result(number), lambda kind: None)
    assert slow.frames == list(range(200))

    monkeypatch.setattr(worker_module, "_PATIENCE_SECONDS", 0.1)
    dead, said = Recorder(queue_frames=2), []
    dead.gate.clear()
    with SinkWorkers([dead], tell=said.append, every_frame=True) as workers:
        for number in range(1000):  # A wait for each of these would take minutes.
            workers.put(result(number), lambda kind: None)
        assert sum(workers.facts[0][1].lost.values()) >= 996
        dead.gate.set()
        eventually(lambda: len(dead.frames) >= 3)
        before = workers.facts[0][1].lost
        for number in range(1000, 1100):
            workers.put(result(number), lambda kind: None)
    assert dead.frames[-100:] == list(range(1000, 1100)), "a sink that gets on again is waited for again"
    assert workers.facts[0][1].lost == before


def test_each_sink_gets_the_picture_it_asks_for() -> None:
    none, plain, drawn = (Recorder(name) for name in ("none", "plain", "annotated"))
    plain.picture, drawn.picture = "plain", "annotated"
    workers = SinkWorkers([none, plain, drawn], tell=pytest.fail)
    assert workers.pictures == {"plain", "annotated"}
    pictures = {"plain": picture(1), "annotated": picture(2)}
    with workers:
        workers.put(result(0, face()), pictures.get)
    assert (none.pictures, plain.pictures, drawn.pictures) == ([None], [pictures["plain"]], [pictures["annotated"]])


def test_counts_take_the_place_of_results() -> None:
    sink = Recorder()
    counts = AggregateResult(
        source="pattern://",
        session="abc",
        captured_utc="2026-11-27T22:00:00.000Z",
        from_seconds=0,
        to_seconds=60,
        min_group=5,
        faces=None,
        expressions={},
    )
    with SinkWorkers([sink], tell=pytest.fail) as workers:
        workers.put_aggregate(counts)
    assert sink.counts == [counts]
    assert workers.facts[0][1].written == 1


def test_a_sink_can_count_and_tell_by_itself() -> None:
    sink, said = Recorder(), []
    with SinkWorkers([sink], tell=said.append) as workers:
        sink.lose("too many events", 3)
        sink.lose("too many events", 4)
        sink.tell("the server does not answer")
        sink.tell("the server does not answer")
    assert workers.facts[0][1].lost == {"too many events": 7}
    assert said == [
        "recorder: too many events; what this sink loses is counted",
        "recorder: the server does not answer",
    ]
