"""The batch consumer on a real broker: positions come from the caller, not from the group."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta

import pytest
from confluent_kafka import TopicPartition

from tests.integration.vigilo.adapters.kafka.test_consumer import fill
from vigilo.adapters.kafka.admin import admin_client
from vigilo.adapters.kafka.batches import BatchConsumer, PositionLost
from vigilo.adapters.kafka.records import ConsumerBroken, Partition
from vigilo.adapters.settings import KafkaSettings
from vigilo.events.envelope import Record

pytestmark = pytest.mark.kafka

SHORT = timedelta(seconds=0.5)


class Store:
    """Positions as a database would keep them."""

    def __init__(self) -> None:
        self.next: dict[Partition, int] = {}
        self.asked: list[Partition] = []

    async def positions(self, partitions: Sequence[Partition]) -> Mapping[Partition, int]:
        self.asked.extend(partitions)
        return {one: self.next[one] for one in partitions if one in self.next}

    def store(self, records: Sequence[Record]) -> None:
        for record in records:
            self.next[Partition(record.topic, record.partition)] = record.offset + 1


async def read(consumer: BatchConsumer, count: int, store: Store | None = None) -> list[Record]:
    """Batches until `count` records have come."""
    records: list[Record] = []
    async with asyncio.timeout(30):
        while len(records) < count:
            batch = await consumer.poll_batch(100, SHORT)
            if store is not None:
                store.store(batch)
            records.extend(batch)
    return records


@pytest.mark.parametrize("group", ["projector", None])
async def test_everything_is_read_once_from_the_beginning(kafka: KafkaSettings, group: str | None) -> None:
    await fill(kafka, "cards", 250, partitions=3)
    await fill(kafka, "news", 50)
    store = Store()
    async with BatchConsumer(kafka, ["cards", "news"], positions=store.positions, group=group) as consumer:
        records = await read(consumer, 300)
        assert await consumer.poll_batch(100, SHORT) == []
        bounds = await consumer.bounds()
    assert len({(record.topic, record.partition, record.offset) for record in records}) == 300
    assert set(store.asked) == set(bounds) == {Partition("news", 0), *(Partition("cards", n) for n in range(3))}
    assert all(start == 0 for start, _ in bounds.values())
    assert sum(end for _, end in bounds.values()) == 300


async def test_a_restart_goes_on_where_the_store_says(kafka: KafkaSettings) -> None:
    await fill(kafka, "cards", 20)
    store = Store()
    async with BatchConsumer(kafka, ["cards"], positions=store.positions, group="projector") as consumer:
        await read(consumer, 20)
    store.next[Partition("cards", 0)] = 15
    async with BatchConsumer(kafka, ["cards"], positions=store.positions, group="projector") as consumer:
        assert [record.offset for record in await read(consumer, 5)] == [15, 16, 17, 18, 19]


async def test_one_record_does_not_wait_for_a_full_batch(kafka: KafkaSettings) -> None:
    await fill(kafka, "cards", 1)
    store = Store()
    async with BatchConsumer(kafka, ["cards"], positions=store.positions, group="projector") as consumer:
        await read(consumer, 1)
        waiting = asyncio.create_task(consumer.poll_batch(1000, timedelta(seconds=30)))
        await fill(kafka, "cards", 1, start=1)
        (record,) = await asyncio.wait_for(waiting, timeout=10)
        assert record.offset == 1


async def test_seek_reads_again(kafka: KafkaSettings) -> None:
    await fill(kafka, "cards", 10)
    store = Store()
    async with BatchConsumer(kafka, ["cards"], positions=store.positions, group="projector") as consumer:
        await read(consumer, 10)
        await consumer.seek(Partition("cards", 0), 8)
        assert [record.offset for record in await read(consumer, 2)] == [8, 9]
        with pytest.raises(ConsumerBroken, match="cards partition 7 is not ours"):
            await consumer.seek(Partition("cards", 7), 0)


async def test_a_second_member_starts_at_the_positions_of_the_first(kafka: KafkaSettings) -> None:
    await fill(kafka, "cards", 100, partitions=4)
    store = Store()
    first = BatchConsumer(kafka, ["cards"], positions=store.positions, group="projector")
    await first.start()
    await read(first, 100, store)
    generation = first.generation
    second = BatchConsumer(kafka, ["cards"], positions=store.positions, group="projector")
    await second.start()
    async with asyncio.timeout(30):
        while len(second.assigned) != 2 or len(first.assigned) != 2:
            assert await first.poll_batch(100, timedelta(seconds=0.1)) == []
            assert await second.poll_batch(100, timedelta(seconds=0.1)) == []
    assert first.generation > generation
    assert not first.assigned & second.assigned
    await first.close()
    await second.close()


async def test_a_position_that_retention_took_is_an_error(kafka: KafkaSettings) -> None:
    await fill(kafka, "cards", 10)
    admin = admin_client(kafka)
    (deleted,) = admin.delete_records([TopicPartition(kafka.physical("cards"), 0, 6)]).values()
    await asyncio.to_thread(deleted.result, 10)
    store = Store()
    store.next[Partition("cards", 0)] = 2
    async with BatchConsumer(kafka, ["cards"], positions=store.positions, group="projector") as consumer:
        with pytest.raises(PositionLost, match="cards partition 0"):
            await read(consumer, 1)


async def test_positions_that_cannot_be_read_end_the_reader(kafka: KafkaSettings) -> None:
    await fill(kafka, "cards", 1)

    async def positions(_: Sequence[Partition]) -> Mapping[Partition, int]:
        raise ConnectionError("the database is away")

    async with BatchConsumer(kafka, ["cards"], positions=positions, group="projector") as consumer:
        with pytest.raises(ConnectionError, match="the database is away"):
            await read(consumer, 1)
