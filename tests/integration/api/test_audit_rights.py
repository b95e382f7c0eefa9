"""What the database lets the API's role do to the audit log: continue it, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import psycopg
import pytest

from tests.fakes.api_server import ApiServer
from tests.integration.api.log import COLUMNS, added, entries

pytestmark = pytest.mark.postgres


@pytest.fixture
def as_api(api: ApiServer) -> Iterator[psycopg.Connection]:
    """A connection of vigilo_api in workspace one, as one who can run any SQL through it would have."""
    with psycopg.connect(api.api_url, autocommit=True) as connection:
        connection.execute("select set_config('vigilo.workspace', %s, false)", (str(api.one.workspace_id),))
        yield connection


@pytest.mark.parametrize(
    "statement",
    [
        "update config.audit_entries set actor = 'x'",
        "delete from config.audit_entries",
        "truncate config.audit_entries",
        "update config.audit_heads set sequence = 0",
        "delete from config.audit_heads",
        "insert into config.audit_heads values (gen_random_uuid(), 0, repeat('0', 64))",
        "alter table config.audit_entries disable trigger advance_audit_head",
        "select * from config.audit_entries for update",
    ],
)
def test_the_api_role_cannot_alter_what_is_written(
    one: httpx.Client, as_api: psycopg.Connection, statement: str
) -> None:
    added(one)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_api.execute(statement)


def test_the_api_role_can_only_continue_the_chain(
    api: ApiServer, one: httpx.Client, as_api: psycopg.Connection
) -> None:
    added(one)
    added(one)
    statement = (
        f"insert into config.audit_entries ({COLUMNS}) "
        "select workspace_id, sequence + %s, at, 'x', 'x', 'x', {}, repeat('b', 64) "
        "from config.audit_entries order by sequence desc limit 1"
    )
    before = entries(api)
    for step, previous in ((1, "repeat('0', 64)"), (2, "hash"), (-1, "hash"), (1, "previous_hash")):
        with pytest.raises(psycopg.errors.IntegrityConstraintViolation):
            as_api.execute(statement.format(previous), (step,))
    as_api.execute("select set_config('vigilo.workspace', %s, false)", (str(api.two.workspace_id),))
    with pytest.raises((psycopg.errors.IntegrityConstraintViolation, psycopg.errors.InsufficientPrivilege)):
        as_api.execute(
            f"insert into config.audit_entries ({COLUMNS}) values (%s, %s, now(), 'x', 'x', 'x', %s, repeat('b', 64))",
            (api.one.workspace_id, before[-1]["sequence"] + 1, before[-1]["hash"]),
        )
    assert entries(api) == before
