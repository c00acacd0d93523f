"""Recorder: a thread that reads one sensor from start to end."""

import threading
import time

from resemote_edge.errors import DeviceUnavailableError
from resemote_edge.machine.energy.integral import integral_of
from resemote_edge.machine.energy.sensor import EnergySensor

__all__ = ["Recorder"]

#: Start of the thread's name.
THREAD_NAME = "energy"

# Fewest power readings from which a mean over the run is taken.
_MIN_SAMPLES = 10


class Recorder:
    """Thread that reads a sensor at its interval.

    A counter needs only two readings, but is also read in between, so that it cannot start again twice unnoticed.

    Attributes:
        sensor: Sensor that it reads.
        integral: Energy that it has recorded; read it only after `end`.
    """

    def __init__(self, sensor: EnergySensor) -> None:
        self.sensor = sensor
        self.integral = integral_of(sensor)
        self._failure: str | None = None
        self._lock = threading.Lock()
        self._ended = threading.Event()
        # A daemon, so that a process that exits while it measures does not hang.
        self._thread = threading.Thread(target=self._run, name=f"{THREAD_NAME}-{sensor.name}", daemon=True)

    def start(self) -> None:
        """Take the first reading, and go on in the background."""
        self.sample()
        self._thread.start()

    def sample(self) -> None:
        """Take a reading now; none is taken after a failure or the end."""
        with self._lock:
            if self._failure is not None or self._ended.is_set():
                return
            before = time.perf_counter()
            try:
                values = self.sensor.read()
                # Reading over I2C takes a while, so the value belongs to the middle of that time.
                self.integral.add((before + time.perf_counter()) / 2, values)
            except DeviceUnavailableError as error:
                self._failure = str(error)

    def end(self) -> None:
        """Stop; the thread has ended when this returns. It may be called again, and before `start`."""
        self._ended.set()
        if self._thread.ident is not None:
            self._thread.join()

    @property
    def sample_rate_hz(self) -> float | None:
        """Readings per second that were reached; None for counters."""
        if self.sensor.gives == "joules" or not self.integral.seconds:
            return None
        return (self.integral.readings - 1) / self.integral.seconds

    def refusal(self) -> str | None:
        """Reason why the recording cannot be trusted; None if it can."""
        name, seconds, needed = self.sensor.name, self.integral.seconds, self.sensor.min_seconds
        if self._failure is not None:
            return f"{name} failed during the run: {self._failure}"
        if seconds < needed:
            return f"a run of {seconds:.3f} s is too short for {name}, which needs {needed:g} s; let more calls be made"
        if self.sensor.gives == "watts" and self.integral.readings < _MIN_SAMPLES:
            return (
                f"{name} was read {self.integral.readings} times in {seconds:.3f} s, {_MIN_SAMPLES} are needed; "
                "let the run last longer, or leave the machine a core that is free"
            )
        if not any(
            joules for joules, rail in zip(self.integral.joules, self.sensor.rails, strict=True) if rail.in_total
        ):
            return f"{name} did not count anything in {seconds:.3f} s; let the run last longer"
        return None

    def _run(self) -> None:
        due = time.perf_counter() + self.sensor.interval_s
        while not self._ended.wait(max(due - time.perf_counter(), 0.0)):
            self.sample()
            # A late reader does not catch up, because a burst of readings adds nothing.
            due = max(due + self.sensor.interval_s, time.perf_counter())
