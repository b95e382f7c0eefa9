"""The servers every other test relies on are what they claim to be."""

from __future__ import annotations

import psycopg
import pytest
from confluent_kafka import KafkaError, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

pytestmark = [pytest.mark.kafka, pytest.mark.postgres]


def test_a_topic_can_be_made_and_written(kafka_bootstrap: str, topic_prefix: str) -> None:
    admin = AdminClient({"bootstrap.servers": kafka_bootstrap})
    topic = f"{topic_prefix}letters"
    admin.create_topics([NewTopic(topic, num_partitions=3, replication_factor=1)])[topic].result(20)
    producer = Producer({"bootstrap.servers": kafka_bootstrap})
    written: list[object] = []
    producer.produce(topic, b"hello", on_delivery=lambda error, message: written.append(error))
    producer.flush(20)
    assert written == [None]
    admin.delete_topics([topic])[topic].result(20)


def test_a_topic_never_comes_into_being_by_being_written_to(kafka_bootstrap: str, topic_prefix: str) -> None:
    producer = Producer({"bootstrap.servers": kafka_bootstrap, "message.timeout.ms": 3000})
    errors: list[KafkaError | None] = []
    producer.produce(f"{topic_prefix}missing", b"hello", on_delivery=lambda error, message: errors.append(error))
    producer.flush(20)
    assert [error is not None for error in errors] == [True]


def test_each_test_gets_an_empty_database_and_a_superuser(database: str) -> None:
    with psycopg.connect(database) as connection:
        tables = connection.execute("select count(*) from pg_class where relnamespace = 'public'::regnamespace")
        assert tables.fetchone() == (0,)
        superuser = connection.execute("select rolsuper from pg_roles where rolname = current_user")
        assert superuser.fetchone() == (True,)
        connection.execute("create table leftover (id int)")


def test_nothing_is_left_of_the_database_before(database: str) -> None:
    with psycopg.connect(database) as connection:
        assert connection.execute("select to_regclass('leftover')").fetchone() == (None,)
