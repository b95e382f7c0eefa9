"""Tells the people of a workspace, once, when a scanner pool of theirs seems to have lost its own network.

The scanner marks its snapshots while it suspects that (services/scanner/pool_health.py); they are read in the read
model. Every instance of the API runs this; the lock of the pool's row lets one of them write.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from services.api.audit.writing import SYSTEM, record
from services.api.commands import channels
from services.api.commands import pool_notices as deciding
from services.api.commands.pool_notices import Notice, PoolSeen, Told
from services.api.stores import rows
from vigilo.adapters.postgres import DATABASE_TROUBLE, Connection, Pool, tenant
from vigilo.adapters.rounds import repeat

logger = logging.getLogger("vigilo.api.pools")

EVERY_SECONDS: Final = 15.0
_NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)

_SEEN: Final = """
    select h.pool, count(*) as hosts, count(*) filter (where l.pool_suspect) as suspect,
        max(l.finished_at) filter (where l.pool_suspect) as last_suspect,
        max(l.finished_at) filter (where not l.pool_suspect) as last_well
    from read_model.host_latest l join config.hosts h on h.host_id = l.host_id and h.status = 'active'
    group by h.pool order by h.pool
"""


async def tell_of_pools(pool: Pool, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
    """Looks and tells until cancelled; trouble with the database is logged and tried again."""

    async def look() -> None:
        async with pool.connection() as connection:
            await tell_due(connection, at=clock())

    complaint = "pools are not looked at now"
    await repeat(look, pause_seconds=EVERY_SECONDS, trouble=DATABASE_TROUBLE, complaint=complaint, logger=logger)


async def tell_due(connection: Connection, *, at: datetime) -> int:
    """Tells whatever is due in any workspace; returns how many notices this call wrote.

    `connection` is one of vigilo_api outside a transaction. Raises psycopg.Error.
    """
    found = await connection.execute("select config.suspect_workspaces(%s) as id", (at - deciding.FRESH,))
    return sum([await _look_at(connection, row["id"], at) for row in await found.fetchall()])


async def _look_at(connection: Connection, workspace_id: UUID, at: datetime) -> int:
    async with tenant(connection, workspace_id):
        found = await connection.execute(_SEEN)
        seen = [PoolSeen(**row) for row in await found.fetchall()]
        written = [(notice, one) for one in seen if (notice := await _due(connection, workspace_id, one, at))]
        for notice, _ in written:
            await _tell(connection, workspace_id, notice, at)
        changes = [deciding.told_of(notice, one) for notice, one in written]
        await record(connection, workspace_id, changes, actor=SYSTEM, origin=None, at=at)
    return len(written)


async def _due(connection: Connection, workspace_id: UUID, seen: PoolSeen, at: datetime) -> Notice | None:
    if seen.suspect:
        await connection.execute(
            "insert into config.pool_notices (workspace_id, pool, told_at) values (%s, %s, %s) on conflict do nothing",
            (workspace_id, seen.pool, _NEVER),
        )
    found = await connection.execute(
        "select suspect_since, told_at from config.pool_notices where pool = %s for update", (seen.pool,)
    )
    row = await found.fetchone()
    return None if row is None else deciding.decide(seen, Told(**row), at=at)


async def _tell(connection: Connection, workspace_id: UUID, notice: Notice, at: datetime) -> None:
    await connection.execute(
        "update config.pool_notices set suspect_since = %s, told_at = %s where pool = %s",
        (notice.after.suspect_since, notice.after.told_at, notice.pool),
    )
    found = await connection.execute(
        "select channel_id from config.channels where status <> 'deleted' and enabled order by channel_id"
    )
    wanted = [row["channel_id"] for row in await found.fetchall()]
    asked = deciding.commands(notice, wanted, workspace_id=workspace_id, by=SYSTEM, at=at)
    await rows.publish(connection, workspace_id, [channels.command(one) for one in asked])
    logger.warning("%s (%d channels told)", notice.title, len(asked))
