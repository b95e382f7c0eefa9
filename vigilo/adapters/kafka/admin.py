"""The client for administration, and how its answers are read."""

from __future__ import annotations

import logging

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, TopicMetadata  # type: ignore[attr-defined]  # its stubs forget one

from vigilo.adapters.settings import KafkaSettings

logger = logging.getLogger("vigilo.kafka.admin")


def admin_client(settings: KafkaSettings) -> AdminClient:
    """A client for administration, quiet but for our own log."""
    config: dict[str, str | int | float | bool] = {
        "bootstrap.servers": settings.bootstrap,
        "client.id": "vigilo-admin",
        "log.connection.close": False,
        **settings.security().for_librdkafka(),
    }
    return AdminClient(config, logger=logger)


def has_leaders(topic: TopicMetadata | None) -> bool:
    """True when the topic exists and every partition can be written."""
    if topic is None or topic.error is not None or not topic.partitions:
        return False
    return all(partition.leader >= 0 for partition in topic.partitions.values())


def text_of(error: KafkaException) -> str:
    """The name and the words of Kafka's own error."""
    cause = error.args[0]
    return f"{cause.name()}: {cause.str()}" if isinstance(cause, KafkaError) else str(cause)
