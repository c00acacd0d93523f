"""Headers of every answer: what a browser may do with it, which is little."""

import re

from aiohttp import hdrs, web

__all__ = ["add_headers"]

_ALWAYS = {
    hdrs.SERVER: "resemote-edge",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}

_POLICY = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
)

#: Hosts that may stand in a policy; what is refused anyway has none in its answer.
_HOST = re.compile(r"[A-Za-z0-9.:\[\]-]+")


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Add the headers to an answer that is about to be sent."""
    response.headers.update(_ALWAYS)
    response.headers.setdefault(hdrs.CACHE_CONTROL, "no-store")
    # Some browsers do not take a WebSocket of the same host for 'self'; a proxy before us may speak HTTPS.
    host = request.host if _HOST.fullmatch(request.host) else ""
    sockets = [f"{scheme}://{host}" for scheme in (["wss"] if request.secure else ["wss", "ws"]) if host]
    response.headers["Content-Security-Policy"] = "; ".join((*_POLICY, " ".join(["connect-src 'self'", *sockets])))
