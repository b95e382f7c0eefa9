"""A database, topics and a projector of one test's own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta

import psycopg
import pytest
from confluent_kafka.admin import NewTopic  # type: ignore[attr-defined]  # its stubs forget one
from pydantic import SecretStr

from services.api.migrate import migrate
from services.api.projector.admission import TOPICS
from services.api.projector.app import EmbeddedProjector
from services.api.projector.bounds import ends_of, partitions_of
from services.api.projector.settings import ProjectorSettings
from tests.fakes.api_client import acting_as
from vigilo.adapters.kafka.admin import admin_client
from vigilo.adapters.kafka.producer import Producer
from vigilo.adapters.settings import KafkaSettings
from vigilo.events.envelope import EncodedEvent
from vigilo.ports.deadletters import DEAD_LETTERS_TOPIC

PARTITIONS = 3
# The fakes' observations never expire, whatever the year.
FOR_EVER = timedelta(days=36_500)


@pytest.fixture
def kafka(kafka_bootstrap: str, topic_prefix: str) -> Iterator[KafkaSettings]:
    """The projector's topics under a prefix of this test's own; removed afterwards."""
    settings = KafkaSettings(bootstrap=kafka_bootstrap, topic_prefix=topic_prefix, host_partitions=PARTITIONS)
    admin = admin_client(settings)
    wanted = [NewTopic(settings.physical(topic), PARTITIONS, 1) for topic in (*TOPICS, DEAD_LETTERS_TOPIC)]
    for future in admin.create_topics(wanted).values():
        future.result(timeout=20)
    yield settings
    for future in admin.delete_topics([topic.topic for topic in wanted]).values():
        future.result(timeout=20)


@pytest.fixture
def migrated(database: str) -> str:
    """A superuser's URL of a database with our schemas."""
    migrate(database, {})
    return database


def projector_settings(kafka: KafkaSettings, database: str) -> ProjectorSettings:
    """Settings of a projector on this database."""
    return ProjectorSettings(
        database_url=SecretStr(acting_as(database, "vigilo_projector")), history=FOR_EVER, kafka=kafka
    )


@pytest.fixture
def projector(kafka: KafkaSettings, migrated: str) -> Iterator[EmbeddedProjector]:
    """A running projector."""
    embedded = EmbeddedProjector(projector_settings(kafka, migrated))
    embedded.start()
    yield embedded
    embedded.close()


async def sent(kafka: KafkaSettings, events: Iterable[EncodedEvent]) -> None:
    """The events are in their topics, in this order."""
    async with Producer(kafka, client_id="test") as producer:
        await producer.send_all(events)


def positions(database: str) -> dict[tuple[str, int], int]:
    """How far the read model has come."""
    with psycopg.connect(database) as connection:
        rows = connection.execute("select topic, partition, next from read_model.projector_offsets").fetchall()
    return {(topic, number): following for topic, number, following in rows}


async def caught_up(kafka: KafkaSettings, database: str, *, seconds: float = 30.0) -> None:
    """Returns once the read model holds everything the topics hold now."""
    ends = ends_of(kafka, partitions_of(kafka, TOPICS))
    await eventually(
        lambda: all(positions(database).get((one.topic, one.number), 0) >= end for one, end in ends.items()),
        seconds=seconds,
        what=lambda: f"the read model at {positions(database)}, the topics end at {ends}",
    )


async def eventually(condition: Callable[[], bool], *, seconds: float, what: Callable[[], str]) -> None:
    """Returns once the condition holds; fails saying `what` after that many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(what())
        await asyncio.sleep(0.05)
