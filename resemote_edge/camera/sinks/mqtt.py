"""MQTT: the newest state and the events of faces, to a broker.

``TOPIC/status`` is ``online`` or ``offline``, retained; the broker itself says ``offline`` when this program dies.
``TOPIC/state`` is the newest result, retained, at a bounded rate. ``TOPIC/events`` has one message for each event,
which waits while the connection is down. With counts in place of results, there is ``TOPIC/counts`` in place of both.
"""

import os
import secrets
import time
from typing import Any
from urllib.parse import unquote

from resemote_edge.camera.address import Address, parse_address
from resemote_edge.camera.events import Events, FaceEvent, encode_event
from resemote_edge.camera.privacy.aggregate import AggregateResult, encode_aggregate
from resemote_edge.camera.results import FrameResult, encode_result
from resemote_edge.camera.sinks.base import Sink, SinkOptions
from resemote_edge.errors import InputError, needs
from resemote_edge.vision.frame import Frame

__all__ = ["MOST_EVENTS", "PASSWORD_VARIABLE", "MqttSink"]

#: Events that wait for the broker; those that come when so many wait are lost, and counted.
MOST_EVENTS = 1000

#: Environment variable of the password, for whoever keeps it off the command line, where `ps` shows it.
PASSWORD_VARIABLE = "RESEMOTE_EDGE_MQTT_PASSWORD"

_KEEPALIVE_SECONDS = 15
_CONNECT_SECONDS = 3.0
_LONGEST_BACKOFF_SECONDS = 30
_GOODBYE_SECONDS = 2.0


class MqttSink(Sink):
    """Publishes to a broker, from a thread of the MQTT client, which connects anew whenever the connection is lost.

    Args:
        address: ``mqtt://[user[:password]@]host[:port]/topic``, or ``mqtts://`` for TLS.
        options: `state_seconds` is used.

    Raises:
        InputError: The address is no such address.
        MissingDependencyError: paho-mqtt is not installed.
    """

    takes_aggregates = True

    def __init__(self, address: str, options: SinkOptions) -> None:
        with needs("mqtt", "sending to an MQTT broker", "paho"):
            import paho.mqtt.client as paho
        self._paho: Any = paho
        parsed = parse_address(address)
        self.name = parsed.name
        self._topic = unquote(parsed.path[1:])
        if parsed.query or not self._topic.strip("/") or set(self._topic) & {"+", "#", "\0"}:
            raise InputError(f"{self.name} names no topic", hint="write mqtt://HOST/TOPIC, without + and # in it")
        self._state_seconds = options.state_seconds
        self._events = Events()
        self._pending: bytes | None = None
        self._sent_at = float("-inf")
        self._trouble: str | None = None
        self._client = self._make_client(parsed)
        self._place = (parsed.host, parsed.port or (8883 if parsed.scheme == "mqtts" else 1883))

    def _make_client(self, address: Address) -> Any:
        client = self._paho.Client(
            self._paho.CallbackAPIVersion.VERSION2, client_id=f"resemote-edge-{secrets.token_hex(6)}"
        )
        if address.user:
            client.username_pw_set(address.user, address.password or os.environ.get(PASSWORD_VARIABLE))
        if address.scheme == "mqtts":
            client.tls_set()
        client.will_set(f"{self._topic}/status", "offline", qos=1, retain=True)
        client.max_queued_messages_set(MOST_EVENTS)
        client.reconnect_delay_set(min_delay=1, max_delay=_LONGEST_BACKOFF_SECONDS)
        client.connect_timeout = _CONNECT_SECONDS
        client.on_connect = self._connected
        client.on_connect_fail = self._not_connected
        client.on_disconnect = self._disconnected
        return client

    def open(self) -> None:
        """Begin to connect; a broker that is not there yet is tried again until it is."""
        self._client.connect_async(*self._place, keepalive=_KEEPALIVE_SECONDS)
        self._client.loop_start()

    def write(self, result: FrameResult, picture: Frame | None) -> None:
        """Publish the events of one frame, and its result if it is time for one.

        Raises:
            ConnectionError: There is no connection. The events wait for it; the result does not.
        """
        self._publish_events(self._events.of(result))
        self._offer("state", encode_result(result))

    def write_aggregate(self, result: AggregateResult) -> None:
        """Publish counts.

        Raises:
            ConnectionError: There is no connection; the counts are sent when there is one, unless newer ones come.
        """
        self._sent_at = float("-inf")
        self._offer("counts", encode_aggregate(result))

    def tick(self) -> None:
        """Publish a state that had to wait."""
        if self._pending is not None and self._client.is_connected():
            self._publish_pending()

    def close(self) -> None:
        """Say what ends and ``offline``, and disconnect; a broker that does not answer is left."""
        self._publish_events(self._events.finish())
        self._sent_at = float("-inf")
        self.tick()
        last = self._client.publish(f"{self._topic}/status", "offline", qos=1, retain=True)
        if self._client.is_connected():
            last.wait_for_publish(_GOODBYE_SECONDS)
        self._client.disconnect()
        self._client.loop_stop()

    def _offer(self, kind: str, content: bytes) -> None:
        """Keep a state as the newest one, and send it if it is time for one."""
        self._kind, self._pending = kind, content
        if self._client.is_connected():
            self._publish_pending()
        elif self._trouble is not None:
            raise ConnectionError(self._trouble)

    def _publish_pending(self) -> None:
        now = time.monotonic()
        if now - self._sent_at >= self._state_seconds:
            self._sent_at = now
            content, self._pending = self._pending, None
            self._client.publish(f"{self._topic}/{self._kind}", content, qos=0, retain=True)

    def _publish_events(self, events: list[FaceEvent]) -> None:
        for event in events:
            sent = self._client.publish(f"{self._topic}/events", encode_event(event), qos=1)
            if sent.rc == self._paho.MQTT_ERR_QUEUE_SIZE:
                self.lose(f"more than {MOST_EVENTS} events waited for the broker", 1)

    # Called by the client's thread.

    def _connected(self, client: Any, user: Any, flags: Any, reason: Any, properties: Any) -> None:
        if reason.is_failure:
            self._trouble = f"the broker refused the connection: {reason}"
            return
        self._trouble = None
        client.publish(f"{self._topic}/status", "online", qos=1, retain=True)

    def _not_connected(self, client: Any, user: Any) -> None:
        self._trouble = f"no connection to {self._place[0]}:{self._place[1]}"

    def _disconnected(self, client: Any, user: Any, flags: Any, reason: Any, properties: Any) -> None:
        if reason.is_failure:
            self._trouble = self._trouble or f"the connection to {self._place[0]}:{self._place[1]} was lost"
