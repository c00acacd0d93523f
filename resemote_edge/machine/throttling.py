"""Throttling: whether the machine was slowed down during a measurement.

It is watched all the time, because a clock limit may fall and rise again between the beginning and the end.
"""

import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from resemote_edge.machine.state import (
    MachineState,
    can_tell_throttling,
    capture_machine_state,
    capture_passing_state,
    slowdowns,
    throttled,
)
from resemote_edge.machine.thermal import largest

__all__ = ["ThrottleWatch", "throttling_text"]


class ThrottleWatch:
    """Reads the machine's state before, during and after what runs in its context.

    Args:
        root: Folder that holds ``sys`` and ``proc``.
        interval_s: Seconds between two readings.

    Attributes:
        before: The state at the beginning.
        after: The state at the end.
    """

    def __init__(self, root: Path = Path("/"), interval_s: float = 1.0) -> None:
        self._root = root
        self._interval_s = interval_s
        self._seen: list[MachineState] = []
        self._ended = threading.Event()
        # A daemon, so that a process that exits while it measures does not hang.
        self._thread = threading.Thread(target=self._watch, name="throttling", daemon=True)
        self.before = self.after = MachineState()

    def __enter__(self) -> "ThrottleWatch":
        self.before = capture_machine_state(self._root)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self.after = capture_machine_state(self._root)

    def _watch(self) -> None:
        while not self._ended.wait(self._interval_s):
            self._seen.append(capture_passing_state(self._root))

    @property
    def changes(self) -> tuple[str, ...]:
        """What slowed the machine down or heated it at any time, as from `throttled`."""
        return throttled(self.before, self._worst())

    @property
    def did_throttle(self) -> bool | None:
        """Whether the machine was slowed down; None if nothing on the machine can tell."""
        if slowdowns(self.before, self._worst()):
            return True
        return False if can_tell_throttling(self.before) and can_tell_throttling(self.after) else None

    def _worst(self) -> MachineState:
        """The state at the end, with the lowest limit, the hardest cooling and the highest heat that were seen."""
        states = [*self._seen, self.after]
        gpus = [state.gpu_clocks for state in states]
        return msgspec.structs.replace(
            self.after,
            cpu_clock_limit_mhz=_least(state.cpu_clock_limit_mhz for state in states),
            gpu_clocks={
                name: msgspec.structs.replace(
                    clock, highest_mhz=_least(one[name].highest_mhz for one in gpus if name in one)
                )
                for name, clock in self.after.gpu_clocks.items()
            },
            cooling_states=largest(item for state in states for item in state.cooling_states.items()),
            temperatures_c=largest(item for state in states for item in state.temperatures_c.items()),
        )


def throttling_text(rows: Sequence[bool | None]) -> str:
    """Whether rows were throttled, in words: ``no``, ``yes``, ``not known``, or how many of each."""
    words = {True: "yes", False: "no", None: "not known"}
    counts = {word: sum(row is answer for row in rows) for answer, word in words.items()}
    found = [(word, count) for word, count in counts.items() if count]
    if len(found) == 1:
        return found[0][0]  # no need to count
    return ", ".join(f"{word} in {count} of {len(rows)} rows" for word, count in found)


def _least(values: Iterable[float | None]) -> float | None:
    return min((value for value in values if value is not None), default=None)
