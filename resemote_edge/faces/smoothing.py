"""Smoothing: from the probabilities of single frames to an expression that a person can read.

All times are in seconds and not in frames, so that a film looks the same at 5 and at 60 frames a second, and through
frames that were dropped.
"""

import math
from dataclasses import dataclass, field

from resemote_edge.errors import InputError

__all__ = ["UNSURE", "Smoothed", "Smoother", "SmoothingOptions"]

#: Label of a face whose expression is not clear enough to name it.
UNSURE = "unsure"


@dataclass(frozen=True, kw_only=True)
class SmoothingOptions:
    """Options of a smoother.

    Attributes:
        time_constant_s: Time in which the weight of a frame falls to 1/e, seconds; 0 takes each frame by itself.
        hold_s: Time that another label must be ahead before it is shown, seconds; 0 shows it at once.
        min_score: Smallest probability of a label that is named; below it the label is `UNSURE`.

    Raises:
        InputError: A value is out of its range.
    """

    time_constant_s: float = 0.2
    hold_s: float = 0.2
    min_score: float = 0.4

    def __post_init__(self) -> None:
        times = (self.time_constant_s, self.hold_s)
        if not all(math.isfinite(value) and value >= 0 for value in times) or not 0 <= self.min_score <= 1:
            raise InputError(f"smoothing cannot work with {self}")


@dataclass(frozen=True, kw_only=True)
class Smoothed:
    """What is shown of one face.

    Attributes:
        label: A class, or `UNSURE`.
        score: Probability of the most likely class, in [0, 1].
        probabilities: Probability of each class by name; they sum to 1 up to rounding.
    """

    label: str
    score: float
    probabilities: dict[str, float]


@dataclass(kw_only=True)
class Smoother:
    """Smooths the probabilities of one track.

    Attributes:
        options: Its options.
    """

    options: SmoothingOptions = field(default_factory=SmoothingOptions)
    _mean: dict[str, float] = field(default_factory=dict, init=False)
    _at: float = field(default=-math.inf, init=False)
    _shown: str | None = field(default=None, init=False)
    _rival: str | None = field(default=None, init=False)
    _rival_since: float = field(default=0.0, init=False)

    @property
    def at(self) -> float:
        """Time of the last frame that was taken, seconds; minus infinity before the first."""
        return self._at

    def update(self, probabilities: dict[str, float], seconds: float) -> Smoothed:
        """Take the decision of one frame.

        Args:
            probabilities: Probability of each class by name, always of the same classes.
            seconds: Time of the frame, later than that of the frame before.

        Returns:
            What is to be shown in this frame.

        Raises:
            InputError: Time does not go on.
        """
        if not math.isfinite(seconds) or seconds <= self._at:
            raise InputError(f"a frame at {seconds} s cannot follow one at {self._at} s", hint="pass frames in order")
        keep = 0.0
        if self._mean and self.options.time_constant_s > 0:
            keep = math.exp(-(seconds - self._at) / self.options.time_constant_s)
        self._mean = {
            label: keep * self._mean.get(label, 0.0) + (1.0 - keep) * share for label, share in probabilities.items()
        }
        self._at = seconds
        best = max(self._mean, key=self._mean.__getitem__)
        self._show(best if self._mean[best] >= self.options.min_score else UNSURE, seconds)
        return self.current()

    def current(self) -> Smoothed:
        """What was shown last.

        Raises:
            InputError: Nothing was shown yet.
        """
        if self._shown is None:
            raise InputError("nothing was smoothed yet", hint="call update first")
        return Smoothed(label=self._shown, score=max(self._mean.values()), probabilities=dict(self._mean))

    def _show(self, label: str, seconds: float) -> None:
        """Change what is shown once another label has been ahead for long enough."""
        if self._shown is None or label == self._shown:
            self._shown, self._rival = label, None
            return
        if label != self._rival:
            self._rival, self._rival_since = label, seconds
        if seconds - self._rival_since >= self.options.hold_s:
            self._shown, self._rival = label, None
