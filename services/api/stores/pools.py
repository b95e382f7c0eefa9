"""Pools of a workspace in PostgreSQL."""

from __future__ import annotations

from vigilo.adapters.postgres import Connection
from vigilo.events.topics import PUBLIC_POOL


async def hosts_by_pool(connection: Connection) -> dict[str, int]:
    """How many hosts that are not deleted each pool of the workspace scans; public first, then by name."""
    found = await connection.execute(
        "select given.pool, (select count(*) from config.hosts h where h.pool = given.pool and status <> 'deleted') "
        "as hosts from config.workspaces, unnest(pools) as given (pool) order by given.pool <> %s, given.pool",
        (PUBLIC_POOL,),
    )
    return {row["pool"]: row["hosts"] for row in await found.fetchall()}
