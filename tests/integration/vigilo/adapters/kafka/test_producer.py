"""The producer on a real broker: acknowledged, ordered, typed failures, bounded close."""

from __future__ import annotations

import asyncio
import os
from datetime import timedelta

import pytest
from confluent_kafka import Consumer, Message, TopicPartition

from vigilo.adapters.kafka.producer import Delivered, Producer, ProducerBroken, Undelivered
from vigilo.adapters.kafka.topics import Wanted, apply
from vigilo.adapters.settings import KafkaSettings
from vigilo.events.envelope import EncodedEvent
from vigilo.events.partitioner import partition_for

pytestmark = pytest.mark.kafka

STAMPED = {"message.timestamp.type": "LogAppendTime", "max.message.bytes": "1048576"}


def event(number: int, *, value: bytes | None = None, key: bytes | None = None) -> EncodedEvent:
    key = f"key-{number}".encode() if key is None else key
    return EncodedEvent("events", key, f"value-{number}".encode() if value is None else value, (("n", b"%d" % number),))


def read_partition(settings: KafkaSettings, partition: int, count: int) -> list[Message]:
    """The first `count` records of one partition."""
    consumer = Consumer({"bootstrap.servers": settings.bootstrap, "group.id": "unused", "enable.auto.commit": False})
    consumer.assign([TopicPartition(settings.physical("events"), partition, 0)])
    messages = consumer.consume(count, timeout=10)
    consumer.close()
    return messages


async def test_an_event_arrives_whole_under_the_prefix(kafka: KafkaSettings) -> None:
    apply(kafka, [Wanted("events", 4, STAMPED)])
    async with Producer(kafka, client_id="test") as producer:
        delivered = await producer.send(event(1))
    assert delivered.topic == "events"
    assert delivered.partition == partition_for(b"key-1", 4)
    (message,) = await asyncio.to_thread(read_partition, kafka, delivered.partition, 1)
    assert (message.key(), message.value(), message.headers()) == (b"key-1", b"value-1", [("n", b"1")])
    assert (message.offset(), message.timestamp()[1]) == (delivered.offset, delivered.timestamp_ms)


async def test_many_events_keep_their_order_in_a_partition(kafka: KafkaSettings) -> None:
    apply(kafka, [Wanted("events", 1, STAMPED)])
    async with Producer(kafka, client_id="test") as producer:
        delivered = await producer.send_all(event(number) for number in range(2_000))
    assert [one.offset for one in delivered] == list(range(2_000))
    messages = await asyncio.to_thread(read_partition, kafka, 0, 2_000)
    assert [message.value() for message in messages] == [f"value-{n}".encode() for n in range(2_000)]


async def test_a_partition_can_be_named_and_a_tombstone_written(kafka: KafkaSettings) -> None:
    apply(kafka, [Wanted("events", 4, STAMPED)])
    other = (partition_for(b"key-1", 4) + 1) % 4
    async with Producer(kafka, client_id="test") as producer:
        tombstone = EncodedEvent("events", b"key-1", None, ())
        assert (await producer.send(tombstone, partition=other)).partition == other
    (message,) = await asyncio.to_thread(read_partition, kafka, other, 1)
    assert message.value() is None


async def test_a_topic_that_is_not_there_is_named(kafka: KafkaSettings) -> None:
    async with Producer(kafka, client_id="test", delivery_timeout=timedelta(seconds=2)) as producer:
        with pytest.raises(Undelivered, match=r"^events: _?UNKNOWN_TOPIC|^events: _MSG_TIMED_OUT") as raised:
            await producer.send(event(1))
    assert raised.value.key == b"key-1"


async def test_an_event_above_the_topics_limit_fails_alone(kafka: KafkaSettings) -> None:
    apply(kafka, [Wanted("events", 1, {**STAMPED, "max.message.bytes": "2000"})])
    async with Producer(kafka, client_id="test") as producer:
        with pytest.raises(Undelivered, match="events: MSG_SIZE_TOO_LARGE"):
            await producer.send(event(1, value=os.urandom(10_000)))
        assert isinstance(await producer.send(event(2)), Delivered)


async def test_an_event_above_the_clients_limit_is_refused_at_once(kafka: KafkaSettings) -> None:
    apply(kafka, [Wanted("events", 1, STAMPED)])
    async with Producer(kafka, client_id="test") as producer:
        with pytest.raises(Undelivered, match="events: MSG_SIZE_TOO_LARGE"):
            await producer.send_all([event(1), event(2, value=b"x" * 2_100_000)])
        assert (await producer.send(event(3))).offset == 1


async def test_without_a_broker_sending_fails_in_time_and_closing_ends() -> None:
    nowhere = KafkaSettings(bootstrap="127.0.0.1:1")
    producer = Producer(nowhere, client_id="test", delivery_timeout=timedelta(seconds=1))
    with pytest.raises(Undelivered, match="events: _MSG_TIMED_OUT"):
        await asyncio.wait_for(producer.send(event(1)), timeout=15)
    waiting = await producer.enqueue(event(2))
    await asyncio.wait_for(producer.close(timedelta(seconds=0.1)), timeout=10)
    with pytest.raises(Undelivered):
        await asyncio.wait_for(waiting, timeout=5)


async def test_a_closed_producer_says_so(kafka: KafkaSettings) -> None:
    producer = Producer(kafka, client_id="test")
    await producer.close()
    await producer.close()
    with pytest.raises(ProducerBroken, match="closed"):
        await producer.send(event(1))
