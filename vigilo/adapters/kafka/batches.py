"""Reading batches from positions that somebody else keeps: PostgreSQL, not the consumer group.

Rebalances happen only inside `poll_batch`, so never between a batch and the transaction that stores it. A process that
was thought dead may still hold a batch: store positions by compare-and-set.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Final, TypeVar

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from vigilo.adapters.kafka.records import ConsumerBroken, Partition, consumer_config, logger, record_of
from vigilo.adapters.kafka.topics import wait_for_topics
from vigilo.adapters.settings import KafkaSettings
from vigilo.events.envelope import Record

Positions = Callable[[Sequence[Partition]], Awaitable[Mapping[Partition, int]]]
"""Where to start reading: partition -> next offset to read; a partition left out starts at its beginning."""

T = TypeVar("T")

_POSITIONS_SECONDS: Final = 60.0
_REQUEST_SECONDS: Final = 10.0


class PositionLost(ConsumerBroken):
    """The topic no longer has the offset to read from: it was recreated, or retention passed the reader."""


class BatchConsumer:
    """Reads several topics in batches, as a member of a group or, without a group, all partitions alone.

    Start it in a running loop; one `poll_batch` at a time.
    """

    def __init__(
        self, settings: KafkaSettings, topics: Iterable[str], *, positions: Positions, group: str | None
    ) -> None:
        self._settings = settings
        self._topics = tuple(topics)
        self._positions = positions
        self._group = group
        self._names = {settings.physical(topic): topic for topic in self._topics}
        self._loop = asyncio.get_running_loop()
        self._assigned: frozenset[Partition] = frozenset()
        self._generation = 0
        # librdkafka calls back in the thread that polls: one thread makes every call.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"{group or 'reader'}-batches")
        self._client: Consumer | None = None

    async def __aenter__(self) -> BatchConsumer:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def assigned(self) -> frozenset[Partition]:
        """The partitions this process reads now."""
        return self._assigned

    @property
    def generation(self) -> int:
        """Grows with every change of `assigned`: what was cached for partitions must be read again."""
        return self._generation

    async def start(self) -> None:
        """Waits for the topics, saying which are missing, then joins. Raises MissingTopics."""
        await wait_for_topics(self._settings, self._topics)
        config = consumer_config(
            self._settings, group=self._group or "reader", client_id=f"vigilo-{self._group or 'reader'}", reset="error"
        )
        self._client = Consumer(config, logger=logger)
        if self._group is not None:
            self._client.subscribe(
                list(self._names), on_assign=self._on_assign, on_revoke=self._on_gone, on_lost=self._on_gone
            )
        else:
            await self._call(self._assign_all)

    async def poll_batch(self, max_records: int, timeout: timedelta) -> list[Record]:
        """Up to `max_records`, in order within a partition; empty after `timeout` without any.

        Returns as soon as there is something. Raises PositionLost and ConsumerBroken.
        """
        return await self._call(lambda: self._poll_batch(max_records, timeout.total_seconds()))

    async def seek(self, partition: Partition, offset: int) -> None:
        """Reads that assigned partition from `offset` on. Raises ConsumerBroken for a partition we do not have."""
        await self._call(lambda: self._seek(partition, offset))

    async def bounds(self) -> dict[Partition, tuple[int, int]]:
        """First offset and end offset of every assigned partition now; asks the broker."""
        return await self._call(self._bounds)

    async def close(self) -> None:
        """Leaves the group. Safe to call twice."""
        client, self._client = self._client, None
        if client is not None:
            await self._loop.run_in_executor(self._thread, client.close)
        self._assigned = frozenset()
        self._thread.shutdown(wait=False)

    async def _call(self, work: Callable[[], T]) -> T:
        try:
            return await self._loop.run_in_executor(self._thread, work)
        except KafkaException as error:
            raise ConsumerBroken(f"{', '.join(self._topics)}: {error.args[0]}") from error

    def _open(self) -> Consumer:
        if self._client is None:
            raise ConsumerBroken("the consumer is not started, or closed")
        return self._client

    def _poll_batch(self, max_records: int, timeout: float) -> list[Record]:
        # `consume` would wait for the whole batch: wait for the first record, then take what is there.
        client = self._open()
        first = client.poll(timeout)
        if first is None:
            return []
        messages = [first, *client.consume(max_records - 1, timeout=0)] if max_records > 1 else [first]
        records = [record_of(message, self._names) for message in messages if not self._is_trouble(message)]
        # A rebalance between the first record and the others may have taken its partition.
        return [record for record in records if Partition(record.topic, record.partition) in self._assigned]

    def _is_trouble(self, message: Message) -> bool:
        error = message.error()
        if error is None:
            return False
        if error.code() == KafkaError._AUTO_OFFSET_RESET:
            raise PositionLost(f"{message.topic()} partition {message.partition()}: {error.str()}")
        if error.fatal():
            raise KafkaException(error)
        logger.warning("%s: %s", message.topic(), error.str())
        return True

    def _seek(self, partition: Partition, offset: int) -> None:
        if partition not in self._assigned:
            raise ConsumerBroken(f"{partition.topic} partition {partition.number} is not ours")
        self._open().seek(TopicPartition(self._settings.physical(partition.topic), partition.number, offset))

    def _bounds(self) -> dict[Partition, tuple[int, int]]:
        client = self._open()
        bounds = {}
        for partition in sorted(self._assigned):
            wanted = TopicPartition(self._settings.physical(partition.topic), partition.number)
            bounds[partition] = client.get_watermark_offsets(wanted, timeout=_REQUEST_SECONDS)
        return bounds

    def _assign_all(self) -> None:
        client = self._open()
        known = client.list_topics(timeout=_REQUEST_SECONDS).topics
        everything = [TopicPartition(name, number) for name in self._names for number in known[name].partitions]
        client.assign(self._from_positions(everything))
        self._set_assigned(frozenset(self._partition(one) for one in everything))

    def _on_assign(self, client: Consumer, partitions: list[TopicPartition]) -> None:
        client.incremental_assign(self._from_positions(partitions))
        self._set_assigned(self._assigned | {self._partition(one) for one in partitions})

    def _on_gone(self, client: Consumer, partitions: list[TopicPartition]) -> None:
        client.incremental_unassign(partitions)
        self._set_assigned(self._assigned - {self._partition(one) for one in partitions})

    def _from_positions(self, partitions: list[TopicPartition]) -> list[TopicPartition]:
        """The same partitions with the offsets to start at. Blocks this thread, not the loop."""
        asked = [self._partition(one) for one in partitions]
        found = asyncio.run_coroutine_threadsafe(self._ask(asked), self._loop).result(_POSITIONS_SECONDS)
        return [
            TopicPartition(one.topic, one.partition, found.get(partition, OFFSET_BEGINNING))
            for one, partition in zip(partitions, asked, strict=True)
        ]

    async def _ask(self, partitions: Sequence[Partition]) -> Mapping[Partition, int]:
        return await self._positions(partitions)

    def _partition(self, one: TopicPartition) -> Partition:
        return Partition(self._names[one.topic], one.partition)

    def _set_assigned(self, partitions: frozenset[Partition]) -> None:
        self._assigned = partitions
        self._generation += 1
        logger.info("%s reads %d partitions", self._group or "reader", len(partitions))
