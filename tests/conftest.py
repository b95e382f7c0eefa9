"""A real broker and a real database for every test that asks, started at the first ask.

Which ones: `VIGILO_KAFKA_BOOTSTRAP` / `VIGILO_DATABASE_URL` if set, else containers if a Docker engine answers, else
the launcher's own local servers in a temporary folder. The choice is printed in the header of the test run.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.servers import fresh_database, kafka_choice, postgres_choice, start_kafka, start_postgres


def pytest_configure() -> None:
    """Keeps commands that tests run away from the system a developer has running: they look for it in VIGILO_HOME."""
    os.environ["VIGILO_HOME"] = str(Path(tempfile.gettempdir()) / f"vigilo-no-home-{os.getpid()}")


@pytest.fixture(autouse=True)
def environment_as_it_was() -> Iterator[None]:
    """A command run in this process may set variables; the next test must not see them."""
    before = dict(os.environ)
    yield
    for name in os.environ.keys() - before.keys():
        del os.environ[name]
    os.environ.update(before)


def pytest_report_header() -> list[str]:
    """Which broker and which database this run uses."""
    return [f"kafka: {kafka_choice()}", f"postgres: {postgres_choice()}"]


@pytest.fixture(scope="session")
def kafka_bootstrap() -> Iterator[str]:
    """`host:port` of a real Kafka broker without automatic topic creation."""
    with start_kafka() as bootstrap:
        yield bootstrap


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """URL of a superuser on a real PostgreSQL. Make a database of your own (`database`), never use this one."""
    with start_postgres() as url:
        yield url


@pytest.fixture
def topic_prefix(request: pytest.FixtureRequest) -> str:
    """A topic prefix no other test uses, ending in a hyphen; part of the test's name is in it for the logs."""
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")[:40]
    return f"t-{name}-{uuid4().hex[:8]}-"


@pytest.fixture
def database(postgres_url: str) -> Iterator[str]:
    """URL of a superuser on a fresh, empty database of this test; dropped afterwards."""
    with fresh_database(postgres_url) as url:
        yield url


@pytest.fixture(scope="module")
def module_database(postgres_url: str) -> Iterator[str]:
    """URL of a superuser on a fresh, empty database shared by one module's tests; dropped afterwards."""
    with fresh_database(postgres_url) as url:
        yield url
