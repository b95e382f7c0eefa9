"""Puts what changed into the workspace's audit chain, and a copy into the outbox, in the change's own transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from psycopg.types.json import Json

from services.api.audit.chain import Link, link_of, next_entry
from services.api.audit.change import Change
from services.api.stores import rows
from vigilo.adapters.postgres import Connection
from vigilo.events.envelope import OutgoingEvent
from vigilo.events.ids import audit_entry_id
from vigilo.events.records import AuditEntry

TOPIC: Final = "audit"
SYSTEM: Final = "system"


async def record(
    connection: Connection,
    workspace_id: UUID,
    changes: Sequence[Change],
    *,
    actor: str,
    origin: str | None,
    at: datetime,
) -> None:
    """One entry per change, in order.

    Call it inside `tenant(connection, workspace_id)` and as the last thing there: it takes the lock of the workspace's
    chain, which every other command of the workspace waits for. `actor`: `user:<id>`, `token:<id>` or `system`;
    `origin`: the client's address.
    """
    if not changes:
        return
    last = await _lock_head(connection)
    for change in changes:
        entry = next_entry(last, change, workspace_id=workspace_id, actor=actor, origin=origin, at=at)
        await _insert(connection, entry)
        await rows.publish(connection, workspace_id, [copy_of(entry)])
        last = link_of(entry)


def copy_of(entry: AuditEntry) -> OutgoingEvent:
    """The event that tells this entry."""
    identity = audit_entry_id(entry.workspace_id, entry.sequence)
    return OutgoingEvent(TOPIC, str(entry.workspace_id), identity, entry, entry.at)


async def _lock_head(connection: Connection) -> Link:
    row = await (await connection.execute("select sequence, hash from config.lock_audit_head()")).fetchone()
    if row is None:
        raise RuntimeError("the audit log is written outside a workspace")
    return Link(row["sequence"], row["hash"])


async def _insert(connection: Connection, entry: AuditEntry) -> None:
    await connection.execute(
        "insert into config.audit_entries (workspace_id, sequence, at, actor, action, subject, origin, "
        "before, after, previous_hash, hash) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            entry.workspace_id,
            entry.sequence,
            entry.at,
            entry.actor,
            entry.action,
            entry.subject,
            entry.origin,
            None if entry.before is None else Json(entry.before),
            None if entry.after is None else Json(entry.after),
            entry.previous_hash,
            entry.hash,
        ),
    )
