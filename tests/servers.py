"""The servers the tests run on, chosen once per run."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psutil
import psycopg
from psycopg import sql

from vigilo_cli.launcher import docker
from vigilo_cli.launcher.database import choose_database, database_url_from_environment
from vigilo_cli.launcher.home import Home, open_home
from vigilo_cli.launcher.kafka import IMAGE as KAFKA_IMAGE
from vigilo_cli.launcher.kafka import choose_kafka, kafka_bootstrap_from_environment
from vigilo_cli.launcher.server import Server

FOLDER_PREFIX = "vigilo-tests-"


@cache
def _docker() -> bool:
    return docker.engine_answers()


def kafka_choice() -> str:
    """The broker of this run, in words."""
    if kafka_bootstrap_from_environment():
        return f"{kafka_bootstrap_from_environment()} (VIGILO_KAFKA_BOOTSTRAP)"
    return "container of testcontainers" if _docker() else "local process, Apache Kafka from Maven artifacts"


def postgres_choice() -> str:
    """The database of this run, in words."""
    if database_url_from_environment():
        return "VIGILO_DATABASE_URL"
    return "container of testcontainers" if _docker() else "local process, PostgreSQL 18 from a wheel"


@cache
def home() -> Home:
    """A temporary state folder of this run; those of killed runs are removed first."""
    base = Path(tempfile.gettempdir())
    for old in base.glob(f"{FOLDER_PREFIX}*"):
        pid = old.name.removeprefix(FOLDER_PREFIX).split("-")[0]
        if pid.isdigit() and not psutil.pid_exists(int(pid)):
            shutil.rmtree(old, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{FOLDER_PREFIX}{os.getpid()}-", dir=base))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return open_home(folder)


@contextmanager
def start_kafka() -> Iterator[str]:
    """`host:port` of the run's broker; stopped afterwards if it was started here."""
    external = kafka_bootstrap_from_environment()
    if external is None and _docker():
        with _kafka_container() as bootstrap:
            yield bootstrap
    else:
        with _running(choose_kafka(home(), bootstrap=external, heap_mb=768)) as bootstrap:
            yield bootstrap


@contextmanager
def start_postgres() -> Iterator[str]:
    """Superuser URL of the run's database server; stopped afterwards if it was started here."""
    external = database_url_from_environment()
    if external is None and _docker():
        with _postgres_container() as url:
            yield url
    else:
        with _running(choose_database(home(), url=external, durable=False)) as url:
            yield url


@contextmanager
def _running(server: Server) -> Iterator[str]:
    try:
        yield server.start()
    finally:
        server.stop()


@contextmanager
def _kafka_container() -> Iterator[str]:
    from testcontainers.core.container import DockerContainer

    from vigilo_cli.launcher.kafka import container_settings, lists_a_broker
    from vigilo_cli.launcher.ports import any_free

    port = any_free()
    container = DockerContainer(KAFKA_IMAGE).with_bind_ports(9092, port)
    for name, text in container_settings(port).items():
        container = container.with_env(name, text)
    with container:
        wait_until(lambda: lists_a_broker(port), seconds=90, what="the Kafka container")
        yield f"127.0.0.1:{port}"


@contextmanager
def _postgres_container() -> Iterator[str]:
    from testcontainers.community.postgres import PostgresContainer

    with PostgresContainer("postgres:18", username="postgres", driver=None) as container:
        yield container.get_connection_url()


def wait_until(condition: Callable[[], bool], *, seconds: float, what: str) -> None:
    """Return once the condition holds; fail, naming `what`, after that many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} is not ready after {seconds:.0f} s")
        time.sleep(0.1)


@contextmanager
def fresh_database(server_url: str) -> Iterator[str]:
    """URL of an empty database on that server, dropped (sessions ended) afterwards."""
    name = f"t_{uuid4().hex[:12]}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    try:
        parts = urlsplit(server_url)
        yield urlunsplit(parts._replace(path=f"/{name}"))
    finally:
        with psycopg.connect(server_url, autocommit=True) as connection:
            connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))
