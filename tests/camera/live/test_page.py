"""The live page in a real browser: what it shows, what it never runs, its keys, and what it does without a camera."""

import http.server
import re
import shutil
import threading
import time
import urllib.request
from contextlib import contextmanager
from functools import partial
from itertools import pairwise

import pytest
from contrast import contrast
from drawn_camera import DrawnCamera, Filming
from msgspec.structs import replace

from resemote_edge.camera.live.address import read_address

playwright = pytest.importorskip("playwright.sync_api", reason="the package playwright is not installed")

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium found; on Debian: apt-get install chromium")

SCRIPT = "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>"
CONTROLS = ["pause", "mirror", "full", "help", "least", "words"]
SECONDS_MS = 30_000  # a busy machine takes its time


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])  # root may have no sandbox
        yield browser
        browser.close()


@pytest.fixture
def visit(browser):
    """Open the page of a sink. Whatever the browser has to say, and every request to another place, is an error."""
    contexts, said, asked = [], [], set()

    def opener(address, *, quiet=True, width=1280, **options):
        context = browser.new_context(viewport={"width": width, "height": 800}, is_mobile=width < 600, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(SECONDS_MS)
        if quiet:
            page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.add(request.url.split("/")[2]))
        page.on("websocket", lambda socket: asked.add(socket.url.split("/")[2]))
        page.goto(address)
        opener.asked = asked
        return page

    yield opener
    for context in contexts:
        context.close()
    assert said == []
    assert len({host.rpartition(":")[0] for host in asked}) <= 1


def until(holds):
    """Wait for something that the page computes."""
    end = time.monotonic() + SECONDS_MS / 1000
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def is_live(page):
    playwright.expect(page.locator("#status-text")).to_have_text("Live", timeout=SECONDS_MS)
    playwright.expect(page.locator(".card").first).to_be_visible(timeout=SECONDS_MS)


def colours_of_the_picture(page):
    return page.evaluate(
        """() => {
        const canvas = document.getElementById("picture");
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        const seen = new Set();
        for (let at = 0; at < data.length; at += 4 * 97) seen.add(data.slice(at, at + 3).join());
        return seen.size;
      }"""
    )


def test_it_shows_the_picture_the_faces_and_the_figures_and_asks_nobody_else(live, visit):
    sink = live(notice="Expressions are judged here")
    with Filming(sink, DrawnCamera(2)):
        page = visit(sink.address)
        is_live(page)
        assert page.locator("#source").text_content() == "pattern:// · 640 \u00d7 360"
        assert page.locator(".card h3").all_text_contents() == ["Face 1", "Face 2"]
        assert page.locator(".card").first.locator("li").count() == 7
        assert colours_of_the_picture(page) > 100
        playwright.expect(page.locator("#rate")).to_have_text(re.compile(r"^\d+\.\d$"))
        playwright.expect(page.locator("#age")).to_have_text(re.compile(r"^1\d$"))
        playwright.expect(page.locator("#count")).to_have_text("2")
        assert page.locator("#notice").text_content() == "Expressions are judged here"
        playwright.expect(page.locator("#picture-text")).to_have_text(
            re.compile(r"^Camera picture with 2 faces: face 1")
        )
        assert (
            page.locator(".card canvas").first.get_attribute("aria-label").startswith("Probabilities over the last 30")
        )
        assert visit.asked == {sink.address.split("/")[2]}


def test_every_figure_on_the_page_is_that_of_the_frame(live, visit):
    sink = live()
    page = visit(sink.address)
    playwright.expect(page.locator("#status-text")).to_have_text("Waiting for a frame")
    camera = DrawnCamera(1)
    result, frame = camera.frame(60, decision_age_ms=41.6, dropped={"newer frame": 5, "stale": 2})
    sink.write(result, frame)
    is_live(page)
    (face,) = result.faces
    assert page.locator(".verdict span").all_text_contents() == [
        face.label.capitalize(),
        f"{face.score:.0%}".replace("%", " %"),
    ]
    shown = dict(
        zip(page.locator(".name").all_text_contents(), page.locator(".value").all_text_contents(), strict=True)
    )
    assert shown == {name.capitalize(): f"{round(100 * share)} %" for name, share in face.probabilities.items()}
    assert page.locator("#age").text_content() == "42"
    assert page.locator("#dropped").text_content() == "7"
    assert page.locator("#dropped-note").text_content() == "newer frame: 5, stale: 2"


def test_html_in_a_label_a_notice_or_a_source_is_text(live, visit):
    labels = (SCRIPT, *(f"<b>{name}</b>" for name in "abcdef"))
    sink = live(notice=f"notice {SCRIPT}")
    page = visit(sink.address)
    result, frame = DrawnCamera(1, labels=labels).frame(10, source=f"rtsp://{SCRIPT}")
    sink.write(result, frame)
    is_live(page)
    assert SCRIPT.capitalize() in page.locator(".name").all_text_contents()
    assert page.locator("#notice").text_content() == f"notice {SCRIPT}"
    page.fill("#words", f"typed {SCRIPT}")
    assert page.locator("#notice").text_content() == f"notice {SCRIPT} · typed {SCRIPT}"
    assert SCRIPT in page.locator("#source").text_content()
    assert page.locator("main b, main script, main .cards img, .notice img").count() == 4  # the four figures
    assert page.title() == "Live expressions · resemote-edge"


def test_all_controls_are_reached_and_worked_with_the_keyboard_alone(live, visit):
    sink = live()
    with Filming(sink, DrawnCamera(1)):
        page = visit(sink.address)
        is_live(page)
        reached = []
        for _ in range(9):
            page.keyboard.press("Tab")
            reached.append(page.evaluate("document.activeElement.id || document.activeElement.className"))
        assert reached[0] == "skip"
        assert reached[1:7] == CONTROLS
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        page.locator("#mirror").focus()
        page.keyboard.press("Space")
        assert page.locator("#mirror").get_attribute("aria-pressed") == "true"
        page.locator("#least").focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowRight")
        assert page.locator("#least-text").text_content() == "10 %"
        page.locator("#words").focus()
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid", outline
        page.keyboard.type("pmf?")  # words, not commands
        assert page.locator("#notice").text_content() == "pmf?"
        assert page.locator("#pause").get_attribute("aria-pressed") == "false"
        page.keyboard.press("Escape")


def test_shortcuts_are_listed_work_and_can_be_switched_off(live, visit):
    sink = live()
    with Filming(sink, DrawnCamera(1)):
        page = visit(sink.address)
        is_live(page)

        def pressed(name):
            return page.locator(f"#{name}").get_attribute("aria-pressed")

        page.keyboard.press("m")
        assert pressed("mirror") == "true"
        for _ in range(3):
            page.keyboard.press("]")
        page.keyboard.press("[")
        assert page.locator("#least-text").text_content() == "10 %"
        page.keyboard.press("n")
        assert page.evaluate("document.activeElement.id") == "words"
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press("?")
        dialog = page.locator("#keys")
        assert dialog.is_visible()
        assert page.locator("#keys kbd").all_text_contents() == ["P", "M", "[", "]", "N", "F", "?"]
        page.keyboard.press("m")
        assert pressed("mirror") == "true"  # the dialog has the keyboard
        page.uncheck("#shortcuts")
        page.keyboard.press("Escape")
        assert not dialog.is_visible()
        page.keyboard.press("p")
        assert pressed("pause") == "false"


def test_what_was_chosen_is_kept(live, visit):
    sink = live()
    sink.write(*DrawnCamera(1).frame(0))
    page = visit(sink.address)
    is_live(page)
    page.click("#mirror")
    page.fill("#words", "Good morning")
    page.reload()
    is_live(page)
    assert page.locator("#mirror").get_attribute("aria-pressed") == "true"
    assert page.locator("#notice").text_content() == "Good morning"


def test_mirrored_the_picture_is_turned_and_the_words_are_not(live, visit):
    sink = live()
    result, frame = DrawnCamera(0).frame(0)
    frame.pixels[:, :320] = (0, 0, 255)
    frame.pixels[:, 320:] = (255, 0, 0)
    sink.write(result, frame)
    page = visit(sink.address)
    playwright.expect(page.locator("#status-text")).to_have_text("Live")
    left = """() => {
      const canvas = document.getElementById("picture");
      const copy = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
      copy.drawImage(canvas, canvas.width * 0.2, canvas.height / 2, 1, 1, 0, 0, 1, 1);
      return [...copy.getImageData(0, 0, 1, 1).data].slice(0, 3);
    }"""
    # Not wait_for_function, whose polls use eval: the page forbids it.
    until(lambda: page.evaluate(left)[0] > 200)
    page.click("#mirror")
    until(lambda: page.evaluate(left)[0] < 50)
    assert page.evaluate(left)[2] > 200


def test_below_the_lowest_score_nothing_is_named(live, visit):
    sink = live()
    result, frame = DrawnCamera(1).frame(60)
    sink.write(result, frame)
    page = visit(sink.address)
    is_live(page)
    score = result.faces[0].score * 100
    verdict = page.locator(".verdict span").first
    page.locator("#least").fill(str(5 * int(score // 5)))
    assert verdict.text_content() == result.faces[0].label.capitalize()
    page.locator("#least").fill(str(5 * int(score // 5) + 5))
    assert verdict.text_content() == "Unsure"


def test_paused_it_is_sent_nothing(live, visit):
    sink = live()

    def sent():
        with urllib.request.urlopen(f"{sink.address}metrics") as answer:
            return float(re.search(r'camera_sent_total\{kind="page"\} (\S+)', answer.read().decode())[1])

    with Filming(sink, DrawnCamera(1)):
        page = visit(sink.address)
        is_live(page)
        page.click("#pause")
        playwright.expect(page.locator("#status-text")).to_have_text("Paused")
        time.sleep(0.5)
        before = sent()
        time.sleep(1.0)
        assert sent() == before
        page.click("#pause")
        playwright.expect(page.locator("#status-text")).to_have_text("Live")
        page.wait_for_timeout(500)
        assert sent() > before


def test_a_lost_connection_is_told_and_taken_up_again(live, visit):
    sink = live()
    address = sink.name
    sink.write(*DrawnCamera(1).frame(0))
    page = visit(sink.address, quiet=False)  # the browser reports that nobody is there
    is_live(page)
    sink.close()
    status = page.locator("#status-text")
    playwright.expect(status).to_have_text(re.compile(r"^Connection lost\. Trying again in \d+ s$"))
    assert page.locator("#curtain").is_visible()
    assert page.locator("#state").text_content().startswith("Connection lost")
    again = live(address)
    again.write(*DrawnCamera(1, session="another").frame(0))
    is_live(page)
    assert not page.locator("#curtain").is_visible()


def test_a_silent_camera_is_told(live, visit):
    sink = live()
    sink.write(*DrawnCamera(1).frame(0))
    page = visit(sink.address)
    is_live(page)
    playwright.expect(page.locator("#status-text")).to_have_text(
        re.compile(r"^No frame for \d+ s$"), timeout=SECONDS_MS
    )


def test_a_face_that_left_is_gone_after_a_moment(live, visit):
    sink = live()
    page = visit(sink.address)
    playwright.expect(page.locator("#status-text")).to_have_text("Waiting for a frame")
    sink.write(*DrawnCamera(2).frame(0))
    is_live(page)
    with Filming(sink, DrawnCamera(0), rate=10):
        playwright.expect(page.locator(".card")).to_have_count(0, timeout=SECONDS_MS)
    assert page.locator("#empty").is_visible()
    playwright.expect(page.locator("#picture-text")).to_have_text("Camera picture without a face.")


def test_a_screen_reader_is_told_of_changes_at_a_bearable_rate(live, visit):
    sink = live()
    page = visit(sink.address)
    page.evaluate(
        """() => {
        const place = document.getElementById("announcements");
        window.told = [];
        new MutationObserver(() => told.push([performance.now(), place.textContent]))
          .observe(place, { childList: true, characterData: true, subtree: true });
      }"""
    )
    camera = DrawnCamera(1)
    base = camera.frame(60)[0].faces[0]
    for number in range(70):  # another expression every 100 ms
        label = ("happy", "sad", "anger")[number % 3]
        result, frame = camera.frame(number, faces=(replace(base, label=label, score=0.9),))
        sink.write(result, frame)
        time.sleep(0.1)
    told = page.evaluate("told")
    assert 1 <= len(told) <= 3
    assert all(re.fullmatch(r"Face 1: (happy|sad|anger)\.", words) for _, words in told)
    assert all(later[0] - earlier[0] >= 4900 for earlier, later in pairwise(told))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 800, 1280])
def test_nothing_is_wider_than_the_window(live, visit, width, scheme):
    sink = live(notice="A notice that is long enough to need a second line on every telephone that there is")
    sink.write(*DrawnCamera(3).frame(60, source="rtsp://camera.example/" + "long/" * 30))
    page = visit(sink.address, width=width, color_scheme=scheme)
    is_live(page)
    assert page.evaluate("innerWidth") == width
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    small = page.evaluate(
        "[...document.querySelectorAll('button, input')].filter((e) => e.offsetParent && e.clientHeight < 24).length"
    )
    assert small == 0


def test_words_and_colours_can_be_read_in_light_and_in_dark(live, visit):
    page = visit(live().address)
    names = ["ink", "muted", "accent", "good", "warn", "bad"]
    expressions = ["happy", "surprise", "sad", "anger", "disgust", "fear", "neutral", "other-0", "other-1", "other-2"]
    script = """(names) => {
      const probe = document.createElement("i");
      document.body.append(probe);
      const found = names.map((name) => {
        probe.style.color = `var(--${name})`;
        return getComputedStyle(probe).color;
      });
      probe.remove();
      return found;
    }"""
    found = {}
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        paper, raised, sunken, *colours = page.evaluate(script, ["paper", "raised", "sunken", *names, *expressions])
        for name, colour in zip([*names, *expressions], colours, strict=True):
            assert min(contrast(paper, colour), contrast(raised, colour)) >= 4.5, (scheme, name)
        for name, colour in zip(expressions, colours[len(names) :], strict=True):
            assert contrast(sunken, colour) >= 3.0, (scheme, name)
        assert len(set(colours)) == len(colours)
        found[scheme] = colours
    assert all(light != dark for light, dark in zip(found["light"], found["dark"], strict=True))


@pytest.mark.parametrize(("wish", "least", "most"), [("reduce", 2, 4), ("no-preference", 6, 25)])
def test_who_wants_less_motion_gets_less(live, visit, wish, least, most):
    sink = live()
    with Filming(sink, DrawnCamera(1)):
        page = visit(sink.address, reduced_motion=wish)
        is_live(page)
        changes = page.evaluate(
            """() => new Promise((done) => {
            let count = 0;
            const strip = document.querySelector(".card canvas");
            new MutationObserver(() => { count += 1; }).observe(strip, { attributeFilter: ["aria-label"] });
            setTimeout(() => done(count), 3000);
          })"""
        )
    assert least <= changes <= most
    assert (page.locator(".spinner").evaluate("(e) => getComputedStyle(e).animationName") == "none") == (
        wish == "reduce"
    )


def test_the_token_is_gone_from_the_address_and_out_of_reach_of_scripts(live, visit):
    sink = live("live://127.0.0.2:0")
    sink.write(*DrawnCamera(1).frame(0))
    page = visit(sink.address_with_token)
    is_live(page)
    token = sink.address_with_token.partition("=")[2]
    assert page.url == sink.address
    assert page.evaluate("document.cookie") == ""
    assert token not in page.evaluate("performance.getEntries().map((entry) => entry.name).join() + document.referrer")
    page.reload()
    is_live(page)


def test_without_the_token_the_page_says_what_to_do_and_takes_it(live, visit):
    sink = live("live://127.0.0.2:0")
    sink.write(*DrawnCamera(1).frame(0))
    page = visit(sink.address, quiet=False)  # the browser reports the 401
    assert page.locator("h1").text_content() == "This page needs its token"
    page.fill("input[name=token]", sink.address_with_token.partition("=")[2])
    page.keyboard.press("Enter")
    is_live(page)
    assert page.url == sink.address


def test_another_token_after_a_restart_is_told(live, visit):
    sink = live("live://127.0.0.2:0")
    sink.write(*DrawnCamera(1).frame(0))
    page = visit(sink.address_with_token, quiet=False)
    is_live(page)
    address = sink.name
    sink.close()
    live(address)
    playwright.expect(page.locator("#status-text")).to_have_text(
        re.compile("A new token is needed"), timeout=SECONDS_MS
    )


@contextmanager
def another_site(tmp_path, html):
    (tmp_path / "index.html").write_text(html)
    handler = partial(_Quiet, directory=tmp_path)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def test_a_page_of_another_site_gets_nothing(live, visit, tmp_path):
    sink = live()
    sink.write(*DrawnCamera(1).frame(0))
    port = read_address(sink.name).port
    script = """(address) => new Promise((done) => {
      const socket = new WebSocket(address.replace("http", "ws") + "frames");
      socket.onopen = () => done("open"); socket.onerror = () => done("refused"); })"""
    picture = """(address) => new Promise((done) => {
      const image = new Image();
      image.onload = () => done("shown"); image.onerror = () => done("refused");
      image.src = address + "page/icon.svg"; })"""
    read = "(address) => fetch(address + 'state.json').then(() => 'read', () => 'refused')"
    with another_site(tmp_path, "<title>elsewhere</title>") as elsewhere:
        page = visit(elsewhere, quiet=False)
        assert [page.evaluate(one, sink.address) for one in (script, picture, read)] == ["refused"] * 3
    own = visit(sink.address)
    assert own.evaluate(script, f"http://127.0.0.1:{port}/") == "open"
    assert own.evaluate(picture, f"http://127.0.0.1:{port}/") == "shown"


def test_a_link_on_another_site_opens_the_page(live, visit, tmp_path):
    sink = live("live://127.0.0.2:0")
    sink.write(*DrawnCamera(1).frame(0))
    with another_site(tmp_path, f'<a href="{sink.address_with_token}">camera</a>') as elsewhere:
        page = visit(elsewhere.replace("127.0.0.1", "localhost"), quiet=False)
        page.click("a")
        is_live(page)
        assert page.url == sink.address
        visit.asked.clear()
