"""What ``resemote camera`` computes about faces, compiled from its sources alone and called through ctypes."""

import ctypes
import os
import shlex
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from resemote_edge.errors import InputError
from resemote_edge.faces.face import Face
from resemote_edge.faces.smoothing import UNSURE, Smoothed
from resemote_edge.faces.tracker import Track, TrackerOptions, TrackUpdate

ROOT = Path(__file__).resolve().parents[3]
CAMERA = ROOT / "runtimes" / "tools" / "camera"
SOURCES = [
    *(CAMERA / "faces" / f"{name}.cpp" for name in ("candidates", "framing", "picture", "quality", "scaling")),
    *(CAMERA / "faces" / f"{name}.cpp" for name in ("smoothing", "tracker")),
    CAMERA / "schedule.cpp",
]
FLAGS = "-std=c++14 -O2 -Wall -Wextra -Wpedantic -Werror -ffp-contract=off -fvisibility=hidden -fPIC -shared"

_MOST = 64
_FACE = 15


def compile_library(folder: Path) -> ctypes.CDLL:
    """Compile the sources; CXX and CXXFLAGS are heard."""
    compiler = os.environ.get("CXX", "g++")
    if shutil.which(compiler) is None:
        pytest.skip(f"no {compiler} here to compile resemote camera with")
    library = folder / "libfaces.so"
    command = [compiler, *shlex.split(FLAGS), *shlex.split(os.environ.get("CXXFLAGS", ""))]
    command += [f"-I{ROOT / 'runtimes' / 'include'}", f"-I{CAMERA}", f"-I{CAMERA.parent}", "-o", str(library)]
    command.append(str(Path(__file__).with_name("faces_shim.cpp")))
    done = subprocess.run([*command, *map(str, SOURCES)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    loaded = ctypes.CDLL(str(library))
    for name in ("tracker", "smoother", "schedule"):
        getattr(loaded, f"{name}_create").restype = ctypes.c_void_p
        getattr(loaded, f"{name}_destroy").argtypes = [ctypes.c_void_p]
    loaded.quality_measure.restype = ctypes.c_char_p
    return loaded


def doubles(values) -> "ctypes.Array[ctypes.c_double]":
    values = [float(value) for value in values]
    return (ctypes.c_double * max(len(values), 1))(*values)


def row_of(face: Face) -> list[float]:
    points = [value for point in face.landmarks for value in point]
    return [*face.box, face.score, *points, *[0.0] * (_FACE - 5 - len(points))]


def face_of(row, *, landmarks: bool) -> Face:
    points = tuple((float(row[i]), float(row[i + 1])) for i in range(5, _FACE, 2)) if landmarks else ()
    return Face(**dict(zip(("x", "y", "width", "height", "score"), map(float, row), strict=False)), landmarks=points)


class _Handle:
    name: str

    def __init__(self, library: ctypes.CDLL, *arguments) -> None:
        self._library = library
        self._message = ctypes.create_string_buffer(1000)
        self._handle = ctypes.c_void_p(getattr(library, f"{self.name}_create")(*arguments))

    def close(self) -> None:
        getattr(self._library, f"{self.name}_destroy")(self._handle)

    def check(self, done: int) -> None:
        if not done:
            raise InputError(self._message.value.decode())


class NativeTracker(_Handle):
    """The tracker of ``resemote camera``, with the interface of Python's."""

    name = "tracker"

    def __init__(self, library: ctypes.CDLL, options: TrackerOptions) -> None:
        values = (options.min_overlap, options.reach, options.patience_s, options.smoothing_s)
        super().__init__(library, doubles(values), options.min_detections)

    def update(self, faces: "list[Face] | None", seconds: float) -> TrackUpdate:
        landmarks = bool(faces and faces[0].landmarks)
        given = doubles(value for face in faces or () for value in row_of(face))
        tracks = (ctypes.c_double * (_MOST * (5 + _FACE)))()
        ended, count, ended_count = (ctypes.c_int * _MOST)(), ctypes.c_int(), ctypes.c_int()
        self.check(
            self._library.tracker_update(
                *(self._handle, given, -1 if faces is None else len(faces), landmarks, ctypes.c_double(seconds)),
                *(tracks, ctypes.byref(count), ended, ctypes.byref(ended_count), self._message),
            )
        )
        rows = np.array(tracks).reshape(_MOST, 5 + _FACE)[: count.value]
        return TrackUpdate(
            tracks=tuple(self._track(row) for row in rows), ended=tuple(ended[: ended_count.value]), tentative=()
        )

    def _track(self, row) -> Track:
        number, detected, missed, began, seen = map(float, row[:5])
        return Track(
            number=int(number),
            face=face_of(row[5:], landmarks=bool(row[10:].any())),
            detected=bool(detected),
            missed=int(missed),
            began=began,
            seen=seen,
        )


class NativeSmoother(_Handle):
    """The smoother of ``resemote camera``, with the interface of Python's."""

    name = "smoother"

    def __init__(self, library: ctypes.CDLL, options) -> None:
        super().__init__(library, *map(ctypes.c_double, (options.time_constant_s, options.hold_s, options.min_score)))

    def update(self, probabilities: dict[str, float], seconds: float) -> Smoothed:
        label, score = ctypes.c_int(), ctypes.c_double()
        smoothed = (ctypes.c_double * len(probabilities))()
        self.check(
            self._library.smoother_update(
                *(self._handle, doubles(probabilities.values()), len(probabilities), ctypes.c_double(seconds)),
                *(ctypes.byref(label), ctypes.byref(score), smoothed, self._message),
            )
        )
        names = list(probabilities)
        return Smoothed(
            label=UNSURE if label.value < 0 else names[label.value],
            score=score.value,
            probabilities=dict(zip(names, smoothed, strict=True)),
        )


class NativeSchedule(_Handle):
    """The schedule of ``resemote camera``; 0 stands for auto."""

    name = "schedule"

    def due(self) -> bool:
        return bool(self._library.schedule_due(self._handle))

    def record(self, detecting: float | None, rest: float, interval: float | None) -> int:
        values = (-1.0 if value is None else value for value in (detecting, rest, interval))
        return int(self._library.schedule_record(self._handle, *map(ctypes.c_double, values)))
