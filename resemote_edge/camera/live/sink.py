"""Sink of the live page: ``live://HOST:PORT``."""

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

from resemote_edge.camera.live.address import LiveAddress, bind, read_address
from resemote_edge.camera.live.jpeg import jpeg_encoders
from resemote_edge.camera.live.options import LiveOptions
from resemote_edge.camera.live.tls import tls_context
from resemote_edge.camera.results import FrameResult
from resemote_edge.camera.sinks.base import Picture, Sink, SinkOptions
from resemote_edge.errors import InputError, needs
from resemote_edge.vision.frame import Frame

if TYPE_CHECKING:
    from resemote_edge.camera.live.server import LiveServer

__all__ = ["LiveSink"]

#: Hosts that stand for every address of the machine, and by which no browser can call it.
_EVERY = {"0.0.0.0": "127.0.0.1", "::": "::1"}


class LiveSink(Sink):
    """Shows frames on a page, and answers other programs.

    Args:
        address: ``live://HOST:PORT``; this machine's own address and port 8080 if they are missing.
        options: `live` is used.

    Raises:
        InputError: The address cannot be read.
    """

    queue_frames = 4  # `write` takes no time, and keeps the newest; the queue bridges a moment without the processor

    def __init__(self, address: str, options: SinkOptions) -> None:
        self._address: LiveAddress = read_address(address)
        self._options = options.live or LiveOptions()
        self._token = self._options.token
        if self._token is None and (self._options.hosts or not self._address.is_own):
            self._token = secrets.token_urlsafe(32)
        self._server: LiveServer | None = None
        self.name = str(self._address)
        self.picture: Picture = "plain" if self._options.pictures else "none"

    @property
    def address(self) -> str:
        """Address for a browser, without the token."""
        scheme = "http" if self._options.tls_cert is None else "https"
        host = _EVERY.get(self._address.host, self._address.host)
        return f"{scheme}://{replace(self._address, host=host).place}/"

    @property
    def address_with_token(self) -> str:
        """Address that lets a browser in, to be shown once to whoever starts the camera, and never logged."""
        return self.address if self._token is None else f"{self.address}?token={self._token}"

    def open(self) -> None:
        """Bind the address, start to serve, and tell where, with the token if it was made here: nobody else says it.

        Raises:
            InputError: The port is taken, the address is not this machine's, a TLS file cannot be used, or no font has
                the letters of the notice.
            MissingDependencyError: The extra ``live`` is not installed, or nothing that makes JPEG.
        """
        with needs("live", "the live page", "aiohttp", "prometheus_client"):
            from resemote_edge.camera.live.access import Access
            from resemote_edge.camera.live.server import LiveServer
        options = self._options
        encoders = jpeg_encoders(options)
        tls = None if options.tls_cert is None else tls_context(options.tls_cert, options.tls_key)
        listener = bind(self._address)
        self._address = replace(self._address, port=listener.getsockname()[1])
        self.name = str(self._address)
        access = Access(
            token=self._token,
            names=self._address.names | set(options.hosts),
            any_ip_address=not self._address.is_own,
            port=self._address.port,
            secure=tls is not None,
        )
        self._server = LiveServer(listener, access=access, encoders=encoders, options=options, tls=tls)
        self._server.start()
        # A token that the user chose is known, and may not stand where this line ends up.
        self.tell(f"open {self.address if options.token is not None else self.address_with_token} in a browser")

    def write(self, result: FrameResult, picture: Frame | None) -> None:
        """Show a frame in place of the one before; returns at once.

        Raises:
            InputError: The picture is not in BGR.
        """
        assert self._server is not None, "open comes first"
        if picture is not None and picture.format != "bgr":
            raise InputError(f"the live page was given a frame in {picture.format}", hint="give it bgr")
        self._server.put(result, picture if self._options.pictures else None)

    def close(self) -> None:
        """Say goodbye to the clients and release the port."""
        if self._server is not None:
            self._server.close()
            self._server = None
