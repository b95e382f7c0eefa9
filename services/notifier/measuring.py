"""What /metrics says of deliveries."""

from __future__ import annotations

from collections.abc import Callable

from services.notifier.delivery import Attempt
from services.notifier.watching import Circuits
from vigilo.adapters.metrics import Metrics
from vigilo.events.rules import ChannelKind


def attempt_counter(metrics: Metrics) -> Callable[[ChannelKind, Attempt], None]:
    """Counts attempts by how they ended, and how long they took."""
    attempts = metrics.counter("vigilo_delivery_attempts", "Attempts by how they ended.", ["kind", "answer"])
    seconds = metrics.histogram("vigilo_delivery_attempt_seconds", "How long attempts took.", ["kind"])

    def count(kind: ChannelKind, attempt: Attempt) -> None:
        attempts.labels(kind.value, attempt.answer.value).inc()
        seconds.labels(kind.value).observe(attempt.duration_ms / 1000)

    return count


def circuit_gauge(metrics: Metrics) -> Callable[[Circuits], None]:
    """Shows all circuits of the ledger, not this process's alone; kinds without a channel are not there."""
    gauge = metrics.gauge("vigilo_delivery_circuits", "Channels in use, by state of their circuit.", ["kind", "state"])

    def show(circuits: Circuits) -> None:
        gauge.clear()
        for kind, (closed, opened) in circuits.items():
            gauge.labels(kind, "closed").set(closed)
            gauge.labels(kind, "open").set(opened)

    return show
