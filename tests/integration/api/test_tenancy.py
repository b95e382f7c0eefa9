"""Two workspaces: neither over HTTP nor in SQL does one see or touch what is the other's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest

from tests.fakes.api_server import ApiServer

pytestmark = pytest.mark.postgres

TABLES = ("workspaces", "hosts", "channels", "channel_secrets", "alert_rules", "snoozes", "tokens", "idempotency_keys")


@pytest.fixture(scope="module")
def theirs(api: ApiServer) -> dict[str, str]:
    """One host, rule and channel of workspace two, by the name of the path parameter."""
    with api.two.client() as client:
        host = client.post("hosts", json={"hostname": "theirs.example"}, headers={"Idempotency-Key": "theirs"}).json()
        channel = client.post("channels", json={"kind": "webhook", "name": "c", "url": "https://c.example/"}).json()
        rule = client.post(
            "rules", json={"name": "r", "trigger": {"kind": "chain-validation-fails"}, "severity": "info"}
        ).json()
    return {"host_id": host["host_id"], "channel_id": channel["channel_id"], "rule_id": rule["rule_id"]}


def everything_of(api: ApiServer, workspace: str) -> dict[str, list[Any]]:
    # Tokens note their last use, which is no change of anything.
    kept = {
        name: f"select * from config.{name} where workspace_id = %s order by 1" for name in TABLES if name != "tokens"
    }
    return {name: api.rows(query, workspace) for name, query in kept.items()}


def test_lists_hold_only_what_is_ones_own(one: httpx.Client, theirs: dict[str, str]) -> None:
    for path in ("hosts", "rules", "channels"):
        text = one.get(f"{path}?limit=200").text
        assert not any(identity in text for identity in theirs.values())


def test_a_rule_cannot_name_a_channel_or_a_host_of_another_workspace(one: httpx.Client, theirs: dict[str, str]) -> None:
    rule = {"name": "r", "trigger": {"kind": "chain-validation-fails"}, "severity": "info"}
    for bad in ({"channels": [theirs["channel_id"]]}, {"scope": {"kind": "host", "host_id": theirs["host_id"]}}):
        assert one.post("rules", json={**rule, **bad}).status_code == 422


def test_an_idempotency_key_is_ones_own(one: httpx.Client, theirs: dict[str, str]) -> None:
    answer = one.post("hosts", json={"hostname": "theirs.example"}, headers={"Idempotency-Key": "theirs"})
    assert answer.status_code == 201
    assert answer.json()["host_id"] != theirs["host_id"]


def test_a_token_opens_its_own_workspace_only(api: ApiServer) -> None:
    with api.one.client() as client:
        for path in ("two", str(api.two.workspace_id), "nowhere", str(uuid4())):
            answer = client.get(f"{api.base_url}/api/v1/workspaces/{path}/hosts")
            assert answer.status_code == 404
            assert answer.headers["content-type"] == "application/problem+json"
        for path in ("one", "ONE", str(api.one.workspace_id)):
            assert client.get(f"{api.base_url}/api/v1/workspaces/{path}/hosts").status_code == 200


@pytest.fixture
def as_api(api: ApiServer) -> Iterator[psycopg.Connection]:
    """A connection of vigilo_api, as an attacker who can run any SQL through it would have."""
    with psycopg.connect(api.api_url, autocommit=True) as connection:
        yield connection


@pytest.mark.usefixtures("theirs")
@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("setting", [None, ""])
def test_without_a_workspace_there_are_no_rows(as_api: psycopg.Connection, table: str, setting: str | None) -> None:
    if setting is not None:
        as_api.execute("select set_config('vigilo.workspace', %s, false)", (setting,))
    assert as_api.execute(f"select * from config.{table}").fetchall() == []


@pytest.mark.parametrize("table", TABLES)
def test_sql_in_workspace_one_sees_and_changes_nothing_of_two(
    api: ApiServer, as_api: psycopg.Connection, theirs: dict[str, str], table: str
) -> None:
    assert theirs
    before = everything_of(api, str(api.two.workspace_id))
    as_api.execute("select set_config('vigilo.workspace', %s, false)", (str(api.one.workspace_id),))
    two = str(api.two.workspace_id)
    seen = as_api.execute(f"select 1 from config.{table} where workspace_id = %s", (two,)).fetchall()
    assert seen == []
    for statement in (
        f"update config.{table} set workspace_id = workspace_id where workspace_id = %s",
        f"delete from config.{table} where workspace_id = %s",
    ):
        try:
            assert as_api.execute(statement, (two,)).rowcount == 0
        except psycopg.errors.InsufficientPrivilege:
            continue
    assert everything_of(api, two) == before


def test_a_row_cannot_be_put_into_another_workspace(api: ApiServer, as_api: psycopg.Connection) -> None:
    as_api.execute("select set_config('vigilo.workspace', %s, false)", (str(api.one.workspace_id),))
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
        as_api.execute(
            "insert into config.outbox (workspace_id, id, aggregatetype, aggregateid, type, payload, headers) "
            "values (%s, %s, 'hosts', 'x', 'x', '{}', '[]')",
            (api.two.workspace_id, uuid4()),
        )
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied"):
        as_api.execute("update config.workspaces set workspace_id = %s", (api.two.workspace_id,))


@pytest.mark.parametrize(
    "statement",
    [
        "select * from config.outbox",
        "delete from config.outbox",
        "set role vigilo_migrator",
        "alter table config.hosts disable row level security",
        "create table config.mine (x int)",
        "select * from notifier.channel_secrets",
        "select * from notifier.actor_names",
        "delete from config.hosts",
    ],
)
def test_the_api_role_may_not(as_api: psycopg.Connection, statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_api.execute(statement)


def test_the_relay_sees_events_and_deleted_records_and_no_living_one(
    as_api: psycopg.Connection, theirs: dict[str, str]
) -> None:
    assert theirs
    as_api.execute("set role vigilo_relay")
    assert as_api.execute("select count(*) from config.outbox").fetchone() != (0,)
    assert as_api.execute("select * from config.hosts where status <> 'deleted'").fetchall() == []
    for table in ("tokens", "channel_secrets"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            as_api.execute(f"select * from config.{table}")
