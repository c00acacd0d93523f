"""Clients: what they get, in which order, and that a slow or dead one harms nobody."""

import asyncio
import gc
import io
import re
import socket
import time
from contextlib import suppress

import aiohttp
import msgspec
import numpy as np
import pytest
from drawn_camera import DrawnCamera, Filming
from PIL import Image

from resemote_edge.camera.live.address import read_address
from resemote_edge.camera.live.jpeg import jpeg_encoder
from resemote_edge.camera.live.message import LiveMessage, pack, unpack
from resemote_edge.camera.results import FrameResult
from resemote_edge.errors import InputError
from resemote_edge.vision.frame import Frame


def gray_of(jpeg):
    """The gray of a picture that has one colour."""
    return int(np.asarray(Image.open(io.BytesIO(jpeg)).convert("L")).mean().round())


def gray_frame(number, width=160, height=96):
    result, _ = DrawnCamera(0, width=width, height=height).frame(number)
    return result, Frame(np.full((height, width, 3), number % 256, np.uint8), "bgr")


def metric(text, name):
    found = re.search(rf"^{re.escape('resemote_edge_camera_' + name)} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


async def take(page, count, *, wait=0.0):
    """Messages of a page that acknowledges each."""
    taken = []
    for _ in range(count):
        message, jpeg = unpack(await page.receive_bytes(timeout=20))
        taken.append((message, jpeg))
        await asyncio.sleep(wait)
        await page.send_str(f"ack {message.sequence}")
    return taken


def test_a_message_is_what_was_packed():
    result, _ = DrawnCamera().frame(7)
    message = LiveMessage(sequence=3, notice="Grüße", result=result)
    content = pack(message, b"jpeg")
    assert int.from_bytes(content[:4], "big") == len(content) - 4 - len(b"jpeg")
    assert unpack(content) == (message, b"jpeg")


def test_picture_and_result_are_of_the_same_frame(live, talk):
    sink = live()

    async def watching(session):
        async with session.ws_connect(sink.address + "frames") as page:
            return await take(page, 15)

    with Filming(sink, type("Gray", (), {"frame": staticmethod(lambda number, rate: gray_frame(number))})()):
        taken = talk(watching)
    numbers = [message.result.frame for message, _ in taken]
    assert numbers == sorted(set(numbers))
    assert [gray_of(jpeg) for _, jpeg in taken] == [number % 256 for number in numbers]


def test_a_page_gets_the_next_frame_only_after_it_acknowledged_and_then_the_newest(live, talk, get):
    sink = live()

    async def watching(session):
        async with session.ws_connect(sink.address + "frames") as page:
            sink.write(*gray_frame(0))
            first, jpeg = unpack(await page.receive_bytes())
            for number in range(1, 50):
                sink.write(*gray_frame(number))
            with pytest.raises(asyncio.TimeoutError):
                await page.receive_bytes(timeout=0.5)
            await page.send_str(f"ack {first.sequence}")
            ((last, _),) = await take(page, 1)
            await asyncio.sleep(0.3)
            return first, jpeg, last

    first, jpeg, last = talk(watching)
    assert (first.result.frame, gray_of(jpeg)) == (0, 0)
    assert last.result.frame == 49
    text = get(sink, "metrics")[1]
    assert metric(text, 'skipped_total{kind="page"}') == 48


def test_a_page_that_pauses_gets_nothing_until_it_goes_on(live, talk):
    sink = live(stall_seconds=0.5)

    async def watching(session):
        async with session.ws_connect(sink.address + "frames") as page:
            sink.write(*gray_frame(0))
            await take(page, 1)
            await page.send_str("pause")
            await asyncio.sleep(0.3)
            sink.write(*gray_frame(1))
            with pytest.raises(asyncio.TimeoutError):
                await page.receive_bytes(timeout=1.0)
            await page.send_str("resume")
            return await take(page, 1)

    ((message, _),) = talk(watching)
    assert message.result.frame == 1


@pytest.mark.parametrize("words", ["ack 99", "hello", "", "x" * 100, b"ack 1"])
def test_what_is_not_in_the_protocol_ends_the_connection(live, talk, words):
    sink = live()
    sink.write(*gray_frame(0))

    async def talking(session):
        async with session.ws_connect(sink.address + "frames") as page:
            await page.receive_bytes()
            await (page.send_bytes if isinstance(words, bytes) else page.send_str)(words)
            answer = await page.receive(timeout=20)
            return answer.type, page.close_code

    kind, code = talk(talking)
    assert kind is aiohttp.WSMsgType.CLOSE
    assert code == (1009 if len(words) > 64 else 1008)


async def watch(session, sink, until):
    """Number of frames that a page takes until a moment."""
    async with session.ws_connect(sink.address + "frames") as page:
        count = 0
        while time.monotonic() < until:
            await take(page, 1)
            count += 1
        return count


class Both:
    """Two sinks that are given the same."""

    def __init__(self, *sinks):
        self._sinks = sinks

    def write(self, result, picture):
        for sink in self._sinks:
            sink.write(result, picture)


@pytest.mark.parametrize(("clients", "seconds"), [(5, 2.0), pytest.param(20, 5.0, marks=pytest.mark.slow)])
def test_a_stalled_client_does_not_slow_the_others(live, talk, clients, seconds):
    # Both are watched at the same time, since other work on this machine comes and goes.
    free, burdened = live(stall_seconds=30.0), live(stall_seconds=30.0)

    async def watching(session):
        async with session.ws_connect(burdened.address + "frames") as stalled:
            await stalled.receive_bytes(timeout=20)  # and never a word again
            until = time.monotonic() + seconds
            pages = [watch(session, sink, until) for _ in range(clients - 1) for sink in (free, burdened)]
            counts = await asyncio.gather(*pages)
        return counts[0::2], counts[1::2]

    with Filming(Both(free, burdened), DrawnCamera()) as filming:
        began = time.monotonic()
        alone, beside = talk(watching)
        rate = filming.written / (time.monotonic() - began)
    assert sum(beside) / sum(alone) > 0.8
    assert min(beside) > 0.5 * max(beside)
    assert rate > 15  # the camera itself was never held up


def test_a_stalled_page_is_dropped_after_a_while(live, talk, get):
    sink = live(stall_seconds=0.5)

    async def stalling(session):
        async with session.ws_connect(sink.address + "frames") as page:
            sink.write(*gray_frame(0))
            await page.receive_bytes()
            sink.write(*gray_frame(1))
            began = time.monotonic()
            answer = await page.receive(timeout=20)
            return answer.type, time.monotonic() - began

    kind, waited = talk(stalling)
    assert kind in {aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.ERROR}
    assert 0.4 < waited < 10
    text = get(sink, "metrics")[1]
    assert metric(text, 'clients_dropped_total{reason="stalled"}') == 1
    assert metric(text, 'clients{kind="page"}') == 0


def noise(number):
    result, _ = DrawnCamera(0, width=640, height=480).frame(number)
    pixels = np.random.default_rng(number).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    return result, Frame(pixels, "bgr")


def test_a_stalled_stream_holds_few_pictures_and_is_dropped(live, get):
    sink = live(stall_seconds=1.0)
    frames = [noise(number) for number in range(8)]
    request = b"GET /stream.mjpg HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        client.settimeout(20)
        client.connect(("127.0.0.1", read_address(sink.name).port))
        client.sendall(request)
        for number in range(60):
            sink.write(*frames[number % 8])
            time.sleep(0.04)
        received = 0
        try:
            while chunk := client.recv(1 << 16):
                received += len(chunk)
        except ConnectionResetError:
            pass
    jpeg = len(jpeg_encoder(quality=80, max_width=1280)(frames[0][1]))
    assert jpeg > 100_000
    assert received < 8 * jpeg  # of sixty that were written
    text = get(sink, "metrics")[1]
    assert metric(text, 'clients_dropped_total{reason="stalled"}') == 1
    assert metric(text, 'clients{kind="mjpeg"}') == 0


def test_a_client_that_reads_nothing_is_hung_up_on_at_the_end(live):
    sink = live()
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        client.connect(("127.0.0.1", read_address(sink.name).port))
        client.sendall(b"GET /stream.mjpg HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        for number in range(15):
            sink.write(*noise(number))
            time.sleep(0.04)
        sink.close()
        gc.collect()  # A connection that is left open warns here, and warnings are errors.
        client.settimeout(5)
        with suppress(ConnectionResetError):
            while client.recv(1 << 16):
                pass


def test_a_stream_has_whole_pictures_in_order(live):
    sink = live()
    gray = type("Gray", (), {"frame": staticmethod(lambda number, rate: gray_frame(number))})()
    with Filming(sink, gray), socket.create_connection(("127.0.0.1", read_address(sink.name).port)) as client:
        client.settimeout(20)
        client.sendall(b"GET /stream.mjpg?plain HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        stream = client.makefile("rb")
        head = b"".join(iter(stream.readline, b"\r\n")).decode()
        assert head.startswith("HTTP/1.1 200")
        assert "Content-Type: multipart/x-mixed-replace; boundary=frame" in head
        body = Unchunked(stream) if "chunked" in head else stream
        assert body.readline() == b"--frame\r\n"
        grays = []
        for _ in range(10):
            fields = dict(line.decode().strip().split(": ") for line in iter(body.readline, b"\r\n"))
            assert fields["Content-Type"] == "image/jpeg"
            grays.append(gray_of(body.read(int(fields["Content-Length"]))))
            assert body.read(len(b"\r\n--frame\r\n")) == b"\r\n--frame\r\n"
    assert grays == sorted(set(grays))


class Unchunked(io.RawIOBase):
    """The content of a chunked body."""

    def __init__(self, stream):
        self._stream = stream
        self._left = b""

    def _fill(self, until):
        while not until():
            size = int(self._stream.readline(), 16)
            self._left += self._stream.read(size)
            self._stream.readline()

    def readline(self):
        self._fill(lambda: b"\n" in self._left)
        line, _, self._left = self._left.partition(b"\n")
        return line + b"\n"

    def read(self, size):
        self._fill(lambda: len(self._left) >= size)
        found, self._left = self._left[:size], self._left[size:]
        return found


def test_opencv_reads_the_stream(live):
    cv2 = pytest.importorskip("cv2", reason="the extra video is not installed")
    sink = live()
    with Filming(sink, DrawnCamera(1)):
        capture = cv2.VideoCapture(sink.address + "stream.mjpg", cv2.CAP_FFMPEG)
        if not capture.isOpened():
            pytest.skip("this OpenCV reads no streams")
        shapes = [capture.read()[1].shape for _ in range(3)]
        capture.release()
    assert shapes == [(360, 640, 3)] * 3


async def one_picture(session, address):
    """The first picture of a stream."""
    async with session.get(address) as stream:
        assert await stream.content.readline() == b"--frame\r\n"
        await stream.content.readline()
        length = int((await stream.content.readline()).split()[1])
        await stream.content.readline()
        content = await stream.content.readexactly(length)
    return np.asarray(Image.open(io.BytesIO(content)).convert("L")).astype(int)


def test_a_notice_is_in_the_pictures_of_a_stream_and_beside_those_of_a_page(live, talk):
    sink = live(notice="Expressions are judged here")
    sink.write(*gray_frame(90, 640, 360))

    async def both(session):
        async with session.ws_connect(sink.address + "frames") as page:
            ((message, jpeg),) = await take(page, 1)
        return message.notice, jpeg, await one_picture(session, sink.address + "stream.mjpg?plain")

    notice, jpeg, drawn = talk(both)
    shown = np.asarray(Image.open(io.BytesIO(jpeg)).convert("L"))
    assert notice == "Expressions are judged here"
    assert np.ptp(shown) <= 2
    assert drawn[-20:].min() < 40
    assert drawn[-20:].max() > 200
    assert np.ptp(drawn[:200]) <= 2


def test_a_stream_has_boxes_and_labels_unless_it_is_asked_for_plain_pictures(live, talk):
    sink = live()
    result, _ = DrawnCamera(1).frame(60)
    sink.write(result, gray_frame(90, 640, 360)[1])

    async def both(session):
        return [await one_picture(session, f"{sink.address}stream.mjpg{words}") for words in ("", "?plain")]

    drawn, plain = talk(both)
    (face,) = result.faces
    left = drawn[int(face.y + face.height / 2), int(face.x) - 3 : int(face.x) + 4]
    assert np.abs(left - 90).max() > 40
    assert np.ptp(plain) <= 2


def test_without_what_draws_a_stream_says_what_is_missing(live, get, monkeypatch):
    pytest.importorskip("cv2")
    monkeypatch.setattr("resemote_edge.camera.live.jpeg.find_spec", lambda name: name == "cv2" or None)
    status, text, _ = get(live(), "stream.mjpg")
    assert status == 501
    assert "pip install 'resemote-edge[images]', or open /stream.mjpg?plain" in text


def test_a_notice_that_no_font_has_is_refused_at_once(live):
    with pytest.raises(InputError, match="has letters that no font here has"):
        live(notice="\ue000")


def test_no_more_clients_than_allowed(live, talk, get):
    sink = live(max_clients=2)
    sink.write(*gray_frame(0))

    async def crowding(session):
        held = [await session.ws_connect(sink.address + "frames") for _ in range(2)]
        statuses = []
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect(sink.address + "frames")
        statuses.append(refused.value.status)
        async with session.get(sink.address + "stream.mjpg") as answer:
            statuses.append(answer.status)
            text = await answer.text()
        async with session.get(sink.address + "state.json") as answer:
            statuses.append(answer.status)
        for page in held:
            await page.close()
        await asyncio.sleep(0.2)
        page = await session.ws_connect(sink.address + "frames")
        await page.close()
        return statuses, text

    statuses, text = talk(crowding)
    assert statuses == [503, 503, 200]
    assert text == "2 clients are connected already\n"
    assert metric(get(sink, "metrics")[1], 'clients_dropped_total{reason="too many clients"}') == 2


def test_a_frame_is_encoded_once_for_all_and_not_at_all_for_nobody(live, talk, monkeypatch):
    encoded = []
    real = jpeg_encoder

    def counting(**options):
        encode = real(**options)
        return lambda frame: encoded.append(int(frame.pixels[0, 0, 0])) or encode(frame)

    monkeypatch.setattr("resemote_edge.camera.live.jpeg.jpeg_encoder", counting)
    sink = live()
    for number in range(5):
        sink.write(*gray_frame(number))
    assert encoded == []

    async def watching(session):
        pages = [await session.ws_connect(sink.address + "frames") for _ in range(6)]
        taken = await asyncio.gather(*(take(page, 1) for page in pages))
        for page in pages:
            await page.close()
        return taken

    assert len(talk(watching)) == 6
    assert encoded == [4]


@pytest.mark.parametrize("path", ["frames", "stream.mjpg?plain"])
def test_a_picture_that_cannot_be_made_is_logged_and_ends_the_connection(live, talk, get, monkeypatch, caplog, path):
    monkeypatch.setattr("resemote_edge.camera.live.jpeg.jpeg_encoder", lambda **_: lambda frame: 1 // 0)
    sink = live()
    sink.write(*gray_frame(0))

    async def watching(session):
        if path == "frames":
            async with session.ws_connect(sink.address + path) as page:
                return (await page.receive(timeout=20)).type
        async with session.get(sink.address + path) as stream:
            with pytest.raises(aiohttp.ClientPayloadError):
                await stream.read()

    assert talk(watching) in {None, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSE}
    assert "ZeroDivisionError" in caplog.text
    text = get(sink, "metrics")[1]
    assert metric(text, 'clients_dropped_total{reason="fault"}') == 1
    assert metric(text, f'clients{{kind="{"page" if path == "frames" else "mjpeg"}"}}') == 0


def test_the_end_of_the_program_is_told(live, talk):
    sink = live()

    async def watching(session):
        async with session.ws_connect(sink.address + "frames") as page:
            sink.write(*gray_frame(0))
            await take(page, 1)
            await asyncio.get_running_loop().run_in_executor(None, sink.close)
            answer = await page.receive(timeout=20)
            return answer.type, answer.data

    assert talk(watching) == (aiohttp.WSMsgType.CLOSE, 1001)


def test_state_and_metrics_are_those_of_the_newest_frame(live, get):
    sink = live()
    assert get(sink, "state.json")[:2] == (503, '{"error":"no frame yet"}')
    camera = DrawnCamera(2)
    for number in range(40):
        result, frame = camera.frame(number, dropped={"newer frame": number, "stale": 2})
        sink.write(result, frame)
    status, text, headers = get(sink, "state.json")
    assert status == 200
    assert headers["Content-Type"].startswith("application/json")
    assert msgspec.json.decode(text, type=FrameResult) == result
    _, text, headers = get(sink, "metrics")
    assert headers["Content-Type"].startswith("text/plain")
    assert metric(text, "frames_total") == 40
    assert metric(text, "faces") == 2
    assert metric(text, "tracks_total") == 2
    assert metric(text, 'frames_dropped_total{reason="newer frame"}') == 39
    assert metric(text, 'frames_dropped_total{reason="stale"}') == 2
    assert metric(text, "decision_age_seconds_count") == 40
    assert metric(text, 'decision_age_seconds_bucket{le="0.01"}') == 0
    assert metric(text, 'decision_age_seconds_bucket{le="0.02"}') == 40


@pytest.mark.parametrize("encoder", ["cv2", "PIL"])
def test_a_picture_is_made_smaller_and_keeps_its_colours(encoder, monkeypatch):
    pytest.importorskip(encoder)
    monkeypatch.setattr("resemote_edge.camera.live.jpeg.find_spec", lambda name: name == encoder or None)
    pixels = np.zeros((180, 320, 3), np.uint8)
    pixels[:, :160] = (200, 40, 20)  # blue, green, red
    pixels[:, 160:] = (20, 40, 200)
    frame = Frame(pixels, "bgr")
    whole = Image.open(io.BytesIO(jpeg_encoder(quality=90, max_width=320)(frame)))
    small = Image.open(io.BytesIO(jpeg_encoder(quality=90, max_width=100)(frame)))
    assert whole.size == (320, 180)
    assert small.size == (100, 56)
    for image in (whole, small):
        left, right = (np.asarray(image)[20, x].astype(int) for x in (10, -10))
        assert np.abs(left - (20, 40, 200)).max() < 8
        assert np.abs(right - (200, 40, 20)).max() < 8


def test_frames_without_end_leave_the_memory_as_it_is(live, talk, get):
    sink = live(stall_seconds=30.0)
    frames = [noise(number) for number in range(4)]

    async def stalling(session):
        held = [await session.ws_connect(sink.address + "frames") for _ in range(4)]
        sink.write(*frames[0])
        for page in held:
            await page.receive_bytes()

        def write(count):
            for number in range(count):
                sink.write(*frames[number % 4])
                time.sleep(0.001)

        async def resident():
            async with session.get(sink.address + "metrics") as answer:
                text = await answer.text()
            return float(re.search(r"^process_resident_memory_bytes (\S+)$", text, re.MULTILINE)[1])

        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, write, 200)
        before = await resident()
        await loop.run_in_executor(None, write, 1500)
        after = await resident()
        for page in held:
            await page.close()
        return before, after

    before, after = talk(stalling)
    # Of 1500 frames of 0.9 MB each, with their JPEG, nothing stays.
    assert after - before < 40e6
