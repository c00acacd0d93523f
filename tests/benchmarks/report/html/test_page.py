"""The page of a report: whole, of itself, and of nothing but text where a name holds markup."""

import base64
import hashlib
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

import msgspec
import pytest
from made_up_reports import FORMULA, SCENARIOS, SCRIPT, made_up_report, nanoseconds, row

from resemote_edge.benchmarks.report.html.page import render_page
from resemote_edge.benchmarks.report.html.pictures.svg import embed_svg
from resemote_edge.errors import InputError
from resemote_edge.machine.energy import Energy, NotMeasured
from resemote_edge.measuring.samples import write_samples

VOID = {"meta", "input", "br", "img", "link"}


@dataclass
class Page:
    """What a browser would make of it, as far as a test asks."""

    tags: list = field(default_factory=list)
    texts: dict = field(default_factory=dict)
    open: list = field(default_factory=list)

    def attributes(self, name):
        return [attributes for tag, attributes in self.tags if tag == name]

    def text(self, tag):
        return "".join(self.texts.get(tag, []))


def parse(html):
    page = Page()

    class Reader(HTMLParser):
        def handle_starttag(self, tag, attrs):
            page.tags.append((tag, dict(attrs)))
            if tag not in VOID:
                page.open.append(tag)

        def handle_startendtag(self, tag, attrs):
            page.tags.append((tag, dict(attrs)))

        def handle_endtag(self, tag):
            assert page.open.pop() == tag

        def handle_data(self, data):
            for tag in page.open:
                page.texts.setdefault(tag, []).append(data)

    reader = Reader()
    reader.feed(html)
    reader.close()
    assert page.open == []
    return page


@pytest.fixture(scope="module")
def html():
    return render_page(made_up_report(), files=["report.json", "report.csv"])


@pytest.fixture(scope="module")
def page(html):
    return parse(html)


def test_it_is_the_same_every_time(html):
    assert render_page(made_up_report(), files=["report.json", "report.csv"]) == html


def test_it_loads_nothing(html, page):
    for tag, attributes in page.tags:
        assert tag not in {"link", "iframe", "img", "object", "embed", "base", "image", "foreignobject"}
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            assert name not in {"src", "srcset", "action", "formaction", "data", "xlink:href", "ping"}
            if name == "href":
                assert value.startswith("#") or value in {"report.json", "report.csv"}
            if "url(" in (value or ""):
                assert re.fullmatch(r".*url\(#[\w-]+\).*", value)
    assert "@import" not in html
    assert "url(" not in page.text("style")
    # The namespace of SVG is a name and not an address. The one in the hostile picture is text.
    rest = html.replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert set(re.findall(r"https?://[^\s&'\"<]*", rest)) <= {"http://example.com/x.png"}


def test_only_its_own_script_may_run(html, page):
    (policy,) = [meta["content"] for meta in page.attributes("meta") if "http-equiv" in meta]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    script = re.search(r"<script>(.*?)</script>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.group(1).encode()).digest()).decode()
    assert rules == {
        "default-src": "'none'", "style-src": "'unsafe-inline'", "script-src": f"'sha256-{digest}'",
        "base-uri": "'none'", "form-action": "'none'",
    }  # fmt: skip
    assert len(page.attributes("script")) == 1


def test_names_are_text_whatever_they_hold(page):
    cells = page.text("table")
    assert SCRIPT in cells
    assert FORMULA in cells
    assert SCRIPT in page.text("title")
    assert "$x$" in page.text("svg")  # it did not become a formula


def test_letters_that_xml_refuses_are_replaced():
    html = render_page(made_up_report(rows=(row("a\x00b\x1b[31m", "openvino", "offline", 1, 2.0),)))
    assert "\x1b" not in parse(html).text("svg")
    assert "\x00" not in parse(html).text("svg")


def test_ids_are_once_on_the_page_and_references_lead_somewhere(page):
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = {attributes["href"][1:] for _, attributes in page.tags if attributes.get("href", "").startswith("#")}
    targets |= {name for _, found in page.tags for name in found.get("aria-labelledby", "").split()}
    clips = {found["clip-path"] for _, found in page.tags if "clip-path" in found}
    targets |= {re.fullmatch(r"url\(#(.*)\)", clip).group(1) for clip in clips}
    assert targets <= set(ids)
    assert clips


def test_every_scenario_has_its_section_and_pictures(page):
    sections = [section["id"] for section in page.attributes("section")]
    assert set(SCENARIOS) <= set(sections)
    assert {"rows", "accuracy", "throughput", "energy", "timer", "not-measured", "environment"} <= set(sections)
    titles = page.text("title")
    for name in SCENARIOS:
        assert f"{name}: p50 and p99" in titles
        assert f"{name}: distribution" in titles
    assert "camera: frames dropped" in titles
    assert "multi-stream: frames late" in titles
    assert "sustained: memory over time" in titles
    assert "Pareto front" in page.text("h3")


def test_what_is_not_measured_says_so(page):
    cells = page.text("td")
    assert "not measured" in cells  # accuracy of one artifact
    assert "too few" in cells  # p99 of 20 calls
    assert f"no GPU {SCRIPT}" in cells
    assert "crash" in cells
    assert "1 failed, 1 cannot run here" in page.text("dd")
    assert "Not measured: no sensor was read." in page.text("p")


def test_a_partial_suite_says_so(page):
    assert "9 of 40 rows are missing" in page.text("p")
    assert "Partial benchmark" in page.text("title")
    assert "A note." in page.text("p")
    state = msgspec.structs.replace(made_up_report().suite, missing=0)
    whole = parse(render_page(made_up_report(rows=(), suite=state)))
    assert "missing" not in whole.text("p")
    assert "suite" in whole.text("dt")
    assert "Partial" not in whole.text("title")


def test_a_report_without_a_row_is_a_page_too():
    page = parse(render_page(made_up_report(rows=(), validity=())))
    assert "No row was measured." in page.text("p")
    assert "crash" in page.text("td")


def test_frames_of_a_report_from_before_scenarios_told_are_neither_lost_nor_late():
    old = row("a", "openvino", "camera", 1, 2.0)
    old = msgspec.structs.replace(old, speed=msgspec.structs.replace(old.speed, outcome=None))
    text = parse(render_page(made_up_report(rows=(old,)))).text("section")
    assert "dropped, in any row" not in text
    none = row("a", "openvino", "camera", 1, 2.0)
    outcome = msgspec.structs.replace(none.speed.outcome, dropped_frames=0, dropped_share=0.0)
    none = msgspec.structs.replace(none, speed=msgspec.structs.replace(none.speed, outcome=outcome))
    text = parse(render_page(made_up_report(rows=(none,)))).text("section")
    assert "No frame was dropped, in any row." in text


def test_samples_beside_the_report_are_drawn_and_those_of_another_refused(tmp_path):
    digest = write_samples(tmp_path / "samples" / "a.npz", {"model_ns": nanoseconds(2.0)})
    kept = row("a", "openvino", "single-stream", 1, 2.0, samples="samples/a.npz")
    kept = msgspec.structs.replace(kept, speed=msgspec.structs.replace(kept.speed, samples_sha256=digest))
    report = made_up_report(rows=(kept,))
    assert "From every sample." in render_page(report, folder=tmp_path)
    assert "its samples are not beside it" in render_page(report, folder=tmp_path / "gone")
    write_samples(tmp_path / "samples" / "a.npz", {"model_ns": nanoseconds(3.0)})
    with pytest.raises(InputError, match="not the samples that the report is of"):
        render_page(report, folder=tmp_path)


def test_rooflines_are_cleaned():
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9" onload="alert(1)"><style>*{fill:red}</style>'
        '<script>alert(1)</script><rect id="a" width="9" height="9" style="fill: #000000" onclick="alert(1)"/>'
        '<image href="http://example.com/x.png"/><a href="javascript:alert(1)"><text>layer</text></a>'
        '<use href="http://example.com/y.svg#a"/><path style="fill: url(http://example.com/z)" d="M0 0"/></svg>'
    )
    report = made_up_report(rows=())
    page = parse(render_page(report, rooflines={SCRIPT: svg}))
    assert "roofline" in [section["id"] for section in page.attributes("section")]
    assert len(page.attributes("script")) == 1
    assert not [name for _, found in page.tags for name in found if name.startswith("on")]
    assert "example.com" not in str(page.tags)
    assert "javascript:" not in str(page.tags)
    assert {"fill: var(--ink)"} <= {rect.get("style") for rect in page.attributes("rect")}
    for text in ("<html></html>", "no XML"):
        with pytest.raises(InputError, match="not SVG"):
            render_page(report, rooflines={"x": text})


def test_energy_is_shown_where_it_was_measured_and_the_reason_elsewhere():
    report = made_up_report(rows=tuple(row(name, "openvino", "single-stream", 1, 2.0) for name in "abc"))
    first, *others = report.rows
    energy = Energy(
        sensor="rapl", rails=(), seconds=3.0, joules=30.0, watts=10.0, idle_watts=4.0, joules_per_inference=0.018,
        joules_per_inference_with_idle=0.03, sample_rate_hz=None,
    )  # fmt: skip
    slowed = ("the CPU's clock limit fell from 2000 to 1000 MHz",)
    speed = msgspec.structs.replace(first.speed, energy=energy, throttled=slowed, did_throttle=True)
    rows = (msgspec.structs.replace(first, speed=speed), *others)
    page = parse(render_page(msgspec.structs.replace(report, rows=rows)))
    assert "0.018" in page.text("td")
    assert "rapl" in page.text("td")
    assert "Energy of one inference" in page.text("title")
    assert f"changed during 1 of {len(rows)} rows: {slowed[0]}" in page.text("dd")
    assert f"yes in 1 of {len(rows)} rows, not known in {len(others)} of {len(rows)} rows" in page.text("dd")
    speed = msgspec.structs.replace(first.speed, energy=NotMeasured("nobody counts"))
    rows = (msgspec.structs.replace(first, speed=speed), *others)
    page = parse(render_page(msgspec.structs.replace(report, rows=rows)))
    assert "Not measured: nobody counts; no sensor was read." in page.text("p")


@pytest.mark.parametrize(
    "drawing",
    [
        '<g id="a0"><path d="M0 0"/></g>'
        + "".join(
            f'<g id="a{at}">{"".join(f"<use href=%s#a{at - 1}%s/>" % (chr(34), chr(34)) * 10)}</g>'
            for at in range(1, 9)
        ),
        '<g id="a"><use href="#a"/></g>',
        '<g id="a"><use href="#b"/></g><g id="b"><use href="#a"/></g>',
        "<g>" * 3000 + "</g>" * 3000,
    ],
    ids=["bomb", "itself", "each other", "deep"],
)
def test_a_drawing_that_would_hang_a_browser_is_refused(drawing):
    with pytest.raises(InputError, match=r"draws .* elements"):
        embed_svg("x", "x", "x", f'<svg xmlns="http://www.w3.org/2000/svg">{drawing}</svg>')
