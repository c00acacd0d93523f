"""The roofline: a point per layer, readable labels, colours that a page can change."""

from xml.etree import ElementTree

import pytest
from made_up_explanations import explanation, layer
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Annotation

from resemote_edge.benchmarks.explain.label_places import place_labels
from resemote_edge.benchmarks.explain.roofline import write_roofline
from resemote_edge.benchmarks.report.html.pictures.svg import INK, embed_svg

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def found():
    return explanation(
        layer("conv", mega_multiply_adds=200, activation_bytes=500_000),
        layer("fc", megabytes=8, mega_multiply_adds=4, times_floor=1.5),
        layer("quantized", megabytes=1, mega_multiply_adds=100, precision="int8"),
        layer("promised otherwise", megabytes=1, mega_multiply_adds=1, promised="int8"),
        layer("tiny", megabytes=0.001, mega_multiply_adds=0.001, times_floor=50),
        layer("without bytes", mega_multiply_adds=1, activation_bytes=None),
        layer("fused into another", mega_multiply_adds=1, times_floor=0.0),
    )


@pytest.fixture
def draw(tmp_path):
    """Draw an explanation; the SVG."""

    def drawn(explanation):
        write_roofline(explanation, tmp_path / "a.png", tmp_path / "a.svg")
        return (tmp_path / "a.svg").read_text()

    return drawn


def words(svg):
    """Lines of text in the drawing."""
    root = ElementTree.fromstring(svg)
    return [" ".join("".join(node.itertext()).split()) for node in root.iter(f"{SVG}text")]


def test_layers_that_matter_are_named_and_roofs_too(found, draw):
    text = words(draw(found))
    for word in ("conv 56 %", "fc 34 %", "quantized 7 %", "promised otherwise 3 %"):
        assert word in text
    assert not [word for word in text if word.startswith(("tiny", "without", "fused"))]
    assert "memory 10.0 GB/s" in text
    for word in ("fp32", "200 G/s", "int8", "800 G/s", "ran in int8", "not as promised"):
        assert word in text
    assert "bf16" not in text  # no roof that was not measured


def test_every_layer_with_bytes_and_time_is_a_point(found, draw):
    root = ElementTree.fromstring(draw(found))
    points = [group.get("id") for group in root.iter(f"{SVG}g") if group.get("id", "").startswith("roofline-")]
    assert points == [f"roofline-{name}" for name in ("conv", "fc", "quantized", "promised_otherwise", "tiny")]


def test_a_page_shows_it_in_its_own_ink_and_paper(found, draw):
    svg = draw(found)
    assert "<style" in svg  # of matplotlib, for the whole document
    assert 'fill: #ffffff"' in svg
    page = embed_svg("x", "x", "x", svg).wide
    assert "<style" not in page
    for colour in (INK, "#ffffff", "#000000"):
        assert colour not in page
    root = ElementTree.fromstring(page)
    texts = [node.get("style") for node in root.iter("text") if "G operations/s" in "".join(node.itertext())]
    assert texts
    assert all("fill: var(--ink)" in style for style in texts)
    assert "fill: var(--paper)" in page


def test_the_same_explanation_gives_the_same_drawing(found, draw):
    assert draw(found) == draw(found)


def test_pictures_are_written_whole(found, draw, tmp_path):
    assert draw(found).endswith("</svg>\n")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert len(list(tmp_path.iterdir())) == 2


def test_nothing_to_draw_is_drawn_all_the_same(draw):
    nothing = explanation(layer("a", megabytes=1, activation_bytes=None))
    assert "memory 10.0 GB/s" in words(draw(nothing))


def test_labels_cover_neither_each_other_nor_points():
    figure = Figure(figsize=(8, 5), dpi=100)
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set_xlim(0, 10)
    axes.set_ylim(0, 10)
    circles = [(5 + 0.1 * step, 5 + 0.15 * (step % 3), 6.0) for step in range(9)]
    place_labels(axes, [(f"layer {x:.1f}", x, y) for x, y, _ in circles], circles, [], "black")
    labels = [child for child in axes.get_children() if isinstance(child, Annotation)]
    assert len(labels) >= 7
    figure.draw_without_rendering()
    from matplotlib.text import Text

    boxes = [Text.get_window_extent(label) for label in labels]
    for index, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[index + 1 :])
        for x, y, _ in circles:
            assert not box.contains(*axes.transData.transform((x, y)))
