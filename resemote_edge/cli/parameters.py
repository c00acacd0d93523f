"""Parameters: kinds of values that options take, beside click's own."""

import re
from typing import Any

import click

__all__ = ["DURATION", "SIZE"]

_SECONDS = {"ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "": 1.0}


class _Duration(click.ParamType):  # type: ignore[type-arg]  # generic since click 8.4 only
    """A time such as ``0.3s``, ``5m`` or ``24h``; a plain number counts seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        found = re.fullmatch(r"(\d+(?:\.\d+)?|\.\d+)\s*(ms|s|m|h|d|)", str(value).strip())
        if found is None:
            self.fail(f"{value!r} is no duration, such as 0.3s, 5m or 24h", param, ctx)
        return float(found[1]) * _SECONDS[found[2]]


class _Size(click.ParamType):  # type: ignore[type-arg]
    """Width and height in pixels, such as ``1280x720``."""

    name = "WxH"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        if isinstance(value, tuple):
            return value
        found = re.fullmatch(r"(\d{1,5})x(\d{1,5})", str(value).strip().lower())
        if found is None:
            self.fail(f"{value!r} is no size, such as 1280x720", param, ctx)
        return int(found[1]), int(found[2])


DURATION = _Duration()
SIZE = _Size()
