"""Records on the configuration topics that PostgreSQL does not know: what a restored backup or another past left there.

The topics are read first and the database is asked afterwards: a row is always committed before its event is published,
so a key that has no row by then is nobody's.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from psycopg import sql

from services.api.republishing import KINDS, Kind
from services.api.stores import rows
from vigilo.adapters.kafka.batches import BatchConsumer
from vigilo.adapters.kafka.records import Partition
from vigilo.adapters.postgres import Connection, tenant
from vigilo.adapters.settings import KafkaSettings
from vigilo.events.envelope import OutgoingEvent, Record
from vigilo.events.ids import record_id

logger = logging.getLogger("vigilo.api.strangers")

_QUIET: Final = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class _Told:
    """The last record of a key, as far as a tombstone needs it."""

    workspace_id: UUID
    version: int


async def bury_strangers(connection: Connection, kafka: KafkaSettings) -> Mapping[str, int]:
    """Puts a tombstone into the outbox for every key without a row; returns how many per topic.

    `connection` is one of vigilo_api outside a transaction. Raises MissingTopics, ConsumerBroken, psycopg.Error.
    """
    told = await _read(kafka)
    counts = {}
    for kind in KINDS:
        counts[kind.topic] = 0
        for key, last in told[kind.topic].items():
            counts[kind.topic] += await _bury_if_unknown(connection, kind, key, last)
    return counts


async def _bury_if_unknown(connection: Connection, kind: Kind, key: UUID, last: _Told) -> int:
    question = sql.SQL("select 1 as one from {} where {} = %s").format(
        sql.Identifier("config", kind.table), sql.Identifier(kind.key)
    )
    async with tenant(connection, last.workspace_id):
        if await (await connection.execute(question, (key,))).fetchone() is not None:
            return 0
        identity = record_id(key, last.version + 1)
        tombstone = OutgoingEvent(kind.topic, str(key), identity, None, datetime.now(UTC))
        await rows.publish(connection, last.workspace_id, [tombstone])
    return 1


async def _read(kafka: KafkaSettings) -> dict[str, dict[UUID, _Told]]:
    told: dict[str, dict[UUID, _Told]] = {kind.topic: {} for kind in KINDS}
    async with BatchConsumer(kafka, list(told), positions=_from_the_beginning, group=None) as consumer:
        left = {partition: end for partition, (start, end) in (await consumer.bounds()).items() if start < end}
        # The last tombstone of a partition may have been cleaned away: silence is an end, too.
        while left and (batch := await consumer.poll_batch(1000, _QUIET)):
            for record in batch:
                _note(told[record.topic], record)
                partition = Partition(record.topic, record.partition)
                if record.offset + 1 >= left.get(partition, 0):
                    left.pop(partition, None)
    return told


def _note(told: dict[UUID, _Told], record: Record) -> None:
    try:
        key = UUID((record.key or b"").decode())
        if record.value is None:
            told.pop(key, None)
            return
        value = json.loads(record.value)
        told[key] = _Told(UUID(value["workspace_id"]), int(value["version"]))
    except (ValueError, KeyError, TypeError):
        logger.warning(
            "%s/%d offset %d is no record of ours; left alone", record.topic, record.partition, record.offset
        )


async def _from_the_beginning(_: Sequence[Partition]) -> Mapping[Partition, int]:
    return {}
