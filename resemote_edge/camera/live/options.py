"""Options of the live page."""

import re
from dataclasses import dataclass
from pathlib import Path

from resemote_edge.errors import InputError

__all__ = ["MIN_TOKEN_LENGTH", "LiveOptions"]

#: Shortest token that a user may choose; nobody finds one of 24 random characters by trying.
MIN_TOKEN_LENGTH = 24

_TOKEN = re.compile(r"[A-Za-z0-9._~-]+")
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")


@dataclass(frozen=True, kw_only=True)
class LiveOptions:
    """What the live page shows, and to whom.

    Attributes:
        token: Secret that every request must bring. If None, one is made where the address needs it.
        hosts: Names, without ports, under which the page is reached besides its own address, such as that of a reverse
            proxy. Naming one makes a token necessary.
        tls_cert: PEM file with the certificate and its chain; HTTPS is spoken if it is given.
        tls_key: PEM file with the key of that certificate; None if it is in the same file.
        notice: Words that stand on the page for everyone who looks at it.
        pictures: Whether pixels leave the process. If not, the page draws boxes on an empty ground.
        jpeg_quality: Quality of the pictures, 1 to 95.
        max_width: Width beyond which a picture is made smaller before it is sent, pixels.
        max_clients: Pages and streams that may be open at once.
        stall_seconds: Time after which a client is dropped that takes nothing.
        request_seconds: Time within which a connection has to ask for something.

    Raises:
        InputError: A value cannot be used.
    """

    token: str | None = None
    hosts: tuple[str, ...] = ()
    tls_cert: Path | None = None
    tls_key: Path | None = None
    notice: str = ""
    pictures: bool = True
    jpeg_quality: int = 80
    max_width: int = 1280
    max_clients: int = 32
    stall_seconds: float = 10.0
    request_seconds: float = 10.0

    def __post_init__(self) -> None:
        if self.token is not None and (len(self.token) < MIN_TOKEN_LENGTH or not _TOKEN.fullmatch(self.token)):
            raise InputError(
                f"the live page's token has {len(self.token)} characters, or some that an address cannot hold",
                hint=f"choose at least {MIN_TOKEN_LENGTH} letters and digits, or leave it out and one is made",
            )
        for host in self.hosts:
            if not _HOST.fullmatch(host):
                raise InputError(
                    f"{host!r} is not the name of a host", hint="write it in lower case, without scheme and port"
                )
        if self.tls_key is not None and self.tls_cert is None:
            raise InputError("the live page has a TLS key and no certificate", hint="pass --tls-cert as well")
        for name, value, low, high in (
            ("jpeg_quality", self.jpeg_quality, 1, 95),
            ("max_width", self.max_width, 64, 16384),
            ("max_clients", self.max_clients, 1, 1000),
            ("stall_seconds", self.stall_seconds, 0.1, 3600),
            ("request_seconds", self.request_seconds, 0.1, 3600),
        ):
            if not low <= value <= high:
                raise InputError(f"{name} of the live page is {value}", hint=f"choose {low} to {high}")
