"""What leaves the process: pictures with every known face blurred, counts in place of results, an account of sinks."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from resemote_edge.camera.broadcast import BroadcastOptions, broadcast
from resemote_edge.camera.decider import DeciderOptions
from resemote_edge.camera.privacy.aggregate import AggregateResult, Aggregator
from resemote_edge.camera.results import FrameResult
from resemote_edge.camera.sinks.base import Sink
from resemote_edge.camera.sources import make_source
from resemote_edge.camera.sources.base import FrameClock, SourceOptions
from resemote_edge.camera.watch import Watch, WatchOptions, watch
from resemote_edge.errors import InputError
from resemote_edge.vision.frame import Frame

SIZE = (640, 360)
FRAMES = 20


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of pictures of two drawn people who move."""
    folder = tmp_path_factory.mktemp("people")
    pattern = make_source("pattern://?faces=2", SourceOptions(size=SIZE), FrameClock())
    for number in range(FRAMES):
        assert cv2.imwrite(str(folder / f"{number:03}.png"), pattern.draw(number / 20))  # type: ignore[attr-defined]
    return folder


class Keeper(Sink):
    name = "keeper"
    picture = "plain"
    takes_aggregates = True
    queue_frames = 100

    def __init__(self) -> None:
        self.results: list[FrameResult] = []
        self.pictures: list[np.ndarray] = []
        self.counts: list[AggregateResult] = []

    def write(self, result: FrameResult, picture: Frame | None) -> None:
        assert picture is not None
        self.results.append(result)
        self.pictures.append(picture.pixels)

    def write_aggregate(self, result: AggregateResult) -> None:
        self.counts.append(result)

    def close(self) -> None:
        raise InputError("the end went wrong")


def watched(people: Path) -> Watch:
    return watch(
        str(people), WatchOptions(source=SourceOptions(fps=20.0), decider=DeciderOptions(detect_every=3), threads=1)
    )


def test_faces_are_blurred_from_the_first_frame_that_a_detector_saw(people: Path) -> None:
    sink = Keeper()
    broadcast(watched(people), [sink], BroadcastOptions(blur_faces=True), lambda line: None)
    assert len(sink.pictures) == FRAMES
    assert [len(result.faces) for result in sink.results[:6]] == [0] * 6, "no track speaks yet"
    for number, pixels in enumerate(sink.pictures):
        raw = cv2.imread(str(people / f"{number:03}.png"))
        changed = (pixels != raw).any(axis=-1)
        assert changed.mean() > 0.02, number
        # What is changed has no edges left, and a drawn face has many.
        steps = np.abs(np.diff(pixels.astype(int), axis=1))[changed[:, 1:] & changed[:, :-1]]
        assert np.quantile(steps, 0.99) <= 8, number


def test_with_counts_no_result_and_no_picture_leaves(people: Path) -> None:
    sink = Keeper()
    counts = Aggregator(seconds=60, min_group=2)
    broadcast(watched(people), [sink], BroadcastOptions(aggregator=counts), lambda line: None)
    assert (sink.results, sink.pictures) == ([], [])
    assert [one.faces for one in sink.counts] == [2]


def test_the_summary_says_how_each_sink_ended(people: Path) -> None:
    said: list[str] = []
    summary = broadcast(watched(people), [Keeper()], BroadcastOptions(), said.append)
    [facts] = summary.sinks
    assert (facts.sink, facts.written, facts.unfinished) == ("keeper", FRAMES, "the end went wrong")
    assert said == ["keeper: the end went wrong"]
