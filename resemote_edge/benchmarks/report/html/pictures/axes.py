"""Axes that all pictures share: a grid of panels, and ticks that read as plain numbers."""

from dataclasses import dataclass
from typing import Any

from resemote_edge.benchmarks.report.html.pictures.svg import GRID, Canvas

__all__ = ["Grid", "number", "set_log_ticks", "tidy"]

#: Below this span, a logarithmic axis gets evenly spaced ticks, as it would show one of 1, 2 and 5 at most.
_SHORT_SPAN = 5.0

#: CSS pixels for a panel's title above, its ticks and the axis' name below, and the space at the picture's right.
_TOP, _BOTTOM, _RIGHT = 26.0, 42.0, 16.0


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Panels in rows, measured in CSS pixels; all pictures have the same margins, so that axes are aligned.

    Attributes:
        panels: Number of panels.
        columns: Number of panels side by side.
        left: Width for labels at the left edge.
        gap: Width between two panels side by side.
        plot: Height of a panel without the text above and below it.
    """

    panels: int
    columns: int
    left: float
    gap: float
    plot: float

    @classmethod
    def of(cls, panels: int, narrow: bool, most: int, *, left: float, gap: float, plot: float) -> "Grid":
        """Make a grid with as many columns as there are panels, up to `most`; one on narrow screens."""
        return cls(panels=panels, columns=1 if narrow else max(min(panels, most), 1), left=left, gap=gap, plot=plot)

    @property
    def height(self) -> float:
        """Height of the picture."""
        return -(-self.panels // self.columns) * (_TOP + self.plot + _BOTTOM)

    def plot_width(self, canvas: Canvas) -> float:
        """Width of a panel, without the text left of it."""
        width = float(canvas.figure.get_figwidth()) * 72
        return (width - self.left - _RIGHT - self.gap * (self.columns - 1)) / self.columns

    def axes(self, canvas: Canvas, *, share_x: bool = False, share_y: bool = False) -> list[Any]:
        """Make the axes of every panel, row by row."""
        width = canvas.figure.get_figwidth() * 72
        plot_width = self.plot_width(canvas)
        made: list[Any] = []
        for at in range(self.panels):
            row, column = divmod(at, self.columns)
            x = self.left + column * (plot_width + self.gap)
            y = self.height - row * (_TOP + self.plot + _BOTTOM) - _TOP - self.plot
            box = (x / width, y / self.height, plot_width / width, self.plot / self.height)
            first = made[0] if made else None
            made.append(
                canvas.figure.add_axes(box, sharex=first if share_x else None, sharey=first if share_y else None)
            )
        return made

    def first_column(self, axes: list[Any]) -> list[Any]:
        """Axes of the panels at the left edge."""
        return axes[:: self.columns]


def tidy(axes: Any, title: str) -> None:
    """Set the title, and draw no ticks besides the grid."""
    axes.set_title(title, pad=9)
    axes.tick_params(length=0, pad=5)
    for spine in axes.spines.values():
        spine.set_edgecolor(GRID)


def set_log_ticks(axis: Any, low: float, high: float, subs: tuple[float, ...] = (1.0, 2.0, 5.0)) -> None:
    """Set ticks of a logarithmic axis between two values, both above 0.

    Args:
        axis: Axis of matplotlib.
        low: Lowest value shown.
        high: Highest value shown.
        subs: Ticks in each decade, if the axis spans more than part of one.
    """
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

    short = high < low * _SHORT_SPAN
    axis.set_major_locator(MaxNLocator(5) if short else LogLocator(subs=subs, numticks=12))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))


def number(value: float) -> str:
    """Write a number with three digits, and from 100 up without decimals."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"
