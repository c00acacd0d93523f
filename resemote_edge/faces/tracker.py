"""Tracker: which face of this frame is which face of the frames before.

A face goes to the track whose predicted box it overlaps most; what is left goes by distance, since a small face that
moves fast does not overlap its own place of a frame ago. The pairs are taken greedily, the best first. A track's box is
an alpha-beta filter of the boxes seen (critically damped: Benedict and Bordner, IRE Transactions on Automatic Control
AC-7, 1962), whose gains follow from the time between two of them: boxes do not jitter, and a track goes on at its own
speed through frames in which nothing was detected.

All arithmetic is in float64 and in one order, so that the native runtime can follow the same tracks.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from resemote_edge.errors import InputError
from resemote_edge.faces.face import Face, overlap

__all__ = ["Track", "TrackUpdate", "Tracker", "TrackerOptions"]

#: A track that was not seen is carried on by its speed for this long, in seconds; then it stands still.
_CARRIED_S = 0.3

#: Shortest time between two detections that a speed is taken from, in seconds. Frames that a network held back come in
#: a burst, and their times say when they arrived: a face's jitter over a fraction of a millisecond is no speed.
_SHORTEST_S = 0.005

#: How much further a face may be from its predicted place for each second that it was not seen, in units of its size:
#: at two frames a second nobody's next move is known.
_DRIFT = 1.5

#: Largest ratio of the sides of two boxes of one face.
_SIZE_RATIO = 2.0


@dataclass(frozen=True, kw_only=True)
class TrackerOptions:
    """Options of a tracker.

    Attributes:
        min_overlap: Smallest intersection over union of a face and the place predicted for it.
        reach: Distance of the two centres at most, in units of the face's size, where they overlap less; 1.5 more for
            each second that went by.
        patience_s: Time that a face may stay unseen before its track ends, seconds.
        min_detections: Detections of a face before its track is confirmed; false alarms seldom last.
        smoothing_s: Time constant of the box, seconds; 0 takes every box as it was detected.

    Raises:
        InputError: A value is out of its range.
    """

    min_overlap: float = 0.25
    reach: float = 0.6
    patience_s: float = 0.7
    min_detections: int = 3
    smoothing_s: float = 0.04

    def __post_init__(self) -> None:
        sound = 0 < self.min_overlap <= 1 and self.reach >= 0 and self.patience_s >= 0 and self.min_detections >= 1
        if not sound or self.smoothing_s < 0 or not all(map(math.isfinite, (self.reach, self.patience_s))):
            raise InputError(f"a tracker cannot work with {self}")


@dataclass(frozen=True, kw_only=True)
class Track:
    """One face over time, as it stands in one frame.

    Attributes:
        number: Number of the track, from 1, never used again.
        face: Place of the face in this frame, filtered; score and landmarks are those of the last detection, and the
            landmarks are moved along with the box.
        detected: Whether a detector saw the face in this frame.
        missed: Detections in a row that did not find the face; 0 if the last one did.
        began: Time of the first detection, seconds.
        seen: Time of the last detection, seconds.
    """

    number: int
    face: Face
    detected: bool
    missed: int
    began: float
    seen: float


@dataclass(frozen=True, kw_only=True)
class TrackUpdate:
    """Outcome of one frame.

    Attributes:
        tracks: Confirmed tracks, in the order of their numbers.
        ended: Numbers of the confirmed tracks that ended with this frame.
        tentative: Places of faces that were not detected often enough to be confirmed.
    """

    tracks: tuple[Track, ...]
    ended: tuple[int, ...]
    tentative: tuple[Face, ...] = ()


@dataclass(kw_only=True)
class _State:
    """A track as the tracker keeps it; positions are the centre, width and height."""

    face: Face
    began: float
    seen: float
    at: float
    position: list[float]
    speed: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0, 0.0])
    number: int = 0
    detections: int = 1
    missed: int = 0


class Tracker:
    """Follows the faces of one stream of frames; used by one thread at a time.

    Args:
        options: Its options.
    """

    def __init__(self, options: TrackerOptions | None = None) -> None:
        self._options = options or TrackerOptions()
        self._states: list[_State] = []
        self._last_number = 0
        self._now = -math.inf

    def update(self, faces: Sequence[Face] | None, seconds: float) -> TrackUpdate:
        """Take one frame.

        Args:
            faces: Faces that were detected in it; None if no detector looked at it.
            seconds: Time of the frame, later than that of the frame before.

        Returns:
            The confirmed tracks, and those that ended.

        Raises:
            InputError: Time does not go on.
        """
        if not math.isfinite(seconds) or seconds <= self._now:
            raise InputError(f"a frame at {seconds} s cannot follow one at {self._now} s", hint="pass frames in order")
        self._now = seconds
        predicted = [_predict(state, seconds) for state in self._states]
        seen: set[int] = set()
        if faces is not None:
            seen = self._assign(faces, predicted, seconds)
        ended = self._end(seconds)
        tracks = [self._track(state, seconds, detected=id(state) in seen) for state in self._states]
        confirmed = sorted((track for track in tracks if track.number), key=lambda track: track.number)
        tentative = tuple(track.face for track in tracks if not track.number)
        return TrackUpdate(tracks=tuple(confirmed), ended=ended, tentative=tentative)

    def _assign(self, faces: Sequence[Face], predicted: list[list[float]], seconds: float) -> set[int]:
        """Give each face to a track, or a track to each face."""
        pairs = sorted(
            (-closeness, place, index)
            for place, position in enumerate(predicted)
            for index, face in enumerate(faces)
            if (closeness := self._closeness(position, face, seconds - self._states[place].at)) is not None
        )
        found: dict[int, int] = {}  # state to face
        taken: set[int] = set()
        for _, place, index in pairs:
            if index not in taken and place not in found:
                found[place] = index
                taken.add(index)
        for place, state in enumerate(self._states):
            if place in found:
                self._correct(state, predicted[place], faces[found[place]], seconds)
            else:
                state.missed += 1
        known = len(self._states)
        for index, face in enumerate(faces):
            if index not in taken:
                self._states.append(
                    _State(face=face, began=seconds, seen=seconds, at=seconds, position=_position(face))
                )
                self._number(self._states[-1])
        return {id(self._states[place]) for place in found} | {id(state) for state in self._states[known:]}

    def _closeness(self, position: list[float], face: Face, elapsed: float) -> float | None:
        """How well a face fits a place predicted over some seconds: above 1 where they overlap, below if only near."""
        x, y, width, height = position
        size = math.sqrt(width * height)
        ratio = size / math.sqrt(face.width * face.height)
        if not 1 / _SIZE_RATIO <= ratio <= _SIZE_RATIO:
            return None
        shared = overlap((x - width / 2, y - height / 2, width, height), face.box)
        if shared >= self._options.min_overlap:
            return 1.0 + shared
        distance = math.hypot(face.x + face.width / 2 - x, face.y + face.height / 2 - y) / size
        return 1.0 - distance if distance <= self._options.reach + _DRIFT * elapsed else None

    def _correct(self, state: _State, predicted: list[float], face: Face, seconds: float) -> None:
        """Move a track's box towards a detection."""
        elapsed = seconds - state.at
        gain = 1.0 if self._options.smoothing_s == 0 else 1.0 - math.exp(-elapsed / self._options.smoothing_s)
        moved = max(elapsed, _SHORTEST_S)
        pull = gain * gain / (2.0 - gain) / moved
        # One detection tells no speed: the second gives a first estimate, and from the third on it is filtered.
        if state.detections == 1:
            pull = 1.0 / moved
        for axis, measured in enumerate(_position(face)):
            residual = measured - predicted[axis]
            state.position[axis] = predicted[axis] + gain * residual
            state.speed[axis] += pull * residual if axis < 2 else 0.0  # Sizes change too slowly to extrapolate them.
        state.face, state.seen, state.at = face, seconds, seconds
        state.detections, state.missed = state.detections + 1, 0
        self._number(state)

    def _number(self, state: _State) -> None:
        if not state.number and state.detections >= self._options.min_detections:
            self._last_number += 1
            state.number = self._last_number

    def _end(self, seconds: float) -> tuple[int, ...]:
        """Drop tracks that were not seen for too long, and tentative ones at the first miss."""
        over = [
            state
            for state in self._states
            if state.missed and (not state.number or seconds - state.seen > self._options.patience_s)
        ]
        self._states = [state for state in self._states if state not in over]
        return tuple(sorted(state.number for state in over if state.number))

    def _track(self, state: _State, seconds: float, *, detected: bool) -> Track:
        position = _predict(state, seconds)
        x, y, width, height = position
        last = state.face
        right, down = x - (last.x + last.width / 2), y - (last.y + last.height / 2)
        moved = tuple((point[0] + right, point[1] + down) for point in last.landmarks)
        face = replace(last, x=x - width / 2, y=y - height / 2, width=width, height=height, landmarks=moved)
        return Track(
            number=state.number, face=face, detected=detected, missed=state.missed, began=state.began, seen=state.seen
        )


def _position(face: Face) -> list[float]:
    return [face.x + face.width / 2, face.y + face.height / 2, face.width, face.height]


def _predict(state: _State, seconds: float) -> list[float]:
    """Place of a track at a time: on at its speed, for as long as that can be trusted."""
    elapsed = min(seconds - state.at, _CARRIED_S)
    return [value + speed * elapsed for value, speed in zip(state.position, state.speed, strict=True)]
