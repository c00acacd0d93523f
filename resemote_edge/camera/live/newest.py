"""Newest frame: one place that the camera's thread fills and that every client reads at its own pace."""

import asyncio
import threading
import time
from concurrent.futures import Executor

from resemote_edge.camera.live.jpeg import Render
from resemote_edge.camera.live.message import LiveMessage, pack
from resemote_edge.camera.results import FrameResult
from resemote_edge.vision.frame import Frame

__all__ = ["LiveFrame", "NewestFrame"]


class LiveFrame:
    """One frame, encoded once for all clients of a kind, when the first of them wants it.

    Attributes:
        sequence: Its number, from 1.
        result: What was decided about it.
        arrived: Time at which it came, on the monotonic clock, seconds.
    """

    def __init__(self, sequence: int, result: FrameResult, picture: Frame | None) -> None:
        self.sequence = sequence
        self.result = result
        self.arrived = time.monotonic()
        self._picture = picture
        self._jpeg: dict[Render, asyncio.Future[bytes]] = {}
        self._message: bytes | None = None

    async def jpeg(self, render: Render, executor: Executor) -> bytes:
        """Its JPEG, made by a thread of an executor; empty without a picture."""
        if self._picture is None:
            return b""
        if render not in self._jpeg:
            loop = asyncio.get_running_loop()
            self._jpeg[render] = loop.run_in_executor(executor, render, self.result, self._picture)
        # A client that leaves while it waits does not take the picture away from the others.
        return await asyncio.shield(self._jpeg[render])

    async def message(self, render: Render, executor: Executor, notice: str) -> bytes:
        """What a page gets of it."""
        jpeg = await self.jpeg(render, executor)
        if self._message is None:
            self._message = pack(LiveMessage(sequence=self.sequence, notice=notice, result=self.result), jpeg)
        return self._message


class NewestFrame:
    """The newest frame, and nothing older: nobody's slowness makes anything grow.

    `put` may be called by any thread, all else by that of the event loop.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._lock = threading.Lock()
        self._frame: LiveFrame | None = None
        self._sequence = 0
        self._told = True
        self._arrived = asyncio.Event()

    def put(self, result: FrameResult, picture: Frame | None) -> None:
        """Replace the newest frame, and wake those who wait for one.

        Raises:
            RuntimeError: The event loop is closed.
        """
        with self._lock:
            self._sequence += 1
            self._frame = LiveFrame(self._sequence, result, picture)
            # One call is under way at most, however long the loop is busy.
            told, self._told = self._told, False
        if told:
            self._loop.call_soon_threadsafe(self._tell)

    def get(self) -> LiveFrame | None:
        """The newest frame; None before the first."""
        return self._frame

    async def after(self, sequence: int) -> LiveFrame:
        """The newest frame, as soon as its number is larger than one."""
        while self._frame is None or self._frame.sequence <= sequence:
            await self._arrived.wait()
        return self._frame

    def _tell(self) -> None:
        with self._lock:
            self._told = True
        # Who waits now is woken; who comes later waits for the next.
        arrived, self._arrived = self._arrived, asyncio.Event()
        arrived.set()
