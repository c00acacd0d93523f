"""The detector check: what is found grows with the size of the face, and is the same in every runtime."""

import pytest

from resemote_edge.experiments.detector_check.check import FACE_WIDTHS, check_detectors
from resemote_edge.experiments.detector_check.report import detector_check_table


@pytest.mark.slow
def test_large_faces_are_found_and_runtimes_agree():
    found = check_detectors(frames=6, threads=1, notice=lambda text: None)
    assert found.faces == (6,) * len(FACE_WIDTHS)
    by_detector = {}
    for row in found.rows:
        assert row.found[-1] == 6
        assert list(row.found) == sorted(row.found)
        assert row.frame_ms > 0
        by_detector.setdefault((row.width, row.height), set()).add((row.found, row.false_alarms))
    assert set(by_detector) == {(640, 384), (320, 192)}
    assert all(len(outcomes) == 1 for outcomes in by_detector.values())
    assert sum(next(iter(by_detector[320, 192]))[0]) < sum(next(iter(by_detector[640, 384]))[0])
    assert f"| yunet 640x384 | {found.rows[0].runtime} |" in detector_check_table(found)
