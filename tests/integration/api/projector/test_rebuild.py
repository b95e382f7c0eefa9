"""`vigilo rebuild` beside a running API and a running projector."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import psycopg
import pytest
from confluent_kafka import TopicPartition

from services.api.projector.app import EmbeddedProjector
from services.api.projector.bounds import ends_of
from services.api.rebuild import RebuildRefused, Rebuilt, create_next, rebuild, renamed
from tests.fakes.api_client import Tenant, api_settings, client_of, everything, furnish
from tests.fakes.observations import Observations, host_of
from tests.fakes.read_model import dumped
from tests.integration.api.projector.conftest import FOR_EVER, PARTITIONS, caught_up, eventually, sent
from tests.integration.api.projector.test_projector import as_replayed, read_model_of
from vigilo.adapters.kafka.admin import admin_client
from vigilo.adapters.kafka.producer import Producer
from vigilo.adapters.kafka.records import Partition
from vigilo.adapters.settings import KafkaSettings

pytestmark = [pytest.mark.kafka, pytest.mark.postgres]

HOSTS = 4


async def beside(kafka: KafkaSettings, database: str) -> Rebuilt:
    """A rebuild in a thread, so that this loop goes on answering."""
    return await asyncio.to_thread(lambda: asyncio.run(rebuild(kafka, database, history=FOR_EVER)))


@asynccontextmanager
async def asking(client: httpx.AsyncClient, tenants: list[Tenant]) -> AsyncIterator[list[int]]:
    """Four clients that ask on and on; gives the status codes they got."""
    statuses: list[int] = []
    done = asyncio.Event()

    async def ask(number: int) -> None:
        tenant = tenants[number % 2]
        paths = [
            "/alerts",
            "/deliveries",
            *(f"/hosts/{host_of(number % 2)}/{part}" for part in ("snapshots", "timeline")),
        ]
        while not done.is_set():
            for path in paths:
                response = await client.get(tenant.url(path), headers=tenant.headers)
                statuses.append(response.status_code)
                assert response.status_code != 200 or response.json()["items"], f"{path} was empty for a moment"

    async with asyncio.TaskGroup() as group:
        for number in range(4):
            group.create_task(ask(number))
        try:
            yield statuses
        finally:
            done.set()


@pytest.mark.slow
async def test_every_answer_is_byte_equal_after_a_rebuild_and_none_fails_meanwhile(
    kafka: KafkaSettings, migrated: str, projector: EmbeddedProjector
) -> None:
    tenants = furnish(migrated, hosts=HOSTS)
    await sent(kafka, Observations(51).draw(4_000))
    await caught_up(kafka, migrated, seconds=60)
    async with client_of(api_settings(migrated, kafka)) as client:
        before = [await everything(client, tenant, hosts=HOSTS) for tenant in tenants]
        rows = read_model_of(migrated)
        async with asking(client, tenants) as statuses:
            done = await beside(kafka, migrated)
        assert done.events == 4_000
        assert set(statuses) == {200} and len(statuses) > 20
        assert [await everything(client, tenant, hosts=HOSTS) for tenant in tenants] == before
    assert read_model_of(migrated) == rows
    assert projector.running


@pytest.mark.slow
async def test_events_that_come_during_a_rebuild_are_neither_lost_nor_doubled(
    kafka: KafkaSettings, migrated: str, projector: EmbeddedProjector, postgres_url: str
) -> None:
    events = list(Observations(61).draw(6_000))
    await sent(kafka, events[:3_000])

    async def trickle() -> None:
        async with Producer(kafka, client_id="test") as producer:
            for event in events[3_000:]:
                await producer.send(event)

    trickling = asyncio.create_task(trickle())
    rebuilds = 0
    while not trickling.done():
        await beside(kafka, migrated)
        rebuilds += 1
    await trickling
    assert rebuilds
    await caught_up(kafka, migrated, seconds=60)
    expected, _ = await as_replayed(postgres_url, events)
    assert read_model_of(migrated) == {name: rows for name, rows in expected.items() if name != "projector_offsets"}
    assert projector.running


async def test_it_refuses_when_a_topic_begins_later_than_the_read_model(
    kafka: KafkaSettings, migrated: str, projector: EmbeddedProjector
) -> None:
    await sent(kafka, Observations(71).draw(600))
    await caught_up(kafka, migrated)
    admin = admin_client(kafka)
    ends = ends_of(kafka, [Partition("snapshots", number) for number in range(PARTITIONS)])
    gone = [TopicPartition(kafka.physical("snapshots"), one.number, 5) for one, end in ends.items() if end > 5]
    for future in admin.delete_records(gone).values():
        future.result(timeout=20)
    with psycopg.connect(migrated) as connection:
        before = dumped(connection)
    with pytest.raises(RebuildRefused, match=r"snapshots: \d+ rows of snapshots"):
        await rebuild(kafka, migrated, history=FOR_EVER)
    with psycopg.connect(migrated) as connection:
        assert dumped(connection) == before
    await rebuild(kafka, migrated, history=FOR_EVER, accept_loss=True)
    await eventually(lambda: projector.check()[0], seconds=10, what=lambda: str(projector.check()))
    assert 0 < len(read_model_of(migrated)["snapshots"]) < len(before["snapshots"])


def test_the_second_schema_is_made_like_the_first(migrated: str) -> None:
    catalog = """
        select 'column', c.relname, a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull
            from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
            where c.relnamespace = %(schema)s::regnamespace
        union all select 'index', tablename, replace(indexdef, %(schema)s || '.', '') from pg_indexes
            where schemaname = %(schema)s::text
        union all select 'policy', tablename,
            concat_ws(' ', policyname, roles, cmd, replace(qual, %(schema)s || '.', ''))
            from pg_policies where schemaname = %(schema)s::text
        union all select 'right', c.relname, c.relacl::text || c.relrowsecurity || c.relforcerowsecurity
            from pg_class c where c.relnamespace = %(schema)s::regnamespace and c.relkind in ('r', 'p')
        union all select 'schema', '', nspacl::text from pg_namespace where oid = %(schema)s::regnamespace
        order by 1, 2, 3
    """
    with psycopg.connect(migrated, autocommit=True) as connection:
        connection.execute("set role vigilo_migrator")
        create_next(connection)
        first = connection.execute(catalog, {"schema": "read_model"}).fetchall()
        second = connection.execute(catalog, {"schema": "read_model_next"}).fetchall()
    assert first == second != []


def test_only_whole_names_of_the_schema_are_replaced() -> None:
    assert renamed("create table read_model.x; -- my_read_model reads read_models") == (
        "create table read_model_next.x; -- my_read_model reads read_models"
    )
