"""Clients that frames are sent to: pages by WebSocket, all else as MJPEG. Each gets the newest, at its own pace."""

import asyncio
import logging
import socket
from collections.abc import Awaitable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, hdrs, web

from resemote_edge.camera.live.jpeg import JpegEncoders, Render
from resemote_edge.camera.live.metrics import Metrics
from resemote_edge.camera.live.newest import NewestFrame
from resemote_edge.camera.live.options import LiveOptions

__all__ = ["Clients"]

_LOG = logging.getLogger(__name__)

#: Largest message that a page may send, bytes; ``ack`` and a number.
_MOST_MESSAGE_BYTES = 64

#: Time after which a page that says nothing, such as one that paused, is asked whether it is still there, seconds.
_HEARTBEAT_SECONDS = 20.0

#: What the kernel may hold back for one MJPEG client, bytes: every picture in it is an old one.
_SEND_BUFFER_BYTES = 65536

_BOUNDARY = "frame"
_BOUNDARY_LINE = f"--{_BOUNDARY}\r\n".encode()
_NO_DRAWING = (
    "boxes and labels are drawn by the package 'PIL', which is not installed; "
    "run: pip install 'resemote-edge[images]', or open /stream.mjpg?plain\n"
)
_ROOM_RETRY_SECONDS = "10"


class _StalledError(Exception):
    """A client took nothing for too long."""


class Clients:
    """Serves all of them.

    Args:
        newest: Where frames come from.
        encoders: What makes their pictures.
        metrics: What is counted.
        options: Limits and the notice.
    """

    def __init__(self, newest: NewestFrame, encoders: JpegEncoders, metrics: Metrics, options: LiveOptions) -> None:
        self._newest = newest
        self._encoders = encoders
        self._metrics = metrics
        self._options = options
        self._pages: set[web.WebSocketResponse] = set()
        self._streams: set[asyncio.Task[Any]] = set()
        self._open = 0
        self._executor = ThreadPoolExecutor(1, "live page JPEG")

    async def page(self, request: web.Request) -> web.StreamResponse:
        """WebSocket of a page: see `resemote_edge.camera.live.message`."""
        if self._is_full():
            return self._no_room()
        page = web.WebSocketResponse(
            heartbeat=_HEARTBEAT_SECONDS, max_msg_size=_MOST_MESSAGE_BYTES, compress=False, timeout=1.0
        )
        conversation = _Conversation(page)
        with self._counted("page"):
            await page.prepare(request)
            self._pages.add(page)
            sending = asyncio.ensure_future(self._send_pages(conversation))
            listening = asyncio.ensure_future(conversation.listen())
            try:
                await asyncio.wait({sending, listening}, return_when=asyncio.FIRST_COMPLETED)
                if sending.done() and not sending.cancelled():
                    self._end(request, sending.exception())
            finally:
                self._pages.discard(page)
                for task in (sending, listening):
                    task.cancel()
                await asyncio.gather(sending, listening, return_exceptions=True)
        return page

    async def mjpeg(self, request: web.Request) -> web.StreamResponse:
        """Pictures one after the other, ``multipart/x-mixed-replace``; with ``?plain``, without boxes and labels."""
        task = asyncio.current_task()
        assert task is not None, "a handler is one"
        if not self._options.pictures:
            return web.Response(status=404, text="this camera shows no pictures\n")
        render = self._encoders.plain if "plain" in request.query else self._encoders.drawn
        if render is None:
            return web.Response(status=501, text=_NO_DRAWING)
        if self._is_full():
            return self._no_room()
        response = web.StreamResponse()
        response.headers[hdrs.CONTENT_TYPE] = f"multipart/x-mixed-replace; boundary={_BOUNDARY}"
        response.force_close()
        with self._counted("mjpeg"):
            await response.prepare(request)
            if request.transport is not None:
                connection = request.transport.get_extra_info("socket")
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
            self._streams.add(task)
            try:
                await self._send_pictures(response, render)
            except Exception as error:
                self._end(request, error)
            finally:
                self._streams.discard(task)
        return response

    async def close(self) -> None:
        """End the streams, and tell every page that the program ends."""
        for stream in self._streams:
            stream.cancel()
        going = [page.close(code=WSCloseCode.GOING_AWAY, message=b"the camera program ended") for page in self._pages]
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(asyncio.gather(*going, return_exceptions=True), 1.0)
        self._executor.shutdown(wait=False, cancel_futures=True)

    async def _send_pages(self, conversation: "_Conversation") -> None:
        last, seen = 0, True
        while True:
            seen = seen and conversation.wanted.is_set()
            await conversation.wanted.wait()
            frame = await self._newest.after(last)
            if not conversation.wanted.is_set():
                continue  # paused while it waited
            content = await frame.message(self._encoders.page, self._executor, self._options.notice)
            await self._in_time(conversation.send(frame.sequence, content))
            # What passed during a pause was not missed.
            self._metrics.sent("page", frame.sequence - last - 1 if last and seen else 0)
            last, seen = frame.sequence, True

    async def _send_pictures(self, response: web.StreamResponse, render: Render) -> None:
        last = 0
        # The boundary goes out with the picture before it: browsers wait for it before they show that picture.
        await self._in_time(response.write(_BOUNDARY_LINE))
        while True:
            frame = await self._newest.after(last)
            jpeg = await frame.jpeg(render, self._executor)
            head = f"Content-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
            await self._in_time(response.write(b"".join((head.encode(), jpeg, b"\r\n", _BOUNDARY_LINE))))
            self._metrics.sent("mjpeg", frame.sequence - last - 1 if last else 0)
            last = frame.sequence

    async def _in_time(self, sending: Awaitable[None]) -> None:
        try:
            await asyncio.wait_for(sending, self._options.stall_seconds)
        except asyncio.TimeoutError:
            raise _StalledError from None

    @contextmanager
    def _counted(self, kind: str) -> Iterator[None]:
        self._open += 1
        self._metrics.client(kind, 1)
        try:
            yield
        finally:
            self._open -= 1
            self._metrics.client(kind, -1)

    def _is_full(self) -> bool:
        return self._open >= self._options.max_clients

    def _no_room(self) -> web.Response:
        self._metrics.lost("too many clients")
        text = f"{self._options.max_clients} clients are connected already\n"
        return web.Response(status=503, text=text, headers={hdrs.RETRY_AFTER: _ROOM_RETRY_SECONDS})

    def _end(self, request: web.Request, why: BaseException | None) -> None:
        """End a connection to which frames went, without waiting for what was never taken."""
        if isinstance(why, _StalledError):
            self._metrics.lost("stalled")
        elif not isinstance(why, ConnectionError):  # a client may leave at any time
            self._metrics.lost("fault")
            _LOG.error("the live page could not send a frame", exc_info=why)
        if request.transport is not None:
            request.transport.abort()


class _Conversation:
    """One page: a frame goes out, its acknowledgement comes back.

    Attributes:
        wanted: Set unless the page paused.
    """

    def __init__(self, page: web.WebSocketResponse) -> None:
        self._page = page
        self._sent = 0
        self._acknowledged = asyncio.Event()
        self.wanted = asyncio.Event()
        self.wanted.set()

    async def send(self, sequence: int, content: bytes) -> None:
        """Send one frame, and wait until the page has shown it."""
        self._sent = sequence
        self._acknowledged.clear()
        await self._page.send_bytes(content)
        await self._acknowledged.wait()

    async def listen(self) -> None:
        """Take what the page says, until it leaves; what is not in the protocol ends the connection."""
        async for message in self._page:
            if message.type is not WSMsgType.TEXT or not self._take(message.data):
                await self._page.close(code=WSCloseCode.POLICY_VIOLATION, message=b"unexpected message")
                return

    def _take(self, words: str) -> bool:
        if words == f"ack {self._sent}":
            self._acknowledged.set()
        elif words == "pause":
            self.wanted.clear()
        elif words == "resume":
            self.wanted.set()
        else:
            return False
        return True
