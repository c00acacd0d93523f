"""Access: who may ask for what. Checks of host, origin and token, before any handler runs.

- **Host**: the name by which the page was called must be one of its own. A foreign name that leads to this machine (DNS
  rebinding) would let a page from elsewhere read ours as if it were its own.
- **Origin**: a request that another site's page makes is refused, WebSockets included.
- **Token**: compared in constant time. It is handed over once, in the query of the address that the program prints; the
  answer is a cookie made from it, and the same address without it. Programs send it as ``Authorization: Bearer TOKEN``,
  or as the password of Basic.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Awaitable, Callable
from typing import TypeAlias
from urllib.parse import urlsplit

from aiohttp import hdrs, web

from resemote_edge.camera.live.address import is_ip_address

__all__ = ["Access", "Handler"]

#: Paths that need no token: what tells others whether the camera works, and the files of the page, which are public.
_OPEN = ("/healthz", "/page/")
_MONTH_SECONDS = 30 * 24 * 3600

_WITHOUT_TOKEN = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Token needed</title><link rel="icon" href="/page/icon.svg"><link rel="stylesheet" href="/page/page.css"></head>
<body class="refused"><main><img src="/page/icon.svg" alt="" width="40" height="40"><h1>This page needs its token</h1>
<p>Open the address that the program printed when it started, or enter the token that stands in it.</p>
<form action="/"><label>Token <input name="token" type="password" autocomplete="off" required autofocus></label>
<button class="main">Open</button></form></main></body></html>
"""

# A redirect would still belong to the site whose link led here, and the browser would keep the cookie to itself.
_ONWARD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="0;url=/"><title>Opening</title></head>
<body></body></html>
"""

#: What answers a request once it may go on.
Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Access:
    """Says which requests may go on.

    Args:
        token: Secret that requests must bring; None if none is needed.
        names: Names by which the host may be called.
        any_ip_address: Whether it may also be called by any IP address.
        port: Port of the page, which is in the cookie's name, since cookies are shared between ports.
        secure: Whether HTTPS is spoken.
    """

    def __init__(
        self, *, token: str | None, names: frozenset[str], any_ip_address: bool, port: int, secure: bool
    ) -> None:
        self._token = token
        self._names = names
        self._any_ip_address = any_ip_address
        self._secure = secure
        self.cookie = f"resemote-live-{port}"
        self._session = "" if token is None else hmac.new(token.encode(), b"live page", hashlib.sha256).hexdigest()

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse a request, or hand it on."""
        if not self._knows_host(request):
            # The name is not repeated: whoever reads it did not write it.
            return _refusal(403, "this host name is not one of the page's; whoever runs the camera can add it")
        if _is_foreign(request):
            return _refusal(403, "another site's page may not use this one")
        given = request.query.get("token")
        if self._token is not None and given is not None:
            return self._hand_over(request, given)
        if self._token is not None and not request.path.startswith(_OPEN) and not self._is_known(request):
            return _without_token(request)
        return await handler(request)

    def _knows_host(self, request: web.Request) -> bool:
        name = _name(request.headers.get(hdrs.HOST, ""))
        return name in self._names or (self._any_ip_address and is_ip_address(name))

    def _hand_over(self, request: web.Request, given: str) -> web.Response:
        """Answer with the cookie and the address without the token."""
        if not _same(given, self._token or ""):
            return _without_token(request)
        if request.headers.get("Sec-Fetch-Site") in {"cross-site", "same-site"}:
            answer = web.Response(text=_ONWARD, content_type="text/html")
        else:
            rest = request.rel_url.without_query_params("token")
            answer = web.Response(status=303, headers={hdrs.LOCATION: str(rest)})
        answer.set_cookie(
            self.cookie,
            self._session,
            max_age=_MONTH_SECONDS,
            httponly=True,
            samesite="Strict",
            secure=self._secure,
            path="/",
        )
        return answer

    def _is_known(self, request: web.Request) -> bool:
        kept = request.cookies.get(self.cookie)
        if kept is not None and _same(kept, self._session):
            return True
        scheme, _, value = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
        if scheme.lower() == "bearer":
            return _same(value.strip(), self._token or "")
        if scheme.lower() == "basic":
            return _same(_password(value), self._token or "")
        return False


def _same(given: str, secret: str) -> bool:
    """Whether two texts are equal, in a time that does not tell where they differ."""
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), secret.encode())


def _name(host: str) -> str:
    """The name in a Host header; empty if it cannot be read."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _password(value: str) -> str:
    try:
        return base64.b64decode(value, validate=True).decode("utf-8", "surrogateescape").partition(":")[2]
    except (binascii.Error, ValueError):
        return ""


def _is_foreign(request: web.Request) -> bool:
    """Whether another site's page makes the request; following a link from there is allowed."""
    origin = request.headers.get(hdrs.ORIGIN)
    if origin is not None:
        # The scheme is left out: behind a proxy that speaks HTTPS, ours is another one.
        return urlsplit(origin).netloc.lower() != request.headers.get(hdrs.HOST, "").lower()
    if request.headers.get("Sec-Fetch-Site", "none") in {"none", "same-origin"}:
        return False
    return request.headers.get("Sec-Fetch-Mode") != "navigate" or request.headers.get("Sec-Fetch-Dest") != "document"


def _without_token(request: web.Request) -> web.Response:
    if request.path == "/":
        answer = web.Response(status=401, text=_WITHOUT_TOKEN, content_type="text/html")
        answer.headers[hdrs.WWW_AUTHENTICATE] = "Bearer"  # Basic would make the browser ask for a user
        return answer
    answer = _refusal(401, "a token is needed: Authorization: Bearer TOKEN, or Basic with the token as password")
    answer.headers[hdrs.WWW_AUTHENTICATE] = 'Basic realm="live page", Bearer'
    return answer


def _refusal(status: int, reason: str) -> web.Response:
    return web.Response(status=status, text=f"{reason}\n")
