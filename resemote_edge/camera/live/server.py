"""Server of the live page: an event loop in a thread of its own, so that no client is ever waited for."""

import asyncio
import logging
import socket
import ssl
import threading
from contextlib import suppress
from functools import partial

from aiohttp import web

from resemote_edge.camera.live.access import Access
from resemote_edge.camera.live.clients import Clients
from resemote_edge.camera.live.jpeg import JpegEncoders
from resemote_edge.camera.live.metrics import Metrics
from resemote_edge.camera.live.newest import NewestFrame
from resemote_edge.camera.live.options import LiveOptions
from resemote_edge.camera.live.routes import make_application
from resemote_edge.camera.results import FrameResult
from resemote_edge.vision.frame import Frame

__all__ = ["LiveServer"]

#: Connections beyond those of clients: files, metrics, and some that only wait.
_MORE_CONNECTIONS = 32

#: Where aiohttp reports requests that it cannot read. It quotes them, and the token may
#: stand there, so nothing is let through.
_UNHEARD = logging.getLogger(f"{__name__}.unheard")
_UNHEARD.setLevel(logging.CRITICAL + 1)

_CLOSE_SECONDS = 5.0
_BUSY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class LiveServer:
    """Serves the page until it is closed.

    Args:
        listener: Socket that listens.
        access: Who may ask for what.
        encoders: What makes JPEG.
        options: Limits and the notice.
        tls: Certificate, if HTTPS is spoken.
    """

    def __init__(
        self,
        listener: socket.socket,
        *,
        access: Access,
        encoders: JpegEncoders,
        options: LiveOptions,
        tls: ssl.SSLContext | None,
    ) -> None:
        self._listener = listener
        self._access = access
        self._encoders = encoders
        self._options = options
        self._tls = tls
        self._metrics = Metrics()
        self._loop = asyncio.new_event_loop()
        self._newest = NewestFrame(self._loop)
        self._ended = asyncio.Event()
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="live page", daemon=True)

    def start(self) -> None:
        """Start the thread, and return when the page can be opened."""
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            self._thread.join()
            raise self._failure

    def put(self, result: FrameResult, picture: Frame | None) -> None:
        """Show a frame; called by one thread, which waits for nothing."""
        self._metrics.observe(result)
        self._newest.put(result, picture)

    def close(self) -> None:
        """Say goodbye to the clients, and end the thread."""
        with suppress(RuntimeError):  # the loop has ended by itself
            self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(_CLOSE_SECONDS)

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        except BaseException as error:
            self._failure = error
        finally:
            self._listener.close()
            self._loop.close()
            self._ready.set()

    async def _serve(self) -> None:
        clients = Clients(self._newest, self._encoders, self._metrics, self._options)
        door = _Door(self._options, self._metrics)
        application = make_application(self._newest, clients, self._metrics, self._access)
        application.on_response_prepare.append(door.answered)
        runner = web.AppRunner(
            application,
            access_log=None,  # requests are nobody's business, and one of them may hold the token
            logger=_UNHEARD,
            handler_cancellation=True,
            keepalive_timeout=self._options.request_seconds,
            lingering_time=1.0,
            shutdown_timeout=1.0,
        )
        await runner.setup()
        assert runner.server is not None, "it was set up"
        server = await self._loop.create_server(
            partial(door.let_in, runner.server),
            sock=self._listener,
            ssl=self._tls,
            ssl_handshake_timeout=self._options.request_seconds if self._tls is not None else None,
        )
        self._ready.set()
        await self._ended.wait()
        server.close()
        await clients.close()
        await runner.cleanup()
        # Nobody waits for those who read nothing, or are still shaking hands, of whom aiohttp does not know. The loop
        # is this page's alone; before Python 3.13's Server.abort_clients, its transports have no public name.
        for transport in list(getattr(self._loop, "_transports", {}).values()):
            transport.abort()
        await asyncio.sleep(0)


class _Door:
    """Lets connections in: not too many, and none that only stands there."""

    def __init__(self, options: LiveOptions, metrics: Metrics) -> None:
        self._limit = options.max_clients + _MORE_CONNECTIONS
        self._seconds = options.request_seconds
        self._metrics = metrics
        self._silent: set[asyncio.Protocol] = set()

    def let_in(self, server: web.Server) -> asyncio.Protocol:
        """What handles a new connection."""
        if len(server.connections) >= self._limit:
            self._metrics.lost("too many connections")
            return _Busy()
        connection = server()
        self._silent.add(connection)
        asyncio.get_running_loop().call_later(self._seconds, self._expect_request, connection)
        return connection

    async def answered(self, request: web.Request, _: web.StreamResponse) -> None:
        """A connection has asked for something."""
        self._silent.discard(request.protocol)

    def _expect_request(self, connection: web.RequestHandler) -> None:
        if connection in self._silent:
            self._silent.discard(connection)
            if connection.transport is not None:
                self._metrics.lost("no request")
                connection.transport.abort()


class _Busy(asyncio.Protocol):
    """Answers that there is no room, and hangs up."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        transport.write(_BUSY)
        transport.close()
