"""The scanner as a process on a real broker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.fakes import pki
from tests.fakes.hostile_server import HostileServer, Wait
from tests.fakes.scan_requests import light_request
from tests.fakes.scanner_process import ScannerProcess, read_all, wait_for
from tests.fakes.tls_server import Serving, TlsServer
from vigilo.adapters.kafka.admin import admin_client
from vigilo.adapters.kafka.producer import Producer
from vigilo.adapters.kafka.topic_rows import load_rows
from vigilo.adapters.kafka.topics import apply, wanted_topics
from vigilo.adapters.settings import KafkaSettings
from vigilo.events import ids
from vigilo.events.codec import decode, encode
from vigilo.events.envelope import EncodedEvent, OutgoingEvent
from vigilo.events.partitioner import partition_for
from vigilo.events.scans import Lane, Outcome, ScanRequested, Snapshot
from vigilo.events.topics import pool_topic

pytestmark = pytest.mark.kafka

NAMES = ("scan-requested", "scan-requested-now", "snapshots", "dead-letters")


@pytest.fixture
def kafka(kafka_bootstrap: str, topic_prefix: str) -> Iterator[KafkaSettings]:
    settings = KafkaSettings(bootstrap=kafka_bootstrap, topic_prefix=topic_prefix, host_partitions=4)
    rows = [row for name, row in load_rows().items() if name in NAMES]
    apply(settings, wanted_topics(rows, host_partitions=4, history=timedelta(days=1), pools=["berlin"]))
    yield settings
    admin = admin_client(settings)
    ours = [name for name in admin.list_topics(timeout=10).topics if name.startswith(topic_prefix)]
    for future in admin.delete_topics(ours).values():
        future.result(timeout=10)


@pytest.fixture
async def producer(kafka: KafkaSettings) -> AsyncIterator[Producer]:
    async with Producer(kafka, client_id="test") as producer:
        yield producer


def encoded(request: ScanRequested, *, pool: str = "public") -> EncodedEvent:
    topic = pool_topic("scan-requested-now" if request.lane is Lane.NOW else "scan-requested", pool)
    outgoing = OutgoingEvent(
        topic, request.target.hostname, ids.request_id(request.scan_id), request, request.requested_at, "00-aa-bb-01"
    )
    return encode(outgoing, source="test")


async def test_requests_become_snapshots(
    kafka: KafkaSettings, producer: Producer, authority: pki.Authority, tmp_path: Path
) -> None:
    with TlsServer(Serving(authority.leaf("127.0.0.1"))) as server, ScannerProcess(kafka, tmp_path / "log") as scanner:
        wanted = [
            light_request("127.0.0.1", server.port, lane=lane) for lane in (Lane.NOW, Lane.SLOW) for _ in range(20)
        ]
        await producer.send_all(encoded(request) for request in wanted)
        records = await read_all(kafka, "snapshots", 40)
        assert scanner.get("/readyz")[0] == 200
        assert scanner.get("/healthz")[0] == 200
        metrics = scanner.get("/metrics")[1]
        assert 'vigilo_scanner_scans_total{depth="light",lane="now",outcome="ok"} 20.0' in metrics
        assert scanner.stop() == 0
    snapshots = {decode(record, Snapshot).scan_id: decode(record, Snapshot) for record in records}
    assert set(snapshots) == {request.scan_id for request in wanted}
    assert {(one.outcome, one.scanner) for one in snapshots.values()} == {(Outcome.OK, "scanner-under-test")}
    for record in records:
        snapshot = decode(record, Snapshot)
        assert record.key == str(snapshot.host_id).encode()
        assert record.partition == partition_for(record.key, 4)
        assert record.header("ce_id") == str(ids.snapshot_id(snapshot.scan_id))
        assert record.header("traceparent") == "00-aa-bb-01"


async def test_what_is_late_is_dropped_and_what_is_broken_is_kept(
    kafka: KafkaSettings, producer: Producer, authority: pki.Authority, tmp_path: Path
) -> None:
    with TlsServer(Serving(authority.leaf("127.0.0.1"))) as server, ScannerProcess(kafka, tmp_path / "log") as scanner:
        late = light_request("127.0.0.1", server.port).model_copy(
            update={"not_after": datetime.now(UTC) - timedelta(seconds=1)}
        )
        elsewhere = light_request("127.0.0.1", server.port, pool="berlin")
        good = light_request("127.0.0.1", server.port)
        poison = [
            EncodedEvent("scan-requested-now", b"k", b"\xff\xfe", (("a", b"1"),)),
            EncodedEvent("scan-requested-now", b"k", b"{", ()),
            EncodedEvent("scan-requested-now", None, b'{"scan_id": 1}', ()),
            EncodedEvent("scan-requested", b"k", None, ()),
            EncodedEvent("scan-requested", b"k", b"{}", (("ce_type", b"vigilo.other.v1"),)),
        ]
        await producer.send_all([*poison, *(encoded(one) for one in (late, elsewhere, good))])
        snapshots = [decode(record, Snapshot) for record in await read_all(kafka, "snapshots", 2)]
        letters = await read_all(kafka, "dead-letters", 5)
        wait_for(lambda: 'vigilo_scanner_expired_total{lane="now"} 1.0' in scanner.get("/metrics")[1], 20)
        assert scanner.stop() == 0
        again = [decode(record, Snapshot) for record in await read_all(kafka, "snapshots", 3, seconds=2)]
    assert {one.scan_id: one.outcome for one in snapshots} == {
        elsewhere.scan_id: Outcome.DENIED,
        good.scan_id: Outcome.OK,
    }
    assert len(again) == 2
    assert {letter.header("vigilo_dlq_reason") for letter in letters} == {
        "not-utf8",
        "not-json",
        "invalid",
        "tombstone",
        "wrong-type",
    }
    assert {letter.value for letter in letters} == {one.value for one in poison}


async def test_a_backlog_never_delays_a_person(
    kafka: KafkaSettings, producer: Producer, authority: pki.Authority, tmp_path: Path
) -> None:
    environment = {"VIGILO_SCANNER_CONCURRENCY": "8"}
    with (
        HostileServer([Wait()]) as tarpit,
        TlsServer(Serving(authority.leaf("127.0.0.1"))) as server,
        ScannerProcess(kafka, tmp_path / "log", environment) as scanner,
    ):
        scanner.wait_ready()
        slow = [light_request(f"t{i}.localhost", tarpit.port, lane=Lane.SLOW, address="127.0.0.1") for i in range(1000)]
        await producer.send_all(encoded(request) for request in slow)
        wait_for(lambda: tarpit.accepted >= 6, 20)
        await producer.send(encoded(light_request("127.0.0.1", server.port)))
        (first, *_) = [decode(record, Snapshot) for record in await read_all(kafka, "snapshots", 1, seconds=20)]
        assert first.outcome is Outcome.OK
        assert first.finished_at - first.requested_at < timedelta(seconds=3)


@pytest.mark.slow
async def test_what_a_killed_scanner_left_is_scanned_by_the_next(
    kafka: KafkaSettings, producer: Producer, authority: pki.Authority, tmp_path: Path
) -> None:
    with (
        HostileServer([Wait()]) as tarpit,
        TlsServer(Serving(authority.leaf("127.0.0.1"))) as server,
        ScannerProcess(kafka, tmp_path / "log") as scanner,
    ):
        stuck = light_request("127.0.0.1", tarpit.port)
        # Same key, same partition, behind the stuck one: its end must not commit past it.
        quick = [light_request("127.0.0.1", server.port) for _ in range(10)]
        await producer.send_all(encoded(request) for request in (stuck, *quick))
        wait_for(lambda: tarpit.accepted == 1 and server.completed == 10, 40, scanner.log.read_text)
        await asyncio.sleep(1.5)  # the consumer commits once a second: give it the chance to do so wrongly
        scanner.kill()
        scanner.start()
        wait_for(lambda: tarpit.accepted >= 2, 40, scanner.log.read_text)
        records = await read_all(kafka, "snapshots", 21, seconds=40)
    snapshots = [decode(record, Snapshot) for record in records]
    assert {one.scan_id for one in snapshots} == {stuck.scan_id, *(request.scan_id for request in quick)}
    assert {one.outcome for one in snapshots if one.scan_id == stuck.scan_id} == {Outcome.TLS_TIMEOUT}


async def test_scans_under_way_are_finished_when_the_scanner_is_stopped(
    kafka: KafkaSettings, producer: Producer, authority: pki.Authority, tmp_path: Path
) -> None:
    with (
        HostileServer([Wait()]) as tarpit,
        TlsServer(Serving(authority.leaf("127.0.0.1"))) as server,
        ScannerProcess(kafka, tmp_path / "log") as scanner,
    ):
        slow = [light_request("127.0.0.1", tarpit.port) for _ in range(3)]
        await producer.send_all(encoded(request) for request in slow)
        wait_for(lambda: tarpit.accepted == 3, 40, scanner.log.read_text)
        assert scanner.stop() == 0
        snapshots = [decode(record, Snapshot) for record in await read_all(kafka, "snapshots", 3)]
        scanner.start()
        last = light_request("127.0.0.1", server.port)
        await producer.send(encoded(last))
        again = [decode(record, Snapshot) for record in await read_all(kafka, "snapshots", 4)]
    assert {(one.scan_id, one.outcome) for one in snapshots} == {(one.scan_id, Outcome.TLS_TIMEOUT) for one in slow}
    assert sorted(one.scan_id for one in again) == sorted([*(one.scan_id for one in slow), last.scan_id])


@pytest.mark.slow
async def test_what_takes_too_long_when_the_scanner_is_stopped_is_left_to_the_next(
    kafka: KafkaSettings, producer: Producer, tmp_path: Path
) -> None:
    environment = {"VIGILO_SCANNER_STOP_SECONDS": "0.2"}
    with HostileServer([Wait()]) as tarpit, ScannerProcess(kafka, tmp_path / "log", environment) as scanner:
        slow = light_request("127.0.0.1", tarpit.port)
        await producer.send(encoded(slow))
        wait_for(lambda: tarpit.accepted == 1, 40, scanner.log.read_text)
        assert scanner.stop() == 0
        assert not await read_all(kafka, "snapshots", 1, seconds=1)
        scanner.start()
        (snapshot,) = [decode(record, Snapshot) for record in await read_all(kafka, "snapshots", 1)]
    assert snapshot.scan_id == slow.scan_id


async def test_scans_of_two_ports_share_what_their_address_bears(
    kafka: KafkaSettings, producer: Producer, tmp_path: Path
) -> None:
    environment = {"VIGILO_SCANNER_CONNECTIONS_PER_ADDRESS": "3"}
    with (
        HostileServer([Wait()]) as one,
        HostileServer([Wait()]) as other,
        ScannerProcess(kafka, tmp_path / "log", environment) as scanner,
    ):
        wanted = [light_request("127.0.0.1", server.port) for server in (one, other) for _ in range(4)]
        await producer.send_all(encoded(request) for request in wanted)
        wait_for(lambda: one.accepted + other.accepted >= 3, 40, scanner.log.read_text)
        waiting = "vigilo_scanner_waiting_for_address 5.0"
        wait_for(lambda: waiting in scanner.get("/metrics")[1], 10, scanner.log.read_text)
        assert one.accepted + other.accepted == 3
        snapshots = [decode(record, Snapshot) for record in await read_all(kafka, "snapshots", 8)]
    ends = sorted(snapshot.outcome for snapshot in snapshots)
    assert ends == [*(Outcome.NOT_PERFORMED,) * 5, *(Outcome.TLS_TIMEOUT,) * 3]


async def test_a_private_pool_reads_its_own_topics(
    kafka: KafkaSettings, producer: Producer, authority: pki.Authority, tmp_path: Path
) -> None:
    with TlsServer(Serving(authority.leaf("127.0.0.1"))) as server:
        ours = light_request("127.0.0.1", server.port, pool="berlin")
        others = light_request("127.0.0.1", server.port, pool="berlin")
        public = light_request("127.0.0.1", server.port)
        environment = {"VIGILO_POOL": "berlin", "VIGILO_POOL_WORKSPACES": str(ours.target.workspace_id)}
        with ScannerProcess(kafka, tmp_path / "log", environment):
            await producer.send_all(
                [encoded(ours, pool="berlin"), encoded(others, pool="berlin"), encoded(public, pool="public")]
            )
            records = await read_all(kafka, "snapshots", 3, seconds=8)
    outcomes = {decode(record, Snapshot).scan_id: decode(record, Snapshot).outcome for record in records}
    assert outcomes == {ours.scan_id: Outcome.OK, others.scan_id: Outcome.DENIED}
