"""Address: the URI of a source or sink, taken apart; what it may hold of passwords and tokens is shown nowhere."""

import re
from dataclasses import dataclass, field
from urllib.parse import unquote

from resemote_edge.errors import InputError

__all__ = ["Address", "parse_address", "scheme_of", "shown", "without_secrets"]


def scheme_of(address: str) -> str:
    """What stands before the first colon, in lower case; empty for a plain path or number."""
    scheme, colon, _ = address.partition(":")
    return scheme.lower() if colon and scheme.replace("+", "").isalnum() else ""


def without_secrets(address: str) -> str:
    """An address as it may be shown and stored: without users, passwords and queries.

    Args:
        address: Address as the user wrote it; a path or number stays as it is. A pipeline may hold several
            addresses, and properties such as ``user-pw``.

    Returns:
        The same address, with ``***`` for user and password and for secret properties, and ``...`` for a query. A
        password with a sign that should have been escaped looks like a port and a path: then all that is before the
        last ``@`` is left out.
    """
    return _WORD.sub(lambda word: _shown_word(word[0]), _SECRET_PROPERTY.sub(r"\1=***", address))


#: A part of a pipeline; any other address is a single one.
_WORD = re.compile(r"\S+")

#: A property of an element of a pipeline that is secret, with its value, which may be quoted.
_SECRET_PROPERTY = re.compile(
    r"(?<=\s)([\w-]*(?:key|pass|pw|secret|token|auth|user-id)[\w-]*)=(?:\"[^\"]*\"?|\S+)", re.IGNORECASE
)


def _shown_word(word: str) -> str:
    scheme, mark, rest = word.partition("://")
    authority = re.split("[/?#]", rest, maxsplit=1)[0]
    if "@" in authority or (":" in authority and "@" in rest):
        rest = f"***@{rest.rpartition('@')[2]}"
    place, question, _ = rest.partition("?")
    return f"{scheme}{mark}{place}{'?...' if question else ''}" if mark else word


_ESCAPES = "write a / as %2F, a ? as %3F, a # as %23 and an @ as %40 in user, password and path"


@dataclass(frozen=True, kw_only=True)
class Address:
    """A URI whose parts a sink may use.

    Attributes:
        scheme: What stands before ``://``, in small letters.
        host: Name or number of a machine, without the brackets of IPv6.
        port: Port; None if none is given.
        path: What follows the host, with its first ``/`` and escapes as written; empty if nothing does.
        query: What follows a ``?``, as written.
        user: User; empty if none is given.
        password: Password; empty if none is given.
        name: The URI for people, from `without_secrets`.
    """

    scheme: str
    host: str
    port: int | None
    path: str
    query: str = field(repr=False)
    user: str = field(repr=False)
    password: str = field(repr=False)
    name: str


def shown(text: str) -> str:
    """What may be shown of an address that nobody took apart yet: its scheme, or all of it if it is no URI."""
    scheme, mark, _ = text.partition("://")
    return f"{scheme}://..." if mark else text


def parse_address(text: str) -> Address:
    """Take a URI apart.

    Args:
        text: ``scheme://[user[:password]@]host[:port][/path][?query]``.

    Raises:
        InputError: It is no such URI; the error shows the scheme alone, as a password may stand anywhere in the rest.
    """
    scheme, _, rest = text.partition("://")
    ends = [place for place in map(rest.find, "/?#") if place >= 0]
    authority, rest = rest[: min(ends, default=len(rest))], rest[min(ends, default=len(rest)) :]
    if "@" in rest or "#" in rest or not text.isprintable() or " " in text:
        raise InputError(f"{shown(text)}: an address with @ or # after the host, or with blanks", hint=_ESCAPES)
    login, _, place = authority.rpartition("@")
    if "@" in login:
        raise InputError(f"{shown(text)}: an address with more than one @ before the host", hint=_ESCAPES)
    host, port = _host_and_port(place, text)
    user, _, password = login.partition(":")
    path, _, query = rest.partition("?")
    return Address(
        scheme=scheme.lower(),
        host=host,
        port=port,
        path=path,
        query=query,
        user=unquote(user),
        password=unquote(password),
        name=without_secrets(f"{scheme.lower()}://{text.partition('://')[2]}"),
    )


def _host_and_port(place: str, text: str) -> tuple[str, int | None]:
    """Host and port of what stands between user and path; `text` is the whole address, for the error."""
    host, mark, port = place.rpartition(":") if not place.endswith("]") else (place, "", "")
    if not mark:
        host = place
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise InputError(f"{shown(text)}: an address with several colons before the path", hint=_ESCAPES)
    if not host:
        raise InputError(f"{shown(text)}: an address without a host", hint="add it, as in mqtt://broker.local/topic")
    if not mark:
        return host, None
    if not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 1 << 16):
        raise InputError(f"{shown(text)}: the port is no number from 1 to 65535", hint=_ESCAPES)
    return host, int(port)
