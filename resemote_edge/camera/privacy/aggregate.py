"""Aggregate: counts of expressions per interval, in place of results, so that nothing about one face leaves.

A count below the smallest group is withheld. So is the smallest count that would be given, whenever the total would
otherwise let a reader compute a withheld group that is too small.
"""

from collections import Counter, defaultdict

import msgspec

from resemote_edge.artifacts.record import Strict
from resemote_edge.camera.results import SCHEMA_VERSION, FrameResult
from resemote_edge.errors import InputError

__all__ = ["LEAST_GROUP", "LEAST_SECONDS", "NOT_JUDGED", "AggregateResult", "Aggregator", "encode_aggregate"]

#: Name under which faces are counted whose expression was never judged.
NOT_JUDGED = "not judged"

#: Smallest group that may be asked for; one face is no group.
LEAST_GROUP = 2

#: Shortest interval, seconds: in a shorter one, counts follow single people.
LEAST_SECONDS = 10.0


class AggregateResult(Strict, frozen=True, kw_only=True):
    """Counts of one interval.

    Attributes:
        schema_version: Version of this record, that of the results of frames.
        source: Source of the frames, without a password that its address may hold.
        session: Random name of this run.
        captured_utc: Time of capture of the interval's first frame, ISO 8601 with milliseconds.
        from_seconds: Start of the interval, seconds since the first frame of the run.
        to_seconds: End of the interval; the last one of a run may be shorter.
        min_group: Smallest number that is given.
        faces: Tracks of faces that were seen; None if they are fewer than `min_group`. Somebody who leaves and comes
            back is counted twice.
        expressions: Tracks by the expression that each showed longest. A label that is left out was shown by fewer
            than `min_group`, by nobody, or withheld as it would give such a number away.
    """

    schema_version: int = SCHEMA_VERSION
    source: str
    session: str
    captured_utc: str
    from_seconds: float
    to_seconds: float
    min_group: int
    faces: int | None
    expressions: dict[str, int]


def encode_aggregate(result: AggregateResult) -> bytes:
    """Counts as one line of JSON, without the newline."""
    return msgspec.json.encode(result)


class Aggregator:
    """Counts tracks by expression, interval by interval of the source's own time.

    Args:
        seconds: Length of an interval.
        min_group: Smallest number that is given.

    Raises:
        InputError: The interval is shorter than `LEAST_SECONDS`, or the group smaller than `LEAST_GROUP`.
    """

    def __init__(self, *, seconds: float, min_group: int) -> None:
        if not LEAST_SECONDS <= seconds < float("inf"):
            raise InputError(f"an interval of {seconds:g} s", hint=f"pass at least {LEAST_SECONDS:g} s")
        if min_group < LEAST_GROUP:
            raise InputError(f"a group of {min_group}", hint=f"pass at least {LEAST_GROUP}: one face is no group")
        self._seconds = seconds
        self._min_group = min_group
        self._first: FrameResult | None = None
        self._last_seconds = 0.0
        self._shown: dict[int, Counter[str]] = {}

    def add(self, result: FrameResult) -> AggregateResult | None:
        """Count the faces of one frame.

        Returns:
            The counts of the interval before, if this frame begins another; intervals without a frame have none.
        """
        first = self._first
        done = None
        if first is not None and (
            result.session != first.session or self._number(result.seconds) != self._number(first.seconds)
        ):
            done = self._counted(first, self._start(first) + self._seconds)
        if first is None or done is not None:
            self._first = first = result
            self._shown = defaultdict(Counter)
        self._last_seconds = result.seconds
        for face in result.faces:
            self._shown[face.track][NOT_JUDGED if face.label is None else face.label] += 1
        return done

    def finish(self) -> AggregateResult | None:
        """The counts of the last interval, which may be shorter; None if there was no frame."""
        first, self._first = self._first, None
        return None if first is None else self._counted(first, max(self._last_seconds, self._start(first)))

    def _number(self, seconds: float) -> int:
        return int(seconds // self._seconds)

    def _start(self, first: FrameResult) -> float:
        return self._number(first.seconds) * self._seconds

    def _counted(self, first: FrameResult, to_seconds: float) -> AggregateResult:
        longest = Counter(_longest(labels) for labels in self._shown.values())
        faces, expressions = withheld(longest, self._min_group)
        return AggregateResult(
            source=first.source,
            session=first.session,
            captured_utc=first.captured_utc,
            from_seconds=self._start(first),
            to_seconds=to_seconds,
            min_group=self._min_group,
            faces=faces,
            expressions=expressions,
        )


def _longest(labels: Counter[str]) -> str:
    """The label shown longest; one that names an expression goes before ``not judged``, as every face begins so."""
    named = {label: count for label, count in labels.items() if label != NOT_JUDGED}
    return max(sorted(named), key=lambda label: named[label]) if named else NOT_JUDGED


def withheld(counts: Counter[str], min_group: int) -> tuple[int | None, dict[str, int]]:
    """Withhold small groups, and what would let a reader compute one.

    Args:
        counts: Number by label.
        min_group: Smallest number that is given.

    Returns:
        The total, or None if it is small itself; and the numbers that may be given, largest first. The total less
        those is zero or at least `min_group`.
    """
    total = sum(counts.values())
    if total < min_group:
        return None, {}
    given = [(label, count) for label, count in counts.most_common() if count >= min_group]
    while 0 < total - sum(count for _, count in given) < min_group:
        given.pop()
    return total, dict(given)
