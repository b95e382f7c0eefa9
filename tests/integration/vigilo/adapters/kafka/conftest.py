"""Kafka settings of one test; its topics are removed afterwards."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from vigilo.adapters.kafka.admin import admin_client
from vigilo.adapters.settings import KafkaSettings


@pytest.fixture
def kafka(kafka_bootstrap: str, topic_prefix: str) -> Iterator[KafkaSettings]:
    """Settings that reach the broker under a prefix of this test's own."""
    settings = KafkaSettings(bootstrap=kafka_bootstrap, topic_prefix=topic_prefix, host_partitions=4)
    yield settings
    admin = admin_client(settings)
    ours = [name for name in admin.list_topics(timeout=10).topics if name.startswith(topic_prefix)]
    for future in (admin.delete_topics(ours) if ours else {}).values():
        future.result(timeout=10)
