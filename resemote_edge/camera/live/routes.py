"""Routes: what is served under which path."""

import logging
import time
from pathlib import Path

import msgspec
from aiohttp import hdrs, web

from resemote_edge.camera.live.access import Access, Handler
from resemote_edge.camera.live.clients import Clients
from resemote_edge.camera.live.headers import add_headers
from resemote_edge.camera.live.metrics import CONTENT_TYPE, Metrics
from resemote_edge.camera.live.newest import NewestFrame
from resemote_edge.camera.results import encode_result

__all__ = ["make_application"]

_LOG = logging.getLogger(__name__)
_FOLDER = Path(__file__).parent / "page"
_TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}

#: Age of the newest frame beyond which the camera counts as silent, seconds.
_SILENT_SECONDS = 10.0


def make_application(newest: NewestFrame, clients: Clients, metrics: Metrics, access: Access) -> web.Application:
    """The application of the live page: ``/`` and its files, the streams, the state, metrics and health."""
    application = web.Application(middlewares=[_report_faults, access.middleware], client_max_size=1024)
    application.on_response_prepare.append(add_headers)
    files = {path.name: _File(path) for path in sorted(_FOLDER.iterdir()) if path.suffix in _TYPES}
    reports = _Reports(newest, metrics)

    async def page(_: web.Request) -> web.Response:
        return files["index.html"].answer()

    async def file(request: web.Request) -> web.Response:
        found = files.get(request.match_info["name"])
        return web.Response(status=404, text="no such file\n") if found is None else found.answer()

    application.router.add_get("/", page)
    application.router.add_get("/page/{name}", file)
    application.router.add_get("/frames", clients.page, allow_head=False)
    application.router.add_get("/stream.mjpg", clients.mjpeg, allow_head=False)
    application.router.add_get("/state.json", reports.state)
    application.router.add_get("/metrics", reports.metrics)
    application.router.add_get("/healthz", reports.health)
    return application


@web.middleware
async def _report_faults(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Log a fault of ours, without the request: its query and its headers may hold the token."""
    try:
        return await handler(request)
    except (web.HTTPException, ConnectionError):
        raise
    except Exception:
        _LOG.exception("the live page could not answer a request")
        return web.Response(status=500, text="the camera's program has a fault; its log has the reason\n")


class _File:
    """A file of the page, held in memory: the folder is no way to any other file."""

    def __init__(self, path: Path) -> None:
        self._content = path.read_bytes()
        self._type = _TYPES[path.suffix]

    def answer(self) -> web.Response:
        return web.Response(body=self._content, content_type=self._type, charset="utf-8")


class _Reports:
    """Answers that say how things are at this moment."""

    def __init__(self, newest: NewestFrame, metrics: Metrics) -> None:
        self._newest = newest
        self._metrics = metrics

    async def state(self, _: web.Request) -> web.Response:
        frame = self._newest.get()
        if frame is None:
            return _json(503, {"error": "no frame yet"})
        return web.Response(body=encode_result(frame.result), content_type="application/json")

    async def metrics(self, _: web.Request) -> web.Response:
        return web.Response(body=self._metrics.text(), headers={hdrs.CONTENT_TYPE: CONTENT_TYPE})

    async def health(self, _: web.Request) -> web.Response:
        frame = self._newest.get()
        if frame is None:
            return _json(503, {"status": "no frame yet"})
        age = round(time.monotonic() - frame.arrived, 3)
        silent = age > _SILENT_SECONDS
        return _json(503 if silent else 200, {"status": "silent" if silent else "ok", "newest_frame_seconds": age})


def _json(status: int, content: dict[str, object]) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode(content), content_type="application/json")
