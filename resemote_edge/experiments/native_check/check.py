"""Native validity: the cost of the C library, its savings, and whether its results equal Python's.

1. Session overhead: the program ``session_overhead``, which ``make native`` builds, takes turns between a session and
   the same inference written against the engine's C API, in one process. It is measured for small networks only.
2. A frame: the Python and the C classifier take turns on the faces of one frame, with the same engine and threads.
3. Parity: both classify every image of the test split.
"""

import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from resemote_edge.artifacts.artifact import Artifact, file_sha256
from resemote_edge.artifacts.passport_base import PASSPORT_NAME
from resemote_edge.artifacts.record import utc_now
from resemote_edge.classifier import EmotionClassifier
from resemote_edge.data.dataset import Dataset
from resemote_edge.errors import InputError
from resemote_edge.experiments.native_check.report import MOST_MODEL_BYTES, NativeSubject, NativeValidity, SplitParity
from resemote_edge.machine.environment import capture_environment
from resemote_edge.measuring.latency import median_ms
from resemote_edge.measuring.statistics.ratio import ratio_of_p50
from resemote_edge.runtimes.native.classifier import NativeClassifier
from resemote_edge.runtimes.native.library import engine_library, load_library
from resemote_edge.runtimes.registry import get_runtime
from resemote_edge.runtimes.session import SessionOptions
from resemote_edge.vision.frame import Box, Frame

__all__ = ["FACES", "measure"]

#: Number of faces in the frame: 1280x720, each face 200x200 pixels.
FACES = 8
_FRAME = "frames of 1280x720 pixels in BGR with faces of 200x200"

LIMIT = 1e-5

#: Turns of a session, and calls of a frame, in a round; sessions need many, as their cost is small beside the scatter.
_SESSIONS = 100
_CALLS = 5


def measure(
    artifacts: Sequence[Artifact],
    program: Path,
    *,
    threads: int,
    rounds: int,
    data: Dataset | None,
    notice: Callable[[str], None],
) -> NativeValidity:
    """Measure artifacts with both classifiers.

    Args:
        artifacts: Artifacts with float inputs, for OpenVINO or ONNX Runtime on the CPU.
        program: Path of ``session_overhead``.
        threads: Number of the engines' threads.
        rounds: Number of turns of either side; a turn of a frame is `_CALLS` calls.
        data: Images to compare on; None leaves that out.
        notice: Function called with what is being done.

    Raises:
        InputError: The program is not there, or fails.
    """
    subjects = []
    for artifact in artifacts:
        notice(f"{artifact.passport.name}: session, frame{', images' if data else ''}")
        subjects.append(_subject(artifact, program, threads, rounds, data))
    return NativeValidity(
        created_utc=utc_now(),
        environment=capture_environment().to_dict(),
        threads=threads,
        faces=FACES,
        frame=_FRAME,
        library_bytes=_stripped_bytes(),
        subjects=tuple(subjects),
    )


def _subject(artifact: Artifact, program: Path, threads: int, rounds: int, data: Dataset | None) -> NativeSubject:
    with NativeClassifier(artifact.path, device="cpu", threads=threads, max_faces=256) as native:
        runtime = get_runtime(native.backend)
        small = sum(entry.size_bytes for entry in artifact.passport.files) <= MOST_MODEL_BYTES
        timed = _overhead(program, artifact, native.backend, rounds * _SESSIONS) if small else None
        session = runtime.create_session(artifact, SessionOptions(device="cpu", threads=threads))
        with EmotionClassifier(session, artifact.passport) as python:
            ours, theirs = _frame_times(native, python, rounds)
            ratio = ratio_of_p50(ours, theirs)
            parity = None if data is None else _parity(native, python, data)
    return NativeSubject(
        artifact=artifact.passport.name,
        passport_sha256=file_sha256(artifact.path / PASSPORT_NAME),
        backend=f"{native.backend} {runtime.probe().version}",
        session_overhead_us=timed and timed[0],
        session_overhead_interval_us=timed and timed[1],
        native_frame_ms=median_ms(ours),
        python_over_native=ratio.value,
        python_over_native_interval=ratio.interval_95,
        parity=parity,
    )


def _overhead(program: Path, artifact: Artifact, backend: str, rounds: int) -> tuple[float, tuple[float, float]]:
    """Overhead in microseconds, with a bootstrap interval."""
    command = [program, artifact.path, backend, engine_library(backend) or "", rounds]
    try:
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    except OSError as error:
        raise InputError(f"{program}: cannot be run ({error.strerror})", hint="build it with: make native") from None
    if done.returncode != 0:
        raise InputError(f"{program}: {done.stderr.strip()}")
    samples = json.loads(done.stdout)
    ours, bare = (np.array(samples[name], dtype=np.float64) for name in ("session_ns", "bare_ns"))
    draws = np.random.default_rng(0).integers(0, len(ours), (1000, len(ours)))
    differences = [np.median(ours[draw]) - np.median(bare[draw]) for draw in draws]
    low, high = np.percentile(differences, (2.5, 97.5)) / 1e3
    return float(np.median(ours) - np.median(bare)) / 1e3, (float(low), float(high))


def _frame_times(
    native: NativeClassifier, python: EmotionClassifier, rounds: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Times of a call in nanoseconds, (rounds, `_CALLS`) each; the sides begin rounds alternately."""
    pixels = np.random.default_rng(0).integers(0, 256, (720, 1280, 3), dtype=np.uint8)
    frame = Frame(pixels, "bgr")
    boxes = [Box(50 + 300 * (number % 4), 80 + 300 * (number // 4), 200, 200) for number in range(FACES)]
    calls = (lambda: native.classify(frame, boxes), lambda: python.classify_frame(frame, boxes))
    times = np.empty((2, rounds, _CALLS), dtype=np.int64)
    for round_ in range(-2, rounds):
        for side in (0, 1) if round_ % 2 else (1, 0):
            for call in range(_CALLS):
                start = time.perf_counter_ns()
                calls[side]()
                if round_ >= 0:  # Earlier rounds are warm-up.
                    times[side, round_, call] = time.perf_counter_ns() - start
    return times[0], times[1]


def _parity(native: NativeClassifier, python: EmotionClassifier, data: Dataset) -> SplitParity:
    other, largest = 0, 0.0
    for start in range(0, len(data), 64):
        images = data.images[start : start + 64]
        # The frame holds the images below one another, and the library crops them.
        stacked = Frame(np.ascontiguousarray(images.reshape(-1, images.shape[2])), "gray")
        boxes = [Box(0, number * images.shape[1], images.shape[2], images.shape[1]) for number in range(len(images))]
        for mine, theirs in zip(native.classify(stacked, boxes), python(list(images), color="gray"), strict=True):
            other += mine.label != theirs.label
            pairs = zip(mine.probabilities.values(), theirs.probabilities.values(), strict=True)
            largest = max(largest, *(abs(a - b) for a, b in pairs))
    return SplitParity(
        data=f"{data.name} {data.split}", images=len(data), other_top_class=other, max_probability_difference=largest
    )


def _stripped_bytes() -> int:
    library = Path(load_library().path)
    strip = shutil.which("strip")
    if strip is None:
        raise InputError("the program 'strip' is not installed", hint="install binutils")
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / library.name
        subprocess.run([strip, "-o", str(copy), str(library)], check=True)
        return copy.stat().st_size
