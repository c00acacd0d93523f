"""Drawn faces: procedural colour crops that stand in for photographs.

They exercise colour conversion, resize and the whole network with face-like structure, and contain nobody's face.
They are for parity, latency and self-tests; accuracy on them means nothing.
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["drawn_faces", "noise_crops"]

# Mouth curvature, mouth opening, brow slope, eye opening, all relative to face size.
_EXPRESSIONS: tuple[tuple[float, float, float, float], ...] = (
    (0.22, 0.05, 0.00, 0.10),  # happy
    (0.00, 0.16, -0.02, 0.16),  # surprise
    (-0.18, 0.03, -0.10, 0.08),  # sad
    (-0.08, 0.04, 0.14, 0.07),  # anger
    (-0.12, 0.07, 0.08, 0.05),  # disgust
    (-0.02, 0.10, -0.10, 0.15),  # fear
    (0.00, 0.03, 0.00, 0.10),  # neutral
)


def drawn_faces(count: int, *, side: int = 48, seed: int = 0) -> NDArray[np.uint8]:
    """Draw faces; expression, pose, skin, light and noise vary with the seed.

    Args:
        count: Number of faces; the seven expressions take turns.
        side: Rows and columns, pixels.
        seed: Seed of the drawing; the same seed gives the same bytes.

    Returns:
        uint8 (count, side, side, 3), RGB, caller-owned.
    """
    rng = np.random.default_rng(seed)
    faces = [_draw(_EXPRESSIONS[index % len(_EXPRESSIONS)], side, rng) for index in range(count)]
    return np.stack(faces) if faces else np.empty((0, side, side, 3), dtype=np.uint8)


def noise_crops(count: int, *, seed: int, side: int = 48) -> NDArray[np.uint8]:
    """Draw crops of noise whose grain grows from a pixel to a few; uint8 (count, side, side, 3)."""
    rng = np.random.default_rng(seed)
    crops = np.empty((count, side, side, 3), dtype=np.uint8)
    for index in range(count):
        grain = 1 + index % 6
        cells = -(-side // grain)
        coarse = rng.integers(0, 256, (cells, cells, 3), dtype=np.uint8)
        crops[index] = coarse.repeat(grain, axis=0).repeat(grain, axis=1)[:side, :side]
    return crops


def _draw(expression: tuple[float, float, float, float], side: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    curve, opening, slope, eyes = (value + rng.normal(0.0, 0.015) for value in expression)
    x, y = _coordinates(side, rng)
    skin = np.array([0.85, 0.65, 0.52]) * rng.uniform(0.35, 1.1)
    background = rng.uniform(0.05, 0.95, 3)
    image = np.broadcast_to(background, (side, side, 3)).copy()
    soft = 2.0 / side

    def paint(distance: NDArray[np.float64], color: NDArray[np.float64]) -> None:
        alpha = np.clip(0.5 - distance / soft, 0.0, 1.0)[..., None]
        image[...] = image * (1 - alpha) + color * alpha

    paint(_ellipse(x, y + 0.15, 0.86, 1.02), skin * 0.25)  # hair
    paint(_ellipse(x, y - 0.02, 0.74, 0.94), skin)
    dark = np.full(3, 0.08)
    for sign in (-1.0, 1.0):
        paint(_ellipse(x - sign * 0.3, y + 0.2, 0.15, max(eyes, 0.03)), np.full(3, 0.92))
        paint(_ellipse(x - sign * 0.3, y + 0.2, 0.06, min(max(eyes, 0.03), 0.07)), dark)
        brow = y + 0.42 + slope * sign * (x - sign * 0.3) * 2.0 * -1.0
        paint(np.maximum(np.abs(brow) - 0.03, np.abs(x - sign * 0.3) - 0.2), skin * 0.2)
    paint(np.maximum(np.abs(x) - 0.05, np.abs(y - 0.05) - 0.14), skin * 0.8)  # nose
    mouth = y - 0.5 - curve * (0.25 - (x / 0.6) ** 2)
    paint(np.maximum(np.abs(mouth) - max(opening, 0.02), np.abs(x) - 0.3), np.array([0.55, 0.15, 0.15]))
    light = 1.0 + rng.uniform(-0.35, 0.35) * x + rng.uniform(-0.2, 0.2) * y
    noisy = image * light[..., None] + rng.normal(0.0, 0.03, image.shape)
    drawn: NDArray[np.uint8] = np.clip(np.rint(noisy * 255.0), 0, 255).astype(np.uint8)
    return drawn


def _coordinates(side: int, rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Coordinates in [-1, 1] after a small random rotation, scaling and shift."""
    axis = (np.arange(side) + 0.5) / side * 2.0 - 1.0
    x, y = np.meshgrid(axis, axis)
    angle = rng.normal(0.0, 0.12)
    scale = rng.uniform(0.9, 1.15)
    shift_x, shift_y = rng.normal(0.0, 0.05, 2)
    cos, sin = np.cos(angle) * scale, np.sin(angle) * scale
    return cos * x - sin * y + shift_x, sin * x + cos * y + shift_y


def _ellipse(x: NDArray[np.float64], y: NDArray[np.float64], a: float, b: float) -> NDArray[np.float64]:
    """Approximate signed distance to an axis-aligned ellipse at the origin."""
    radius: NDArray[np.float64] = (np.sqrt((x / a) ** 2 + (y / b) ** 2) - 1.0) * min(a, b)
    return radius
