from __future__ import annotations

import os

import pytest
from prometheus_client.parser import text_string_to_metric_families

from vigilo.adapters.metrics import BadMetricName, Metrics


def samples(metrics: Metrics) -> dict[str, list[tuple[dict[str, str], float]]]:
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    for family in text_string_to_metric_families(metrics.exposition().decode()):
        for sample in family.samples:
            found.setdefault(sample.name, []).append((dict(sample.labels), sample.value))
    return found


def test_a_counter_is_exposed_with_total_and_its_labels() -> None:
    metrics = Metrics("scanner")
    metrics.counter("vigilo_scans", "Scans done.", ["outcome"]).labels("ok").inc(3)
    assert samples(metrics)["vigilo_scans_total"] == [({"outcome": "ok"}, 3.0)]


def test_every_process_tells_its_service_and_memory() -> None:
    found = samples(Metrics("grader"))
    assert found["vigilo_build_info"][0][0]["service"] == "grader"
    if os.path.exists("/proc/self/stat"):  # noqa: PTH110
        assert found["process_resident_memory_bytes"][0][1] > 1_000_000


def test_a_hostile_label_value_stays_one_value() -> None:
    metrics = Metrics("scanner")
    hostile = 'a"} 1\nvigilo_scans_total{outcome="forged\\'
    metrics.counter("vigilo_scans", "Scans done.", ["outcome"]).labels(hostile).inc()
    assert samples(metrics)["vigilo_scans_total"] == [({"outcome": hostile}, 1.0)]


@pytest.mark.parametrize(
    "name",
    [
        "scans",
        "vigilo_",
        "vigilo_Scans",
        "vigilo_scan_duration_ms",
        "vigilo_scan_milliseconds",
        "vigilo_heap_mb",
        "vigilo_lag_minutes_max",
        "vigilo_full_percent",
        "vigilo_scans_total",
        "vigilo_scan-seconds",
    ],
)
def test_a_name_against_the_rules_is_refused(name: str) -> None:
    with pytest.raises(BadMetricName):
        Metrics("scanner").gauge(name, "Whatever.")


def test_two_registries_do_not_know_each_other() -> None:
    one, other = Metrics("a"), Metrics("b")
    one.gauge("vigilo_lag_seconds", "Lag.").set(5)
    assert "vigilo_lag_seconds" not in samples(other)
