"""Two workspaces with everything in them: no address and no SQL of one reaches what is the other's."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row

from services.api.migrate import migrate
from services.api.openapi import BASE
from tests.fakes.api_client import Tenant, acting_as, api_settings, client_of, furnish
from tests.fakes.observations import WORKSPACES, Observations, certificate, host_of, in_partitions
from tests.fakes.read_model import replayed
from tests.fakes.routes import addresses, idle_app
from vigilo.adapters.settings import KafkaSettings

pytestmark = pytest.mark.postgres

SCHEMAS = ("config", "read_model")
# Rows that belong to no workspace: how people sign in. vigilo_api has no right on them at all.
SHUT = ("sessions", "sign_in_links", "sign_in_failures")
MINE, THEIRS = WORKSPACES
# Its trigger comes before row-level security, and sees no head of that workspace.
BROKEN_CHAIN = psycopg.errors.IntegrityConstraintViolation


@dataclass(frozen=True)
class Stage:
    """The database, and real ids of the other workspace by the name of the path parameter."""

    admin_url: str
    mine: Tenant
    theirs: Tenant
    ids: dict[str, str]

    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        with psycopg.connect(self.admin_url, autocommit=True, row_factory=dict_row) as connection:
            return connection.execute(query, values).fetchall()


@pytest.fixture(scope="module")
def stage(module_database: str) -> Stage:
    migrate(module_database, {})
    mine, theirs = furnish(module_database, hosts=4)
    logs = in_partitions(Observations(11).draw(600), partitions=3)
    asyncio.run(replayed(module_database, logs, partitions=3, size=200))
    return Stage(module_database, mine, theirs, asyncio.run(furnished(module_database, theirs)))


async def furnished(url: str, theirs: Tenant) -> dict[str, str]:
    person = add_member(url)
    async with client_of(api_settings(url, KafkaSettings())) as client:

        async def made(path: str, body: dict[str, Any]) -> dict[str, Any]:
            headers = {**theirs.headers, "Idempotency-Key": f"theirs-{path}"}
            answer = await client.post(theirs.url(f"/{path}"), json=body, headers=headers)
            assert answer.status_code == 201, answer.text
            document: dict[str, Any] = answer.json()
            return document

        async def first(path: str, name: str) -> str:
            answer = await client.get(theirs.url(f"/{path}?limit=1"), headers=theirs.headers)
            return str(answer.json()["items"][0][name])

        rule = {"name": "r", "trigger": {"kind": "chain-validation-fails"}, "severity": "info"}
        return {
            "host_id": str(host_of(1)),
            "sha256": certificate(101).fingerprint_sha256,
            "user_id": str(person),
            "rule_id": (await made("rules", rule))["rule_id"],
            "channel_id": (await made("channels", {"kind": "webhook", "name": "c", "url": "https://c.example/"}))[
                "channel_id"
            ],
            "token_id": (await made("tokens", {"kind": "service", "name": "t"}))["token_id"],
            "invitation_id": (await made("invitations", {"role": "member"}))["invitation_id"],
            "snooze_id": (await made("snoozes", {"tag": "prod", "for": "1h"}))["snooze_id"],
            "scan_id": await first(f"hosts/{host_of(1)}/snapshots", "scan_id"),
            "alert_id": await first("alerts", "alert_id"),
            "delivery_id": await first("deliveries", "delivery_id"),
        }


def add_member(url: str) -> UUID:
    person = uuid4()
    address = f"{person}@t.example"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("select config.add_user(%s, %s, 'T', 'h', null, null, now())", (person, address))
        connection.execute(
            "insert into config.memberships (workspace_id, user_id, role, source, created_at, updated_at) "
            "values (%s, %s, 'member', 'local', now(), now())",
            (THEIRS, person),
        )
        connection.execute("select config.open_session(%s, sha256('s'), %s, now(), 'infinity')", (uuid4(), person))
        connection.execute("select config.add_sign_in_link(sha256('l'), %s, 'infinity')", (person,))
        connection.execute("select config.note_sign_in_failure(%s, now(), now())", ("0" * 64,))
    return person


@pytest.fixture
async def client(stage: Stage) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(api_settings(stage.admin_url, KafkaSettings())) as running:
        yield running


def everything_of(stage: Stage, workspace: UUID) -> dict[str, str]:
    """The rows of config; nothing here has a right to write the read model."""
    kept = {}
    for table in tables(stage, "config"):
        if table != "config.tokens":  # a use is noted, which is no change of anything
            query = f"select to_jsonb(t)::text as row from {table} t where workspace_id = %s order by 1"
            kept[table] = json.dumps([row["row"] for row in stage.rows(query, workspace)])
    return kept


def tables(stage: Stage, *schemas: str) -> list[str]:
    rows = stage.rows(
        "select format('%%I.%%I', n.nspname, c.relname) as name from pg_class c "
        "join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid "
        "where c.relkind in ('r', 'p') and not c.relispartition and n.nspname = any(%s) "
        "and a.attname = 'workspace_id' order by 1",
        list(schemas or SCHEMAS),
    )
    return [row["name"] for row in rows]


WALK = [
    (one.method, one.path) for one in addresses(idle_app()) if one.path.startswith(BASE) and one.path.count("{") > 1
]


def test_there_are_addresses_to_walk() -> None:
    assert len(WALK) >= 24


@pytest.mark.parametrize(("method", "path"), WALK)
async def test_ids_of_another_workspace_exist_on_no_address(
    client: httpx.AsyncClient, stage: Stage, method: str, path: str
) -> None:
    before = everything_of(stage, THEIRS)
    sent = BODIES.get((method, path.rpartition("/")[2])) if method != "GET" else None
    path += QUERIES.get(path.removeprefix(BASE), "")
    url = path.format(workspace=stage.mine.slug, **stage.ids)
    answer = await client.request(method, url, headers=stage.mine.headers, json=sent)
    assert answer.status_code == 404, answer.text
    # Their workspace's address with our token is no way in either.
    url = path.format(workspace=stage.theirs.slug, **stage.ids)
    answer = await client.request(method, url, headers=stage.mine.headers, json=sent)
    assert answer.status_code == 404, answer.text
    assert everything_of(stage, THEIRS) == before
    if method == "GET":
        answer = await client.get(url, headers=stage.theirs.headers)
        assert answer.status_code == 200, "the other workspace does not find it either: the walk proves nothing"


# What a question needs besides its address.
QUERIES = {"/rules/{rule_id}/why": "?host={host_id}"}
# Bodies that would act, were the id one's own.
BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("PATCH", "{user_id}"): {"role": "viewer"},
    ("PATCH", "{host_id}"): {"owner": "x"},
    ("PATCH", "{rule_id}"): {"name": "x"},
    ("PATCH", "{channel_id}"): {"name": "x"},
    ("POST", "snooze"): {"for": "1h", "reason": "x"},
    ("POST", "acknowledge"): {"note": "x"},
    ("POST", "redeliver"): {"since": "2026-01-01T00:00:00Z"},
}


@pytest.fixture
def as_api(stage: Stage) -> Iterator[psycopg.Connection]:
    """Any SQL, as vigilo_api in workspace one."""
    with psycopg.connect(acting_as(stage.admin_url, "vigilo_api"), autocommit=True) as connection:
        connection.execute("select set_config('vigilo.workspace', %s, false)", (str(MINE),))
        yield connection


def test_sql_sees_changes_and_adds_nothing_of_another_workspace(stage: Stage, as_api: psycopg.Connection) -> None:
    before, filled = everything_of(stage, THEIRS), set()
    for name in tables(stage):
        table = sql.Identifier(*name.split("."))
        assert count(as_api, "select 1 from {} where workspace_id = %s", table) == 0, name
        assert count(as_api, "update {} set workspace_id = workspace_id where workspace_id = %s", table) == 0, name
        assert count(as_api, "delete from {} where workspace_id = %s", table) == 0, name
        theirs = stage.rows(f"select to_jsonb(t) as row from {name} t where workspace_id = %s limit 1", THEIRS)
        if theirs:
            filled.add(name)
            with pytest.raises(
                BROKEN_CHAIN if name == "config.audit_entries" else psycopg.errors.InsufficientPrivilege
            ):
                copy(as_api, table, theirs[0]["row"])
    assert everything_of(stage, THEIRS) == before
    configured = (
        "hosts",
        "alert_rules",
        "channels",
        "channel_secrets",
        "snoozes",
        "tokens",
        "memberships",
        "invitations",
        "outbox",
    )
    assert filled >= {f"config.{name}" for name in (*configured, "idempotency_keys", "audit_entries")}
    assert filled >= {f"read_model.{name}" for name in ("snapshots", "alerts", "deliveries", "workspace_certificates")}


def count(connection: psycopg.Connection, statement: str, table: sql.Identifier) -> int:
    try:
        return connection.execute(sql.SQL(statement).format(table), (THEIRS,)).rowcount
    except psycopg.errors.InsufficientPrivilege:
        return 0


def copy(connection: psycopg.Connection, table: sql.Identifier, row: dict[str, Any]) -> None:
    row.pop("position", None)  # counted by the database
    names = sql.SQL(", ").join(map(sql.Identifier, row))
    statement = sql.SQL("insert into {0} ({1}) select {1} from jsonb_populate_record(null::{0}, %s)")
    connection.execute(statement.format(table, names), (json.dumps(row),))


def test_without_a_workspace_sql_sees_nothing(stage: Stage, as_api: psycopg.Connection) -> None:
    for setting in ("", None):
        as_api.execute("reset vigilo.workspace" if setting is None else "set vigilo.workspace = ''")
        for name in tables(stage):
            try:
                assert as_api.execute(f"select workspace_id from {name}").fetchall() == [], name
            except psycopg.errors.InsufficientPrivilege:
                continue
        assert as_api.execute("select user_id from config.users").fetchall() == []


def test_people_of_another_workspace_and_every_secret_of_signing_in_stay_hidden(
    stage: Stage, as_api: psycopg.Connection
) -> None:
    assert as_api.execute("select user_id from config.users").fetchall() == []
    as_api.execute("select set_config('vigilo.workspace', %s, false)", (str(THEIRS),))
    assert [str(row[0]) for row in as_api.execute("select user_id from config.users")] == [stage.ids["user_id"]]
    for statement in (
        "select password_hash from config.users",
        "update config.users set name = 'x'",
        "insert into config.users (user_id, name) values (gen_random_uuid(), 'x')",
        *(f"select * from config.{table}" for table in SHUT),
        *(f"delete from config.{table}" for table in SHUT),
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            as_api.execute(statement)
