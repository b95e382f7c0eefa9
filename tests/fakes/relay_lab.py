"""A database, a broker, hosts that change, and what the topic says afterwards."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
from confluent_kafka import Consumer, Message, TopicPartition
from psycopg.rows import DictRow, dict_row

from services.api.bootstrap import ensure_workspace
from services.api.commands import hosts as decide
from services.api.models.hosts import HostPatch, HostToAdd
from services.api.relay import OUTBOX
from services.api.stores import hosts as store
from services.api.stores import rows
from vigilo.adapters.kafka.topics import Wanted, apply
from vigilo.adapters.postgres import Connection, connect, tenant
from vigilo.adapters.settings import KafkaSettings
from vigilo.events.hosts import Host
from vigilo.events.ids import new_id
from vigilo.events.registry import TOPIC_MODELS

STAMPED = {"message.timestamp.type": "LogAppendTime"}


@dataclass
class RelayLab:
    """One workspace on a migrated database, and the topics of `kafka`."""

    admin_url: str
    api_url: str
    kafka: KafkaSettings
    workspace_id: UUID

    async def connection(self) -> Connection:
        """A connection of vigilo_api."""
        return await connect(self.api_url, name="relay-lab")

    def sql(self, query: str, *values: object) -> list[DictRow]:
        """What a superuser sees, or does."""
        with psycopg.connect(self.admin_url, autocommit=True, row_factory=dict_row) as connection:
            cursor = connection.execute(query, values)
            return cursor.fetchall() if cursor.description else []

    async def add(self, connection: Connection, hostname: str) -> Host:
        """Adds a host as the API does."""
        wanted = HostToAdd(hostname=hostname)
        host = decide.add(wanted, workspace_id=self.workspace_id, host_id=new_id(), at=datetime.now(UTC))
        async with tenant(connection, self.workspace_id):
            await store.add(connection, host)
            await rows.publish(connection, self.workspace_id, [decide.record(host)])
        return host

    async def edit(self, connection: Connection, host_id: UUID, owner: str) -> Host:
        """Edits a host as the API does; each call makes a version."""
        async with tenant(connection, self.workspace_id):
            host = await store.lock(connection, host_id)
            changed = decide.edit(host, HostPatch.model_validate({"owner": owner}), at=datetime.now(UTC))
            await store.update(connection, changed)
            await rows.publish(connection, self.workspace_id, [decide.record(changed)])
        return changed

    def pending(self) -> int:
        """How many events wait in the outbox."""
        return int(self.sql("select count(*) as n from config.outbox")[0]["n"])

    def end_session_of_the_leader(self) -> None:
        """Ends the database session that holds the relay's lock of this database, as a lost connection does."""
        ended = self.sql(
            "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and granted and objid = %s "
            "and database = (select oid from pg_database where datname = current_database())",
            OUTBOX.lock & 0xFFFFFFFF,
        )
        assert len(ended) == 1

    async def drained(self, seconds: float = 30) -> None:
        """Returns when the outbox is empty."""
        for _ in range(int(seconds / 0.05)):
            if await asyncio.to_thread(self.pending) == 0:
                return
            await asyncio.sleep(0.05)
        raise TimeoutError(f"{self.pending()} events are still in the outbox")

    def topic(self, name: str, partitions: int) -> list[Message]:
        """Every record of the topic, partition by partition, in order."""
        settings = {"bootstrap.servers": self.kafka.bootstrap, "group.id": "unused", "enable.auto.commit": False}
        consumer = Consumer({**settings, "enable.partition.eof": False})
        found: list[Message] = []
        try:
            for partition in range(partitions):
                place = TopicPartition(self.kafka.physical(name), partition, 0)
                end = consumer.get_watermark_offsets(place, timeout=10)[1]
                consumer.assign([place])
                while end and (not found or found[-1].partition() != partition or _offset(found[-1]) < end - 1):
                    message = consumer.poll(10)
                    assert message is not None, f"{name}/{partition}: nothing came before {end}"
                    found.append(message)
        finally:
            consumer.close()
        return found


def _offset(message: Message) -> int:
    offset = message.offset()
    assert offset is not None
    return offset


def header(message: Message, name: str) -> str:
    """The first header of that name."""
    headers: Any = message.headers() or ()
    return next(bytes(value).decode() for key, value in headers if key == name)


def make_topics(kafka: KafkaSettings) -> None:
    """Every topic that has an event model."""
    apply(kafka, [Wanted(name, 4 if name == "hosts" else 1, STAMPED) for name in TOPIC_MODELS])


async def make_lab(admin_url: str, api_url: str, kafka: KafkaSettings) -> RelayLab:
    """The lab on a migrated database; its workspace's own event waits in the outbox."""
    async with await connect(api_url, name="relay-lab") as connection:
        workspace_id = await ensure_workspace(connection, "lab", "Lab", at=datetime.now(UTC))
    return RelayLab(admin_url, api_url, kafka, workspace_id)
