"""The scheduler as a process: host record to request, scans nobody performs, restarts."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from tests.fakes import inputs
from tests.fakes.service_lab import ServiceLab
from vigilo.events import ids
from vigilo.events.hosts import Host, HostStatus
from vigilo.events.scans import Depth, Lane, Outcome, ScanReason, ScanRequested, Snapshot

pytestmark = pytest.mark.kafka

NOW, SLOW, SNAPSHOTS = "scan-requested-now", "scan-requested", "snapshots"


def add(lab: ServiceLab, version: int = 1, **changes: object) -> Host:
    now = datetime.now(UTC)
    fields: dict[str, object] = {"host_id": ids.new_id(), "created_at": now, "updated_at": now, **changes}
    host = inputs.host(version=version, **fields)
    lab.write("hosts", host.host_id, host, ids.record_id(host.host_id, version))
    return host


def of(host: Host) -> Callable[[ScanRequested | Snapshot], bool]:
    return lambda event: event.target.host_id == host.host_id


def requests(lab: ServiceLab, topic: str, host: Host) -> list[ScanRequested]:
    return [one.event for one in lab.read(topic, ScanRequested) if of(host)(one.event)]


def test_a_new_host_is_asked_for_at_once_and_so_is_scan_now(hasty: ServiceLab) -> None:
    host = add(hasty)
    (first,) = hasty.await_said(NOW, ScanRequested, where=of(host))
    assert (first.key, first.ce_id) == ("shop.example", str(ids.request_id(first.event.scan_id)))
    assert (first.event.target, first.event.lane) == (host.target(), Lane.NOW)
    command = inputs.scan_command(at=datetime.now(UTC), host_id=host.host_id)
    hasty.write("host-commands", host.host_id, command, command.command_id)
    second = hasty.await_said(NOW, ScanRequested, 2, where=of(host))[1].event
    assert (second.command_id, second.reason) == (command.command_id, ScanReason.COMMAND)


def test_the_next_request_repeats_what_was_seen(hasty: ServiceLab) -> None:
    host = add(hasty)
    (first,) = hasty.await_said(NOW, ScanRequested, where=of(host))
    asked = first.event
    seen = inputs.snapshot(scan_id=asked.scan_id, target=asked.target, requested_at=asked.requested_at)
    hasty.write(SNAPSHOTS, host.host_id, seen, ids.snapshot_id(asked.scan_id))
    full = hasty.await_said(NOW, ScanRequested, 2, where=of(host))[1].event
    assert (full.reason, full.depth) == (ScanReason.BASELINE, Depth.FULL)
    # The scan asked for next ends after the snapshot in the same partition: when it has ended, that was read.
    add(hasty, version=2, host_id=host.host_id, status=HostStatus.PAUSED)
    add(hasty, version=3, host_id=host.host_id)
    hasty.await_said(SNAPSHOTS, Snapshot, 2, where=of(host))
    (retry, *_) = hasty.await_said(SLOW, ScanRequested, where=of(host))
    assert retry.event.baseline is not None
    assert (retry.event.baseline.scan_id, retry.event.baseline.chain_sha256) == (asked.scan_id, (inputs.LEAF,))


def test_a_scan_nobody_performs_is_said_and_asked_again(hasty: ServiceLab) -> None:
    host = add(hasty)
    (asked,) = hasty.await_said(NOW, ScanRequested, where=of(host))
    (ended,) = hasty.await_said(SNAPSHOTS, Snapshot, where=of(host))
    assert (ended.key, ended.ce_id) == (str(host.host_id), str(ids.snapshot_id(asked.event.scan_id)))
    assert (ended.event.outcome, ended.event.scan_id) == (Outcome.NOT_PERFORMED, asked.event.scan_id)
    assert ended.event.finished_at >= asked.event.not_after + timedelta(seconds=1)
    (again,) = hasty.await_said(SLOW, ScanRequested, where=of(host))
    assert again.event.reason is ScanReason.RETRY
    assert again.event.requested_at > asked.event.requested_at


def test_a_paused_host_is_not_asked_for_again_and_a_resumed_one_at_once(hasty: ServiceLab) -> None:
    host = add(hasty)
    (asked,) = hasty.await_said(NOW, ScanRequested, where=of(host))
    add(hasty, version=2, host_id=host.host_id, status=HostStatus.PAUSED)
    (ended,) = hasty.await_said(SNAPSHOTS, Snapshot, where=of(host))
    assert ended.event.scan_id == asked.event.scan_id
    time.sleep(3)  # three times as long as a retry would wait
    assert requests(hasty, SLOW, host) == []
    add(hasty, version=3, host_id=host.host_id)
    resumed = hasty.await_said(NOW, ScanRequested, 2, where=of(host))[1].event
    assert resumed.reason is ScanReason.RESUMED


def test_a_deleted_host_is_never_heard_of_again(hasty: ServiceLab) -> None:
    host = add(hasty)
    hasty.await_said(NOW, ScanRequested, where=of(host))
    add(hasty, version=2, host_id=host.host_id, status=HostStatus.DELETED)
    hasty.write("hosts", host.host_id, None, ids.record_id(host.host_id, 3))
    later = add(hasty)
    hasty.await_said(SNAPSHOTS, Snapshot, where=of(later))
    # Its end would have been due before the later host's.
    assert [one for one in hasty.read(SNAPSHOTS, Snapshot) if of(host)(one.event)] == []
    assert requests(hasty, SLOW, host) == []


def test_a_graceful_stop_ends_with_success(lab: ServiceLab) -> None:
    assert lab.start("scheduler").stop() == 0


@pytest.mark.slow
def test_after_sigkill_every_host_is_still_asked_for_once(lab: ServiceLab) -> None:
    scheduler = lab.start("scheduler")
    hosts: list[UUID] = []
    for round_number in range(4):
        hosts += [add(lab, hostname=f"h{round_number}-{number}.example").host_id for number in range(50)]
        lab.await_said(NOW, ScanRequested, round_number * 50 + 5)
        scheduler.kill()
        scheduler = lab.start("scheduler")
    asked = lab.await_said(NOW, ScanRequested, len(hosts))
    assert {one.event.target.host_id for one in asked} == set(hosts)
    by_id = {one.ce_id: one.event for one in asked}
    assert len(by_id) == len(hosts), "a host was asked for under two ids"
    assert all(by_id[one.ce_id] == one.event for one in asked), "a repeated request differs from the first"
