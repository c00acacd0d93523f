"""Steadiness: how often labels and numbers of faces change on a film whose truth is known, as it is and smoothed.

The film shows drawn people who move, each with a new expression every three seconds. It is disturbed as a camera's
pictures are: noise, a shaking hand, motion blur, and things that pass before a face. Nothing is timed, so the figures
are the same on every machine, up to what its networks round.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from resemote_edge.camera.decider import Decider, DeciderOptions
from resemote_edge.camera.results import FaceResult, FrameResult
from resemote_edge.camera.sources import make_source
from resemote_edge.camera.sources.base import Captured, FrameClock, SourceOptions
from resemote_edge.camera.sources.pattern import EXPRESSION_SECONDS, PatternSource
from resemote_edge.camera.watch import WatchOptions, watch
from resemote_edge.experiments.camera_check.report import Steadiness
from resemote_edge.faces.smoothing import SmoothingOptions
from resemote_edge.faces.tracker import TrackerOptions
from resemote_edge.vision.frame import Frame
from resemote_edge.vision.opencv import import_opencv

__all__ = ["measure_steadiness"]

_FPS = 30.0
_SIZE = (640, 360)
_FACES = 3

#: Standard deviation of the noise, gray levels, and largest shift of the picture, pixels.
_NOISE = 12.0
_SHAKE = 3

#: Every so many frames, one is blurred by motion; and a face is hidden for so many frames out of so many.
_BLURRED_EVERY = 11
_HIDDEN, _HIDDEN_EVERY = 8, 150

#: Frame by frame: boxes and labels as the networks give them, and the nearest box in reach is the same face.
_FRAME_BY_FRAME = DeciderOptions(
    detect_every=1,
    tracker=TrackerOptions(reach=0.0, patience_s=0.0, min_detections=1, smoothing_s=0.0),
    smoothing=SmoothingOptions(time_constant_s=0.0, hold_s=0.0, min_score=0.0),
)


class _Shown(NamedTuple):
    """What is shown of one drawn person in one frame."""

    track: int
    label: str | None
    x: float
    y: float


def measure_steadiness(options: WatchOptions, *, seconds: float, notice: Callable[[str], None]) -> list[Steadiness]:
    """Decide the film twice: frame by frame, and as the camera command does.

    Args:
        options: Networks, and how frames are decided.
        seconds: Length of the film; a person has a new expression every three seconds.
        notice: Told what is being done.
    """
    source = make_source(f"pattern://?faces={_FACES}", SourceOptions(size=_SIZE), FrameClock())
    assert isinstance(source, PatternSource)
    tracked = replace(options.decider, detect_every=1)
    ways, films = [], []
    try:
        for way, decider in (("each frame by itself", _FRAME_BY_FRAME), ("tracked and smoothed", tracked)):
            notice(f"steadiness, {way}")
            films.append([_by_person(result, source) for result in _decide(source, options, decider, seconds)])
            ways.append(way)
        meant = _meant(source, films[0])
        return [_judge(way, source, film, meant) for way, film in zip(ways, films, strict=True)]
    finally:
        source.close()


def _decide(
    source: PatternSource, options: WatchOptions, decider: DeciderOptions, seconds: float
) -> Iterator[FrameResult]:
    """Results of the disturbed film."""
    chance = np.random.default_rng(0)
    with watch("pattern://", options) as networks:
        deciding = Decider(networks.detector, networks.classifier, source.name, decider)
        for number in range(round(seconds * _FPS)):
            at = number / _FPS
            picture = _disturbed(_hiding(source.draw(at), source, number), number, chance)
            captured = Captured(frame=Frame(picture, "bgr"), number=number, seconds=at, captured_ns=0, utc=0.0)
            yield deciding.decide(captured, live=False, dropped={})


def _hiding(picture: NDArray[np.uint8], source: PatternSource, number: int) -> NDArray[np.uint8]:
    """The picture with a bar across the face whose turn it is to be hidden."""
    turn, place = divmod(number, _HIDDEN_EVERY)
    if place < _HIDDEN and turn:
        face = source.truth(number / _FPS)[turn % _FACES]
        left, top, side = (max(round(value), 0) for value in (face.x, face.y, face.width))
        picture[top : top + side, left : left + side] = 90
    return picture


def _disturbed(picture: NDArray[np.uint8], number: int, chance: np.random.Generator) -> NDArray[np.uint8]:
    shaken = np.roll(picture, chance.integers(-_SHAKE, _SHAKE + 1, size=2), axis=(0, 1))
    if number % _BLURRED_EVERY == 0:
        shaken = import_opencv("blurring").blur(shaken, (9, 1))
    noise = chance.normal(0.0, _NOISE, shaken.shape[:2]).astype(np.float32)[..., None]
    return np.asarray(np.clip(shaken + noise, 0, 255), dtype=np.uint8)


def _by_person(result: FrameResult, source: PatternSource) -> list[_Shown | None]:
    """What the result says of each person: the face whose middle is nearest to theirs, if it is upon them."""
    truth = source.truth(result.seconds)

    def distance(face: FaceResult, person: int) -> float:
        one = truth[person]
        across = face.x + face.width / 2 - one.x - one.width / 2
        return math.hypot(across, face.y + face.height / 2 - one.y - one.height / 2)

    shown: list[_Shown | None] = []
    for person, one in enumerate(truth):
        near = min(result.faces, key=lambda face: distance(face, person), default=None)
        upon = near is not None and distance(near, person) < one.width / 2
        shown.append(_Shown(near.track, near.label, near.x, near.y) if near is not None and upon else None)
    return shown


def _meant(source: PatternSource, film: Sequence[Sequence[_Shown | None]]) -> dict[tuple[int, int, str], str]:
    """The label that each person is given most often while an expression lasts, frame by frame.

    It need not be the expression that was drawn: what is looked at is how a label is shown, not whether it is right.
    """
    seen: dict[tuple[int, int, str], Counter[str]] = {}
    for number, people in enumerate(film):
        for person, shown in enumerate(people):
            if shown is not None and shown.label is not None:
                seen.setdefault(_turn(source, person, number), Counter())[shown.label] += 1
    return {turn: labels.most_common(1)[0][0] for turn, labels in seen.items()}


def _turn(source: PatternSource, person: int, number: int) -> tuple[int, int, str]:
    seconds = number / _FPS
    return person, int(seconds / EXPRESSION_SECONDS), source.expression(person, seconds)


def _judge(
    way: str, source: PatternSource, film: list[list[_Shown | None]], meant: dict[tuple[int, int, str], str]
) -> Steadiness:
    """Count what changes."""
    labels = truths = switches = 0
    shakes: list[float] = []
    followed: list[float] = []
    missed = 0
    for person in range(_FACES):
        wanted = [meant.get(_turn(source, person, number)) for number in range(len(film))]
        told = [shown[person].label if shown[person] else None for shown in film]  # type: ignore[union-attr]
        labels += _changes(told)
        truths += _changes(wanted)
        switches += _changes([shown[person].track if shown[person] else None for shown in film])  # type: ignore[union-attr]
        shakes += _shakes([shown[person] for shown in film], source, person)
        for number in range(1, len(wanted)):
            if wanted[number] != wanted[number - 1] and wanted[number] is not None:
                end = next((at for at in range(number + 1, len(wanted)) if wanted[at] != wanted[number]), len(wanted))
                at = next((at for at in range(number, end) if told[at] == wanted[number]), None)
                missed += at is None
                followed += [] if at is None else [(at - number) / _FPS]
    minutes = _FACES * len(film) / _FPS / 60
    return Steadiness(
        way=way,
        faces=_FACES,
        seconds=round(len(film) / _FPS, 3),
        label_changes_per_minute=round(labels / minutes, 2),
        true_changes_per_minute=round(truths / minutes, 2),
        id_switches_per_minute=round(switches / minutes, 2),
        box_shake_px=round(float(np.sqrt(np.mean(np.square(shakes)))), 2),
        followed_p50_s=_quantile(followed, 0.5),
        followed_p95_s=_quantile(followed, 0.95),
        not_followed=missed,
        followed=len(followed),
    )


def _quantile(seconds: Sequence[float], share: float) -> float | None:
    return round(float(np.quantile(seconds, share)), 3) if seconds else None


def _changes(values: list[str | None] | list[int | None]) -> int:
    """Number of times that a value differs from the one before; what is not known is left out."""
    known = [value for value in values if value is not None]
    return sum(now != before for before, now in pairwise(known))


def _shakes(shown: list[_Shown | None], source: PatternSource, person: int) -> list[float]:
    """How far the box moves against the face from one frame to the next, pixels."""
    moves = []
    for number in range(1, len(shown)):
        before, now = shown[number - 1], shown[number]
        if before is not None and now is not None:
            was, there = (source.truth(at / _FPS)[person] for at in (number - 1, number))
            moves.append(math.hypot(now.x - before.x - (there.x - was.x), now.y - before.y - (there.y - was.y)))
    return moves
