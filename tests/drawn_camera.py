"""A camera that draws: faces that move and change their expression, and what would be decided about them."""

import math
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timezone

import numpy as np
from numpy.typing import NDArray

from resemote_edge.camera.results import FaceResult, FrameResult
from resemote_edge.camera.sinks.base import Sink
from resemote_edge.labels import RESEMOTENET
from resemote_edge.vision.drawn import drawn_faces
from resemote_edge.vision.frame import Frame

#: Expressions in the order in which `drawn_faces` takes turns.
DRAWN = ("happy", "surprise", "sad", "anger", "disgust", "fear", "neutral")


class DrawnCamera:
    """Frames of a scene with some faces.

    Args:
        faces: Number of faces.
        width: Pixels.
        height: Pixels.
        labels: Names that stand in the place of the expressions' own.
        session: Name of the run.
    """

    def __init__(
        self, faces: int = 2, *, width: int = 640, height: int = 360, labels=RESEMOTENET, session: str = "drawn"
    ) -> None:
        self._size = (width, height)
        self._labels = labels
        self._session = session
        self._side = min(height // 2, width // (faces + 1)) if faces else 0
        self._drawn = [drawn_faces(7, side=self._side, seed=seed + 3)[..., ::-1] for seed in range(faces)]
        axis = np.linspace(-1, 1, max(self._side, 1))
        self._oval = (axis[:, None] ** 2 + (axis[None, :] * 1.12) ** 2 < 0.98)[..., None]
        fade = np.linspace(0, 1, height)[:, None, None]
        ground = np.array([96, 74, 58]) * (1 - fade) + np.array([150, 140, 132]) * fade
        self._ground = np.broadcast_to(ground, (height, width, 3)).astype(np.uint8)

    def frame(self, number: int, *, rate: float = 30.0, **changes: object) -> tuple[FrameResult, Frame]:
        """One frame; changes are made to its result."""
        seconds = number / rate
        pixels = self._ground.copy()
        faces = []
        for track, drawn in enumerate(self._drawn, 1):
            faces.append(self._put(pixels, drawn, track, seconds, number))
        fields: dict[str, object] = {
            "source": "pattern://",
            "session": self._session,
            "frame": number,
            "captured_utc": datetime.now(timezone.utc).isoformat(timespec="milliseconds"),
            "seconds": seconds,
            "width": self._size[0],
            "height": self._size[1],
            "decision_age_ms": 14.0 + 3.0 * math.sin(number),
            "faces": tuple(faces),
            "dropped": {"newer frame": number // 90},
        }
        return FrameResult(**{**fields, **changes}), Frame(pixels, "bgr")

    def frames(self, rate: float = 30.0) -> Iterator[tuple[FrameResult, Frame]]:
        """Frames without end, as fast as they are taken."""
        number = 0
        while True:
            yield self.frame(number, rate=rate)
            number += 1

    def _put(
        self, pixels: NDArray[np.uint8], drawn: NDArray[np.uint8], track: int, seconds: float, number: int
    ) -> FaceResult:
        width, height = self._size
        side = self._side
        middle = width * track / (len(self._drawn) + 1)
        x = int(middle - side / 2 + width * 0.03 * math.sin(seconds + track))
        y = int((height - side) * (0.5 + 0.15 * math.sin(seconds * 0.7 + 2 * track)))
        turn = (seconds / 4 + track * 2) % 7
        which = int(turn)
        place = pixels[y : y + side, x : x + side]
        np.copyto(place, drawn[which], where=self._oval)
        shares = self._probabilities(turn)
        best = max(shares, key=shares.__getitem__)
        return FaceResult(
            track=track,
            event="new" if number == 0 else "update",
            x=x + side * 0.1,
            y=y + side * 0.08,
            width=side * 0.8,
            height=side * 0.84,
            detection_score=0.93,
            detected=number % 3 == 0,
            label=best if shares[best] > 0.4 else "unsure",
            score=shares[best],
            probabilities=shares,
            seconds=seconds,
        )

    def _probabilities(self, turn: float) -> dict[str, float]:
        """One expression, and for a moment after it changed the one before."""
        which, since = int(turn), turn % 1
        settled = 1 - math.exp(-since * 8)
        weights = {name: 0.04 + 0.02 * math.sin(turn * 5 + place) for place, name in enumerate(DRAWN)}
        weights[DRAWN[which]] += 1.1 * settled
        weights[DRAWN[(which - 1) % 7]] += 1.1 * (1 - settled) + 0.1
        total = sum(weights.values())
        return {self._labels[RESEMOTENET.index(name)]: round(weights[name] / total, 4) for name in DRAWN}


class Filming:
    """Feeds a sink at a rate, from a thread of its own, until it is left."""

    def __init__(self, sink: Sink, camera: DrawnCamera, *, rate: float = 30.0) -> None:
        self._sink = sink
        self._camera = camera
        self._rate = rate
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.written = 0

    def __enter__(self) -> "Filming":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        began = time.monotonic()
        while not self._ended.wait(max(began + self.written / self._rate - time.monotonic(), 0)):
            self._sink.write(*self._camera.frame(self.written, rate=self._rate))
            self.written += 1
