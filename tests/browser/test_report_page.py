"""The page of a report in a real browser: sorting, filtering, narrow and wide, light, dark and on paper."""

import re
import shutil

import pytest
from contrast import contrast
from made_up_reports import SCRIPT, made_up_report

from resemote_edge.benchmarks.report.files import write_report

playwright = pytest.importorskip("playwright.sync_api", reason="the package playwright is not installed")

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium found; on Debian: apt-get install chromium")

CELLS = """([column, shown]) => {
  const names = [...document.querySelectorAll("#table-rows thead th")].map((cell) => cell.textContent);
  const rows = [...document.querySelectorAll("#table-rows tbody tr")].filter((row) => !shown || row.offsetParent);
  return rows.map((row) => row.cells[names.indexOf(column)].textContent);
}"""
SORTED = """() => [...document.querySelectorAll("#table-rows thead th[aria-sort]")]
  .map((cell) => [cell.textContent, cell.getAttribute("aria-sort")])"""


@pytest.fixture(scope="module")
def report():
    return made_up_report()


@pytest.fixture(scope="module")
def path(report, tmp_path_factory):
    return write_report(report, tmp_path_factory.mktemp("page"))["page"]


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])  # root may have no sandbox
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser, path):
    """Open the report, or another file; whatever the browser has to say about it is an error."""
    opened, said = [], []

    def opener(file=path, width=1280, **options):
        page = browser.new_page(viewport={"width": width, "height": 900}, is_mobile=width < 600, **options)
        opened.append(page)
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(file.as_uri())
        return page

    yield opener
    for page in opened:
        page.close()
    assert said == []


@pytest.fixture
def page(open_page):
    return open_page()


def cells(page, column, shown=False):
    return page.evaluate(CELLS, [column, shown])


def button(page, column):
    return page.locator("#table-rows thead button").filter(has_text=re.compile(f"^{column}$"))


def status(page):
    return page.locator("[role=status]").first.text_content()


def test_it_opens_without_a_word_and_runs_nobody_elses_script(page, report):
    assert page.title().startswith("Partial benchmark of")
    assert page.locator("#table-rows tbody tr").count() == len(report.rows)
    assert SCRIPT in cells(page, "artifact")
    assert page.evaluate("performance.getEntriesByType('resource').length") == 0


@pytest.mark.parametrize("way", ["pointer", "Enter", "Space"])
def test_a_column_is_sorted_in_both_directions_with_what_is_missing_last(page, way):
    def press():
        if way == "pointer":
            button(page, "p99 ms").click()
        else:
            button(page, "p99 ms").press(way)

    before = cells(page, "p99 ms")
    assert page.evaluate(SORTED) == []

    press()
    up = cells(page, "p99 ms")
    assert page.evaluate(SORTED) == [["p99 ms", "ascending"]]
    press()
    down = cells(page, "p99 ms")
    assert page.evaluate(SORTED) == [["p99 ms", "descending"]]
    assert status(page) == "sorted by p99 ms, descending"
    press()

    assert cells(page, "p99 ms") == before
    assert page.evaluate(SORTED) == []
    figures = sorted(float(text) for text in before if text != "too few")
    assert "too few" not in before[:-1]
    assert [*map(float, up[:-1]), up[-1]] == [*figures, "too few"]
    assert [*map(float, down[:-1]), down[-1]] == [*reversed(figures), "too few"]


def test_words_are_sorted_as_words(page):
    button(page, "scenario").click()
    found = cells(page, "scenario")
    assert found == sorted(found)
    button(page, "accuracy").click()
    assert page.evaluate(SORTED) == [["accuracy", "ascending"]]
    found = cells(page, "accuracy")
    assert found[0] == "65.00 %"
    assert found[-10:] == ["not measured"] * 10


def test_the_filter_leaves_what_was_asked_for(page, report):
    field = page.locator(".filter input").first
    field.press_sequentially("camera onnx")
    assert cells(page, "scenario", shown=True) == ["camera", "camera"]
    assert status(page) == f"2 of {len(report.rows)} rows"
    field.press_sequentially(" nothing")
    assert cells(page, "scenario", shown=True) == []
    field.fill("")
    assert len(cells(page, "scenario", shown=True)) == len(report.rows)


def test_a_choice_narrows_and_survives_sorting(page):
    page.locator(".filter label").filter(has_text=re.compile("^batch ")).locator("select").select_option("4")
    assert set(cells(page, "batch", shown=True)) == {"4"}
    button(page, "p50 ms").click()
    assert set(cells(page, "batch", shown=True)) == {"4"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_is_wider_than_the_window(open_page, width, scheme):
    page = open_page(width=width, color_scheme=scheme)
    assert page.evaluate("innerWidth") == width
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    shown = page.evaluate(
        "['wide', 'narrow'].map((name) => [...document.querySelectorAll('.' + name)]"
        ".filter((part) => part.offsetParent).length)"
    )
    assert [count > 0 for count in shown] == [width > 720, width <= 720]
    assert page.evaluate("[...document.querySelectorAll('h1, h2, p, dd')].every((e) => e.scrollWidth <= innerWidth)")


COLOURS = """(names) => {
  const probe = document.createElement("i");
  document.body.append(probe);
  const found = names.map((name) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  });
  probe.remove();
  return found;
}"""


def computed(page, selector, key):
    return page.locator(selector).first.evaluate("(element, key) => getComputedStyle(element)[key]", key)


def test_text_and_series_can_be_read_in_light_and_in_dark(page):
    texts, series = ["ink", "muted", "accent", "warn"], [f"series-{at}" for at in range(8)]
    found = {}
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        paper, *colours = page.evaluate(COLOURS, ["paper", *texts, *series])
        assert computed(page, "body", "backgroundColor") == paper
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
        page.emulate_media(color_scheme=scheme)
        fills.append(computed(page, "#offline .wide text", "fill"))
    assert fills[0] != fills[1]


def test_on_paper_everything_is_there_and_black_on_white(page):
    page.emulate_media(color_scheme="dark", media="print")
    assert page.evaluate(COLOURS, ["paper", "ink"]) == ["rgb(255, 255, 255)", "rgb(0, 0, 0)"]
    assert [computed(page, name, "display") for name in ("nav", ".filter")] == ["none", "none"]
    page.emulate_media(color_scheme="light", media="null")
    page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = false; })")
    assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF")
    assert page.evaluate("[...document.querySelectorAll('details')].every((part) => part.open)")


def test_without_its_script_the_page_is_whole(open_page, path, report, tmp_path):
    plain = tmp_path / "plain.html"
    plain.write_text(re.sub(r"<script>.*?</script>", "", path.read_text(encoding="utf-8"), flags=re.DOTALL))
    page = open_page(plain)
    assert len(cells(page, "p50 ms", shown=True)) == len(report.rows)
    assert page.locator("button, input, select").count() == 0
