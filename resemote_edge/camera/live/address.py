"""Address of the live page: read from ``live://HOST:PORT``, and bound."""

import errno
import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from resemote_edge.errors import InputError

__all__ = ["DEFAULT_PORT", "LiveAddress", "bind", "is_ip_address", "read_address"]

DEFAULT_PORT = 8080
_SCHEME = "live"

#: Hosts that only this machine reaches, and for which no token is needed.
_OWN = {"127.0.0.1", "::1", "localhost"}

#: Time after which the kernel gives up a connection whose other end takes no data, milliseconds.
_USER_TIMEOUT_MS = 30_000


@dataclass(frozen=True, kw_only=True)
class LiveAddress:
    """Where the page is served.

    Attributes:
        host: Address or name of an interface of this machine.
        port: Port; 0 for any that is free.
    """

    host: str
    port: int

    @property
    def is_own(self) -> bool:
        """Whether only this machine reaches it."""
        return self.host in _OWN

    @property
    def place(self) -> str:
        """``HOST:PORT``, as it stands in a URL."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def names(self) -> frozenset[str]:
        """Names by which a browser on this machine, or one elsewhere, may call the host."""
        if self.is_own:
            return frozenset(_OWN)
        machine = socket.gethostname().lower()
        return frozenset({*_OWN, self.host.lower(), machine, f"{machine.partition('.')[0]}.local"})

    def __str__(self) -> str:
        return f"{_SCHEME}://{self.place}"


def read_address(text: str) -> LiveAddress:
    """Read ``live://HOST:PORT``; host and port may be missing, and are then 127.0.0.1 and `DEFAULT_PORT`.

    Raises:
        InputError: It is something else.
    """
    hint = f"write {_SCHEME}://HOST:PORT, such as {_SCHEME}://127.0.0.1:{DEFAULT_PORT}"
    try:
        parts = urlsplit(text if "://" in text else f"{_SCHEME}://{text}")
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise InputError(f"the address of the live page cannot be read: {error}", hint=hint) from None
    if parts.username is not None or parts.password is not None:
        # Not repeated in the message: what stands there may be a secret.
        raise InputError("the address of the live page holds a user or password", hint="pass a token in its place")
    if parts.scheme != _SCHEME or parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise InputError(f"{text!r} is not an address of the live page", hint=hint)
    return LiveAddress(host=host or "127.0.0.1", port=DEFAULT_PORT if port is None else port)


def bind(address: LiveAddress) -> socket.socket:
    """A socket that listens at an address.

    Raises:
        InputError: The port is taken, the address is not this machine's, or nobody may listen there.
    """
    try:
        family, _, _, _, place = socket.getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        raise InputError(
            f"{address}: the name {address.host!r} has no address ({error.strerror})",
            hint="write an address of this machine, such as 127.0.0.1",
        ) from None
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # Connections inherit it.
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _USER_TIMEOUT_MS)
        listener.bind(place)
        listener.listen(64)
    except OSError as error:
        listener.close()
        raise _why(address, error) from None
    listener.setblocking(False)
    return listener


def _why(address: LiveAddress, error: OSError) -> InputError:
    if error.errno == errno.EADDRINUSE:
        return InputError(
            f"{address}: port {address.port} is in use",
            hint=f"choose another port, or find the program that has it: ss -ltnp 'sport = :{address.port}'",
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return InputError(
            f"{address}: {address.host} is not an address of this machine",
            hint="`ip address` lists them; 0.0.0.0 stands for all",
        )
    if error.errno == errno.EACCES:
        return InputError(f"{address}: this user may not listen at port {address.port}", hint="choose 1024 or above")
    return InputError(f"{address}: cannot listen there: {error.strerror or error}")


def is_ip_address(host: str) -> bool:
    """Whether a host is an address and no name. No foreign name leads to an address, so it needs no further check."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
