"""Labels of points in a picture, placed so that none covers another or a point.

The package adjustText was tried on the same rooflines. Of 18 labels it left some on top of points, and this module
left none.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Annotation
    from matplotlib.transforms import Bbox

__all__ = ["place_labels"]

# Directions from a point to its label, as (horizontal, vertical), in the order in which they are tried.
_DIRECTIONS = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1))

_ALIGNED = {1: "left", 0: "center", -1: "right"}, {1: "bottom", 0: "center", -1: "top"}

#: Distances from the edge of a point, in points of print; beyond the first, a line leads to it.
_DISTANCES = (3.0, 14.0, 26.0, 40.0)

_STEPS = 12


def place_labels(
    axes: "Axes",
    labels: Iterable[tuple[str, float, float]],
    circles: Iterable[tuple[float, float, float]],
    taken: Iterable["Bbox"],
    color: str,
) -> None:
    """Write labels beside their points, each in the first free place; one without a free place is left out.

    Args:
        axes: Axes of a figure that has been laid out.
        labels: Text of each label, and its point in data coordinates, most important first.
        circles: Points, all of them: place in data coordinates and radius in points of print.
        taken: Boxes of whatever else must stay readable, in pixels.
        color: Colour of the text.
    """
    from matplotlib.transforms import Bbox

    scale = axes.get_figure().dpi / 72  # type: ignore[union-attr]
    radii = {(x, y): radius for x, y, radius in circles}
    used = list(taken)
    for (x, y), radius in radii.items():
        left, bottom = axes.transData.transform((x, y)) - radius * scale
        used.append(Bbox.from_bounds(left, bottom, 2 * radius * scale, 2 * radius * scale))
    frame = axes.get_window_extent()
    placed: list[Bbox] = []
    for text, x, y in labels:
        found = _placed(axes, text, (x, y), radii[x, y], used=[*used, *placed], labels=placed, frame=frame, color=color)
        placed += [] if found is None else [found]


def _placed(
    axes: "Axes",
    text: str,
    point: tuple[float, float],
    radius: float,
    *,
    used: list["Bbox"],
    labels: list["Bbox"],
    frame: "Bbox",
    color: str,
) -> "Bbox | None":
    for distance in _DISTANCES:
        for across, up in _DIRECTIONS:
            reach = (radius + distance) * (0.71 if across and up else 1.0)
            label: Annotation = axes.annotate(
                text,
                point,
                xytext=(across * reach, up * reach),
                textcoords="offset points",
                ha=_ALIGNED[0][across],
                va=_ALIGNED[1][up],
                fontsize=8,
                color=color,
                arrowprops=None
                if distance == _DISTANCES[0]
                else {"arrowstyle": "-", "color": color, "linewidth": 0.6, "shrinkA": 1.0, "shrinkB": radius},
            )
            label.set_in_layout(False)
            box = _text_box(label)
            inside = frame.x0 < box.x0 and box.x1 < frame.x1 and frame.y0 < box.y0 and box.y1 < frame.y1
            line = _between(axes.transData.transform(point), box)
            crosses = any(other.contains(*place) for other in labels for place in line)
            if inside and not crosses and not any(box.overlaps(other) for other in used):
                return box
            label.remove()
    return None


def _between(point: NDArray[Any], box: "Bbox") -> list[tuple[float, float]]:
    """Places on the line from a point to the nearest place of a label, in pixels."""
    end = (min(max(point[0], box.x0), box.x1), min(max(point[1], box.y0), box.y1))
    shares = [step / _STEPS for step in range(_STEPS)]
    return [(point[0] + (end[0] - point[0]) * share, point[1] + (end[1] - point[1]) * share) for share in shares]


def _text_box(label: "Annotation") -> "Bbox":
    """Box of the text alone: an annotation's own extent includes its line."""
    from matplotlib.text import Text

    label.update_positions(label.get_figure().canvas.get_renderer())  # type: ignore[union-attr]
    return Text.get_window_extent(label)
