"""Records as rows: column names are field names. The tenant transaction decides which rows exist at all."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Any, Final, TypeVar
from uuid import UUID

from psycopg import sql
from psycopg.types.json import Jsonb

from services.api.problems import Problem, not_found
from vigilo.adapters.outbox import columns
from vigilo.adapters.postgres import Connection
from vigilo.events.envelope import Event, OutgoingEvent

SOURCE: Final = "vigilo/api"

R = TypeVar("R", bound=Event)

_KEYS: Final = {
    "hosts": "host_id",
    "alert_rules": "rule_id",
    "snoozes": "snooze_id",
    "channels": "channel_id",
    "workspaces": "workspace_id",
}


async def load(
    connection: Connection, table: str, record: type[R], record_id: UUID, *, what: str, lock: bool = False
) -> R:
    """The record that is not deleted, its row locked if asked. Raises a 404 problem; `what` is its name for people."""
    statement = sql.SQL("select * from {} where {} = %s and status <> 'deleted'{}").format(
        sql.Identifier("config", table), sql.Identifier(_key(table)), sql.SQL(" for update" if lock else "")
    )
    row = await (await connection.execute(statement, (record_id,))).fetchone()
    if row is None:
        raise not_found(what)
    return record.model_validate(row)


async def page(connection: Connection, table: str, record: type[R], *, after: UUID | None, limit: int) -> list[R]:
    """At most `limit` records that are not deleted, by id (UUIDv7: in the order they were made), after that id."""
    key = sql.Identifier(_key(table))
    statement = sql.SQL(
        "select * from {0} where status <> 'deleted' and ({1} > %(after)s or %(after)s::uuid is null) "
        "order by {1} limit %(limit)s"
    ).format(sql.Identifier("config", table), key)
    found = await connection.execute(statement, {"after": after, "limit": limit})
    return [record.model_validate(row) for row in await found.fetchall()]


async def insert(connection: Connection, table: str, record: Event, *, unless: str = "") -> bool:
    """Adds the row; False if the conflict clause `unless` (`on conflict ...`) kept it out."""
    values = _values(record)
    statement = sql.SQL("insert into {} ({}) values ({}) {}").format(
        sql.Identifier("config", table),
        sql.SQL(", ").join(map(sql.Identifier, values)),
        sql.SQL(", ").join(sql.Placeholder() * len(values)),
        sql.SQL(unless),
    )
    return (await connection.execute(statement, list(values.values()))).rowcount == 1


async def update(connection: Connection, table: str, record: Event) -> None:
    """Overwrites the row, which the caller has locked. Raises psycopg.errors.UniqueViolation."""
    values = _values(record)
    key = _key(table)
    statement = sql.SQL("update {} set {} where {} = %s").format(
        sql.Identifier("config", table),
        sql.SQL(", ").join(sql.SQL("{} = %s").format(sql.Identifier(name)) for name in values),
        sql.Identifier(key),
    )
    changed = await connection.execute(statement, [*values.values(), getattr(record, key)])
    if changed.rowcount != 1:
        raise Problem(404, "not-found", "It was removed in the meantime.")


async def publish(connection: Connection, workspace_id: UUID, events: Iterable[OutgoingEvent]) -> None:
    """Puts events into the outbox, in this transaction, in this order. Lock the aggregate's row first."""
    for event in events:
        await connection.execute(
            "insert into config.outbox (workspace_id, id, aggregatetype, aggregateid, type, payload, headers) "
            "values (%s, %s, %s, %s, %s, %s, %s)",
            (workspace_id, *columns(event, source=SOURCE)),
        )


def _key(table: str) -> str:
    return _KEYS[table]


def _values(record: Event) -> dict[str, Any]:
    plain, json = record.model_dump(), record.model_dump(mode="json")
    return {name: _column(value, json[name]) for name, value in plain.items()}


def _column(value: object, as_json: object) -> object:
    if isinstance(value, dict):
        return Jsonb(as_json)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple) and isinstance(as_json, list):
        return [Jsonb(one) if isinstance(one, dict) else bare for bare, one in zip(value, as_json, strict=True)]
    return value
