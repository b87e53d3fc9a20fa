"""What the server counts, for Prometheus at /metrics. docs/operations.md says what each line means.

Names of rooms, tokens and addresses are in none of it. The figures of calls are what peers report of themselves.
"""

from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_1_0_0

from signaling.errors import RefusalCode
from signaling.messages import PeerMessage, Report

CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_1_0_0
JOIN_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)
CONNECT_S: Final = (0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 15.0)
BYTES: Final = (128, 512, 1024, 2048, 4096, 8192, 16384, 65536)
KBPS: Final = (5, 10, 15, 20, 25, 30, 35, 40, 50, 75, 100)


class Metrics:
    """Everything that one server counts, in a registry of its own."""

    def __init__(self, rooms: Callable[[], float], seats: Callable[[], float], stopping: Callable[[], float]) -> None:
        self.registry = CollectorRegistry()
        self._gauge("rooms", "Rooms with a seat taken or kept, as this instance knows them.", rooms)
        self._gauge("seats", "Peers that have a seat on this instance.", seats)
        self._gauge("stopping", "1 while this instance takes no new rooms because it stops.", stopping)
        self.sockets = Gauge("facewire_sockets", "Open WebSockets, with or without a seat.", registry=self.registry)
        self.rooms_made = self._counter("rooms_made", "Rooms given out by POST /rooms.")
        self.ice_lists = self._counter("ice_lists", "Lists of ICE servers given out.")
        self.joins = self._counter("joins", "Seats taken, or taken back.", "role")
        self.refusals = self._counter("refusals", "Refusals, by reason.", "code")
        self.messages = self._counter("messages", "Messages from peers.", "type")
        self.requests = self._counter("http_requests", "HTTP requests answered.", "route", "status")
        self.message_bytes = self._histogram("message_bytes", "Size of messages from peers, in bytes.", BYTES)
        self.join_s = self._histogram("join_seconds", "From the join message to its answer.", JOIN_S)
        self.connect_s = self._histogram(
            "connect_seconds", "From the beginning of an attempt to the connection, as peers report.", CONNECT_S
        )
        self.call_minutes = self._counter("call_minutes", "Minutes of a peer in a call, as peers report.", "way")
        self.sent_kbps = self._histogram("sent_kbps", "Wire rate of a peer's direction, as it reports.", KBPS)
        self.received_kbps = self._histogram("received_kbps", "Wire rate at a peer, as it reports.", KBPS)
        Info("facewire_build", "The version that runs.", registry=self.registry).info({"version": _version()})
        for code in RefusalCode:  # a line that is not there yet cannot be alerted on
            self.refusals.labels(code)

    def took(self, message: PeerMessage, size: int) -> None:
        """Count a message, and what a report says."""
        self.messages.labels(message.type).inc()
        self.message_bytes.observe(size)
        if isinstance(message, Report):
            self._reported(message)

    def page(self) -> bytes:
        """Return the page that Prometheus reads."""
        return generate_latest(self.registry)

    def _reported(self, report: Report) -> None:
        if report.connect_s is not None:
            self.connect_s.observe(report.connect_s)
        self.call_minutes.labels("relayed" if report.relayed else "direct").inc(report.call_s / 60)
        if report.sent_kbps is not None:
            self.sent_kbps.observe(report.sent_kbps)
        if report.received_kbps is not None:
            self.received_kbps.observe(report.received_kbps)

    def _counter(self, name: str, words: str, *labels: str) -> Counter:
        return Counter(f"facewire_{name}", words, labels, registry=self.registry)

    def _histogram(self, name: str, words: str, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(f"facewire_{name}", words, registry=self.registry, buckets=buckets)

    def _gauge(self, name: str, words: str, value: Callable[[], float]) -> None:
        Gauge(f"facewire_{name}", words, registry=self.registry).set_function(value)


def _version() -> str:
    try:
        return version("facewire")
    except PackageNotFoundError:  # an image with the server's files alone
        return "unknown"
