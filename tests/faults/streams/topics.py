"""The topics of one experiment: made, changed, read back."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import AlterConfigOpType, ConfigEntry, ConfigResource
from confluent_kafka.cimpl import NewTopic

from tests.faults.streams import job
from tests.faults.streams.waiting import LabTimeout


@dataclass(frozen=True, slots=True)
class Message:
    """One record read back: what the oracle compares."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]

    def header(self, name: str) -> str:
        """The first header of that name; raises KeyError when there is none."""
        return dict(self.headers)[name].decode()


def _message(read: Any) -> Message:
    return Message(read.partition(), read.offset(), read.key(), read.value(), tuple(read.headers() or ()))


class Topics:
    """Input, output, changelog and dead letters under one prefix."""

    def __init__(self, bootstrap: str, prefix: str) -> None:
        self.bootstrap = bootstrap
        self.prefix = prefix
        self._admin = AdminClient({"bootstrap.servers": bootstrap})

    def create(self) -> None:
        """Creates input, output, changelog and dead letters, and waits for their leaders."""
        compact = {"cleanup.policy": "compact"}
        wanted = [
            NewTopic(self.prefix + job.WORK, job.PARTITIONS, 1),
            NewTopic(self.prefix + job.RESULTS, job.PARTITIONS, 1),
            NewTopic(self.prefix + job.CHANGELOG, job.PARTITIONS, 1, config=compact),
            NewTopic(self.prefix + job.DEAD_LETTERS, 1, 1),
        ]
        for created in self._admin.create_topics(wanted, operation_timeout=30).values():
            created.result(timeout=30)

    def delete(self) -> None:
        """Deletes what create_topics created."""
        names = [self.prefix + name for name in (job.WORK, job.RESULTS, job.CHANGELOG, job.DEAD_LETTERS)]
        for deleted in self._admin.delete_topics(names, operation_timeout=30).values():
            deleted.result(timeout=30)

    def configure(self, topic: str, name: str, value: str) -> None:
        """Sets one option of one topic."""
        entry = ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource(ConfigResource.Type.TOPIC, self.prefix + topic, incremental_configs=[entry])
        for changed in self._admin.incremental_alter_configs([resource]).values():
            changed.result(timeout=30)

    def ends(self, topic: str) -> dict[int, int]:
        """The end offset of each partition."""
        consumer = self._reader()
        try:
            return {
                partition: consumer.get_watermark_offsets(
                    TopicPartition(self.prefix + topic, partition), timeout=10, cached=False
                )[1]
                for partition in self._partitions(consumer, topic)
            }
        finally:
            consumer.close()

    def committed(self) -> dict[int, int]:
        """The committed offset of each partition of the input; 0 where nothing was committed."""
        asked = ConsumerGroupTopicPartitions(
            self.prefix + job.SERVICE, [TopicPartition(self.prefix + job.WORK, p) for p in range(job.PARTITIONS)]
        )
        answer = next(iter(self._admin.list_consumer_group_offsets([asked]).values())).result(timeout=10)
        return {found.partition: max(0, found.offset) for found in answer.topic_partitions}

    def read(self, topic: str) -> list[Message]:
        """Every record of the topic up to its present end."""
        return list(self._read(topic))

    def _read(self, topic: str) -> Iterable[Message]:
        ends = {p: end for p, end in self.ends(topic).items() if end > 0}
        consumer = self._reader()
        consumer.assign([TopicPartition(self.prefix + topic, partition, 0) for partition in ends])
        deadline = time.monotonic() + 60
        try:
            while ends:
                if time.monotonic() > deadline:
                    raise LabTimeout(f"reading {topic}: {ends} still open")
                for message in consumer.consume(5000, timeout=0.2):
                    assert message.error() is None, message.error()
                    yield _message(message)
                at = {tp.partition: tp.offset for tp in consumer.position(consumer.assignment())}
                ends = {p: end for p, end in ends.items() if at.get(p, 0) < end}
        finally:
            consumer.close()

    def _reader(self) -> Consumer:
        return Consumer(
            {
                "bootstrap.servers": self.bootstrap,
                "group.id": f"{self.prefix}oracle",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
            }
        )

    def _partitions(self, consumer: Consumer, topic: str) -> list[int]:
        name = self.prefix + topic
        return sorted(consumer.list_topics(name, timeout=10).topics[name].partitions)
