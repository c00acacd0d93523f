"""Pattern: drawn faces that move, for a first look without a camera and for tests that know the truth."""

import math
import time
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit

import numpy as np
from numpy.typing import NDArray

from resemote_edge.camera.sources.base import Captured, FrameClock, Source, SourceOptions
from resemote_edge.errors import InputError
from resemote_edge.faces.face import Face
from resemote_edge.vision.frame import Frame
from resemote_edge.vision.portrait import PORTRAIT_EXPRESSIONS, drawn_portrait, paste

__all__ = ["EXPRESSION_SECONDS", "PatternSource"]

_FPS = 30.0
_SIZE = (1280, 720)
_MOST_FACES = 16
#: Largest portrait, pixels: drawing takes time before the first frame, and pasting in each.
_MOST_SIDE = 256

#: Time for which a face keeps an expression, seconds.
EXPRESSION_SECONDS = 3.0

_HINT = "such as pattern://?faces=2&seconds=10"


class _Path(NamedTuple):
    """Where a face moves: a Lissajous figure."""

    x: float
    y: float
    across: float
    down: float
    rate: float
    phase: float


class PatternSource(Source):
    """Drawn faces that move, one frame every 1 / fps seconds.

    Args:
        address: ``pattern://``, perhaps with ``?faces=N`` (1 to 16) and ``&seconds=S`` (for ever where it is missing).
        options: Options.
        clock: Clock of the stream.

    Raises:
        InputError: The address says something else.
    """

    live = True

    def __init__(self, address: str, options: SourceOptions, clock: FrameClock) -> None:
        self.name = address
        asked = dict(parse_qsl(urlsplit(address).query, keep_blank_values=True))
        self._faces = int(_number(address, asked.pop("faces", "1"), 0, _MOST_FACES))
        self._seconds = _number(address, asked.pop("seconds", "inf"), 0.0, math.inf)
        if asked:
            raise InputError(f"{address}: a pattern has no {', '.join(asked)}", hint=_HINT)
        self._period = 1.0 / (options.fps or _FPS)
        self._size = options.size or _SIZE
        self._clock = clock
        self._begin: float | None = None
        self._frames = 0
        self._drawing = ThreadPoolExecutor(1, "pattern")

    def open(self) -> None:
        """Begin to draw who moves."""
        _ = self._portraits, self._ground
        if self._begin is None:
            self._begin = time.perf_counter()

    def read(self) -> Captured | None:
        """The next frame, when it is due."""
        assert self._begin is not None, "the source is open"
        seconds = self._frames * self._period
        if seconds >= self._seconds:
            return None
        wait = self._begin + seconds - time.perf_counter()
        if wait > 0:
            time.sleep(wait)
        self._frames += 1
        return self._clock.stamp(Frame(self.draw(seconds), "bgr"))

    def close(self) -> None:
        """Let portraits that were not shown yet be: the program would wait for them at its end."""
        self._drawing.shutdown(wait=False, cancel_futures=True)

    def truth(self, seconds: float) -> list[Face]:
        """Where the drawn people are at a time, as squares around their portraits."""
        side = float(self._side)
        return [
            Face(
                x=path.x + path.across * math.sin(path.rate * seconds + path.phase),
                y=path.y + path.down * math.sin(1.3 * path.rate * seconds + path.phase),
                width=side,
                height=side,
            )
            for path in self._paths
        ]

    def expression(self, face: int, seconds: float) -> str:
        """The expression that a face is drawn with at a time."""
        return PORTRAIT_EXPRESSIONS[(face + int(seconds / EXPRESSION_SECONDS)) % len(PORTRAIT_EXPRESSIONS)]

    def draw(self, seconds: float) -> NDArray[np.uint8]:
        """The picture at a time: uint8 (height, width, 3), BGR, caller-owned."""
        picture = self._ground.copy()
        for number, face in enumerate(self.truth(seconds)):
            portrait = self._portraits[number, self.expression(number, seconds)]
            paste(picture, portrait.result(), round(face.x), round(face.y))
        return picture

    @cached_property
    def _side(self) -> int:
        """Rows and columns of a face; smaller the more there are."""
        width, height = self._size
        return max(24, int(min(width / (max(self._faces, 1) + 0.3), height * 0.6, _MOST_SIDE)))

    @cached_property
    def _paths(self) -> list[_Path]:
        width, height = self._size
        slot = width / max(self._faces, 1)
        free = max(slot - self._side, 0.0)
        return [
            _Path(
                x=slot * number + free / 2,
                y=(height - self._side) / 2,
                across=free / 2,
                down=(height - self._side) / 2.5,
                rate=0.7 + 0.13 * number,
                phase=1.1 * number,
            )
            for number in range(self._faces)
        ]

    @cached_property
    def _portraits(self) -> dict[tuple[int, str], "Future[NDArray[np.uint8]]"]:
        """Portrait of each person with each expression: uint8 (side, side, 4), BGR and opacity.

        Drawing takes longer than a frame. So it is done in another thread, in the order in which they are shown.
        """
        count = len(PORTRAIT_EXPRESSIONS)
        wanted = [
            (person, PORTRAIT_EXPRESSIONS[(person + turn) % count])
            for turn in range(count)
            for person in range(self._faces)
        ]
        return {
            (person, expression): self._drawing.submit(self._portrait, person, expression)
            for person, expression in wanted
        }

    def _portrait(self, person: int, expression: str) -> NDArray[np.uint8]:
        return drawn_portrait(self._side, seed=person, expression=expression)[..., [2, 1, 0, 3]]

    @cached_property
    def _ground(self) -> NDArray[np.uint8]:
        """A plain wall, lighter at the top."""
        width, height = self._size
        light = np.linspace(190, 110, height)[:, None, None] * np.array([1.0, 0.97, 0.93])
        return np.broadcast_to(np.rint(light), (height, width, 3)).astype(np.uint8)


def _number(address: str, text: str, low: float, high: float) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not low <= value <= high:
        raise InputError(f"{address}: {text!r} is no number from {low:g} to {high:g}", hint=_HINT)
    return value
