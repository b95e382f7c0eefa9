"""What both consumers share: their configuration, and messages as records."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final, NamedTuple, cast

from confluent_kafka import Message

from vigilo.adapters.settings import KafkaSettings
from vigilo.events.envelope import Record

logger = logging.getLogger("vigilo.kafka.consumer")

SESSION_TIMEOUT_MS: Final = 10_000


class ConsumerBroken(Exception):
    """The consumer cannot go on; end the process."""


class Partition(NamedTuple):
    """A partition of a topic, by its logical name."""

    topic: str
    number: int


def consumer_config(settings: KafkaSettings, *, group: str, client_id: str, reset: str) -> dict[str, Any]:
    """The librdkafka configuration of every consumer; offsets are never committed behind our back."""
    return {
        "bootstrap.servers": settings.bootstrap,
        "client.id": client_id,
        "group.id": settings.group(group),
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "auto.offset.reset": reset,
        "partition.assignment.strategy": "cooperative-sticky",
        "session.timeout.ms": SESSION_TIMEOUT_MS,
        "heartbeat.interval.ms": 3_000,
        # What waits in the client is read again after a pause or a restart: keep little.
        "queued.min.messages": 1_000,
        "queued.max.messages.kbytes": 16_384,
        "log.connection.close": False,
        "allow.auto.create.topics": False,
        **settings.security().for_librdkafka(),
    }


def record_of(message: Message, names: Mapping[str, str]) -> Record:
    """The record in a message without error; `names` maps physical topic names to logical ones."""
    headers = cast("list[tuple[str, bytes | None]]", message.headers() or [])
    return Record(
        topic=names[message.topic() or ""],
        partition=message.partition() or 0,
        offset=message.offset() or 0,
        timestamp_ms=message.timestamp()[1],
        key=_bytes(message.key()),
        value=_bytes(message.value()),
        headers=tuple((name, value or b"") for name, value in headers),
    )


def _bytes(value: str | bytes | None) -> bytes | None:
    return value.encode("utf-8") if isinstance(value, str) else value
