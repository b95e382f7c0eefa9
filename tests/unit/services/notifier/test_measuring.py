"""What /metrics says of deliveries."""

from __future__ import annotations

from services.notifier.delivery import Answer, Attempt
from services.notifier.measuring import attempt_counter, circuit_gauge
from vigilo.adapters.metrics import Metrics
from vigilo.events.rules import ChannelKind


def lines(metrics: Metrics) -> set[str]:
    """The samples, as Prometheus reads them."""
    return {line for line in metrics.exposition().decode().splitlines() if line.startswith("vigilo_delivery")}


def test_circuits_are_shown_by_kind_and_those_of_before_are_gone() -> None:
    metrics = Metrics("notifier")
    show = circuit_gauge(metrics)
    show({"slack": (2, 1), "email": (1, 0)})
    show({"slack": (0, 3)})
    assert lines(metrics) == {
        'vigilo_delivery_circuits{kind="slack",state="closed"} 0.0',
        'vigilo_delivery_circuits{kind="slack",state="open"} 3.0',
    }


def test_attempts_are_counted_by_their_end() -> None:
    metrics = Metrics("notifier")
    count = attempt_counter(metrics)
    for answer in (Answer.ACCEPTED, Answer.GONE, Answer.GONE):
        count(ChannelKind.SLACK, Attempt(answer, duration_ms=1500))
    found = lines(metrics)
    assert 'vigilo_delivery_attempts_total{answer="gone",kind="slack"} 2.0' in found
    assert 'vigilo_delivery_attempt_seconds_sum{kind="slack"} 4.5' in found
