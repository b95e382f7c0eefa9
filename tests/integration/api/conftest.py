"""One API per module of tests."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.fakes.api_server import ApiServer, running_api
from vigilo.adapters.kafka.admin import admin_client
from vigilo.adapters.settings import KafkaSettings


@pytest.fixture(scope="module")
def api(module_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """The API with workspaces one and two; its relay does not run."""
    with running_api(module_database, tmp_path_factory.mktemp("home")) as server:
        yield server


@pytest.fixture
def one(api: ApiServer) -> Iterator[httpx.Client]:
    """The owner of workspace one."""
    with api.one.client() as client:
        yield client


@pytest.fixture
def two(api: ApiServer) -> Iterator[httpx.Client]:
    """The owner of workspace two."""
    with api.two.client() as client:
        yield client


@pytest.fixture
def kafka(kafka_bootstrap: str, topic_prefix: str) -> Iterator[KafkaSettings]:
    """Settings that reach the broker under a prefix of this test's own; its topics are removed afterwards."""
    settings = KafkaSettings(bootstrap=kafka_bootstrap, topic_prefix=topic_prefix, host_partitions=4)
    yield settings
    admin = admin_client(settings)
    ours = [name for name in admin.list_topics(timeout=10).topics if name.startswith(topic_prefix)]
    for future in (admin.delete_topics(ours) if ours else {}).values():
        future.result(timeout=10)
