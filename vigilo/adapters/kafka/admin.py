"""The client for administration, and how its answers are read."""

from __future__ import annotations

import logging
from collections import deque
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, TopicMetadata  # type: ignore[attr-defined]  # its stubs forget one

from vigilo.adapters.settings import KafkaSettings

logger = logging.getLogger("vigilo.kafka.admin")


class Admin(AdminClient):
    """A client for administration that remembers why it could not connect."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._complaints: deque[str] = deque(maxlen=8)
        config: dict[str, Any] = {
            "bootstrap.servers": settings.bootstrap,
            "client.id": "vigilo-admin",
            "log.connection.close": False,
            "error_cb": lambda error: self._complaints.append(error.str()),
            **settings.security().for_librdkafka(),
        }
        super().__init__(config, logger=logger)

    def why(self, error: KafkaException) -> str:
        """The error in words; for one of the transport also what lies behind it: refused, untrusted, wrong password."""
        self.poll(0.1)
        # "1/1 brokers are down" says nothing new.
        reasons = dict.fromkeys(text for text in self._complaints if "brokers are down" not in text)
        return "; ".join([text_of(error), *reasons])


def admin_client(settings: KafkaSettings) -> Admin:
    """A client for administration, quiet but for our own log."""
    return Admin(settings)


def has_leaders(topic: TopicMetadata | None) -> bool:
    """True when the topic exists and every partition can be written."""
    if topic is None or topic.error is not None or not topic.partitions:
        return False
    return all(partition.leader >= 0 for partition in topic.partitions.values())


def text_of(error: KafkaException) -> str:
    """The name and the words of Kafka's own error."""
    cause = error.args[0]
    return f"{cause.name()}: {cause.str()}" if isinstance(cause, KafkaError) else str(cause)
