"""The work consumer on a real broker: bounded, fast lane first, and no gap behind a committed offset."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from confluent_kafka import Consumer, TopicPartition

from vigilo.adapters.kafka.consumer import Taken, WorkConsumer
from vigilo.adapters.kafka.producer import Producer
from vigilo.adapters.kafka.topics import Wanted, apply
from vigilo.adapters.settings import KafkaSettings
from vigilo.events.envelope import EncodedEvent

pytestmark = pytest.mark.kafka

STAMPED = {"message.timestamp.type": "LogAppendTime"}


async def fill(kafka: KafkaSettings, topic: str, count: int, *, partitions: int = 1, start: int = 0) -> None:
    """`count` records into a topic, spread over its partitions; made if it is not there."""
    await asyncio.to_thread(apply, kafka, [Wanted(topic, partitions, STAMPED)])
    async with Producer(kafka, client_id="test") as producer:
        await producer.send_all(
            EncodedEvent(topic, f"{number}".encode(), b"{}", (("n", f"{number}".encode()),))
            for number in range(start, start + count)
        )


async def take(consumer: WorkConsumer, count: int) -> list[Taken]:
    """The next `count` records, left unfinished."""
    taken: list[Taken] = []

    async def gather() -> None:
        async for one in consumer:
            taken.append(one)
            if len(taken) == count:
                return

    await asyncio.wait_for(gather(), timeout=30)
    return taken


async def until(condition: Callable[[], bool], seconds: float = 15) -> None:
    """Returns once the condition holds; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition never held"
        await asyncio.sleep(0.02)


async def committed(kafka: KafkaSettings, group: str, topic: str, partitions: int = 1) -> list[int]:
    """The committed offset of each partition; -1001 for none."""

    def ask() -> list[int]:
        client = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": kafka.group(f"{group}-{topic}")})
        asked = [TopicPartition(kafka.physical(topic), number) for number in range(partitions)]
        offsets = [one.offset for one in client.committed(asked, timeout=10)]
        client.close()
        return offsets

    return await asyncio.to_thread(ask)


async def test_records_come_with_logical_names_headers_and_append_time(kafka: KafkaSettings) -> None:
    await fill(kafka, "work", 1)
    async with WorkConsumer(kafka, ["work"], group="test", max_in_flight=4) as consumer:
        (taken,) = await take(consumer, 1)
        assert (taken.record.topic, taken.record.offset, taken.record.header("n")) == ("work", 0, "0")
        assert abs(taken.record.timestamp_ms - time.time() * 1000) < 60_000
        taken.done()


async def test_an_unfinished_record_holds_the_committed_offset(kafka: KafkaSettings) -> None:
    await fill(kafka, "work", 10)
    consumer = WorkConsumer(kafka, ["work"], group="test", max_in_flight=20)
    await consumer.start()
    taken = await take(consumer, 10)
    for one in taken[:3] + taken[4:]:
        one.done()
    await consumer.close(timedelta(seconds=0))
    assert await committed(kafka, "test", "work") == [3]

    async with WorkConsumer(kafka, ["work"], group="test", max_in_flight=20) as again:
        repeated = await take(again, 7)
        assert [one.record.offset for one in repeated] == list(range(3, 10))
        for one in repeated:
            one.done()
    assert await committed(kafka, "test", "work") == [10]


async def test_offsets_are_committed_while_running(kafka: KafkaSettings) -> None:
    await fill(kafka, "work", 5)
    async with WorkConsumer(kafka, ["work"], group="test", max_in_flight=5) as consumer:
        for one in await take(consumer, 5):
            one.done()
        deadline = time.monotonic() + 15
        while await committed(kafka, "test", "work") != [5]:
            assert time.monotonic() < deadline


async def test_never_more_than_max_in_flight(kafka: KafkaSettings) -> None:
    await fill(kafka, "work", 300, partitions=4)
    seen: set[tuple[int, int]] = set()
    most = 0

    async with WorkConsumer(kafka, ["work"], group="test", max_in_flight=7) as consumer:
        working: set[asyncio.Task[None]] = set()

        async def work(one: Taken) -> None:
            await asyncio.sleep(0.01 * (one.record.offset % 3))
            one.done()

        async def run() -> None:
            nonlocal most
            async for one in consumer:
                seen.add((one.record.partition, one.record.offset))
                most = max(most, consumer.in_flight)
                task = asyncio.create_task(work(one))
                working.add(task)
                task.add_done_callback(working.discard)
                if len(seen) == 300:
                    return

        await asyncio.wait_for(run(), timeout=60)
    assert most == 7
    assert sum(await committed(kafka, "test", "work", 4)) == 300


async def test_a_full_consumer_stays_in_its_group_and_goes_on(kafka: KafkaSettings) -> None:
    await fill(kafka, "work", 10)
    async with WorkConsumer(kafka, ["work"], group="test", max_in_flight=2) as consumer:
        first = await take(consumer, 2)
        (lane,) = consumer._lanes
        await until(lambda: lane._paused)
        assert consumer.in_flight == 2
        for one in first:
            one.done()
        offsets = [one.record.offset for one in first]
        for _ in range(8):
            (one,) = await take(consumer, 1)
            offsets.append(one.record.offset)
            one.done()
        assert offsets == list(range(10))


async def test_a_backlog_in_the_slow_lane_does_not_delay_the_fast_one(kafka: KafkaSettings) -> None:
    await fill(kafka, "slow", 500)
    await fill(kafka, "fast", 0)
    async with WorkConsumer(kafka, ["fast", "slow"], group="test", max_in_flight=8, reserved=2) as consumer:
        slow = await take(consumer, 6)  # unfinished: the slow lane has all the slots it may have
        await fill(kafka, "fast", 2)
        fast = await take(consumer, 2)
        assert [one.record.topic for one in fast] == ["fast", "fast"]
        assert consumer.in_flight == 8
        for one in slow + fast:
            one.done()


async def test_a_second_member_takes_over_without_a_gap(kafka: KafkaSettings) -> None:
    await fill(kafka, "work", 200, partitions=4)
    finished: list[tuple[int, int]] = []

    async def run(consumer: WorkConsumer, *, pause: float) -> None:
        async for one in consumer:
            await asyncio.sleep(pause)
            finished.append((one.record.partition, one.record.offset))
            one.done()

    first = WorkConsumer(kafka, ["work"], group="test", max_in_flight=4)
    await first.start()
    one = asyncio.create_task(run(first, pause=0.01))
    await until(lambda: len(finished) > 20)
    second = WorkConsumer(kafka, ["work"], group="test", max_in_flight=4)
    await second.start()
    two = asyncio.create_task(run(second, pause=0.01))
    await until(lambda: len(first.assigned) == 2 and len(second.assigned) == 2)
    await first.close()
    await until(lambda: len(second.assigned) == 4)
    await until(lambda: len(set(finished)) == 200, seconds=30)
    await second.close()
    await asyncio.gather(one, two)
    assert sum(await committed(kafka, "test", "work", 4)) == 200
    # Only what was in flight when a partition changed hands may have been done twice.
    assert len(finished) - 200 <= 8


async def test_iteration_ends_with_stop(kafka: KafkaSettings) -> None:
    await fill(kafka, "work", 1)
    async with WorkConsumer(kafka, ["work"], group="test", max_in_flight=4) as consumer:
        (taken,) = await take(consumer, 1)
        waiting = asyncio.create_task(take(consumer, 1))
        await asyncio.sleep(0)
        consumer.stop()
        assert await asyncio.wait_for(waiting, timeout=5) == []
        taken.done()
    assert await committed(kafka, "test", "work") == [1]
