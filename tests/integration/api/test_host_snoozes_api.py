"""Snoozes of hosts over HTTP, and their end by the clock: written once, whoever runs the timer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from uuid import uuid4

import httpx
import pytest

from services.api import snoozes
from services.api.snoozes import end_due
from tests.fakes.api_server import ApiServer, running_api
from vigilo.adapters.postgres import connect
from vigilo.events.codec import decode_value
from vigilo.events.hosts import Host

pytestmark = pytest.mark.postgres

FAR_AHEAD = timedelta(days=400)


@pytest.fixture(scope="module")
def api(module_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """An API whose own timer does not come in the way of these tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(snoozes, "EVERY_SECONDS", 3600.0)
        with running_api(module_database, tmp_path_factory.mktemp("home")) as server:
            yield server


def added(client: httpx.Client) -> dict[str, Any]:
    return dict(client.post("hosts", json={"hostname": f"{uuid4()}.example"}).json())


def snoozed(client: httpx.Client, **wanted: str) -> dict[str, Any]:
    answer = client.post(f"hosts/{added(client)['host_id']}/snooze", json=wanted or {"for": "1h"})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def told(api: ApiServer, host_id: str) -> list[Host]:
    rows = api.rows("select payload from config.outbox where aggregateid = %s order by position", host_id)
    return [decode_value(row["payload"].encode(), Host) for row in rows]


def audited(client: httpx.Client, host_id: str) -> list[tuple[str, str]]:
    items = client.get("audit", params={"subject": f"host:{host_id}"}).json()["items"]
    return [(entry["action"], entry["actor"].split(":")[0]) for entry in reversed(items)]


def pass_by(api: ApiServer, *, at: datetime, timers: int = 1) -> int:
    """What so many timers at once do at that time; returns how many snoozes they ended."""

    async def one() -> int:
        async with await connect(api.api_url, name="timer") as connection:
            return await end_due(connection, at=at)

    async def all_of_them() -> list[int]:
        return await asyncio.gather(*(one() for _ in range(timers)))

    return sum(asyncio.run(all_of_them()))


def test_a_snooze_is_in_the_record_with_its_reason_and_who(api: ApiServer, one: httpx.Client) -> None:
    host = added(one)
    answer = one.post(f"hosts/{host['host_id']}/snooze", json={"for": "1d", "reason": "CHG-7"})
    snooze = answer.json()["snooze"]
    since, until = datetime.fromisoformat(snooze["since"]), datetime.fromisoformat(snooze["until"])
    assert (answer.headers["etag"], until - since) == ('"2"', timedelta(days=1))
    assert snooze["reason"] == "CHG-7" and snooze["by"].startswith("token:")
    event = told(api, host["host_id"])[-1]
    assert event.version == 2 and event.snooze is not None and event.snooze.until == until
    assert one.get(f"hosts/{host['host_id']}").json() == answer.json()


def test_a_snooze_is_ended_by_hand_once(api: ApiServer, one: httpx.Client) -> None:
    host = snoozed(one)
    for _ in range(2):
        answer = one.delete(f"hosts/{host['host_id']}/snooze")
        assert (answer.status_code, answer.json()["snooze"], answer.headers["etag"]) == (200, None, '"3"')
    assert [(event.version, event.snooze is None) for event in told(api, host["host_id"])] == [
        (1, True), (2, False), (3, True),
    ]  # fmt: skip
    assert [action for action, _ in audited(one, host["host_id"])] == ["host.add", "host.snooze", "host.unsnooze"]


def test_a_snooze_honours_if_match_and_repetition(one: httpx.Client) -> None:
    host = added(one)
    path = f"hosts/{host['host_id']}/snooze"
    assert one.post(path, json={"for": "1h"}, headers={"If-Match": '"9"'}).status_code == 412
    headers = {"If-Match": '"1"', "Idempotency-Key": "snooze-once"}
    first, again = (one.post(path, json={"for": "1h"}, headers=headers) for _ in range(2))
    assert (first.status_code, again.status_code, again.json()) == (200, 200, first.json())
    assert one.delete(path, headers={"If-Match": '"1"'}).status_code == 412


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body"),
        ({"for": "1h", "until": "2999-01-01T00:00:00Z"}, "body"),
        ({"for": "soon"}, "for"),
        ({"for": "0m"}, "for"),
        ({"until": "2020-01-01T00:00:00Z"}, "until"),
        ({"until": "0001-01-01T00:00:00+14:00"}, "until"),
        ({"until": "9999-12-31T23:59:59-14:00"}, "until"),
        ({"until": "2026-12-01T00:00:00"}, "until"),
        ({"for": "1h", "reason": "a\u202eb"}, "reason"),
    ],
)
def test_bad_snoozes_are_refused_by_field(one: httpx.Client, body: dict[str, str], field: str) -> None:
    answer = one.post(f"hosts/{added(one)['host_id']}/snooze", json=body)
    assert answer.status_code == 422, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_the_end_comes_once_however_many_timers_run(api: ApiServer, one: httpx.Client, two: httpx.Client) -> None:
    pass_by(api, at=datetime.now(UTC) + FAR_AHEAD)  # what other tests left
    hosts = [snoozed(client) for client in (one, one, two)]
    later = snoozed(one, **{"for": "1w"})
    assert pass_by(api, at=datetime.now(UTC), timers=2) == 0
    at = datetime.now(UTC) + timedelta(hours=1)
    assert pass_by(api, at=at, timers=6) == 3
    assert pass_by(api, at=at) == 0
    for client, host in zip((one, one, two), hosts, strict=True):
        present = client.get(f"hosts/{host['host_id']}").json()
        assert (present["version"], present["snooze"]) == (3, None)
        assert [event.version for event in told(api, host["host_id"])] == [1, 2, 3]
        assert audited(client, host["host_id"])[-1] == ("host.snooze-ended", "system")
    assert one.get(f"hosts/{later['host_id']}").json()["snooze"] is not None


def test_the_timer_leaves_a_snooze_that_was_prolonged_or_whose_host_is_gone(api: ApiServer, one: httpx.Client) -> None:
    prolonged, deleted = snoozed(one), snoozed(one)
    one.post(f"hosts/{prolonged['host_id']}/snooze", json={"for": "1d"})
    one.delete(f"hosts/{deleted['host_id']}")
    pass_by(api, at=datetime.now(UTC) + timedelta(hours=2))
    assert one.get(f"hosts/{prolonged['host_id']}").json()["snooze"] is not None
    assert told(api, deleted["host_id"])[-1].status == "deleted"


def test_more_snoozes_than_one_turn_takes_all_end(api: ApiServer, one: httpx.Client, monkeypatch: Any) -> None:
    monkeypatch.setattr(snoozes, "_AT_ONCE", 2)
    for _ in range(5):
        snoozed(one)
    at = datetime.now(UTC) + FAR_AHEAD
    turns: list[int] = []
    while not turns or turns[-1] == 2:
        turns.append(pass_by(api, at=at))
    assert sum(turns) >= 5


def test_the_running_api_ends_snoozes_by_itself(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snoozes, "EVERY_SECONDS", 0.05)
    with running_api(database, tmp_path) as server, server.one.client() as client:
        until = datetime.now(UTC) + timedelta(seconds=1)
        host = snoozed(client, until=until.isoformat())
        deadline = monotonic() + 20
        while client.get(f"hosts/{host['host_id']}").json()["snooze"] is not None and monotonic() < deadline:
            sleep(0.05)
        present = client.get(f"hosts/{host['host_id']}").json()
        assert present["snooze"] is None
        assert datetime.fromisoformat(present["updated_at"]) >= until
        assert audited(client, host["host_id"])[-1] == ("host.snooze-ended", "system")
