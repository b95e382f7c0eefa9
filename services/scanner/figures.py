"""What the scanner counts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from services.scanner.tools import Tools
from vigilo.adapters.metrics import Metrics
from vigilo.events.scans import ScanRequested, Snapshot

_CONNECTIONS = (3, 7, 14, 30, 45, 60, 90, 120, 200, 300)


def _asked_now(snapshot: Snapshot) -> tuple[int, ...]:
    """How many connections each posture took that this scan measured itself, and did not carry over."""
    origin = snapshot.posture_origin
    if snapshot.posture is None or (origin is not None and origin.scan_id != snapshot.scan_id):
        return ()
    return tuple(one.connections for one in snapshot.address_postures or (snapshot.posture,))


class Figures:
    """The scanner's metrics. `clock_skew_s` is our clock minus the broker's append time, None before the first."""

    def __init__(self, metrics: Metrics, tools: Tools, *, in_flight: Callable[[], int]) -> None:
        self.clock_skew_s: float | None = None
        self._scans = metrics.counter("vigilo_scanner_scans", "Scans performed.", ["outcome", "lane", "depth"])
        self._seconds = metrics.histogram("vigilo_scanner_scan_seconds", "From start to snapshot.", ["lane", "depth"])
        self._connections = metrics.histogram(
            "vigilo_scanner_posture_connections",
            "Connections that one scan asked one address about its posture with.",
            ["depth"],
            buckets=_CONNECTIONS,
        )
        self._throttled = metrics.counter("vigilo_scanner_throttled", "Scans a server stopped answering.", ["depth"])
        self._waited = metrics.histogram("vigilo_scanner_wait_seconds", "From request to start.", ["lane"])
        self._expired = metrics.counter("vigilo_scanner_expired", "Requests dropped, being past not_after.", ["lane"])
        self._refused = metrics.counter("vigilo_scanner_refused", "Requests sent to dead-letters.", ["reason"])
        opened = metrics.gauge("vigilo_scanner_connections_opened", "TCP connections tried since the start.")
        opened.set_function(lambda: tools.connections)
        waiting = metrics.gauge("vigilo_scanner_waiting_for_address", "Connections waiting: enough to that address.")
        waiting.set_function(lambda: tools.courtesy.waiting)
        self._suspect = metrics.gauge("vigilo_scanner_pool_suspect", "1 while the pool's own network seems lost.")
        metrics.gauge("vigilo_scanner_in_flight", "Requests taken and not finished.").set_function(in_flight)
        metrics.gauge("vigilo_scanner_clock_skew_seconds", "Own clock minus the broker's.").set_function(
            lambda: self.clock_skew_s or 0.0
        )

    def begun(self, request: ScanRequested, *, at: datetime) -> None:
        """One scan begins."""
        self._waited.labels(request.lane).observe(max((at - request.requested_at).total_seconds(), 0.0))

    def finished(self, snapshot: Snapshot, request: ScanRequested, *, appended_ms: int, at: datetime) -> None:
        """One snapshot is acknowledged."""
        self._scans.labels(snapshot.outcome, request.lane, snapshot.depth).inc()
        self._seconds.labels(request.lane, snapshot.depth).observe((snapshot.duration_ms or 0) / 1000)
        if snapshot.throttled:
            self._throttled.labels(snapshot.depth).inc()
        for connections in _asked_now(snapshot):
            self._connections.labels(snapshot.depth).observe(connections)
        self.clock_skew_s = at.timestamp() - appended_ms / 1000

    def suspected(self, *, is_suspect: bool) -> None:
        """Whether the pool seems to have lost its network, as of now."""
        self._suspect.set(is_suspect)

    def expired(self, request: ScanRequested) -> None:
        """One request came too late."""
        self._expired.labels(request.lane).inc()

    def refused(self, reason: str) -> None:
        """One request was of no use."""
        self._refused.labels(reason).inc()
