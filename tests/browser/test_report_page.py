"""The page of a report in a real browser: sorting, filtering, narrow and wide, light, dark and on paper."""

import re

import pytest
from browser.webdriver import Browser, why_not
from made_up_reports import SCRIPT, made_up_report

from resemote_edge.benchmarks.report.files import write_report

pytestmark = pytest.mark.skipif(why_not() is not None, reason=str(why_not()))

#: WebDriver's names of keys.
ENTER, SPACE = "\ue007", "\ue00d"

ROWS = "#table-rows tbody tr"
CELLS = """
const [column, shown] = arguments;
const names = [...document.querySelectorAll("#table-rows thead th")].map((cell) => cell.textContent);
const rows = [...document.querySelectorAll("#table-rows tbody tr")].filter((row) => !shown || row.offsetParent);
return rows.map((row) => row.cells[names.indexOf(column)].textContent);
"""
SORTED = """
return [...document.querySelectorAll("#table-rows thead th[aria-sort]")]
  .map((cell) => [cell.textContent, cell.getAttribute("aria-sort")]);
"""


@pytest.fixture(scope="module")
def report():
    return made_up_report()


@pytest.fixture(scope="module")
def path(report, tmp_path_factory):
    return write_report(report, tmp_path_factory.mktemp("page"))["page"]


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with Browser(tmp_path_factory.mktemp("profile")) as made:
        yield made


@pytest.fixture
def page(browser, path):
    browser.look(width=1280)
    browser.open(path)
    yield browser
    assert browser.console() == []


def button(page, column):
    return page.run(
        "return [...document.querySelectorAll('#table-rows thead button')].find((b) => b.textContent === arguments[0])",
        column,
    )


def test_it_opens_without_a_word_and_runs_nobody_elses_script(page, report):
    assert page.run("return document.title").startswith("Partial benchmark of")
    assert page.run(f"return document.querySelectorAll({ROWS!r}).length") == len(report.rows)
    assert SCRIPT in page.run(CELLS, "artifact", False)
    assert page.run("return performance.getEntriesByType('resource').length") == 0


@pytest.mark.parametrize("way", ["pointer", "enter", "space"])
def test_a_column_is_sorted_in_both_directions_with_what_is_missing_last(page, way):
    press = {
        "pointer": page.click,
        "enter": lambda element: page.type(element, ENTER),
        "space": lambda element: page.type(element, SPACE),
    }[way]
    before = page.run(CELLS, "p99 ms", False)
    assert page.run(SORTED) == []

    press(button(page, "p99 ms"))
    up = page.run(CELLS, "p99 ms", False)
    assert page.run(SORTED) == [["p99 ms", "ascending"]]
    press(button(page, "p99 ms"))
    down = page.run(CELLS, "p99 ms", False)
    assert page.run(SORTED) == [["p99 ms", "descending"]]
    assert page.run("return document.querySelector('[role=status]').textContent") == "sorted by p99 ms, descending"
    press(button(page, "p99 ms"))

    assert page.run(CELLS, "p99 ms", False) == before
    assert page.run(SORTED) == []
    figures = sorted(float(text) for text in before if text != "too few")
    assert "too few" not in before[:-1]
    assert [*map(float, up[:-1]), up[-1]] == [*figures, "too few"]
    assert [*map(float, down[:-1]), down[-1]] == [*reversed(figures), "too few"]


def test_words_are_sorted_as_words(page):
    page.click(button(page, "scenario"))
    found = page.run(CELLS, "scenario", False)
    assert found == sorted(found)
    page.click(button(page, "accuracy"))
    assert page.run(SORTED) == [["accuracy", "ascending"]]
    found = page.run(CELLS, "accuracy", False)
    assert found[0] == "65.00 %"
    assert found[-10:] == ["not measured"] * 10


def test_the_filter_leaves_what_was_asked_for(page, report):
    field = page.find(".filter input")
    page.type(field, "camera onnx")
    assert set(page.run(CELLS, "scenario", True)) == {"camera"}
    assert len(page.run(CELLS, "scenario", True)) == 2
    assert page.run("return document.querySelector('[role=status]').textContent") == f"2 of {len(report.rows)} rows"
    page.type(field, " nothing")
    assert page.run(CELLS, "scenario", True) == []
    page.run("arguments[0].value = ''; arguments[0].dispatchEvent(new Event('input', {bubbles: true}))", field)
    assert len(page.run(CELLS, "scenario", True)) == len(report.rows)


def test_a_choice_narrows_and_survives_sorting(page):
    choice = page.run(
        "return [...document.querySelectorAll('.filter label')].find((l) => l.textContent.startsWith('batch '))"
        ".querySelector('select')"
    )
    page.type(choice, "4")
    assert set(page.run(CELLS, "batch", True)) == {"4"}
    page.click(button(page, "p50 ms"))
    assert set(page.run(CELLS, "batch", True)) == {"4"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_is_wider_than_the_window(page, width, scheme):
    page.look(width=width, scheme=scheme)
    assert page.run("return innerWidth") == width
    assert page.run("return document.documentElement.scrollWidth") <= width
    shown = page.run(
        "return ['wide', 'narrow'].map((name) => [...document.querySelectorAll('.' + name)]"
        ".filter((part) => part.offsetParent).length)"
    )
    assert [count > 0 for count in shown] == [width > 720, width <= 720]
    assert page.run("return [...document.querySelectorAll('h1, h2, p, dd')].every((e) => e.scrollWidth <= innerWidth)")


def channel(value):
    share = value / 255
    return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4


def contrast(one, other):
    """As WCAG 2 defines it, of two colours as CSS computes them."""
    light = []
    for colour in (one, other):
        red, green, blue = (channel(float(part)) for part in re.findall(r"[\d.]+", colour)[:3])
        light.append(0.2126 * red + 0.7152 * green + 0.0722 * blue)
    return (max(light) + 0.05) / (min(light) + 0.05)


COLOURS = """
const probe = document.createElement("i");
document.body.append(probe);
const found = arguments[0].map((name) => {
  probe.style.color = `var(--${name})`;
  return getComputedStyle(probe).color;
});
probe.remove();
return found;
"""


def test_text_and_series_can_be_read_in_light_and_in_dark(page):
    texts, series = ["ink", "muted", "accent", "warn"], [f"series-{at}" for at in range(8)]
    found = {}
    for scheme in ("light", "dark"):
        page.look(width=1280, scheme=scheme)
        paper, *colours = page.run(COLOURS, ["paper", *texts, *series])
        assert page.run("return getComputedStyle(document.body).backgroundColor") == paper
        for name, colour in zip(texts, colours, strict=False):
            assert contrast(paper, colour) >= 4.5, (scheme, name)
        # Contrast of what is not text: WCAG 2.2, 1.4.11.
        for name, colour in zip(series, colours[len(texts) :], strict=True):
            assert contrast(paper, colour) >= 3.0, (scheme, name)
        assert len(set(colours)) == len(colours)
        found[scheme] = (paper, *colours)
    assert all(light != dark for light, dark in zip(found["light"], found["dark"], strict=True))


def test_pictures_take_the_colours_of_the_scheme(page):
    fills = []
    for scheme in ("light", "dark"):
        page.look(width=1280, scheme=scheme)
        fills.append(page.run("return getComputedStyle(document.querySelector('#offline .wide text')).fill"))
    assert fills[0] != fills[1]


def test_on_paper_everything_is_there_and_black_on_white(page):
    page.look(width=1280, scheme="dark", media="print")
    paper, ink = page.run(COLOURS, ["paper", "ink"])
    assert (paper, ink) == ("rgb(255, 255, 255)", "rgb(0, 0, 0)")
    shown = "return getComputedStyle(document.querySelector(arguments[0])).display"
    assert [page.run(shown, name) for name in ("nav", ".filter")] == ["none", "none"]
    page.look(width=1280)
    page.run("document.querySelectorAll('details').forEach((part) => { part.open = false; })")
    assert page.paper().startswith(b"%PDF")
    assert page.run("return [...document.querySelectorAll('details')].every((part) => part.open)")


def test_without_its_script_the_page_is_whole(browser, path, report, tmp_path):
    plain = tmp_path / "plain.html"
    plain.write_text(re.sub(r"<script>.*?</script>", "", path.read_text(encoding="utf-8"), flags=re.DOTALL))
    browser.open(plain)
    assert len(browser.run(CELLS, "p50 ms", True)) == len(report.rows)
    assert browser.run("return document.querySelectorAll('button, input, select').length") == 0
