"""The check: frames kept up with, age of decisions, restarts survived, and what grows."""

import random
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from resemote_edge.artifacts.record import utc_now
from resemote_edge.camera.sources.base import SourceOptions
from resemote_edge.camera.watch import Watch, WatchOptions, watch
from resemote_edge.errors import InputError
from resemote_edge.experiments.camera_check.report import CameraCheck, Restarts, Scene
from resemote_edge.experiments.camera_check.server import free_port, make_film, serving
from resemote_edge.experiments.camera_check.slow_sinks import measure_slow_sinks
from resemote_edge.experiments.camera_check.steadiness import measure_steadiness
from resemote_edge.faces.detectors.network import NetworkDetector
from resemote_edge.machine.environment import capture_environment
from resemote_edge.machine.memory import resident_bytes
from resemote_edge.measuring.slowed_session import SlowedSession

__all__ = ["check_camera"]

_FPS = 30
_SIZE = (1280, 720)

#: Length of a film beyond that of its scene, seconds: a film that ends would count as a failure.
_SPARE_S = 10.0

#: Share of a run that is left out of what grows: engines and decoders take their memory at the start.
_SETTLED = 0.25


def check_camera(
    python: str,
    options: WatchOptions,
    *,
    seconds: float,
    soak_seconds: float,
    scenes: tuple[tuple[int, int], ...],
    kills: int,
    notice: Callable[[str], None],
) -> CameraCheck:
    """Run the check.

    Args:
        python: The system's Python, with the bindings of GStreamer.
        options: Networks and how frames are decided.
        seconds: Length of each scene, and of the film for steadiness.
        soak_seconds: Length of the last scene once more, to see what grows; 0 leaves it out. Its film is shorter, so
            the stream ends and is opened again many times.
        scenes: Number of people and the factor by which the networks are slowed, for each scene.
        kills: Number of times that the server is killed; 0 leaves that part out.
        notice: Told what is being done.

    Raises:
        InputError: The server cannot be run.
    """
    found: list[Scene] = []
    runs = [(faces, slowed, seconds) for faces, slowed in scenes]
    if soak_seconds:
        runs.append((*scenes[-1], soak_seconds))
    with TemporaryDirectory() as folder:
        films = {
            faces: make_film(Path(folder), python, faces=faces, seconds=seconds + _SPARE_S, fps=_FPS, size=_SIZE)
            for faces in {1, *(faces for faces, _ in scenes)}
        }
        for faces, slowed, length in runs:
            notice(f"{faces} faces, networks slowed {slowed} times" if slowed > 1 else f"{faces} faces")
            found.append(_scene(python, films[faces], options, length, faces=faces, slowed=slowed))
        restarts = None
        if kills:
            notice(f"{kills} restarts of the server")
            restarts = _restarts(python, films[1], options, kills)
    with watch("pattern://", options) as named:
        classifier, runtime = named.classifier.passport.name, named.classifier.session.runtime
        detector = named.detector.name
    return CameraCheck(
        created_utc=utc_now(),
        environment=asdict(capture_environment()),
        classifier=classifier,
        classifier_runtime=runtime,
        detector=detector,
        scenes=tuple(found),
        restarts=restarts,
        slow_sinks=measure_slow_sinks(options, seconds=seconds, notice=notice),
        steadiness=tuple(measure_steadiness(options, seconds=seconds, notice=notice)),
    )


def _scene(python: str, film: Path, options: WatchOptions, seconds: float, *, faces: int, slowed: int) -> Scene:
    port = free_port()
    with serving(python, port, film), watch(f"rtsp://127.0.0.1:{port}/stream", options) as watching:
        if slowed > 1:
            _slow(watching, slowed)
        taken: list[float] = []
        end = time.monotonic() + seconds
        first = last = None
        for _ in watching:
            taken.append(watching.decider.seconds)
            now = time.monotonic()
            if first is None and now > end - (1 - _SETTLED) * seconds:
                first = _Held.now()
            if now > end:
                last = _Held.now()
                watching.stop()
        summary = watching.summary()
    if first is None or last is None:
        raise InputError(f"the stream ended before its {seconds:g} s were over", hint="is the machine too slow?")
    return Scene(
        faces=faces,
        seconds=seconds,
        slowed=slowed,
        summary=summary,
        processing_ms=round(sorted(taken)[len(taken) // 2] * 1e3, 3),
        memory_growth_mb=round((last.memory - first.memory) / 1e6, 1),
        threads_growth=last.threads - first.threads,
        descriptors_growth=last.descriptors - first.descriptors,
    )


def _slow(watching: Watch, times: int) -> None:
    """Let both networks take several times as long, as on a slower machine."""
    watching.classifier.session = SlowedSession(watching.classifier.session, factor=times)
    assert isinstance(watching.detector, NetworkDetector), "the default one is"
    watching.detector.session = SlowedSession(watching.detector.session, factor=times)


class _Held(NamedTuple):
    """What this process holds: memory in bytes, threads and descriptors."""

    memory: int
    threads: int
    descriptors: int

    @classmethod
    def now(cls) -> "_Held":
        own = Path("/proc/self")
        return cls(resident_bytes(), len(list((own / "task").iterdir())), len(list((own / "fd").iterdir())))


def _restarts(python: str, film: Path, options: WatchOptions, kills: int) -> Restarts:
    """Kill and start the server at random moments while it is watched."""
    port, chance = free_port(), random.Random(0)
    options = replace(options, source=SourceOptions(stall_s=2.0))
    back: list[float] = []
    returned: list[float] = []
    ended = threading.Event()
    watching = watch(f"rtsp://127.0.0.1:{port}/stream", options)

    def disturb() -> None:
        with ExitStack() as stack:
            stack.enter_context(serving(python, port, film))
            ready.set()
            for _ in range(kills):
                time.sleep(chance.uniform(1.5, 4.0))
                stack.close()
                time.sleep(chance.uniform(0.2, 3.0))
                stack.enter_context(serving(python, port, film))
                returned.append(time.monotonic())
                while returned and not ended.is_set():
                    time.sleep(0.02)
            time.sleep(1.0)
            watching.stop()

    ready = threading.Event()
    disturber = threading.Thread(target=disturb)
    disturber.start()
    ready.wait(30)
    most = 0
    try:
        for result in watching:
            if returned and result.decision_age_ms < 1e3 * (time.monotonic() - returned[0]):
                back.append(round(time.monotonic() - returned.pop(), 3))
            most = max(most, len(result.faces))
    finally:
        ended.set()
        disturber.join()
    return Restarts(kills=kills, back_s=tuple(back), summary=watching.summary(), tracks_at_once=most)
