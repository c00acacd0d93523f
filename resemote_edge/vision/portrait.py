"""Portraits: drawn heads that face detectors take for faces, with one of seven expressions.

They are nobody's. Shading, eyes and mouth are drawn with care because detectors look for them; `drawn_faces` are
simpler, and half of them are not detected. Tests, demonstrations and the camera's pattern use them; accuracy on them
means nothing.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from resemote_edge.errors import InputError

__all__ = ["PORTRAIT_EXPRESSIONS", "drawn_portrait", "paste"]

_Plane = NDArray[np.float64]
_Color = NDArray[np.float64] | tuple[float, float, float]


class _Shape(NamedTuple):
    """What tells expressions apart, in units of half the portrait's side."""

    curve: float
    opening: float
    brow_slope: float
    eyes: float


_SHAPES: dict[str, _Shape] = {
    "happy": _Shape(0.40, 0.07, -0.13, 0.04),
    "surprise": _Shape(0.05, 0.20, 0.03, 0.11),
    "sad": _Shape(-0.06, 0.04, -0.34, 0.03),
    "anger": _Shape(-0.16, 0.01, 0.30, 0.07),
    "disgust": _Shape(-0.12, 0.07, 0.08, 0.05),
    "fear": _Shape(0.10, 0.11, -0.34, 0.10),
    "neutral": _Shape(0.14, 0.01, 0.00, 0.035),
}

#: Expressions that can be drawn, by the names that the network's labels have.
PORTRAIT_EXPRESSIONS: tuple[str, ...] = tuple(_SHAPES)

_HAIR = ((0.12, 0.09, 0.07), (0.35, 0.22, 0.12), (0.55, 0.42, 0.25), (0.20, 0.20, 0.22))


def drawn_portrait(side: int, *, seed: int = 0, expression: str = "neutral") -> NDArray[np.uint8]:
    """Draw a head with neck and shoulders; skin, hair, clothes, light and tilt vary with the seed.

    The face takes about half of the width and two thirds of the height, a quarter from the left and a fifth from above.

    Args:
        side: Rows and columns, pixels; at least 16.
        seed: Seed of the drawing; the same seed gives the same person, whatever the expression.
        expression: One of `PORTRAIT_EXPRESSIONS`.

    Returns:
        uint8 (side, side, 4): red, green, blue, and opacity, which is 0 around the person; caller-owned.

    Raises:
        InputError: There is no such expression, or the side is smaller.
    """
    if expression not in _SHAPES:
        raise InputError(f"no portrait has the expression {expression!r}", hint=f"pass {', '.join(_SHAPES)}")
    if side < 16:
        raise InputError(f"a portrait of {side} pixels", hint="pass a side of at least 16")
    drawing = _Drawing(side, np.random.default_rng(seed))
    drawing.body()
    drawing.head()
    drawing.nose()
    for sign in (-1.0, 1.0):
        drawing.eye(sign, _SHAPES[expression])
    drawing.mouth(_SHAPES[expression])
    return drawing.finished()


def paste(picture: NDArray[np.uint8], portrait: NDArray[np.uint8], left: int, top: int) -> None:
    """Put a portrait into a picture, in place.

    Args:
        picture: uint8 (H, W, 3), RGB.
        portrait: uint8 (side, side, 4), as `drawn_portrait` returns it.
        left: First column of the picture, which the portrait must not reach over.
        top: First row.
    """
    area = picture[top : top + len(portrait), left : left + len(portrait)].astype(np.int32)
    opacity = portrait[..., 3:].astype(np.int32)
    mixed = (portrait[..., :3] * opacity + area * (255 - opacity) + 127) // 255
    picture[top : top + len(portrait), left : left + len(portrait)] = mixed.astype(np.uint8)


class _Drawing:
    """A portrait that is being painted, back to front; x points right and y up, both from -1 to 1."""

    def __init__(self, side: int, rng: np.random.Generator) -> None:
        axis = (np.arange(side) + 0.5) / side * 2.0 - 1.0
        across, up = np.meshgrid(axis, -axis)
        tilt = rng.normal(0.0, 0.06)
        self.x: _Plane = np.cos(tilt) * across - np.sin(tilt) * up
        self.y: _Plane = np.sin(tilt) * across + np.cos(tilt) * up
        self.edge = max(3.0 / side, 0.012)
        self.skin = np.array([0.87, 0.67, 0.55]) * rng.uniform(0.75, 1.08)
        self.hair = np.array(_HAIR[rng.integers(len(_HAIR))])
        self.clothes = rng.uniform(0.15, 0.8, 3)
        self.light = rng.uniform(-0.45, 0.45)
        self.color: _Plane = np.zeros((side, side, 3))
        self.opacity: _Plane = np.zeros((side, side))
        self.face: _Plane = np.zeros((side, side))
        self._noise = rng.normal(0.0, 0.012, self.color.shape)

    def finished(self) -> NDArray[np.uint8]:
        """The pixels."""
        planes = np.dstack([self.color + self._noise, self.opacity])
        drawn: NDArray[np.uint8] = np.clip(np.rint(planes * 255.0), 0, 255).astype(np.uint8)
        return drawn

    def paint(self, cover: _Plane, color: _Color | _Plane) -> None:
        """Put a colour over what is there, where `cover` is above 0."""
        total = cover + self.opacity * (1 - cover)
        share = np.divide(cover, total, out=np.zeros_like(cover), where=total > 0)[..., None]
        self.color = self.color * (1 - share) + np.asarray(color) * share
        self.opacity = total

    def shade(self, where: _Plane, factors: float | tuple[float, float, float]) -> None:
        """Darken the face."""
        self.color *= 1 - (1 - np.asarray(factors)) * (where * self.face)[..., None]

    def inside(self, distance: _Plane, softness: float = 1.0) -> _Plane:
        """1 where a signed distance is negative, with a soft edge."""
        return np.clip(0.5 - distance / (self.edge * softness), 0.0, 1.0)

    def ellipse(self, x: _Plane, y: _Plane, a: float, b: float) -> _Plane:
        """An ellipse at the origin of the coordinates given."""
        return self.inside((np.sqrt((x / a) ** 2 + (y / b) ** 2) - 1.0) * min(a, b))

    def body(self) -> None:
        """Shoulders, the hair behind the head, neck and ears."""
        x, y = self.x, self.y
        self.paint(self.ellipse(x, y + 1.25, 0.95, 0.52), self.clothes)
        self.paint(self.ellipse(x, y - 0.12, 0.62, 0.80), self.hair)
        self.paint(self.ellipse(x, y + 0.72, 0.27, 0.36), self.skin * 0.72)
        for sign in (-1.0, 1.0):
            self.paint(self.ellipse(x - sign * 0.53, y - 0.02, 0.075, 0.15), self.skin * 0.8)

    def head(self) -> None:
        """The face, rounded by light, with sockets and cheeks, and the hair above it."""
        x, y = self.x, self.y
        half_width = 0.53 - 0.13 * np.clip(-(y + 0.05) / 0.7, 0.0, 1.0) ** 1.5
        half_height = np.where(y > 0, 0.66, 0.70)
        self.face = self.inside((np.sqrt((x / half_width) ** 2 + (y / half_height) ** 2) - 1.0) * 0.5)
        towards = np.sqrt(np.clip(1.0 - (x / 0.6) ** 2 - (y / 0.8) ** 2, 0.02, 1.0))
        light = 0.62 + 0.42 * np.clip(self.light * x / 0.6 + 0.25 * y / 0.8 + 0.9 * towards, 0.0, 1.1)
        self.paint(self.face, self.skin * light[..., None])
        for sign in (-1.0, 1.0):
            self.shade(_blob(x - sign * 0.21, y - 0.11, 0.17, 0.10), (0.72, 0.66, 0.66))
            self.shade(_blob(x - sign * 0.30, y + 0.22, 0.14, 0.12), (1.0, 0.90, 0.88))
        self.shade(_blob(x, y + 0.54, 0.12, 0.035), 0.85)
        fringe = np.clip(0.5 + (y - 0.47 + 0.25 * (0.9 * x) ** 2) / 0.05, 0.0, 1.0)
        self.paint(self.ellipse(x, y - 0.12, 0.62, 0.80) * fringe, self.hair)

    def nose(self) -> None:
        """Its shaded side, its ridge, the shadow beneath it and the nostrils."""
        x, y = self.x, self.y
        self.shade(_blob(x + np.copysign(0.07, self.light), y + 0.07, 0.045, 0.2), 0.86)
        self.color += 0.08 * (_blob(x - 0.01, y + 0.07, 0.035, 0.17) * self.face)[..., None]
        self.shade(_blob(x, y + 0.245, 0.13, 0.045), (0.62, 0.55, 0.55))
        for sign in (-1.0, 1.0):
            self.shade(_blob(x - sign * 0.055, y + 0.235, 0.03, 0.02), (0.25, 0.2, 0.2))

    def eye(self, sign: float, shape: _Shape) -> None:
        """One eye, -1 for the left of the picture, and the brow above it."""
        x, y = self.x - sign * 0.21, self.y - 0.10
        height = max(shape.eyes, 0.03) * 0.62
        opening = self.inside(np.abs(y + 1.2 * x**2) + ((x / 0.115) ** 2 - 1.0) * height) * self.face
        self.paint(opening, (0.93, 0.92, 0.90))
        self.paint(self.ellipse(x, y, 0.058, 0.058) * opening, (0.28, 0.20, 0.14))
        self.paint(self.ellipse(x, y, 0.027, 0.027) * opening, (0.03, 0.03, 0.03))
        self.paint(self.ellipse(x - 0.02, y - 0.02, 0.012, 0.012) * opening, (1.0, 1.0, 1.0))
        lid = np.exp(-(((y - height * (1.0 - (x / 0.13) ** 2)) / 0.018) ** 2)) * (np.abs(x) < 0.13)
        self.shade(lid, (0.25, 0.2, 0.2))
        raised = 0.6 * max(shape.eyes - 0.1, 0.0)
        brow = y - 0.17 - 1.2 * shape.brow_slope * sign * x + 1.05 * x**2 - raised
        self.paint(0.85 * self.inside(np.abs(brow) - 0.026) * self.inside(np.abs(x) - 0.14, 2.0) * self.face, self.hair)

    def mouth(self, shape: _Shape) -> None:
        """Lips, and teeth where it is open or smiles."""
        x = self.x
        half = 0.19 + 0.25 * max(shape.curve, 0.0) - 0.2 * max(shape.opening - 0.08, 0.0)
        y = self.y + 0.42 - 0.33 * shape.curve * ((x / 0.24) ** 2 - 0.5)
        within = self.inside(np.abs(x) - half, 1.5) * self.face
        rounded = np.sqrt(np.clip(1.0 - (x / half) ** 2, 0.0, 1.0))
        gap = 0.75 * shape.opening
        self.paint(0.9 * self.inside(np.abs(y) - (gap + 0.05) * rounded) * within, self.skin * (0.82, 0.5, 0.5))
        dark = self.inside(np.abs(y) - gap * rounded) * within
        self.paint(dark, (0.25, 0.07, 0.08))
        if shape.curve > 0.1 or shape.opening > 0.09:
            self.paint(0.9 * dark * np.clip(0.5 + (y - 0.15 * shape.opening) / self.edge, 0.0, 1.0), (0.92, 0.9, 0.87))


def _blob(x: _Plane, y: _Plane, a: float, b: float) -> _Plane:
    """A soft spot at the origin of the coordinates given, 1 in its middle."""
    spot: _Plane = np.exp(-((x / a) ** 2 + (y / b) ** 2))
    return spot
