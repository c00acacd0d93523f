"""UDP: one datagram of JSON a frame, to whoever listens."""

import errno
import socket

from resemote_edge.camera.address import parse_address
from resemote_edge.camera.privacy.aggregate import AggregateResult, encode_aggregate
from resemote_edge.camera.results import FrameResult, encode_result
from resemote_edge.camera.sinks.base import Sink, SinkOptions
from resemote_edge.errors import InputError
from resemote_edge.vision.frame import Frame

__all__ = ["MOST_BYTES", "UdpSink"]

#: Largest datagram: what IPv4 can carry. A network cuts it into packets, and one that is lost loses the datagram.
MOST_BYTES = 65_507


class UdpSink(Sink):
    """Sends datagrams, and never waits.

    Args:
        address: ``udp://host:port``.
        options: Not used.

    Raises:
        InputError: The address is no such address.
    """

    takes_aggregates = True

    def __init__(self, address: str, options: SinkOptions) -> None:
        del options
        self._address = parse_address(address)
        self.name = self._address.name
        if self._address.port is None or self._address.path or self._address.query or self._address.user:
            raise InputError(f"{self.name} is no address of this kind", hint="write udp://HOST:PORT")
        self._socket: socket.socket | None = None

    def open(self) -> None:
        """Look the host up.

        Raises:
            InputError: It is not known, or cannot be reached.
        """
        try:
            found = socket.getaddrinfo(self._address.host, self._address.port, type=socket.SOCK_DGRAM)
            family, kind, protocol, _, place = found[0]
            self._socket = socket.socket(family, kind, protocol)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            self._socket.setblocking(False)
            self._socket.connect(place)
        except OSError as error:
            self.close()
            raise InputError(
                f"{self.name}: {error.strerror}", hint="look at the host's name and the network"
            ) from error

    def write(self, result: FrameResult, picture: Frame | None) -> None:
        """Send one datagram.

        Raises:
            OSError: It is too long, the network takes no more at the moment, or nobody listened to the one before.
        """
        self._send(encode_result(result))

    def write_aggregate(self, result: AggregateResult) -> None:
        """Send one datagram.

        Raises:
            OSError: As of `write`.
        """
        self._send(encode_aggregate(result))

    def close(self) -> None:
        """Close the socket."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self, content: bytes) -> None:
        assert self._socket is not None
        if len(content) > MOST_BYTES:
            raise OSError(errno.EMSGSIZE, f"longer than the {MOST_BYTES} bytes of a datagram")
        self._socket.send(content)
