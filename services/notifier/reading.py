"""Kafka into the ledger: read a batch, enter it, wake the worker."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from services.notifier.intake import Intake
from services.notifier.ledger import SILENT, TROUBLE
from services.notifier.ledger.offsets import OffsetsMoved, read_offsets
from vigilo.adapters.kafka.batches import BatchConsumer
from vigilo.adapters.kafka.producer import Producer
from vigilo.adapters.kafka.records import Partition
from vigilo.adapters.postgres import Pool
from vigilo.events.envelope import Record

logger = logging.getLogger("vigilo.notifier.reading")

BATCH: Final = 500
_WAIT: Final = timedelta(seconds=1)
_AFTER_TROUBLE_SECONDS: Final = 2.0


class Reading:
    """Feeds the ledger from Kafka. `on_entered` is called after each commit."""

    def __init__(
        self,
        pool: Pool,
        intake: Intake,
        producer: Producer,
        *,
        clock: Callable[[], datetime],
        on_entered: Callable[[], None],
    ) -> None:
        self._pool = pool
        self._intake = intake
        self._producer = producer
        self._clock = clock
        self._on_entered = on_entered

    async def positions(self, partitions: Sequence[Partition]) -> Mapping[Partition, int]:
        """Where the ledger stands; partitions it has never read are left out."""
        async with self._pool.connection() as connection:
            stored = await read_offsets(connection)
        return {one: stored[(one.topic, one.number)] for one in partitions if (one.topic, one.number) in stored}

    async def run(self, consumer: BatchConsumer) -> None:
        """Until cancelled. Raises TooManyDeadLetters, ConsumerBroken, ProducerBroken."""
        while True:
            records = await consumer.poll_batch(BATCH, _WAIT)
            # A pause, not a signal: nobody tells us that the database is back.
            while records and not await self._entered(records, consumer):  # noqa: ASYNC110
                await asyncio.sleep(_AFTER_TROUBLE_SECONDS)

    async def _entered(self, records: Sequence[Record], consumer: BatchConsumer) -> bool:
        """False when the database did not answer: the same batch is tried again."""
        try:
            async with self._pool.connection() as connection, connection.transaction():
                letters = await self._intake.apply(connection, records, now=self._clock())
                await self._producer.send_all(letters)
        except OffsetsMoved as moved:
            # Another notifier has these partitions now, or had them for a while: read on from where it stands.
            logger.warning("the position moved: %s", moved)
            await self._seek(records, consumer)
            return True
        except TROUBLE as error:
            logger.warning("%s: %s", SILENT, error)
            return False
        self._on_entered()
        return True

    async def _seek(self, records: Sequence[Record], consumer: BatchConsumer) -> None:
        partitions = {Partition(record.topic, record.partition) for record in records}
        for partition, offset in (await self.positions(sorted(partitions))).items():
            if partition in consumer.assigned:
                await consumer.seek(partition, offset)
