"""The first workspace and its owner's token."""

from __future__ import annotations

import asyncio
import os
import stat
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from psycopg.rows import dict_row

from services.api.auth import new_token, owner_of
from services.api.bootstrap import bootstrap
from services.api.permissions import Role
from tests.fakes.api_server import migrated
from vigilo.adapters.postgres import connect
from vigilo.events.codec import decode_value
from vigilo.events.rules import AlertRule

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def url(module_database: str) -> str:
    return migrated(module_database)


async def opens(url: str, token: str) -> Role | None:
    async with await connect(url, name="tests") as connection:
        caller = await owner_of(connection, token)
    return caller.role if caller else None


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_the_token_in_the_file_opens_the_workspace_and_stays(url: str, tmp_path: Path) -> None:
    home = tmp_path / "new" / "home"
    workspace, path = await bootstrap(url, home=home)
    assert path == home / "owner-token" and mode(path) == 0o600
    token = path.read_text().strip()
    assert await opens(url, token) is Role.OWNER
    path.chmod(0o644)
    assert await bootstrap(url, home=home) == (workspace, path)
    assert (path.read_text().strip(), mode(path)) == (token, 0o600)


@pytest.mark.parametrize("damage", ["lost", "cut", "foreign", "binary"])
async def test_a_lost_or_useless_file_gets_a_new_token_and_the_old_one_is_revoked(
    url: str, tmp_path: Path, damage: str
) -> None:
    _, path = await bootstrap(url, home=tmp_path)
    assert path is not None
    old = path.read_text().strip()
    if damage == "lost":
        path.unlink()
    else:
        path.write_bytes({"cut": old[:20].encode(), "foreign": new_token().encode(), "binary": b"\xff\xfe"}[damage])
    await bootstrap(url, home=tmp_path)
    new = path.read_text().strip()
    assert new != old
    assert (await opens(url, old), await opens(url, new)) == (None, Role.OWNER)


async def test_many_at_once_leave_one_workspace_and_a_token_that_works(url: str, tmp_path: Path) -> None:
    done = await asyncio.gather(*(bootstrap(url, home=tmp_path) for _ in range(6)))
    assert len({workspace for workspace, _ in done}) == 1
    assert await opens(url, (tmp_path / "owner-token").read_text().strip()) is Role.OWNER


async def test_a_given_token_is_registered_and_no_file_written(url: str) -> None:
    token = new_token()
    for _ in range(2):
        assert (await bootstrap(url, home=None, owner_token=token))[1] is None
    assert await opens(url, token) is Role.OWNER
    with pytest.raises(ValueError, match="not a token"):
        await bootstrap(url, home=None, owner_token="secret")


async def test_the_workspace_is_told_once(database: str, tmp_path: Path) -> None:
    own = await asyncio.to_thread(migrated, database)
    for _ in range(2):
        await bootstrap(own, home=tmp_path)
    with psycopg.connect(database, autocommit=True, row_factory=dict_row) as connection:
        told = connection.execute("select aggregatetype, type from config.outbox").fetchall()
    assert [row["aggregatetype"] for row in told] == [
        "workspace-settings",
        *["alert-rules"] * 6,
        *["audit"] * 6,
        "audit",  # its first owner
    ]


async def test_a_new_workspace_has_the_recommended_rules_once(database: str, tmp_path: Path) -> None:
    own = await asyncio.to_thread(migrated, database)
    workspace, _ = await bootstrap(own, home=tmp_path)
    with psycopg.connect(database, autocommit=True, row_factory=dict_row) as connection:
        connection.execute("update config.alert_rules set name = 'mine', version = 2 where severity = 'critical'")
        await bootstrap(own, home=tmp_path)  # an existing workspace is not touched
        rules = connection.execute("select * from config.alert_rules order by rule_id").fetchall()
        entries = connection.execute(
            "select actor, subject from config.audit_entries where action = 'rule.create' order by sequence"
        ).fetchall()
        told = connection.execute(
            "select payload from config.outbox where aggregatetype = 'alert-rules' order by position"
        ).fetchall()
    events = [decode_value(row["payload"].encode(), AlertRule) for row in told]
    assert [(event.trigger.kind, event.open_after, event.close_after) for event in events] == [
        ("expires-in-less-than", 1, 1),
        ("expires-in-less-than", 1, 1),
        ("chain-validation-fails", 1, 1),
        ("unreachable", 3, 2),
        ("scan-overdue", 1, 1),
        ("grade-below", 2, 1),
    ]
    assert all(event.enabled and event.channels == () and event.workspace_id == workspace for event in events)
    assert [rule["rule_id"] for rule in rules] == [event.rule_id for event in events]
    assert entries == [{"actor": "system", "subject": f"rule:{event.rule_id}"} for event in events]


def test_the_command_prints_where_the_token_is_and_never_the_token(database: str, tmp_path: Path) -> None:
    migrated(database)
    # As the launcher runs it: with an administrator's URL.
    environment = {**os.environ, "VIGILO_DATABASE_URL": database, "VIGILO_HOME": str(tmp_path)}
    command = [sys.executable, "-m", "services.api.bootstrap"]
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)
    token = (tmp_path / "owner-token").read_text().strip()
    assert str(tmp_path / "owner-token") in answer.stdout
    assert token not in answer.stdout + answer.stderr
    with psycopg.connect(database) as connection:
        assert connection.execute("select count(*) from config.tokens").fetchone() == (1,)
