"""Audit entries in PostgreSQL, to be read: one workspace's, in the transaction of that workspace."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final
from uuid import UUID

from psycopg.rows import DictRow

from services.api.audit.chain import Link
from services.api.models.audit import AuditSelection
from vigilo.adapters.postgres import Connection
from vigilo.events.records import AuditEntry

_CONDITIONS: Final = {
    "actor": "actor = %(actor)s",
    "action": "(action = %(action)s or starts_with(action, %(action)s || '.'))",
    "subject": "subject = %(subject)s",
    "since": "at >= %(since)s",
    "until": "at < %(until)s",
}


async def newest(connection: Connection, wanted: AuditSelection, *, before: int | None, limit: int) -> list[AuditEntry]:
    """At most `limit` entries, the newest first, before that sequence."""
    return await _page(connection, wanted, "sequence < %(place)s", before, limit, order="desc")


async def oldest(connection: Connection, wanted: AuditSelection, *, after: int, limit: int) -> list[AuditEntry]:
    """At most `limit` entries, the oldest first, after that sequence."""
    return await _page(connection, wanted, "sequence > %(place)s", after, limit, order="asc")


async def head(connection: Connection) -> Link | None:
    """Where the workspace's chain stands; None for one that never began."""
    row = await (await connection.execute("select sequence, hash from config.audit_heads")).fetchone()
    return None if row is None else Link(row["sequence"], row["hash"])


async def names(connection: Connection, actors: Collection[str]) -> dict[str, str]:
    """Today's names of these actors, as far as the workspace knows them."""
    found: dict[str, str] = {}
    for kind, table, key in (("user", "users", "user_id"), ("token", "tokens", "token_id")):
        ids = [one for actor in actors if (one := _id(actor, kind)) is not None]
        if ids:
            query = f"select {key} as id, name from config.{table} where {key} = any(%s)"
            rows = await (await connection.execute(query, (ids,))).fetchall()
            found |= {f"{kind}:{row['id']}": row["name"] for row in rows}
    return found


async def _page(
    connection: Connection, wanted: AuditSelection, place: str, at: int | None, limit: int, *, order: str
) -> list[AuditEntry]:
    given: dict[str, Any] = {name: getattr(wanted, name) for name in _CONDITIONS if getattr(wanted, name) is not None}
    conditions = [_CONDITIONS[name] for name in given] + ([] if at is None else [place])
    where = f"where {' and '.join(conditions)} " if conditions else ""
    query = f"select * from config.audit_entries {where}order by sequence {order} limit %(limit)s"
    found = await connection.execute(query, {**given, "place": at, "limit": limit})
    return [_entry(row) for row in await found.fetchall()]


def _entry(row: DictRow) -> AuditEntry:
    return AuditEntry.model_validate(row)


def _id(actor: str, kind: str) -> UUID | None:
    name, _, text = actor.partition(":")
    try:
        return UUID(text) if name == kind else None
    except ValueError:
        return None
