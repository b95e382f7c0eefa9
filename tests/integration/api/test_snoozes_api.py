"""Snoozes of rules and of tags over HTTP, and their end: by hand, by another, by the clock, with their rule."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from services.api import snoozes
from services.api.burial import KEPT, bury
from services.api.database_roles import RELAY
from services.api.republishing import republish_some
from services.api.snoozes import end_due
from tests.fakes.api_server import ApiServer, running_api
from vigilo.adapters.postgres import connect
from vigilo.events.codec import decode_value
from vigilo.events.rules import Snooze

pytestmark = pytest.mark.postgres

RULE = {"name": "r", "trigger": {"kind": "chain-validation-fails"}, "severity": "info"}


@pytest.fixture(scope="module")
def api(module_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """An API whose own timer does not come in the way of these tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(snoozes, "EVERY_SECONDS", 3600.0)
        with running_api(module_database, tmp_path_factory.mktemp("home")) as server:
            yield server


def added_rule(client: httpx.Client) -> str:
    return str(client.post("rules", json=RULE).json()["rule_id"])


def snoozed(client: httpx.Client, path: str = "snoozes", **wanted: str) -> dict[str, Any]:
    answer = client.post(path, json={"for": "1h", **wanted} if "until" not in wanted else wanted)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def told(api: ApiServer, snooze_id: str) -> list[Snooze | None]:
    rows = api.rows("select payload from config.outbox where aggregateid = %s order by position", snooze_id)
    return [None if row["payload"] is None else decode_value(row["payload"].encode(), Snooze) for row in rows]


def statuses(api: ApiServer, snooze_id: str) -> list[str]:
    return ["gone" if one is None else one.status.value for one in told(api, snooze_id)]


def audited(client: httpx.Client, subject: str) -> list[tuple[str, str]]:
    items = client.get("audit", params={"subject": subject}).json()["items"]
    return [(entry["action"], entry["actor"].split(":")[0]) for entry in reversed(items)]


def pass_by(api: ApiServer, *, at: datetime, timers: int = 1) -> None:
    async def one() -> None:
        async with await connect(api.api_url, name="timer") as connection:
            await end_due(connection, at=at)

    async def all_of_them() -> None:
        await asyncio.gather(*(one() for _ in range(timers)))

    asyncio.run(all_of_them())


def test_a_rule_is_snoozed_told_shown_and_woken(api: ApiServer, one: httpx.Client) -> None:
    rule = added_rule(one)
    made = snoozed(one, f"rules/{rule}/snooze", reason="CHG-7")
    assert (made["rule_id"], made["running"], made["reason"], made["by_name"]) == (rule, True, "CHG-7", "owner")
    assert one.get(f"snoozes/{made['snooze_id']}").json() == made
    assert one.get("snoozes", params={"rule": rule}).json()["items"] == [made]
    (event,) = told(api, made["snooze_id"])
    assert event is not None and event.until - event.since == timedelta(hours=1) and event.by.startswith("token:")
    for _ in range(2):
        assert one.delete(f"rules/{rule}/snooze").status_code == 204
    assert statuses(api, made["snooze_id"]) == ["active", "deleted"]
    assert one.get(f"snoozes/{made['snooze_id']}").status_code == 404
    assert [action for action, _ in audited(one, f"rule:{rule}")] == ["rule.create", "rule.snooze", "rule.unsnooze"]


def test_a_new_snooze_replaces_the_one_that_runs_and_leaves_what_is_planned(api: ApiServer, one: httpx.Client) -> None:
    tag = str(uuid4())
    since = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    planned = snoozed(one, tag=tag, since=since)
    first, second = snoozed(one, tag=tag), snoozed(one, tag=tag, **{"for": "1d"})
    assert (planned["running"], second["running"]) == (False, True)
    listed = one.get("snoozes", params={"tag": tag}).json()["items"]
    assert [item["snooze_id"] for item in listed] == [planned["snooze_id"], second["snooze_id"]]
    assert statuses(api, first["snooze_id"]) == ["active", "deleted"]
    positions = {
        (row["aggregateid"], row["payload"]): row["position"]
        for row in api.rows("select * from config.outbox where aggregatetype = 'snoozes'")
    }
    began = min(at for (key, _), at in positions.items() if key == second["snooze_id"])
    ended = max(at for (key, _), at in positions.items() if key == first["snooze_id"])
    assert began < ended, "for a moment nothing would be snoozed"
    (entry,) = one.get("audit", params={"subject": f"tag:{tag}", "limit": 1}).json()["items"]
    assert [told["snooze_id"] for told in entry["before"]["replaced"]] == [first["snooze_id"]]
    assert one.delete(f"snoozes/{planned['snooze_id']}").status_code == 204


def test_many_at_once_leave_one_running(api: ApiServer, one: httpx.Client) -> None:
    rule = added_rule(one)

    async def all_of_them() -> list[int]:
        headers = dict(one.headers)
        async with httpx.AsyncClient(base_url=one.base_url, headers=headers, timeout=30, trust_env=False) as client:
            answers = await asyncio.gather(*(client.post(f"rules/{rule}/snooze", json={"for": "1h"}) for _ in range(8)))
        return [answer.status_code for answer in answers]

    assert asyncio.run(all_of_them()) == [201] * 8
    assert len(one.get("snoozes", params={"rule": rule}).json()["items"]) == 1


def test_the_end_by_the_clock_is_written_once_with_an_entry(api: ApiServer, one: httpx.Client) -> None:
    rule, tag = added_rule(one), str(uuid4())
    made = [snoozed(one, f"rules/{rule}/snooze"), snoozed(one, tag=tag)]
    later = snoozed(one, tag=str(uuid4()), **{"for": "1w"})
    pass_by(api, at=datetime.now(UTC), timers=2)
    assert all(statuses(api, one["snooze_id"]) == ["active"] for one in made)
    pass_by(api, at=datetime.now(UTC) + timedelta(hours=1), timers=5)
    assert all(statuses(api, one["snooze_id"]) == ["active", "deleted"] for one in made)
    assert audited(one, f"rule:{rule}")[-1] == ("rule.snooze-ended", "system")
    assert audited(one, f"tag:{tag}") == [("tag.snooze", "token"), ("tag.snooze-ended", "system")]
    assert statuses(api, later["snooze_id"]) == ["active"]


def test_a_deleted_rule_takes_its_snoozes_along(api: ApiServer, one: httpx.Client) -> None:
    rule = added_rule(one)
    made = snoozed(one, f"rules/{rule}/snooze")
    assert one.delete(f"rules/{rule}").status_code == 204
    assert statuses(api, made["snooze_id"]) == ["active", "deleted"]
    told = [action for action, _ in audited(one, f"rule:{rule}")]
    assert told == ["rule.create", "rule.snooze", "rule.unsnooze", "rule.delete"]


def test_a_snooze_is_published_again_and_buried_after_thirty_days(api: ApiServer, one: httpx.Client) -> None:
    made = snoozed(one, tag=str(uuid4()))
    one.delete(f"snoozes/{made['snooze_id']}")

    async def again_and_away() -> None:
        async with await connect(api.api_url, name="test") as connection:
            assert await republish_some(connection, [("snoozes", made["snooze_id"])]) == 1
        async with await connect(api.api_url, name="test", role=RELAY) as connection:
            await bury(connection, at=datetime.now(UTC) + KEPT - timedelta(minutes=1))
            assert statuses(api, made["snooze_id"])[-1] == "deleted"
            await bury(connection, at=datetime.now(UTC) + KEPT + timedelta(minutes=1))

    asyncio.run(again_and_away())
    assert statuses(api, made["snooze_id"]) == ["active", "deleted", "deleted", "gone"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"for": "1h"}, "body"),
        ({"for": "1h", "tag": "a", "rule_id": str(uuid4())}, "body"),
        ({"for": "1h", "rule_id": str(uuid4())}, "rule_id"),
        ({"for": "1h", "tag": "a,b"}, "tag"),
        ({"tag": "a"}, "body"),
        ({"tag": "a", "for": "2000d"}, "for"),
        ({"tag": "a", "for": "1h", "since": "2999-01-01T00:00:00Z"}, "since"),
        ({"tag": "a", "until": "2020-01-01T00:00:00Z"}, "until"),
    ],
)
def test_bad_snoozes_are_refused_by_field(one: httpx.Client, body: dict[str, str], field: str) -> None:
    answer = one.post("snoozes", json=body)
    assert answer.status_code == 422, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_a_window_that_ends_before_it_begins_is_refused_for_hosts_too(one: httpx.Client) -> None:
    host = one.post("hosts", json={"hostname": f"{uuid4()}.example"}).json()["host_id"]
    at = datetime.now(UTC)
    window = {"since": (at + timedelta(hours=2)).isoformat(), "until": (at + timedelta(hours=1)).isoformat()}
    for path in (f"rules/{added_rule(one)}/snooze", f"hosts/{host}/snooze"):
        answer = one.post(path, json=window)
        assert [error["field"] for error in answer.json()["errors"]] == ["until"]
    planned = one.post(f"hosts/{host}/snooze", json={"since": window["since"], "for": "1h"}).json()["snooze"]
    assert datetime.fromisoformat(planned["since"]) == datetime.fromisoformat(window["since"])


def test_there_is_room_for_so_many_and_no_more(one: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from services.api.commands import snoozes as decide

    monkeypatch.setattr(decide, "MOST", 0)
    answer = one.post("snoozes", json={"tag": "a", "for": "1h"})
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:vigilo:problem:too-many-snoozes")
