"""Pictures: matplotlib's drawings as inline SVG whose colours are the page's, in light and in dark.

A drawing uses the placeholder colours `INK`, `MUTED`, `GRID`, `PAPER` and `series_colour`, which are then replaced by
custom properties of the style sheet. Text stays text, in the page's font. Every picture is drawn twice, for wide and
for narrow screens, because letters would be too small on a phone otherwise.
"""

import io
import math
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from resemote_edge.benchmarks.report.html.series import COLOURS, printable
from resemote_edge.errors import InputError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "GRID",
    "INK",
    "MUTED",
    "PAPER",
    "Canvas",
    "Drawing",
    "Picture",
    "draw_picture",
    "embed_svg",
    "series_colour",
]

#: Colours that stand for ``--ink``, ``--muted``, ``--grid`` and ``--paper``.
INK, MUTED, GRID, PAPER = "#010a01", "#010b01", "#010c01", "#fe0dfe"

_PROPERTIES = {INK: "--ink", MUTED: "--muted", GRID: "--grid", PAPER: "--paper"}

#: Colours that drawings from elsewhere use for ink and paper.
_USUAL = {"#000000": "--ink", "#ffffff": "--paper"}

#: Width of a picture in CSS pixels, which a point of matplotlib's is at 72 dots an inch.
WIDE_WIDTH, NARROW_WIDTH = 920, 340

_SETTINGS: dict[str, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "resemote-edge",
    "text.parse_math": False,  # names may hold dollar signs
    "font.family": ["DejaVu Sans"],  # This font comes with matplotlib, so that the layout is the same everywhere.
    "font.size": 11.0,
    "text.color": INK,
    "axes.edgecolor": GRID,
    "axes.labelcolor": MUTED,
    "axes.titlesize": 11.0,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.labelsize": 10.5,
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.unicode_minus": False,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": GRID,
    "ytick.color": GRID,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "xtick.labelsize": 10.5,
    "ytick.labelsize": 10.5,
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
    "lines.solid_capstyle": "round",
}

_SVG = "{http://www.w3.org/2000/svg}"
_HREF = "{http://www.w3.org/1999/xlink}href"
_REFERENCE = re.compile(r"url\(\s*['\"]?#([^)'\"]+)['\"]?\s*\)")
_NUMBER = re.compile(r"-?\d+\.\d{3,}")

_MOST_ELEMENTS = 200_000  # a roofline has some hundred

_NO_TIPS: Mapping[str, str] = {}

#: Elements and attributes allowed in a drawing; none of them can load or run anything.
_TEXT_ELEMENTS = frozenset({"text", "tspan", "title", "desc"})
_ELEMENTS = (
    _TEXT_ELEMENTS
    | {"svg", "g", "defs"}
    | {"path", "use", "rect", "circle", "ellipse", "line", "polyline", "polygon"}
    | {"linearGradient", "radialGradient", "stop", "pattern", "clipPath", "mask", "marker", "symbol"}
)
_ATTRIBUTES = (
    frozenset({"id", "class", "href", "style", "viewBox", "preserveAspectRatio", "transform", "d", "points"})
    | {"x", "y", "x1", "y1", "x2", "y2", "dx", "dy", "cx", "cy", "r", "rx", "ry", "width", "height"}
    | {"fill", "fill-opacity", "fill-rule", "opacity", "offset", "stop-color", "stop-opacity"}
    | {"stroke", "stroke-width", "stroke-opacity", "stroke-linecap", "stroke-linejoin"}
    | {"stroke-miterlimit", "stroke-dasharray", "stroke-dashoffset"}
    | {"clip-path", "clip-rule", "clipPathUnits", "mask", "maskUnits"}
    | {"gradientUnits", "gradientTransform", "patternUnits"}
    | {"markerWidth", "markerHeight", "refX", "refY", "orient"}
    | {"text-anchor", "dominant-baseline", "font-size", "font-weight"}
)


def series_colour(number: int) -> str:
    """Colour that stands for ``--series-NUMBER``."""
    return f"#0e{number % COLOURS:02x}0e"


@dataclass
class Canvas:
    """Canvas that a drawing is made on.

    Attributes:
        figure: Empty figure, sized in CSS pixels over 72.
        narrow: Whether it is for a phone.
        tips: Texts by the group id of the element they explain; use `explain`.
    """

    figure: "Figure"
    narrow: bool
    tips: dict[str, str] = field(default_factory=dict)

    def explain(self, artist: Any, text: str) -> None:
        """Show a text when the pointer rests on an element."""
        name = f"tip-{len(self.tips)}"
        artist.set_gid(name)
        self.tips[name] = printable(text)


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """A drawing to be made.

    Attributes:
        height: Function that gives the height in CSS pixels; told whether the picture is narrow.
        draw: Function that draws it.
    """

    height: Callable[[bool], float]
    draw: Callable[[Canvas], None]


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture as inline SVG.

    Attributes:
        title: Title that says what it shows.
        wide: Version for wide screens and paper.
        narrow: Version for phones; None if they get the wide one, which scrolls in its frame.
    """

    title: str
    wide: str
    narrow: str | None


def draw_picture(name: str, title: str, description: str, drawing: Drawing) -> Picture:
    """Draw a picture for wide and for narrow screens.

    Args:
        name: Name that is unique on the page; begins every id.
        title: Title that says what it shows.
        description: Description of what is to be seen, for those who cannot see it.
        drawing: Drawing to make.

    Raises:
        ImportError: matplotlib is not installed.
    """
    wide, narrow = (
        _draw(f"{name}-{kind}", title, description, drawing, kind == "narrow") for kind in ("wide", "narrow")
    )
    return Picture(title=title, wide=wide, narrow=narrow)


def embed_svg(name: str, title: str, description: str, svg: str) -> Picture:
    """Embed a drawing from elsewhere: active content and links are removed, black and white become ink and paper.

    Raises:
        InputError: The drawing is not SVG.
    """
    return Picture(title=title, wide=_inline(svg, name, (title, description), _PROPERTIES | _USUAL), narrow=None)


def _draw(name: str, title: str, description: str, drawing: Drawing, narrow: bool) -> str:
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with rc_context(_SETTINGS):
        width = NARROW_WIDTH if narrow else WIDE_WIDTH
        canvas = Canvas(Figure(figsize=(width / 72, drawing.height(narrow) / 72)), narrow)
        FigureCanvasSVG(canvas.figure)
        drawing.draw(canvas)
        buffer = io.StringIO()
        with warnings.catch_warnings():
            # The browser draws a name in letters that this font lacks, in a font that has them.
            warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)
            canvas.figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return _inline(buffer.getvalue(), name, (title, description), _PROPERTIES, canvas.tips)


def _inline(
    svg: str, name: str, words: tuple[str, str], properties: dict[str, str], tips: Mapping[str, str] = _NO_TIPS
) -> str:
    """SVG for use in HTML: with unique ids, the page's colours and font, a title and a description."""
    try:
        root = ElementTree.fromstring(svg)
    except ElementTree.ParseError as error:
        raise InputError(f"picture {name!r} is not SVG: {error}") from None
    if root.tag != f"{_SVG}svg":
        raise InputError(f"picture {name!r} is not SVG: its root is {root.tag}")
    _clean(root)
    _refuse_bomb(root, name)
    colours = {**{series_colour(at): f"--series-{at}" for at in range(COLOURS)}, **properties}
    used = _references(root)
    for element in root.iter():
        element.attrib = {
            key: _value(key, value, colours) for key, value in element.attrib.items() if key in _ATTRIBUTES
        }
        _own_id(element, name, used, tips)
    _label(root, name, *words)
    return ElementTree.tostring(root, encoding="unicode")


def _clean(root: ElementTree.Element) -> None:
    """Keep plain names, known elements, and references to the drawing itself."""
    for parent in list(root.iter()):
        for child in list(parent):
            local = child.tag.removeprefix(_SVG) if isinstance(child.tag, str) else ""
            if local not in _ELEMENTS:
                parent.remove(child)
    for element in root.iter():
        element.tag = element.tag.removeprefix(_SVG)
        if element.tag != "tspan":
            element.tail = None
        if element.tag not in _TEXT_ELEMENTS:
            element.text = None
        target = element.attrib.pop(_HREF, None) or element.attrib.pop("href", None)
        if target is not None and target.startswith("#"):
            element.set("href", target)


def _refuse_bomb(root: ElementTree.Element, name: str) -> None:
    """Refuse a drawing whose `use` elements repeat one another until a browser hangs."""
    by_id = {found: element for element in root.iter() if (found := element.get("id")) is not None}
    drawn: dict[ElementTree.Element, float] = {}

    def count(element: ElementTree.Element) -> float:
        if element not in drawn:
            drawn[element] = math.inf  # until it is known, so that an element within itself counts as infinite
            target = by_id.get(element.get("href", "").removeprefix("#"))
            parts = [*element, *([] if target is None else [target])]
            drawn[element] = 1 + sum(map(count, parts))
        return drawn[element]

    try:
        total = count(root)
    except RecursionError:
        total = math.inf
    if total > _MOST_ELEMENTS:
        raise InputError(f"picture {name!r} draws {total:g} elements, and at most {_MOST_ELEMENTS} make sense")


def _references(root: ElementTree.Element) -> set[str]:
    found = set()
    for element in root.iter():
        for key, value in element.attrib.items():
            found |= {value[1:]} if key == "href" else set(_REFERENCE.findall(value))
    return found


def _value(key: str, value: str, colours: dict[str, str]) -> str:
    if key == "style":
        declarations = [part.partition(":") for part in value.split(";") if ":" in part]
        kept = [_declaration(name.strip(), text.strip(), colours) for name, _, text in declarations]
        return "; ".join(part for part in kept if part)
    if key in ("d", "points", "transform", "x", "y"):
        return _NUMBER.sub(lambda number: f"{float(number.group()):.2f}".rstrip("0").rstrip("."), value)
    return _colour(value, colours)


def _declaration(name: str, value: str, colours: dict[str, str]) -> str:
    if name == "font":  # This is size and family in one; the family is the page's.
        size = re.search(r"(\d+(?:\.\d+)?)px", value)
        weight = "; font-weight: 600" if re.search(r"\b(bold|600|700)\b", value) else ""
        return f"font-size: {size.group(1)}px{weight}" if size else ""
    if name == "font-family" or ("url(" in value and not _REFERENCE.fullmatch(value)):
        return ""
    return f"{name}: {_colour(value, colours)}"


def _colour(value: str, colours: dict[str, str]) -> str:
    found = colours.get(value.lower())
    return f"var({found})" if found else value


def _own_id(element: ElementTree.Element, name: str, used: set[str], tips: Mapping[str, str]) -> None:
    """Set ids that begin with the picture's name where they are referred to; drop others; add tips."""
    found = element.attrib.pop("id", None)
    if found in used:
        element.set("id", f"{name}-{found}")
    if found is not None and found in tips:
        tip = ElementTree.Element("title")
        tip.text = tips[found]
        element.insert(0, tip)
        element.set("class", "tip")
    for key, value in element.attrib.items():
        if key == "href":
            element.set(key, f"#{name}-{value[1:]}")
        else:
            element.set(key, _REFERENCE.sub(lambda match: f"url(#{name}-{match.group(1)})", value))


def _label(root: ElementTree.Element, name: str, title: str, description: str) -> None:
    for key in ("width", "height", "id", "style", "class"):
        root.attrib.pop(key, None)
    # In matplotlib's SVG, a style sheet sets this, which would apply to the whole page.
    root.attrib.update({"stroke-linejoin": "round", "stroke-linecap": "butt"})
    root.attrib.update({"role": "img", "aria-labelledby": f"{name}-title {name}-desc"})
    for at, (tag, text) in enumerate((("title", title), ("desc", description))):
        element = ElementTree.Element(tag, {"id": f"{name}-{tag}"})
        element.text = printable(text)
        root.insert(at, element)
