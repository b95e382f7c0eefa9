"""Reads a workspace's chain, and the topic's copy of it, to find out whether somebody has been at them.

The topic is read first and the table afterwards: an entry is always committed before it is published, so one that the
topic tells and the table does not have is gone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final
from uuid import UUID

from psycopg.rows import DictRow
from pydantic import ValidationError

from services.api.audit.chain import (
    START,
    Copies,
    Finding,
    Flaw,
    Link,
    compare,
    link_of,
    verify_entry,
    verify_head,
)
from services.api.audit.writing import TOPIC
from services.api.stores import audit as store
from vigilo.adapters.kafka.batches import BatchConsumer
from vigilo.adapters.kafka.records import Partition
from vigilo.adapters.postgres import Connection, tenant
from vigilo.adapters.settings import KafkaSettings
from vigilo.events.codec import UndecodableRecord, decode
from vigilo.events.envelope import Record
from vigilo.events.records import AuditEntry

_AT_ONCE: Final = 1_000


@dataclass
class Told:
    """What the topic tells: a copy of each workspace's chain, and where it holds what is no entry."""

    copies: dict[UUID, Copies] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Verdict:
    """One chain. `compared`, `unpublished`: as in Compared; None when the topic was not asked."""

    entries: int
    head: Link
    findings: tuple[Finding, ...]
    compared: int | None = None
    unpublished: int | None = None


async def verify(connection: Connection, workspace_id: UUID, told: Told | None = None) -> Verdict:
    """Walks the whole chain as it is at one moment; `connection` is one of vigilo_api outside a transaction."""
    findings: list[Finding] = []
    hashes: dict[int, str] = {}
    last, count = START, 0
    async with tenant(connection, workspace_id, read_only=True):
        while rows := await _rows(connection, last.sequence):
            for row in rows:
                findings += _examine(last, row)
                last, count = Link(row["sequence"], row["hash"]), count + 1
                if told is not None:
                    hashes[last.sequence] = last.hash
        findings += verify_head(last, await store.head(connection))
    if told is None:
        return Verdict(count, last, tuple(findings))
    compared = compare(hashes, told.copies.get(workspace_id, Copies()))
    return Verdict(count, last, (*findings, *compared.findings), compared.compared, compared.unpublished)


async def read_copies(kafka: KafkaSettings, *, timeout: timedelta) -> Told:
    """The topic up to its end as it is now. Raises TimeoutError, MissingTopics, ConsumerBroken."""
    told = Told()
    async with (
        asyncio.timeout(timeout.total_seconds()),
        BatchConsumer(kafka, [TOPIC], positions=_from_the_beginning, group=None) as consumer,
    ):
        left = {partition: end for partition, (start, end) in (await consumer.bounds()).items() if start < end}
        while left:
            for record in await consumer.poll_batch(_AT_ONCE, timedelta(seconds=1)):
                partition = Partition(record.topic, record.partition)
                if record.offset < left.get(partition, 0):
                    _take(told, record)
                if record.offset + 1 >= left.get(partition, 0):
                    left.pop(partition, None)
    return told


def _take(told: Told, record: Record) -> None:
    try:
        entry = decode(record, AuditEntry)
        if record.key != str(entry.workspace_id).encode():
            raise UndecodableRecord("bad-key", "the key is not the entry's workspace")
    except UndecodableRecord as error:
        told.unreadable.append(f"{record.topic}/{record.partition}/{record.offset}: {error}")
        return
    told.copies.setdefault(entry.workspace_id, Copies()).take(entry)


def _examine(last: Link, row: DictRow) -> list[Finding]:
    try:
        entry = AuditEntry.model_validate(row)
    except ValidationError:
        return [Finding(row["sequence"], Flaw.ALTERED, "it is no entry any more")]
    assert link_of(entry) == Link(row["sequence"], row["hash"])
    return list(verify_entry(last, entry))


async def _rows(connection: Connection, after: int) -> list[DictRow]:
    query = "select * from config.audit_entries where sequence > %s order by sequence limit %s"
    return await (await connection.execute(query, (after, _AT_ONCE))).fetchall()


async def _from_the_beginning(_: Sequence[Partition]) -> Mapping[Partition, int]:
    return {}
