"""What the alerter did, as Kafka kept it: every input, every row it wrote in the order it wrote them, every transition.

The lab's changelog is never compacted, so it is a journal: one row per applied input, with the input's place and the
clock it was decided by.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its stubs forget to re-export
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)

from vigilo.adapters.kafka.admin import admin_client
from vigilo.adapters.kafka.records import record_of
from vigilo.adapters.settings import KafkaSettings
from vigilo.events.envelope import Record

CHANGELOGS = ("alerter-alerts-changelog", "alerter-facts-changelog")
CONFIGURATION = ("alert-rules", "snoozes")
ALERTS = "alerts"
_PATIENCE_S = 60.0


def keep_everything(kafka: KafkaSettings) -> None:
    """Lets the changelogs of a lab grow instead of being compacted."""
    keep = [ConfigEntry("cleanup.policy", "delete", incremental_operation=AlterConfigOpType.SET)]
    resources = [
        ConfigResource(ResourceType.TOPIC, kafka.physical(name), incremental_configs=keep) for name in CHANGELOGS
    ]
    for done in admin_client(kafka).incremental_alter_configs(resources).values():
        done.result(timeout=20)


@dataclass(frozen=True, slots=True)
class Journal:
    """Records by logical topic, each partition's in order."""

    inputs: dict[str, tuple[Record, ...]]
    configuration: dict[str, tuple[Record, ...]]
    rows: tuple[Record, ...]
    transitions: tuple[Record, ...]


def read_journal(kafka: KafkaSettings, inputs: Sequence[str]) -> Journal:
    """All of it, up to the ends of now."""
    return Journal(
        inputs={topic: read_topic(kafka, topic) for topic in inputs},
        configuration={topic: read_topic(kafka, topic) for topic in CONFIGURATION},
        rows=read_topic(kafka, CHANGELOGS[0]),
        transitions=read_topic(kafka, ALERTS),
    )


def read_topic(kafka: KafkaSettings, topic: str) -> tuple[Record, ...]:
    """Everything in a topic, each partition in order."""
    name = kafka.physical(topic)
    settings = {"group.id": "journal", "enable.auto.commit": False, "enable.partition.eof": True}
    consumer = Consumer({"bootstrap.servers": kafka.bootstrap, **settings})
    try:
        unread = set(consumer.list_topics(name, timeout=10).topics[name].partitions)
        consumer.assign([TopicPartition(name, number, OFFSET_BEGINNING) for number in unread])
        found: list[Record] = []
        deadline = time.monotonic() + _PATIENCE_S
        while unread:
            assert time.monotonic() < deadline, f"cannot read {name}"
            for message in consumer.consume(2_000, timeout=0.1):
                error = message.error()
                if error is None:
                    found.append(record_of(message, {name: topic}))
                elif error.code() == KafkaError._PARTITION_EOF:
                    unread.discard(message.partition() or 0)
                else:
                    raise KafkaException(error)
    finally:
        consumer.close()
    return tuple(sorted(found, key=lambda one: (one.partition, one.offset)))
