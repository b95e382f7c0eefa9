"""The plan of a workspace: what may be spent, what is spent, and the lock that keeps both true."""

from __future__ import annotations

from uuid import UUID

from services.api.commands import quota
from vigilo.adapters.postgres import Connection
from vigilo.events.hosts import Host, Interval


async def lock_workspace(connection: Connection) -> int | None:
    """The plan's scans per day (None: unlimited); nobody else holds this lock until the transaction ends.

    Also guards who owns the workspace. Take it after all rows of hosts, for their unique index may wait for somebody
    who wants this lock, and before the audit log's head.
    """
    row = await (await connection.execute("select scans_per_day from config.workspaces for no key update")).fetchone()
    return None if row is None else row["scans_per_day"]


async def limit(connection: Connection) -> int | None:
    """The plan's scans per day; None: unlimited."""
    row = await (await connection.execute("select scans_per_day from config.workspaces")).fetchone()
    return None if row is None else row["scans_per_day"]


async def active_hosts(connection: Connection, *, without: UUID | None = None) -> dict[Interval, int]:
    """How many active hosts there are, by interval, one of them left out if asked."""
    found = await connection.execute(
        'select "interval", count(*) as hosts from config.hosts '
        "where status = 'active' and host_id is distinct from %s group by 1",
        (without,),
    )
    return {Interval(row["interval"]): row["hosts"] for row in await found.fetchall()}


async def afford(connection: Connection, before: Host | None, after: Host) -> None:
    """Raises a 409 problem if the workspace's plan does not afford the change, which is written already."""
    if quota.cost(after) <= quota.cost(before) or await limit(connection) is None:
        return
    most = await lock_workspace(connection)
    if most is not None:
        # After the lock, so that what others have just committed is seen.
        others = quota.used(await active_hosts(connection, without=after.host_id))
        quota.afford(before, after, limit=most, others=others)
