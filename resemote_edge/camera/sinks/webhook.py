"""Webhook: events of faces, by POST to a web server.

The body is ``{"events": [...]}``, or ``{"counts": [...]}`` with counts in place of results. A server that fails is
tried again, later each time, and meanwhile the oldest events are dropped for newer ones. Redirects are not followed:
they would carry what is known of faces, and a password, to a host that nobody named.
"""

import base64
import http.client
import os
import random
import threading
import time
from collections import deque

from resemote_edge import __version__
from resemote_edge.camera.address import Address, parse_address
from resemote_edge.camera.events import Events, encode_event
from resemote_edge.camera.privacy.aggregate import AggregateResult, encode_aggregate
from resemote_edge.camera.results import FrameResult
from resemote_edge.camera.sinks.base import Sink, SinkOptions
from resemote_edge.errors import InputError
from resemote_edge.vision.frame import Frame

__all__ = ["AUTHORIZATION_VARIABLE", "MOST_EVENTS", "WebhookSink"]

#: Events that wait for the server; the oldest is dropped, and counted, when another comes.
MOST_EVENTS = 256

#: Environment variable whose value is sent as the header ``Authorization``, such as ``Bearer ...``.
AUTHORIZATION_VARIABLE = "RESEMOTE_EDGE_WEBHOOK_AUTHORIZATION"

_EVENTS_PER_POST = 64
_TIMEOUT_SECONDS = 5.0
_FIRST_BACKOFF_SECONDS = 0.5
_LONGEST_BACKOFF_SECONDS = 30.0
_END_SECONDS = 3.0
_MOST_ANSWER_BYTES = 1 << 16

#: Answers that a later try may change.
_TRY_AGAIN = frozenset({408, 425, 429})


class WebhookSink(Sink):
    """Posts events from a thread of its own, so that a server that hangs loses events and no results.

    Args:
        address: ``webhook+https://[user:password@]host[:port]/path[?query]``, or ``webhook+http://``.
        options: `aggregate` is used.

    Raises:
        InputError: The address is no such address.
    """

    takes_aggregates = True

    def __init__(self, address: str, options: SinkOptions) -> None:
        self._address = parse_address(address)
        # The path of a webhook is often its password.
        self.name = f"{self._address.name.partition('://')[0]}://{self._address.host}/..."
        if not (self._address.path + self._address.query).isascii():
            raise InputError(f"{self.name}: a path with letters that a URL cannot have", hint="write them as %..")
        self._key = "counts" if options.aggregate else "events"
        self._headers = _headers(self._address)
        self._events = Events()
        self._waiting: deque[bytes] = deque()
        self._changed = threading.Condition()
        self._in_hand = 0
        self._ending = self._closed = False
        self._connection: http.client.HTTPConnection | None = None
        self._thread = threading.Thread(target=self._run, name="webhook", daemon=True)

    def open(self) -> None:
        """Start the thread; a server that is not there yet is tried again until it is."""
        self._thread.start()

    def write(self, result: FrameResult, picture: Frame | None) -> None:
        """Queue the events of one frame."""
        self._add([encode_event(event) for event in self._events.of(result)])

    def write_aggregate(self, result: AggregateResult) -> None:
        """Queue counts."""
        self._add([encode_aggregate(result)])

    def close(self) -> None:
        """Post what waits, but for no longer than a few seconds."""
        self._add([encode_event(event) for event in self._events.finish()])
        with self._changed:
            self._ending = True
            self._changed.notify_all()
        if self._thread.ident is None:
            return
        self._thread.join(_END_SECONDS)
        with self._changed:
            left = len(self._waiting) + self._in_hand
            self._closed = True
            self._waiting.clear()
        if left:
            self.lose("not posted before the end", left)

    def _add(self, messages: list[bytes]) -> None:
        if not messages:
            return
        with self._changed:
            self._waiting.extend(messages)
            dropped = max(len(self._waiting) - MOST_EVENTS, 0)
            for _ in range(dropped):
                self._waiting.popleft()
            self._changed.notify_all()
        if dropped:
            self.lose(f"more than {MOST_EVENTS} events waited for the server", dropped)

    def _run(self) -> None:
        failures = 0
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._ending)
                batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), _EVENTS_PER_POST))]
                self._in_hand = len(batch)
            if not batch:
                break
            trouble, again = self._post(batch)
            if self._is_closed():
                break
            failures = 0 if trouble is None else failures + 1
            if trouble is None:
                continue
            self._drop_connection()
            if again:
                self.tell(f"{trouble}; it is tried again")
                self._put_back(batch)
                self._pause(failures)
            else:
                self.lose(trouble, len(batch))
        self._drop_connection()

    def _post(self, batch: list[bytes]) -> tuple[str | None, bool]:
        """Post some messages; what went wrong, if anything, and whether a later try may change that."""
        body = b'{"%s":[%s]}' % (self._key.encode(), b",".join(batch))
        target = (self._address.path or "/") + (f"?{self._address.query}" if self._address.query else "")
        try:
            if self._connection is None:
                self._connection = self._connect()
            self._connection.request("POST", target, body=body, headers=self._headers)
            answer = self._connection.getresponse()
            whole = len(answer.read(_MOST_ANSWER_BYTES)) < _MOST_ANSWER_BYTES
        except (OSError, http.client.HTTPException) as error:
            return getattr(error, "strerror", None) or f"{type(error).__name__} of the server", True
        if not whole:
            self._drop_connection()
        if 200 <= answer.status < 300:
            return None, False
        if 300 <= answer.status < 400:
            return f"the server answered {answer.status}, and redirects are not followed", False
        return f"the server answered {answer.status}", answer.status >= 500 or answer.status in _TRY_AGAIN

    def _connect(self) -> http.client.HTTPConnection:
        secure = self._address.scheme.endswith("https")
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        return kind(self._address.host, self._address.port, timeout=_TIMEOUT_SECONDS)

    def _drop_connection(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _is_closed(self) -> bool:
        """Note that nothing is in hand any more; whether `close` has given up what was."""
        with self._changed:
            self._in_hand = 0
            return self._closed

    def _put_back(self, batch: list[bytes]) -> None:
        """Put messages before those that came since, as far as there is room; the oldest are lost."""
        with self._changed:
            lost = max(len(batch) + len(self._waiting) - MOST_EVENTS, 0)
            self._waiting.extendleft(reversed(batch[lost:]))
        if lost:
            self.lose(f"more than {MOST_EVENTS} events waited for the server", lost)

    def _pause(self, failures: int) -> None:
        """Wait before the next try: longer each time, and not in step with others that wait for the same server."""
        longest = min(_FIRST_BACKOFF_SECONDS * 2.0 ** min(failures - 1, 10), _LONGEST_BACKOFF_SECONDS)
        until = time.monotonic() + longest * random.uniform(0.5, 1.0)
        with self._changed:
            while not self._ending and time.monotonic() < until:
                self._changed.wait(until - time.monotonic())
        if self._ending:
            time.sleep(0.1)  # Until `close` gives up.


def _headers(address: Address) -> dict[str, str]:
    headers = {"Content-Type": "application/json", "User-Agent": f"resemote-edge/{__version__}"}
    if address.user:
        login = f"{address.user}:{address.password}".encode()
        headers["Authorization"] = f"Basic {base64.b64encode(login).decode()}"
    elif os.environ.get(AUTHORIZATION_VARIABLE):
        headers["Authorization"] = os.environ[AUTHORIZATION_VARIABLE]
    return headers
