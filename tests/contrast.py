"""Contrast of two colours, as WCAG 2 defines it."""

import re


def _channel(value: float) -> float:
    share = value / 255
    return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4


def contrast(one: str, other: str) -> float:
    """Of two colours as CSS computes them: ``rgb(1, 2, 3)``."""
    light = []
    for colour in (one, other):
        red, green, blue = (_channel(float(part)) for part in re.findall(r"[\d.]+", colour)[:3])
        light.append(0.2126 * red + 0.7152 * green + 0.0722 * blue)
    return (max(light) + 0.05) / (min(light) + 0.05)
