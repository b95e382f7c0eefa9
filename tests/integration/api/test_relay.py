"""The outbox and its relay on real PostgreSQL and Kafka: order, repetition, takeover, republishing, burial."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from confluent_kafka import Message

from services.api.burial import Burial, bury
from services.api.database_roles import RELAY
from services.api.relay import relay_check, relay_for, republish_everything
from services.api.strangers import bury_strangers
from tests.fakes.api_server import migrated
from tests.fakes.relay_lab import RelayLab, header, make_lab, make_topics
from vigilo.adapters import outbox
from vigilo.adapters.kafka.producer import Producer
from vigilo.adapters.outbox import OutboxRelay
from vigilo.adapters.postgres import connect
from vigilo.adapters.settings import KafkaSettings
from vigilo.events.envelope import EncodedEvent

STUCK_RELAY = Path(__file__).parents[2] / "fakes" / "stuck_relay.py"

pytestmark = [pytest.mark.kafka, pytest.mark.postgres]


@pytest.fixture
async def lab(database: str, kafka: KafkaSettings) -> RelayLab:
    await asyncio.to_thread(make_topics, kafka)
    return await make_lab(database, await asyncio.to_thread(migrated, database), kafka)


@asynccontextmanager
async def running(relay: OutboxRelay) -> AsyncIterator[OutboxRelay]:
    work = asyncio.create_task(relay.run())
    try:
        yield relay
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


async def until_leading(*relays: OutboxRelay) -> OutboxRelay:
    for _ in range(400):
        for relay in relays:
            if relay.state.leading:
                return relay
        await asyncio.sleep(0.05)
    raise TimeoutError("no relay leads after 20 s")


def versions(messages: list[Message]) -> dict[str, list[int]]:
    """The versions told of each host, in the order of the topic."""
    found: dict[str, list[int]] = defaultdict(list)
    for message in messages:
        value = message.value()
        assert value is not None
        found[(message.key() or b"").decode()].append(json.loads(value)["version"])
    return found


async def test_concurrent_edits_are_told_in_the_order_of_their_versions(lab: RelayLab) -> None:
    async def edit_often(host_id: UUID, writer: int) -> None:
        async with await lab.connection() as connection:
            for turn in range(15):
                await lab.edit(connection, host_id, f"{writer}-{turn}")

    async with running(relay_for(lab.api_url, lab.kafka)), await lab.connection() as connection:
        made = [await lab.add(connection, f"h{n}.example") for n in range(3)]
        await asyncio.gather(*(edit_often(host.host_id, writer) for host in made for writer in range(4)))
        await lab.drained()
    told = versions(await asyncio.to_thread(lab.topic, "hosts", 4))
    assert told == {str(host.host_id): list(range(1, 62)) for host in made}


async def test_an_event_wakes_the_relay(lab: RelayLab, monkeypatch: pytest.MonkeyPatch) -> None:
    # With the slow poll out of the way only NOTIFY can wake it, also one that comes while it works.
    monkeypatch.setattr(outbox, "_SLOW_POLL_SECONDS", 3600.0)
    async with running(relay_for(lab.api_url, lab.kafka)) as relay, await lab.connection() as connection:
        await until_leading(relay)
        for n in range(40):
            await lab.add(connection, f"h{n}.example")
            if n % 8 == 0:
                await lab.drained()
        await lab.drained()


async def test_killed_between_acknowledgement_and_deletion_the_same_events_come_again(lab: RelayLab) -> None:
    async with await lab.connection() as connection:
        host = await lab.add(connection, "h.example")
        for n in range(9):
            await lab.edit(connection, host.host_id, str(n))
        other = await lab.add(connection, "other.example")
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        str(STUCK_RELAY),
        *(lab.api_url, lab.kafka.bootstrap, lab.kafka.topic_prefix),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(STUCK_RELAY.parents[2])},
    )
    try:
        assert child.stdout is not None
        # Twelve, and the six recommended rules with their audit entries.
        assert await asyncio.wait_for(child.stdout.readline(), 30) == b"published 24\n"
        async with await lab.connection() as connection:
            await lab.edit(connection, host.host_id, "after")
    finally:
        child.kill()
        await child.wait()
    async with running(relay_for(lab.api_url, lab.kafka)):
        await lab.drained()
    messages = await asyncio.to_thread(lab.topic, "hosts", 4)
    assert versions(messages) == {
        str(host.host_id): [*range(1, 11), *range(1, 12)],
        str(other.host_id): [1, 1],
    }
    told: dict[str, set[bytes]] = defaultdict(set)
    for message in messages:
        told[header(message, "ce_id")].add(message.value() or b"")
    assert len(told) == 12 and all(len(values) == 1 for values in told.values())


async def test_of_two_relays_one_works_and_the_other_takes_over(lab: RelayLab) -> None:
    first, second = relay_for(lab.api_url, lab.kafka), relay_for(lab.api_url, lab.kafka)
    async with running(first), running(second), await lab.connection() as connection:
        leader = await until_leading(first, second)
        standby = second if leader is first else first
        host = await lab.add(connection, "h.example")
        await lab.drained()
        assert not standby.state.leading and standby.state.published == 0
        assert relay_check(standby)[0] and relay_check(leader)[0]
        lab.end_session_of_the_leader()
        for n in range(20):
            await lab.edit(connection, host.host_id, str(n))
        await lab.drained()
    told = versions(await asyncio.to_thread(lab.topic, "hosts", 4))[str(host.host_id)]
    assert list(dict.fromkeys(told)) == list(range(1, 22))
    assert told[-1] == 21


async def test_a_batch_that_was_under_way_when_the_lock_was_lost_cannot_be_the_last_word(lab: RelayLab) -> None:
    # The zombie holds a batch with version 1 while another relay publishes version 2; then the zombie's arrives.
    held_back, release = asyncio.Event(), asyncio.Event()

    class Zombie(Producer):
        async def send_all(self, events):  # type: ignore[no-untyped-def]  # as the base class has it
            batch = list(events)
            held_back.set()
            await release.wait()
            return await super().send_all(batch)

    zombie = relay_for(lab.api_url, lab.kafka)
    zombie._make_producer = lambda: Zombie(lab.kafka, client_id="zombie")
    async with await lab.connection() as connection:
        host = await lab.add(connection, "h.example")
        async with running(zombie):
            await asyncio.wait_for(held_back.wait(), 20)
            lab.end_session_of_the_leader()
            async with running(relay_for(lab.api_url, lab.kafka)) as heir:
                await until_leading(heir)
                await lab.edit(connection, host.host_id, "newer")
                await lab.drained()
                release.set()
                for _ in range(400):
                    told = versions(await asyncio.to_thread(lab.topic, "hosts", 4))[str(host.host_id)]
                    if told[-1] == 2 and told.count(2) == 2:
                        break
                    await asyncio.sleep(0.05)
    assert told == [1, 2, 1, 2]


async def test_without_topics_events_wait_and_nothing_is_lost(database: str, kafka: KafkaSettings) -> None:
    lab = await make_lab(database, await asyncio.to_thread(migrated, database), kafka)
    async with running(relay_for(lab.api_url, lab.kafka)) as relay, await lab.connection() as connection:
        host = await lab.add(connection, "h.example")
        for _ in range(600):
            if relay.state.trouble is not None:
                break
            await asyncio.sleep(0.05)
        ready, details = relay_check(relay)
        assert not ready and "reason" in details
        await asyncio.to_thread(make_topics, kafka)
        await lab.drained()
    assert versions(await asyncio.to_thread(lab.topic, "hosts", 4)) == {str(host.host_id): [1]}


async def test_republishing_writes_the_same_ids_and_bytes_again(lab: RelayLab) -> None:
    async with running(relay_for(lab.api_url, lab.kafka)), await lab.connection() as connection:
        made = [await lab.add(connection, f"h{n}.example") for n in range(5)]
        await lab.edit(connection, made[0].host_id, "x")
        await lab.drained()
        counts = await republish_everything(lab.api_url)
        await lab.drained()
    assert counts == {"workspace-settings": 1, "channels": 0, "alert-rules": 6, "snoozes": 0, "hosts": 5}
    told: dict[str, list[tuple[str, bytes]]] = defaultdict(list)
    for message in await asyncio.to_thread(lab.topic, "hosts", 4):
        told[(message.key() or b"").decode()].append((header(message, "ce_id"), message.value() or b""))
    assert all(entries[-1] == entries[-2] for entries in told.values())
    assert len(told) == 5 and sum(map(len, told.values())) == 11


async def test_what_postgresql_does_not_know_is_removed_from_the_topics(lab: RelayLab) -> None:
    async with running(relay_for(lab.api_url, lab.kafka)), await lab.connection() as connection:
        _, lost, deleted = [await lab.add(connection, f"{name}.example") for name in ("kept", "lost", "deleted")]
        async with Producer(lab.kafka, client_id="test") as producer:
            await producer.send(EncodedEvent("hosts", b"not-a-key", b"{}", ()))
        await lab.drained()
        lab.sql("delete from config.hosts where host_id = %s", lost.host_id)
        lab.sql("update config.hosts set status = 'deleted' where host_id = %s", deleted.host_id)
        counts = await bury_strangers(connection, lab.kafka)
        assert counts == {"workspace-settings": 0, "channels": 0, "alert-rules": 0, "snoozes": 0, "hosts": 1}
        await lab.drained()
        assert (await bury_strangers(connection, lab.kafka))["hosts"] == 0
    gone = [message.key() for message in await asyncio.to_thread(lab.topic, "hosts", 4) if message.value() is None]
    assert gone == [str(lost.host_id).encode()]


async def test_republishing_amid_edits_leaves_the_newest_version_last(lab: RelayLab) -> None:
    async with running(relay_for(lab.api_url, lab.kafka)), await lab.connection() as connection:
        host = await lab.add(connection, "h.example")

        async def edit() -> None:
            for n in range(40):
                await lab.edit(connection, host.host_id, str(n))

        async def republish_often() -> None:
            for _ in range(10):
                await republish_everything(lab.api_url)

        await asyncio.gather(edit(), republish_often())
        await lab.drained()
    told = versions(await asyncio.to_thread(lab.topic, "hosts", 4))[str(host.host_id)]
    assert told == sorted(told) and told[-1] == 41 and len(told) == 51


async def test_what_was_deleted_long_ago_is_buried_with_a_tombstone(lab: RelayLab) -> None:
    async with await lab.connection() as connection:
        old, recent, living = [await lab.add(connection, f"{name}.example") for name in ("old", "recent", "living")]
    now = datetime.now(UTC)
    for host, days in ((old, 31), (recent, 29)):
        lab.sql(
            "update config.hosts set status = 'deleted', version = 2, updated_at = %s where host_id = %s",
            now - timedelta(days=days),
            host.host_id,
        )
    lab.sql(
        "insert into config.idempotency_keys values (%s, 'k', '', 201, '{}', '', null, now(), now() - interval '1 s')",
        lab.workspace_id,
    )
    async with await connect(lab.api_url, name="burial", role=RELAY) as relay:
        assert await bury(relay, at=now) == 1
        assert await bury(relay, at=now) == 0
    left = {row["host_id"] for row in lab.sql("select host_id from config.hosts")}
    assert left == {recent.host_id, living.host_id}
    assert lab.sql("select * from config.idempotency_keys") == []
    async with running(relay_for(lab.api_url, lab.kafka)):
        await lab.drained()
    last = [message for message in await asyncio.to_thread(lab.topic, "hosts", 4) if message.value() is None]
    assert [(message.key() or b"").decode() for message in last] == [str(old.host_id)]
    assert header(last[0], "ce_type") == "vigilo.tombstone.v1"


async def test_burial_is_done_once_an_hour(lab: RelayLab) -> None:
    now = datetime.now(UTC)
    times = [now, now + timedelta(minutes=59), now + timedelta(minutes=61)]
    burial = Burial(lambda: times.pop(0))
    left = []
    async with await lab.connection() as connection, await connect(lab.api_url, name="burial", role=RELAY) as relay:
        for n in range(3):
            host = await lab.add(connection, f"h{n}.example")
            lab.sql(
                "update config.hosts set status = 'deleted', updated_at = %s where host_id = %s",
                now - timedelta(days=40),
                host.host_id,
            )
            await burial(relay)
            left.append(len(lab.sql("select 1 from config.hosts")))
    assert left == [0, 1, 0]
