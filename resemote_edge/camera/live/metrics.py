"""Metrics of the camera and the page, in Prometheus' text format."""

import threading
from collections.abc import Iterator

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.core import CounterMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from resemote_edge.camera.results import FrameResult

__all__ = ["CONTENT_TYPE", "Metrics"]

CONTENT_TYPE = CONTENT_TYPE_LATEST

_PREFIX = "resemote_edge_camera"

#: Ends of the histogram's buckets, seconds; a frame at 30 a second takes 0.033.
_AGES = (0.005, 0.010, 0.015, 0.020, 0.025, 0.033, 0.050, 0.067, 0.100, 0.150, 0.250, 0.500, 1.0, 2.5)


class Metrics(Collector):
    """Counts what passes, for as long as the program runs."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._lock = threading.Lock()
        self._dropped: dict[str, int] = {}

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"{_PREFIX}_{name}", text, labels, registry=self._registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"{_PREFIX}_{name}", text, labels, registry=self._registry)

        self._frames = counter("frames", "Frames that were decided")
        self._tracks = counter("tracks", "Faces that came into view")
        self._faces = gauge("faces", "Faces in the newest frame")
        self._captured = gauge("last_frame_timestamp_seconds", "Time at which the newest frame reached the page")
        self._age = Histogram(
            f"{_PREFIX}_decision_age_seconds", "Time from capture to decision", buckets=_AGES, registry=self._registry
        )
        self._clients = gauge("clients", "Clients that are connected", "kind")
        self._sent = counter("sent", "Frames that clients took", "kind")
        self._skipped = counter("skipped", "Frames that clients were too slow for", "kind")
        self._lost = counter("clients_dropped", "Clients that were dropped or refused", "reason")
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    def observe(self, result: FrameResult) -> None:
        """Count one frame; called by the thread that writes."""
        self._frames.inc()
        self._faces.set(len(result.faces))
        self._tracks.inc(sum(face.event == "new" for face in result.faces))
        self._age.observe(result.decision_age_ms / 1000.0)
        self._captured.set_to_current_time()
        with self._lock:
            self._dropped = result.dropped

    def client(self, kind: str, change: int) -> None:
        """Count a client that comes (1) or goes (-1)."""
        self._clients.labels(kind).inc(change)

    def sent(self, kind: str, skipped: int) -> None:
        """Count a frame that a client took, and those that it missed before."""
        self._sent.labels(kind).inc()
        self._skipped.labels(kind).inc(skipped)

    def lost(self, reason: str) -> None:
        """Count a client that was dropped or refused."""
        self._lost.labels(reason).inc()

    def text(self) -> bytes:
        """All of them, as Prometheus reads them."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[CounterMetricFamily]:
        """Frames dropped, which the camera counts; called by the registry."""
        with self._lock:
            dropped = dict(self._dropped)
        family = CounterMetricFamily(f"{_PREFIX}_frames_dropped", "Frames dropped, by reason", labels=["reason"])
        for reason, count in sorted(dropped.items()):
            family.add_metric([reason], count)
        yield family
