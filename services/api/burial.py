"""What a deleted record leaves behind: after 30 days its row goes and a tombstone follows it into the compacted topic.

Also drops stored answers nobody can ask for any more. Runs on the relay's connection, with the relay's rights: it sees
deleted records and expired answers, and nothing else.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from psycopg import sql

from services.api.stores import rows
from vigilo.adapters.postgres import Connection
from vigilo.events.envelope import OutgoingEvent
from vigilo.events.ids import record_id

logger = logging.getLogger("vigilo.api.burial")

KEPT: Final = timedelta(days=30)
EVERY: Final = timedelta(hours=1)
_AT_ONCE: Final = 500
# (topic, table, key): channels last, for rules may name them.
_KINDS: Final = (
    ("hosts", "hosts", "host_id"),
    ("snoozes", "snoozes", "snooze_id"),
    ("alert-rules", "alert_rules", "rule_id"),
    ("channels", "channels", "channel_id"),
)


class Burial:
    """The hourly chore; `__call__` returns at once while nothing is due."""

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._clock = clock
        self._due = datetime.min.replace(tzinfo=UTC)

    async def __call__(self, connection: Connection) -> None:
        """Does one batch if it is time; the next one at once if there was more."""
        at = self._clock()
        if at >= self._due:
            more = await bury(connection, at=at) == _AT_ONCE
            self._due = at if more else at + EVERY


async def bury(connection: Connection, *, at: datetime) -> int:
    """Removes rows deleted over 30 days ago and writes their tombstones; returns the largest number of one kind."""
    most = 0
    async with connection.transaction():
        for topic, table, key in _KINDS:
            most = max(most, await _bury(connection, topic, table, key, at))
        await connection.execute("delete from config.idempotency_keys where expires_at < now()")
    return most


async def _bury(connection: Connection, topic: str, table: str, key: str, at: datetime) -> int:
    statement = sql.SQL(
        "delete from {0} where {1} in (select {1} from {0} where status = 'deleted' and updated_at < %s limit {2}) "
        "returning workspace_id, {1} as id, version"
    ).format(sql.Identifier("config", table), sql.Identifier(key), sql.Literal(_AT_ONCE))
    gone = await (await connection.execute(statement, (at - KEPT,))).fetchall()
    for row in gone:
        identity = record_id(row["id"], row["version"] + 1)
        tombstone = OutgoingEvent(topic, str(row["id"]), identity, None, at)
        await rows.publish(connection, row["workspace_id"], [tombstone])
    if gone:
        logger.info("%d records of %s are gone for good", len(gone), topic)
    return len(gone)
