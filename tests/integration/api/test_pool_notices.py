"""A pool that loses its own network is told of on every channel of its workspaces, once, whoever looks."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest

from services.api import pool_notices
from services.api.pool_notices import tell_due
from tests.fakes.api_server import ApiServer, running_api
from vigilo.adapters.postgres import connect
from vigilo.events.codec import decode_value
from vigilo.events.deliveries import DeliveryCommand, DeliveryCommandKind

pytestmark = pytest.mark.postgres

NOW = datetime.now(UTC).replace(microsecond=0)
MINUTE = timedelta(minutes=1)
CHANNEL = {"kind": "webhook", "name": "c", "url": "https://c.example/"}


@pytest.fixture(scope="module")
def api(module_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """An API whose own timer does not come in the way of these tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pool_notices, "EVERY_SECONDS", 3600.0)
        with running_api(module_database, tmp_path_factory.mktemp("home")) as server:
            yield server


def scanned(api: ApiServer, hosts: list[str], *, suspect: bool, at: datetime) -> None:
    """The newest scan of these hosts, as the projector would leave it."""
    with psycopg.connect(api.admin_url, autocommit=True) as connection:
        for host_id in hosts:
            connection.execute(
                "insert into read_model.host_latest "
                "(host_id, workspace_id, requested_at, scan_id, finished_at, depth, outcome, pool_suspect) "
                "select host_id, workspace_id, %(at)s, %(scan)s, %(at)s, 'light', 'timeout', %(suspect)s "
                "from config.hosts where host_id = %(host)s on conflict (host_id) do update set "
                "finished_at = excluded.finished_at, pool_suspect = excluded.pool_suspect",
                {"at": at, "scan": uuid4(), "suspect": suspect, "host": host_id},
            )


def look(api: ApiServer, *, at: datetime, lookers: int = 1) -> int:
    async def one() -> int:
        async with await connect(api.api_url, name="timer") as connection:
            return await tell_due(connection, at=at)

    async def all_of_them() -> list[int]:
        return await asyncio.gather(*(one() for _ in range(lookers)))

    return sum(asyncio.run(all_of_them()))


def notices(api: ApiServer) -> list[DeliveryCommand]:
    rows = api.rows("select payload from config.outbox where aggregatetype = 'delivery-commands' order by position")
    asked = [decode_value(row["payload"].encode(), DeliveryCommand) for row in rows]
    return [one for one in asked if one.kind is DeliveryCommandKind.NOTICE]


def entries(client: httpx.Client) -> list[dict[str, Any]]:
    return list(reversed(client.get("audit", params={"action": "pool"}).json()["items"]))


def test_it_is_told_once_on_every_enabled_channel_and_when_it_is_over(
    api: ApiServer, one: httpx.Client, two: httpx.Client
) -> None:
    hosts = [one.post("hosts", json={"hostname": f"{uuid4()}.example"}).json()["host_id"] for _ in range(3)]
    theirs = two.post("hosts", json={"hostname": "theirs.example"}).json()["host_id"]
    two.post("channels", json=CHANNEL)
    channels = [one.post("channels", json=CHANNEL).json()["channel_id"] for _ in range(2)]
    one.post("channels", json={**CHANNEL, "enabled": False})
    scanned(api, [*hosts, theirs], suspect=False, at=NOW - MINUTE)
    assert look(api, at=NOW) == 0
    scanned(api, hosts[:2], suspect=True, at=NOW)
    assert look(api, at=NOW + MINUTE, lookers=5) == 1
    assert look(api, at=NOW + 2 * MINUTE) == 0
    told = notices(api)
    assert sorted(str(notice.channel_id) for notice in told) == sorted(channels)
    assert all("public" in (notice.title or "") and "2 of 3 hosts" in (notice.text or "") for notice in told)
    scanned(api, hosts, suspect=False, at=NOW + 10 * MINUTE)
    assert look(api, at=NOW + 11 * MINUTE, lookers=5) == 1
    assert [(entry["action"], entry["subject"], entry["actor"]) for entry in entries(one)] == [
        ("pool.suspect", "pool:public", "system"),
        ("pool.well", "pool:public", "system"),
    ]
    assert len(notices(api)) == 4 and entries(two) == []
    scanned(api, hosts, suspect=True, at=NOW + 20 * MINUTE)
    assert look(api, at=NOW + 21 * MINUTE) == 0, "told again within the hour"
    scanned(api, hosts, suspect=True, at=NOW + 70 * MINUTE)
    assert look(api, at=NOW + 71 * MINUTE) == 1
