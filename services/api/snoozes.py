"""Ends the snoozes whose time is over: takes them out of the host record, and says so in the audit log.

Only the record: what is suppressed follows the clock in the alerter, to the second, whether this runs or not. Every
instance of the API runs it; the host's row lock lets one of them write.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import psycopg
from psycopg_pool import PoolTimeout

from services.api.audit.writing import SYSTEM, record
from services.api.commands import hosts as decide
from services.api.problems import Problem
from services.api.stores import hosts as store
from services.api.stores import rows
from vigilo.adapters.postgres import Connection, Pool, tenant

logger = logging.getLogger("vigilo.api.snoozes")

EVERY_SECONDS: Final = 5.0
_AT_ONCE: Final = 100


async def end_snoozes(pool: Pool, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
    """Ends snoozes until cancelled; trouble with the database is logged and tried again."""
    while True:
        try:
            async with pool.connection() as connection:
                while await end_due(connection, at=clock()) == _AT_ONCE:
                    pass
        except (psycopg.Error, PoolTimeout, OSError) as error:
            logger.warning("snoozes are not ended now: %s", error)
        await asyncio.sleep(EVERY_SECONDS)


async def end_due(connection: Connection, *, at: datetime) -> int:
    """Ends at most 100 snoozes whose time is over; returns how many this call ended.

    `connection` is one of vigilo_api outside a transaction. Raises psycopg.Error.
    """
    found = await connection.execute("select workspace_id, host_id from config.ended_snoozes(%s, %s)", (at, _AT_ONCE))
    due = [(row["workspace_id"], row["host_id"]) for row in await found.fetchall()]
    return sum([await _end(connection, workspace_id, host_id, at) for workspace_id, host_id in due])


async def _end(connection: Connection, workspace_id: UUID, host_id: UUID, at: datetime) -> bool:
    async with tenant(connection, workspace_id):
        try:
            host = await store.lock(connection, host_id)
        except Problem:  # deleted in the meantime
            return False
        # Asked again under the lock: another instance may have ended it, or somebody prolonged it.
        woken = decide.wake(host, at=at)
        if woken is host:
            return False
        await store.update(connection, woken)
        await rows.publish(connection, workspace_id, [decide.record(woken)])
        told = decide.told("snooze-ended", host, woken)
        await record(connection, workspace_id, [told], actor=SYSTEM, origin=None, at=at)
    return True
