"""A scanner whose hosts all fall silent at once says so, in its snapshots, its metrics and its log."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from services.scanner.pool_health import HOSTS_MIN
from tests.fakes.pki import Authority
from tests.fakes.scan_requests import light_request
from tests.fakes.scanner_process import ScannerProcess, free_port, wait_for
from tests.fakes.service_lab import ServiceLab
from tests.fakes.tls_server import Serving, TlsServer
from vigilo.events import ids
from vigilo.events.scans import Baseline, Outcome, ScanRequested, Snapshot

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

METRIC = "vigilo_scanner_pool_suspect {}"
WORKSPACE = ids.new_id()


@pytest.fixture
def lab(kafka_bootstrap: str, topic_prefix: str, tmp_path: Path) -> Iterator[ServiceLab]:
    fresh = ServiceLab(kafka_bootstrap, topic_prefix, tmp_path, "scanner")
    yield fresh
    fresh.close()


def ask(lab: ServiceLab, port: int, number: int) -> UUID:
    """One of many hosts of many domains, well a moment ago, all at one address."""
    request = light_request(f"h{number}.d{number % 7}.test", port, address="127.0.0.1")
    baseline = Baseline(scan_id=ids.new_id(), requested_at=request.requested_at)
    target = request.target.model_copy(update={"workspace_id": WORKSPACE})
    request = ScanRequested.model_validate(request.model_dump() | {"baseline": baseline, "target": target})
    lab.write("scan-requested-now", request.target.host_id, request, ids.new_id())
    return request.scan_id


def test_a_lost_network_is_marked_and_its_return_too(lab: ServiceLab, authority: Authority, tmp_path: Path) -> None:
    def marks(asked: list[UUID]) -> list[bool]:
        said = lab.await_said("snapshots", Snapshot, len(asked), where=lambda one: one.scan_id in asked)
        return [one.event.pool_suspect for one in said]

    with TlsServer(Serving(authority.leaf("a.test"))) as server, ScannerProcess(lab.kafka, tmp_path / "log") as scanner:
        scanner.wait_ready()
        nobody = free_port()
        silent = [ask(lab, nobody, number) for number in range(HOSTS_MIN - 1)]
        assert marks(silent) == [False] * len(silent)
        last = [ask(lab, nobody, HOSTS_MIN)]
        assert marks(last) == [True]
        wait_for(lambda: METRIC.format("1.0") in scanner.get("/metrics")[1], 10)
        again = [ask(lab, server.port, number) for number in range(HOSTS_MIN)]
        assert set(marks(again)) == {True, False}
        wait_for(lambda: METRIC.format("0.0") in scanner.get("/metrics")[1], 10)
        log = scanner.log.read_text()
    assert log.count("most hosts fell silent at once") == 1
    assert log.count("its network is well again") == 1
    outcomes = {one.event.outcome for one in lab.read("snapshots", Snapshot) if one.event.scan_id in silent}
    assert outcomes == {Outcome.REFUSED}
