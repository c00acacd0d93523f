"""Address: the URI of a source or sink, and how it may be shown."""

from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

__all__ = ["scheme_of", "without_secrets"]

#: Words in the names of query parameters whose values are not shown.
_SECRET = ("key", "pass", "pwd", "secret", "token", "auth", "sig")


def scheme_of(address: str) -> str:
    """What stands before the first colon, in lower case; empty for a plain path or number."""
    scheme, colon, _ = address.partition(":")
    return scheme.lower() if colon and scheme.replace("+", "").isalnum() else ""


def without_secrets(address: str) -> str:
    """An address as it may be shown and stored: without the password before the host, and without tokens in its query.

    Args:
        address: URI as the user wrote it.

    Returns:
        The same address; a user's name stays, a password goes, a token becomes ``***``. So does all that stands before
        the last ``@``, where signs that should have been escaped leave open what the password is.
    """
    scheme, mark, rest = address.partition("://")
    ends = [place for place in map(rest.find, "/?#") if place >= 0]
    if mark and ends and "@" in rest[min(ends) :] and ":" in rest[: min(ends)]:
        # A password with such a sign in it looks like a port, a path or a fragment: all of it may be secret.
        return f"{scheme}://***@{rest.rpartition('@')[2]}"
    try:
        parts = urlsplit(address)
    except ValueError:  # An IPv6 host without its bracket: not an address, and whoever opens it says so.
        return address.rpartition("@")[2]
    user, at, host = parts.netloc.rpartition("@")
    name = user.partition(":")[0]
    if at:
        parts = parts._replace(netloc=f"{name}@{host}" if name else host)
    if parts.query and any(_is_secret(key) for key, _ in parse_qsl(parts.query, keep_blank_values=True)):
        shown = [
            f"{quote(key)}={'***' if _is_secret(key) else quote(value)}"
            for key, value in parse_qsl(parts.query, keep_blank_values=True)
        ]
        parts = parts._replace(query="&".join(shown))
    return urlunsplit(parts) if at or "***" in parts.query else address


def _is_secret(key: str) -> bool:
    return any(word in key.lower() for word in _SECRET)
