"""The live page on loopback, and clients of it."""

import asyncio
from collections.abc import Callable, Iterator

import pytest

pytest.importorskip("aiohttp", reason="the extra live is not installed")

from resemote_edge.camera.live.options import LiveOptions
from resemote_edge.camera.live.sink import LiveSink
from resemote_edge.camera.sinks.base import SinkOptions

Opener = Callable[..., LiveSink]


@pytest.fixture
def live() -> Iterator[Opener]:
    """A function that opens the sink at an address of this machine, at any free port, and closes it after the test."""
    opened: list[LiveSink] = []

    def opener(address: str = "live://127.0.0.1:0", **options: object) -> LiveSink:
        sink = LiveSink(address, SinkOptions(live=LiveOptions(**options)))
        sink.open()
        opened.append(sink)
        return sink

    yield opener
    for sink in opened:
        sink.close()


@pytest.fixture
def talk():
    """A function that runs a coroutine with the session of a client, which needs a moment for TLS to say goodbye."""
    import aiohttp

    def run(coroutine, *, goodbye=0.0, **options):
        async def within():
            jar = aiohttp.CookieJar(unsafe=True)  # addresses have cookies as well
            async with aiohttp.ClientSession(cookie_jar=jar, **options) as session:
                done = await asyncio.wait_for(coroutine(session), 60)
            await asyncio.sleep(goodbye)
            return done

        return asyncio.run(within())

    return run


@pytest.fixture
def get(talk):
    """A function that asks for one path: status, text and headers of the answer."""

    def ask(sink: LiveSink, path: str = "/", *, url: str | None = None, **request: object):
        async def asking(session):
            async with session.get((url or sink.address) + path.lstrip("/"), **request) as answer:
                return answer.status, await answer.text(), answer.headers

        return talk(asking, goodbye=0.3 if sink.address.startswith("https") else 0.0)

    return ask
