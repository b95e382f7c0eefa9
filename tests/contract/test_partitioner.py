"""Every client library puts a key into the same partition, or the rows of one host end up with two workers."""

from __future__ import annotations

import random
from collections.abc import Mapping
from uuid import UUID

import pytest
from aiokafka import AIOKafkaProducer
from confluent_kafka import Consumer, KafkaError, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from vigilo.adapters.kafka.producer import producer_config
from vigilo.adapters.settings import KafkaSettings
from vigilo.events.partitioner import partition_for

PARTITIONS = 12
_RANDOM = random.Random(20_260)
KEYS = tuple(str(UUID(int=_RANDOM.getrandbits(128), version=4)).encode() for _ in range(1000))

pytestmark = pytest.mark.kafka


@pytest.fixture
def topic(kafka_bootstrap: str, topic_prefix: str) -> str:
    """A fresh topic with as many partitions as host-keyed topics have."""
    name = f"{topic_prefix}hosts"
    admin = AdminClient({"bootstrap.servers": kafka_bootstrap})
    admin.create_topics([NewTopic(name, PARTITIONS, 1)], operation_timeout=30)[name].result(timeout=30)
    return name


def by_librdkafka(bootstrap: str, topic: str, **settings: str) -> Mapping[bytes, int]:
    """Writes every key with confluent-kafka; the partition of each by the broker's acknowledgement."""
    landed: dict[bytes, int] = {}

    def note(error: KafkaError | None, message: Message) -> None:
        assert error is None
        landed[message.key() or b""] = message.partition() or 0

    producer = Producer({"bootstrap.servers": bootstrap, **settings})
    for key in KEYS:
        producer.produce(topic, key=key, value=b"{}", on_delivery=note)
    assert producer.flush(30) == 0
    return landed


async def by_aiokafka(bootstrap: str, topic: str) -> Mapping[bytes, int]:
    """Writes every key with aiokafka's own default, which is what Faust's producer does."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    try:
        acks = [(key, await producer.send(topic, value=b"{}", key=key)) for key in KEYS]
        return {key: (await ack).partition for key, ack in acks}
    finally:
        await producer.stop()


def read_back(bootstrap: str, topic: str) -> dict[bytes, set[int]]:
    """The partitions in which each key is found."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": f"{topic}-reader"})
    consumer.assign([TopicPartition(topic, partition, 0) for partition in range(PARTITIONS)])
    found: dict[bytes, set[int]] = {}
    try:
        for _ in range(100):
            for message in consumer.consume(5000, timeout=0.3):
                assert message.error() is None
                found.setdefault(message.key() or b"", set()).add(message.partition() or 0)
            at = {tp.partition: tp.offset for tp in consumer.position(consumer.assignment())}
            ends = {p: consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=10)[1] for p in at}
            if all(at[p] == ends[p] or ends[p] == 0 for p in ends):
                return found
    finally:
        consumer.close()
    raise AssertionError("the topic could not be read to its end")


async def test_a_thousand_keys_of_both_clients_share_their_partitions(kafka_bootstrap: str, topic: str) -> None:
    config = producer_config(KafkaSettings(bootstrap=kafka_bootstrap), client_id="test")
    ours = by_librdkafka(kafka_bootstrap, topic, partitioner=config["partitioner"])
    fausts = await by_aiokafka(kafka_bootstrap, topic)
    expected = {key: partition_for(key, PARTITIONS) for key in KEYS}
    assert ours == fausts == expected
    assert read_back(kafka_bootstrap, topic) == {key: {partition} for key, partition in expected.items()}


async def test_librdkafka_left_alone_would_put_most_keys_elsewhere(kafka_bootstrap: str, topic: str) -> None:
    alone = by_librdkafka(kafka_bootstrap, topic)
    agreed = sum(alone[key] == partition_for(key, PARTITIONS) for key in KEYS)
    # One in twelve by chance. Should librdkafka ever change its default, this test says so.
    assert agreed < 200
