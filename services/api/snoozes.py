"""Ends the snoozes whose time is over, of hosts, rules and tags: in the record, and in the audit log.

Only the record: what is suppressed follows the clock in the alerter, to the second, whether this runs or not. Every
instance of the API runs it; the lock of the row lets one of them write.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final, LiteralString
from uuid import UUID

from services.api.audit.change import Change
from services.api.audit.writing import SYSTEM, record
from services.api.commands import hosts as deciding_hosts
from services.api.commands import snoozes as deciding
from services.api.problems import Problem
from services.api.stores import hosts, rows, snoozes
from vigilo.adapters.postgres import DATABASE_TROUBLE, Connection, Pool, tenant
from vigilo.adapters.rounds import repeat

logger = logging.getLogger("vigilo.api.snoozes")

EVERY_SECONDS: Final = 5.0
_AT_ONCE: Final = 100

# Ends one snooze and says what the audit log is to tell; None if it is not over after all.
End = Callable[[Connection, UUID, datetime], Awaitable[Change | None]]


async def end_snoozes(pool: Pool, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
    """Ends snoozes until cancelled; trouble with the database is logged and tried again."""

    async def end_all() -> None:
        async with pool.connection() as connection:
            while await end_due(connection, at=clock()) == _AT_ONCE:
                pass

    complaint = "snoozes are not ended now"
    await repeat(end_all, pause_seconds=EVERY_SECONDS, trouble=DATABASE_TROUBLE, complaint=complaint, logger=logger)


async def end_due(connection: Connection, *, at: datetime) -> int:
    """Ends at most 100 snoozes of hosts and 100 others whose time is over; returns the larger number of the two.

    `connection` is one of vigilo_api outside a transaction. Raises psycopg.Error.
    """
    return max([await _end_all(connection, query, end, at) for query, end in _DUE])


async def _end_all(connection: Connection, query: LiteralString, end: End, at: datetime) -> int:
    found = await connection.execute(query, (at, _AT_ONCE))
    due = [(row["workspace_id"], row["id"]) for row in await found.fetchall()]
    return sum([await _end(connection, workspace_id, identity, end, at) for workspace_id, identity in due])


async def _end(connection: Connection, workspace_id: UUID, identity: UUID, end: End, at: datetime) -> bool:
    async with tenant(connection, workspace_id):
        try:
            told = await end(connection, identity, at)
        except Problem:  # deleted in the meantime
            return False
        if told is None:
            return False
        await record(connection, workspace_id, [told], actor=SYSTEM, origin=None, at=at)
    return True


async def _end_of_host(connection: Connection, host_id: UUID, at: datetime) -> Change | None:
    host = await hosts.lock(connection, host_id)
    # Asked again under the lock: another instance may have ended it, or somebody prolonged it.
    woken = deciding_hosts.wake(host, at=at)
    if woken is host:
        return None
    await hosts.update(connection, woken)
    await rows.publish(connection, host.workspace_id, [deciding_hosts.record(woken)])
    return deciding_hosts.told("snooze-ended", host, woken)


async def _end_of_rule_or_tag(connection: Connection, snooze_id: UUID, at: datetime) -> Change:
    snooze = await snoozes.lock(connection, snooze_id)
    await snoozes.update(connection, deciding.end(snooze), at=at)
    return deciding.told_end("snooze-ended", snooze)


_DUE: Final[tuple[tuple[LiteralString, End], ...]] = (
    ("select workspace_id, host_id as id from config.ended_snoozes(%s, %s)", _end_of_host),
    ("select workspace_id, snooze_id as id from config.over_snoozes(%s, %s)", _end_of_rule_or_tag),
)
