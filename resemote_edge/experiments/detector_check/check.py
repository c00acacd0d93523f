"""The check: drawn people of known sizes in noisy frames, found by every prebuilt detector in every runtime."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from itertools import cycle
from typing import NamedTuple

import numpy as np

from resemote_edge.artifacts.artifact import DetectorArtifact
from resemote_edge.artifacts.prebuilt import PREBUILT_DETECTORS, prebuilt_detector_path
from resemote_edge.artifacts.record import utc_now
from resemote_edge.errors import ArtifactError, DeviceUnavailableError
from resemote_edge.experiments.detector_check.report import DetectorCheck, DetectorRow
from resemote_edge.faces.detectors import open_detector
from resemote_edge.faces.detectors.base import Detector, DetectorOptions
from resemote_edge.faces.face import Face, overlap
from resemote_edge.machine.environment import capture_environment
from resemote_edge.measuring.timing import Budget, time_calls
from resemote_edge.runtimes.registry import get_runtime, runtimes_for
from resemote_edge.vision.frame import Frame
from resemote_edge.vision.portrait import PORTRAIT_EXPRESSIONS, drawn_portrait, paste

__all__ = ["FACE_WIDTHS", "check_detectors"]

FACE_WIDTHS = (20, 30, 40, 80, 160)

_SIZE = (1280, 720)
_MIN_SCORE = 0.6

#: Standard deviation of the noise, gray levels.
_NOISE = 6.0

#: Smallest overlap of a box with the face that it is upon.
_UPON = 0.3


class _Scene(NamedTuple):
    """A frame, with the faces in it and the width that each was drawn with."""

    frame: Frame
    faces: list[tuple[Face, int]]


def check_detectors(*, frames: int, threads: int, notice: Callable[[str], None]) -> DetectorCheck:
    """Run the check.

    Args:
        frames: Number of frames to draw; each shows one person of each width.
        threads: CPU threads of each detector.
        notice: Told what is being done.

    Raises:
        DeviceUnavailableError: No runtime works here.
    """
    scenes = [_draw(number) for number in range(frames)]
    rows = []
    for family, width, height in PREBUILT_DETECTORS:
        artifact = DetectorArtifact.load(prebuilt_detector_path(family, width, height))
        for runtime in runtimes_for(artifact):
            if not get_runtime(runtime).probe().available:
                continue
            notice(f"{family} {width}x{height} in {runtime}")
            options = DetectorOptions(runtime=runtime, threads=threads, min_score=_MIN_SCORE, size=(width, height))
            try:
                detector = open_detector(family, options)
            except ArtifactError as error:
                notice(f"left out: {error}")
                continue
            with detector:
                found, false_alarms = _count(detector, scenes)
                times = time_calls(_one_after_the_other(detector, scenes), Budget(min_runs=max(frames, 50)))
            rows.append(
                DetectorRow(
                    detector=family,
                    width=width,
                    height=height,
                    runtime=runtime,
                    found=found,
                    false_alarms=false_alarms,
                    frame_ms=round(float(np.median(times)) / 1e6, 2),
                )
            )
    if not rows:
        raise DeviceUnavailableError("no runtime works here", hint="see: resemote-edge doctor")
    return DetectorCheck(
        created_utc=utc_now(),
        environment=asdict(capture_environment()),
        frames=frames,
        threads=threads,
        min_score=_MIN_SCORE,
        face_widths=FACE_WIDTHS,
        faces=tuple(sum(width == one for scene in scenes for _, one in scene.faces) for width in FACE_WIDTHS),
        rows=tuple(rows),
    )


def _draw(seed: int) -> _Scene:
    """A noisy frame with one person of each width, side by side in any order, each somewhere between top and bottom."""
    chance = np.random.default_rng(seed)
    width, height = _SIZE
    left_light, right_light = chance.uniform(40.0, 200.0, 2).tolist()
    slope = np.linspace(left_light, right_light, width)[None, :, None]
    picture = np.broadcast_to(slope, (height, width, 3)).astype(np.uint8)
    faces = []
    left, free = 0, width - sum(2 * one for one in FACE_WIDTHS)
    for place, one in enumerate(chance.permutation(FACE_WIDTHS)):
        side = 2 * int(one)  # A face takes half of the width of its portrait.
        left += int(chance.integers(0, free // len(FACE_WIDTHS)))
        top = int(chance.integers(0, height - side))
        expression = PORTRAIT_EXPRESSIONS[int(chance.integers(len(PORTRAIT_EXPRESSIONS)))]
        paste(picture, drawn_portrait(side, seed=seed * len(FACE_WIDTHS) + place, expression=expression), left, top)
        face = Face(x=left + side / 4, y=top + side / 5, width=side / 2, height=side * 2 / 3)
        faces.append((face, int(one)))
        left += side
    noise = chance.normal(0.0, _NOISE, (height, width, 1)).astype(np.float32)
    return _Scene(Frame(np.clip(picture + noise, 0, 255).astype(np.uint8), "rgb"), faces)


def _count(detector: Detector, scenes: Sequence[_Scene]) -> tuple[tuple[int, ...], int]:
    """Faces found of each width, and boxes that are upon no face."""
    found: Counter[int] = Counter()
    false_alarms = 0
    for scene in scenes:
        boxes = detector.detect(scene.frame)
        found.update(width for face, width in scene.faces if any(overlap(box.box, face.box) > _UPON for box in boxes))
        false_alarms += sum(all(overlap(box.box, face.box) <= _UPON for face, _ in scene.faces) for box in boxes)
    return tuple(found[width] for width in FACE_WIDTHS), false_alarms


def _one_after_the_other(detector: Detector, scenes: Sequence[_Scene]) -> Callable[[], object]:
    frames = cycle(scene.frame for scene in scenes)
    return lambda: detector.detect(next(frames))
