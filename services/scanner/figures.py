"""What the scanner counts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from vigilo.adapters.metrics import Metrics
from vigilo.events.scans import ScanRequested, Snapshot


class Figures:
    """The scanner's metrics. `clock_skew_s` is our clock minus the broker's append time, None before the first."""

    def __init__(self, metrics: Metrics, *, connections: Callable[[], int], in_flight: Callable[[], int]) -> None:
        self.clock_skew_s: float | None = None
        self._scans = metrics.counter("vigilo_scanner_scans", "Scans performed.", ["outcome", "lane"])
        self._seconds = metrics.histogram("vigilo_scanner_scan_seconds", "From start to snapshot.", ["lane"])
        self._waited = metrics.histogram("vigilo_scanner_wait_seconds", "From request to start.", ["lane"])
        self._expired = metrics.counter("vigilo_scanner_expired", "Requests dropped, being past not_after.", ["lane"])
        self._refused = metrics.counter("vigilo_scanner_refused", "Requests sent to dead-letters.", ["reason"])
        opened = metrics.gauge("vigilo_scanner_connections_opened", "TCP connections tried since the start.")
        opened.set_function(connections)
        metrics.gauge("vigilo_scanner_in_flight", "Requests taken and not finished.").set_function(in_flight)
        metrics.gauge("vigilo_scanner_clock_skew_seconds", "Own clock minus the broker's.").set_function(
            lambda: self.clock_skew_s or 0.0
        )

    def begun(self, request: ScanRequested, *, at: datetime) -> None:
        """One scan begins."""
        self._waited.labels(request.lane).observe(max((at - request.requested_at).total_seconds(), 0.0))

    def finished(self, snapshot: Snapshot, request: ScanRequested, *, appended_ms: int, at: datetime) -> None:
        """One snapshot is acknowledged."""
        self._scans.labels(snapshot.outcome, request.lane).inc()
        self._seconds.labels(request.lane).observe((snapshot.duration_ms or 0) / 1000)
        self.clock_skew_s = at.timestamp() - appended_ms / 1000

    def expired(self, request: ScanRequested) -> None:
        """One request came too late."""
        self._expired.labels(request.lane).inc()

    def refused(self, reason: str) -> None:
        """One request was of no use."""
        self._refused.labels(reason).inc()
