"""Snoozes of rules and tags in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from services.api.commands import snoozes as decide
from services.api.stores import rows
from vigilo.adapters.postgres import Connection
from vigilo.events.rules import Snooze

TABLE: Final = "snoozes"


class KeptSnooze(Snooze):
    """A row: the record, and when it was written last (events tell that by their time)."""

    updated_at: datetime


async def lock(connection: Connection, snooze_id: UUID) -> Snooze:
    """The snooze, its row locked until the transaction ends. Raises a 404 problem."""
    return await rows.load(connection, TABLE, Snooze, snooze_id, what="snooze", lock=True)


async def load(connection: Connection, snooze_id: UUID) -> Snooze:
    """The snooze. Raises a 404 problem."""
    return await rows.load(connection, TABLE, Snooze, snooze_id, what="snooze")


async def add(connection: Connection, snooze: Snooze, *, at: datetime) -> None:
    """Adds it and tells of it."""
    await rows.insert(connection, TABLE, KeptSnooze(**dict(snooze), updated_at=at))
    await rows.publish(connection, snooze.workspace_id, [decide.record(snooze, at=at)])


async def update(connection: Connection, snooze: Snooze, *, at: datetime) -> None:
    """Overwrites the row, which the caller has locked, and tells of it."""
    await rows.update(connection, TABLE, KeptSnooze(**dict(snooze), updated_at=at))
    await rows.publish(connection, snooze.workspace_id, [decide.record(snooze, at=at)])


async def lock_all_of(
    connection: Connection, *, rule_id: UUID | None = None, tag: str | None = None, at: datetime
) -> tuple[list[Snooze], datetime]:
    """Those of the rule or the tag, the oldest first; their rows are locked, and no other of it can begin.

    With them comes the instant of the caller's change: `at`, but no earlier than the last write of theirs. Whoever
    waited for the lock asked before that was written, and would take what has just begun for planned.
    """
    # Of the workspace's snoozes altogether: nobody waits long, and there is no row yet to lock for a new tag.
    await connection.execute(
        "select pg_advisory_xact_lock(hashtextextended('snoozes/' || config.current_workspace()::text, 0))"
    )
    found = await connection.execute(
        "select * from config.snoozes where status <> 'deleted' and rule_id is not distinct from %s "
        "and tag is not distinct from %s order by snooze_id for update",
        (rule_id, tag),
    )
    present = await found.fetchall()
    return [Snooze.model_validate(row) for row in present], max([at, *(row["updated_at"] for row in present)])


async def count(connection: Connection) -> int:
    """How many the workspace has."""
    found = await connection.execute("select count(*) as n from config.snoozes where status <> 'deleted'")
    row = await found.fetchone()
    return int(row["n"]) if row else 0


async def page(
    connection: Connection,
    *,
    rule_id: UUID | None,
    tag: str | None,
    after: UUID | None,
    limit: int,
    at: datetime,
) -> list[Snooze]:
    """At most `limit` of those that run or will, in the order they were made, after that id."""
    found = await connection.execute(
        "select * from config.snoozes where status <> 'deleted' and until > %(at)s "
        "and (rule_id = %(rule)s or %(rule)s::uuid is null) and (tag = %(tag)s or %(tag)s::text is null) "
        "and (snooze_id > %(after)s or %(after)s::uuid is null) order by snooze_id limit %(limit)s",
        {"at": at, "rule": rule_id, "tag": tag, "after": after, "limit": limit},
    )
    return [Snooze.model_validate(row) for row in await found.fetchall()]


async def of_rules(connection: Connection, rule_ids: Sequence[UUID], *, at: datetime) -> dict[UUID, Snooze]:
    """The snooze that runs now, by rule; of several the one that ends last."""
    found = await connection.execute(
        "select * from config.snoozes where status <> 'deleted' and rule_id = any(%s) "
        "and since <= %s and until > %s order by until",
        (list(rule_ids), at, at),
    )
    return {row["rule_id"]: Snooze.model_validate(row) for row in await found.fetchall()}
