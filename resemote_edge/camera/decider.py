"""Decider: from one frame to what is said of the faces in it."""

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone

from resemote_edge.camera.results import FaceResult, FrameResult
from resemote_edge.camera.schedule import AUTO, DetectionSchedule
from resemote_edge.camera.sources.base import Captured
from resemote_edge.classifier import EmotionClassifier
from resemote_edge.errors import InputError
from resemote_edge.faces.detectors.base import Detector
from resemote_edge.faces.face import Face
from resemote_edge.faces.quality import QualityGate, measure_quality
from resemote_edge.faces.smoothing import Smoother, SmoothingOptions
from resemote_edge.faces.tracker import Track, Tracker, TrackerOptions
from resemote_edge.vision.frame import Box, Frame, crops, side_within
from resemote_edge.vision.preprocessing import MIN_CROP_SIDE

__all__ = ["Decider", "DeciderOptions"]

#: Why a face in view is not judged, beside what the quality gate says.
NOT_SEEN = "not seen"
CUT_OFF = "cut off by the picture's edge"

#: Time for which the last decision about a face is still shown when it cannot be judged, seconds.
_KEPT_S = 0.7


@dataclass(frozen=True, kw_only=True)
class DeciderOptions:
    """How frames are decided.

    Attributes:
        detect_every: Detect in every n-th frame, or ``auto``.
        tracker: Options of the tracker.
        smoothing: Options of the smoothing of expressions.
        quality: Limits of faces that are judged; None judges all.
        max_fps: Frames a second that are decided at most; None for all that come.
    """

    detect_every: int | str = AUTO
    tracker: TrackerOptions = field(default_factory=TrackerOptions)
    smoothing: SmoothingOptions = field(default_factory=SmoothingOptions)
    quality: QualityGate | None = field(default_factory=QualityGate)
    max_fps: float | None = None


class Decider:
    """Finds, follows and judges the faces of one stream of frames; used by one thread.

    Args:
        detector: Finds the faces; not closed here.
        classifier: Judges them; not closed here.
        source: Name of the source, for results.
        options: Options.

    Attributes:
        session: Random name of this run.
        schedule: In which frames the detector looks.
        faces: Number of confirmed tracks so far.
        tentative: Faces of the last frame whose tracks are not confirmed: its result leaves them out, and pictures must
            be blurred there too.
        seconds: Time that the last decision took, seconds.
    """

    def __init__(
        self, detector: Detector, classifier: EmotionClassifier, source: str, options: DeciderOptions | None = None
    ) -> None:
        options = options or DeciderOptions()
        self.session = secrets.token_hex(4)
        self.schedule = DetectionSchedule(options.detect_every)
        self.faces = 0
        self.tentative: tuple[Face, ...] = ()
        self.seconds = 0.0
        self._detector = detector
        self._classifier = classifier
        self._source = source
        self._options = options
        self._tracker = Tracker(options.tracker)
        self._smoothers: dict[int, Smoother] = {}
        self._told: set[int] = set()
        self._last: Captured | None = None

    def decide(self, captured: Captured, *, live: bool, dropped: dict[str, int]) -> FrameResult:
        """Decide one frame.

        Args:
            captured: The frame, later than the one before.
            live: Whether its source has a pace that must be kept up with.
            dropped: Frames dropped so far, by reason.

        Returns:
            What is said of the frame.

        Raises:
            ArtifactError: An engine fails.
        """
        begin = time.perf_counter()
        faces = self._detector.detect(captured.frame) if self.schedule.due() else None
        detecting = None if faces is None else time.perf_counter() - begin
        update = self._tracker.update(faces, captured.seconds)
        self.tentative = update.tentative
        judged = self._judge(captured.frame, update.tracks, captured.seconds)
        for number in update.ended:
            self._smoothers.pop(number, None)
            self._told.discard(number)
        self.seconds = time.perf_counter() - begin
        interval = self._interval(captured) if live else None
        self.schedule.record(detecting=detecting, rest=self.seconds - (detecting or 0.0), interval=interval)
        self._last = captured
        return FrameResult(
            source=self._source,
            session=self.session,
            frame=captured.number,
            captured_utc=datetime.fromtimestamp(captured.utc, timezone.utc).isoformat(timespec="milliseconds"),
            seconds=round(captured.seconds, 6),
            width=captured.frame.width,
            height=captured.frame.height,
            decision_age_ms=round((time.perf_counter_ns() - captured.captured_ns) / 1e6, 3),
            faces=tuple(judged),
            ended=update.ended,
            dropped=dropped,
        )

    def _interval(self, captured: Captured) -> float | None:
        """Time between two frames of the source; dropped ones are counted in."""
        if self._last is None:
            return None
        interval = (captured.seconds - self._last.seconds) / max(captured.number - self._last.number, 1)
        return max(interval, 1.0 / self._options.max_fps) if self._options.max_fps else interval

    def _judge(self, frame: Frame, tracks: Sequence[Track], seconds: float) -> list[FaceResult]:
        """Classify the faces that can be judged, all in one batch."""
        squares = {track.number: self._square(track) for track in tracks}
        reasons = {track.number: _why_out_of_view(frame, track, squares[track.number]) for track in tracks}
        seen = [track for track in tracks if reasons[track.number] is None]
        # Sized once, for the gate and the classifier alike: large faces take longer to resize than to judge.
        faces, color = crops(
            frame,
            [square for track in seen if (square := squares[track.number]) is not None],
            color=self._classifier.passport.preprocessing.takes_color,
            edges="replicated",
        )
        sized, color = self._classifier.passport.preprocessing.sized(faces, color)
        if self._options.quality is not None:
            for track, face in zip(seen, sized, strict=True):
                reasons[track.number] = self._options.quality.why_not(measure_quality(track.face, face, color))
        chosen = [place for place, track in enumerate(seen) if reasons[track.number] is None]
        for place, emotion in zip(chosen, self._classifier(list(sized[chosen]), color=color), strict=True):
            smoother = self._smoothers.setdefault(seen[place].number, Smoother(options=self._options.smoothing))
            smoother.update(emotion.probabilities, seconds)
        return [self._result(track, reasons[track.number], seconds) for track in tracks]

    def _square(self, track: Track) -> Box | None:
        """The square around a face; None if the place predicted for it lies beyond any frame."""
        try:
            return self._detector.framing.square(*track.face.box)
        except InputError:
            return None

    def _result(self, track: Track, reason: str | None, seconds: float) -> FaceResult:
        """What is said of one face."""
        first = track.number not in self._told
        if first:
            self._told.add(track.number)
            self.faces += 1
        smoother = self._smoothers.get(track.number)
        shown = smoother.current() if smoother and seconds - smoother.at <= _KEPT_S else None
        face = track.face
        return FaceResult(
            track=track.number,
            event="new" if first else "update",
            x=round(face.x, 1),
            y=round(face.y, 1),
            width=round(face.width, 1),
            height=round(face.height, 1),
            detection_score=round(face.score, 3),
            detected=track.detected,
            label=shown.label if shown else None,
            score=round(shown.score, 4) if shown else None,
            probabilities={label: round(share, 4) for label, share in shown.probabilities.items()} if shown else {},
            not_judged=reason,
            seconds=round(seconds - track.began, 3),
        )


def _why_out_of_view(frame: Frame, track: Track, square: Box | None) -> str | None:
    """Reason why there is nothing to judge of a face in this frame."""
    if track.missed:
        return NOT_SEEN
    if square is None:
        return CUT_OFF
    # With less than half of it in view, most of the crop would be the repeated edge.
    return CUT_OFF if side_within(frame, square) < max(MIN_CROP_SIDE, square.width // 2) else None
