"""Pools of scanners from the settings of a workspace to the scan, on a real broker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from tests.fakes import inputs
from tests.fakes.pki import Authority
from tests.fakes.scan_requests import light_request
from tests.fakes.scanner_process import wait_for
from tests.fakes.service_lab import ServiceLab
from tests.fakes.tls_server import Serving, TlsServer
from tests.integration.scheduler.conftest import HASTY
from vigilo.adapters.kafka.topic_rows import load_rows
from vigilo.adapters.kafka.topics import apply, wanted_topics
from vigilo.events import ids
from vigilo.events.hosts import Host, Target
from vigilo.events.rules import WorkspaceSettings
from vigilo.events.scans import Outcome, ScanRequested, Snapshot
from vigilo.events.topics import pool_topic

pytestmark = pytest.mark.kafka

SNAPSHOTS = "snapshots"
NOWHERE = "no such pool: {}"


@pytest.fixture
def lab(kafka_bootstrap: str, topic_prefix: str, tmp_path: Path) -> Iterator[ServiceLab]:
    fresh = ServiceLab(kafka_bootstrap, topic_prefix, tmp_path, "scheduler", "scanner")
    yield fresh
    fresh.close()


def make_topics(lab: ServiceLab, *pools: str) -> None:
    rows = [row for row in load_rows().values() if row.per_pool]
    apply(lab.kafka, wanted_topics(rows, host_partitions=2, history=timedelta(days=1), pools=pools))


def give(lab: ServiceLab, workspace: UUID, version: int, *pools: str) -> None:
    settings = WorkspaceSettings(workspace_id=workspace, version=version, name="x", pools=("public", *pools))
    lab.write("workspace-settings", workspace, settings, ids.record_id(workspace, version))


def add(lab: ServiceLab, workspace: UUID, pool: str, **changes: object) -> Host:
    now = datetime.now(UTC)
    host = inputs.host(
        **{"host_id": ids.new_id(), "workspace_id": workspace, "pool": pool, "created_at": now, "updated_at": now}
        | changes
    )
    lab.write("hosts", host.host_id, host, ids.record_id(host.host_id, host.version))
    return host


def of(host: Host, outcome: Outcome | None = None) -> Callable[[Snapshot], bool]:
    return lambda one: one.host_id == host.host_id and outcome in {None, one.outcome}


@pytest.mark.slow
def test_a_pool_is_there_as_soon_as_its_topics_are_and_as_long_as_it_is_given(lab: ServiceLab) -> None:
    workspace = ids.new_id()
    give(lab, workspace, 1, "berlin")
    lab.start("scheduler", **HASTY)
    host = add(lab, workspace, "berlin")
    (ended,) = lab.await_said(SNAPSHOTS, Snapshot, where=of(host))[:1]
    assert (ended.event.outcome, ended.event.detail) == (Outcome.NOT_PERFORMED, NOWHERE.format("berlin"))
    make_topics(lab, "berlin")
    _until_in(lab.folder / "scheduler.log", "whose topics are there now: berlin")
    later = add(lab, workspace, "berlin")
    (asked,) = lab.await_said(
        "scan-requested-now-berlin", ScanRequested, where=lambda one: one.target.host_id == later.host_id
    )
    assert asked.event.target.pool == "berlin"
    give(lab, workspace, 2)
    # Taken away while the scheduler runs: nothing is sent to it any more.
    last = add(lab, workspace, "berlin")
    (refused,) = lab.await_said(SNAPSHOTS, Snapshot, where=of(last))[:1]
    assert refused.event.detail == NOWHERE.format("berlin")


def _until_in(log: Path, words: str) -> None:
    wait_for(lambda: words in log.read_text(), 30, log.read_text)


@pytest.mark.slow
def test_two_pools_scan_for_their_own_workspaces_and_for_nobody_else(lab: ServiceLab) -> None:
    ours, theirs, nobody = ids.new_id(), ids.new_id(), ids.new_id()
    owners = {"berlin": ours, "paris": theirs}
    make_topics(lab, *owners)
    give(lab, ours, 1, "berlin")
    give(lab, theirs, 1, "paris")
    lab.start("scheduler", **(HASTY | {"VIGILO_FAST_VALIDITY": "30s"}))
    for pool, workspace in owners.items():
        lab.start(
            "scanner",
            VIGILO_POOL=pool,
            VIGILO_POOL_WORKSPACES=str(workspace),
            VIGILO_POOL_ALLOW="127.0.0.0/8",
            VIGILO_SCANNER_NAME=f"scanner-in-{pool}",
        )
    with TlsServer(Serving(Authority.create().leaf("127.0.0.1"))) as server:
        peer = {"hostname": "127.0.0.1", "port": server.port}
        for pool, workspace in owners.items():
            (seen,) = lab.await_said(SNAPSHOTS, Snapshot, where=of(add(lab, workspace, pool, **peer), Outcome.OK))[:1]
            assert seen.event.scanner == f"scanner-in-{pool}"
        # The scheduler sends nothing to a pool that is another's ...
        for workspace, pool in ((ours, "paris"), (theirs, "berlin"), (nobody, "berlin")):
            (refused,) = lab.await_said(SNAPSHOTS, Snapshot, where=of(add(lab, workspace, pool, **peer)))[:1]
            assert (refused.event.outcome, refused.event.scanner) == (Outcome.NOT_PERFORMED, "scheduler")
        accepted = server.accepted
        # ... and a request that got there all the same is refused by the scanner itself.
        for workspace, pool in ((ours, "paris"), (nobody, "berlin")):
            smuggled = _request(workspace, pool, server.port)
            lab.write(pool_topic("scan-requested-now", pool), smuggled.target.host_id, smuggled, ids.new_id())
            (denied,) = lab.await_said(SNAPSHOTS, Snapshot, where=_of_scan(smuggled.scan_id))
            assert (denied.event.outcome, denied.event.scanner) == (Outcome.DENIED, f"scanner-in-{pool}")
        assert server.accepted == accepted


def _request(workspace: UUID, pool: str, port: int) -> ScanRequested:
    request = light_request("127.0.0.1", port, pool=pool)
    target = Target.model_validate(request.target.model_dump() | {"workspace_id": workspace})
    return request.model_copy(update={"target": target})


def _of_scan(scan_id: UUID) -> Callable[[Snapshot], bool]:
    return lambda one: one.scan_id == scan_id
