"""A host that goes dark between two slots a day apart: three services on a real broker, rechecks two seconds apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from tests.fakes import inputs
from tests.fakes.pki import Authority
from tests.fakes.service_lab import ServiceLab
from tests.fakes.tls_server import Serving, TlsServer
from vigilo.events import ids
from vigilo.events.alerts import AlertTransition, TransitionKind
from vigilo.events.hosts import Host, Interval
from vigilo.events.scans import Outcome, ScanReason, Snapshot
from vigilo.events.triggers import Unreachable

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

SNAPSHOTS, ALERTS = "snapshots", "alerts"
SPACING = timedelta(seconds=2)


@pytest.fixture
def lab(kafka_bootstrap: str, topic_prefix: str, tmp_path: Path) -> Iterator[ServiceLab]:
    fresh = ServiceLab(kafka_bootstrap, topic_prefix, tmp_path, "scheduler", "scanner", "grader", "alerter")
    yield fresh
    fresh.close()


def watch(lab: ServiceLab, port: int) -> Host:
    """A host that is scanned once a day, and a rule over it that opens after 3 and closes after 2."""
    now = datetime.now(UTC)
    workspace = ids.new_id()
    rule = inputs.rule(rule_id=ids.new_id(), workspace_id=workspace, trigger=Unreachable(), open_after=3, close_after=2)
    lab.write("alert-rules", rule.rule_id, rule, ids.record_id(rule.rule_id, 1))
    host = inputs.host(
        host_id=ids.new_id(),
        workspace_id=workspace,
        hostname="127.0.0.1",
        port=port,
        interval=Interval.H24,
        created_at=now,
        updated_at=now,
    )
    lab.write("hosts", host.host_id, host, ids.record_id(host.host_id, 1))
    return host


def scan_now(lab: ServiceLab, host: Host) -> None:
    command = inputs.scan_command(at=datetime.now(UTC), host_id=host.host_id, workspace_id=host.workspace_id)
    lab.write("host-commands", host.host_id, command, command.command_id)


def of(host_id: UUID, kind: TransitionKind) -> Callable[[AlertTransition], bool]:
    return lambda one: one.host_id == host_id and one.kind is kind


def told(lab: ServiceLab, host: Host, kind: TransitionKind) -> AlertTransition:
    return lab.await_said(ALERTS, AlertTransition, where=of(host.host_id, kind))[0].event


def rechecks(lab: ServiceLab) -> list[Snapshot]:
    return [one.event for one in lab.read(SNAPSHOTS, Snapshot) if one.event.reason is ScanReason.RECHECK]


def test_a_host_that_goes_dark_is_rechecked_until_its_alert_opens_and_again_until_it_closes(lab: ServiceLab) -> None:
    lab.start("scheduler", VIGILO_RECHECK_SPACING="2s", VIGILO_SCAN_NOW_SPACING="1s")
    lab.start("scanner", VIGILO_POOL_ALLOW="127.0.0.0/8")
    lab.start("grader")
    lab.start("alerter")
    serving = Serving(Authority.create().leaf("127.0.0.1"))
    with TlsServer(serving) as server:
        port = server.port
        host = watch(lab, port)
        lab.await_said(SNAPSHOTS, Snapshot, where=lambda one: one.reason is ScanReason.BASELINE)
    # A day would pass until the next slot: a person's scan stands for it.
    scan_now(lab, host)
    pending = told(lab, host, TransitionKind.PENDING)
    opened = told(lab, host, TransitionKind.OPENED)
    dark = rechecks(lab)
    assert [one.outcome for one in dark] == [Outcome.REFUSED, Outcome.REFUSED]
    assert [one.scan_id for one in dark] == [
        ids.caused_scan_id(host.host_id, f"recheck/{pending.transition_id}/{number}") for number in (1, 2)
    ]
    asked = [one.requested_at for one in dark]
    assert asked[0] >= pending.at + SPACING
    assert asked[1] >= asked[0] + SPACING
    assert opened.alert_id == pending.alert_id
    with TlsServer(serving, port=port):
        scan_now(lab, host)
        clearing = told(lab, host, TransitionKind.CLEARING)
        closed = told(lab, host, TransitionKind.CLOSED)
    assert (clearing.alert_id, closed.alert_id) == (opened.alert_id, opened.alert_id)
    (back,) = rechecks(lab)[2:]
    assert back.outcome is Outcome.OK
    assert back.scan_id == ids.caused_scan_id(host.host_id, f"recheck/{clearing.transition_id}/1")
