"""The camera check's parts that need no RTSP server: sinks behind which nobody reads, and steadiness."""

import pytest

from resemote_edge.camera.watch import WatchOptions
from resemote_edge.experiments.camera_check.slow_sinks import measure_slow_sinks
from resemote_edge.experiments.camera_check.steadiness import measure_steadiness

OPTIONS = WatchOptions(threads=1)


@pytest.mark.slow
def test_what_silent_sinks_are_given_is_written_or_counted_as_lost():
    found = measure_slow_sinks(OPTIONS, seconds=1.5, notice=lambda text: None)
    assert len(found.fps_alone) == len(found.fps_with) == 3
    assert min(*found.fps_alone, *found.fps_with) > 0
    file, broker, server, page = found.sinks
    assert [one.sink.partition(":")[0] for one in found.sinks] == ["jsonl", "mqtt", "webhook+http", "live"]
    assert file.lost == {}
    assert server.lost  # Nobody answers, so no event can have arrived.
    for one in (broker, server, page):
        assert one.written + sum(one.lost.values()) >= file.written


@pytest.mark.slow
def test_tracked_and_smoothed_is_steadier_than_frame_by_frame():
    plain, smoothed = measure_steadiness(OPTIONS, seconds=7.0, notice=lambda text: None)
    assert plain.true_changes_per_minute == smoothed.true_changes_per_minute > 0
    assert smoothed.label_changes_per_minute < plain.label_changes_per_minute / 3
    assert smoothed.id_switches_per_minute == 0 < plain.id_switches_per_minute
    assert smoothed.box_shake_px < plain.box_shake_px
    assert plain.not_followed == 0
    assert plain.followed_p50_s <= smoothed.followed_p50_s < 3.0
