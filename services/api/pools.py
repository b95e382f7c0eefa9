"""What the operator grants: which pools of scanners a workspace may use. The API itself only reads it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from services.api.audit.change import Change
from services.api.audit.writing import SYSTEM, record
from services.api.commands import workspaces
from services.api.database_roles import API
from services.api.plans import workspace_of
from services.api.republishing import all_workspaces
from services.api.stores import rows
from vigilo.adapters.postgres import Connection, connect, tenant
from vigilo.events.rules import WorkspaceSettings
from vigilo.events.topics import PUBLIC_POOL, check_pool


class PoolInUse(Exception):
    """Hosts of the workspace are still scanned by that pool."""


async def give(database_url: str, slug: str, pool: str, *, at: datetime) -> UUID:
    """The workspace may use the pool from now on, if it may not already; returns the workspace's id.

    Its topics must exist by then. Raises BadPoolName, NoSuchWorkspace, psycopg.Error.
    """
    check_pool(pool)
    return await _change(database_url, slug, at=at, add=pool)


async def take_away(database_url: str, slug: str, pool: str, *, at: datetime) -> UUID:
    """The workspace may not use the pool any more; returns the workspace's id.

    Raises PoolInUse while it has hosts there, ValueError for the public pool, NoSuchWorkspace, psycopg.Error.
    """
    if pool == PUBLIC_POOL:
        raise ValueError("the public pool is open to all workspaces")
    return await _change(database_url, slug, at=at, drop=pool)


async def listing(database_url: str) -> Mapping[str, tuple[str, ...]]:
    """The pools of each workspace, by its short name. Raises psycopg.Error."""
    found = {}
    async with await connect(database_url, name="vigilo-pool", role=API) as connection:
        for workspace_id in await all_workspaces(connection):
            async with tenant(connection, workspace_id, read_only=True):
                row = await (await connection.execute("select slug, pools from config.workspaces")).fetchone()
            if row is not None:
                found[row["slug"]] = tuple(row["pools"])
    return dict(sorted(found.items()))


async def _change(
    database_url: str, slug: str, *, at: datetime, add: str | None = None, drop: str | None = None
) -> UUID:
    async with await connect(database_url, name="vigilo-pool", role=API) as connection:
        workspace_id = await workspace_of(connection, slug)
        async with tenant(connection, workspace_id):
            before = await _lock(connection, workspace_id)
            pools = tuple(dict.fromkeys((*before.pools, *([add] if add else []))))
            pools = tuple(pool for pool in pools if pool != drop)
            if pools == before.pools:
                return workspace_id
            if drop is not None:
                await _refuse_used(connection, slug, drop)
            after = before.model_copy(update={"pools": pools, "version": before.version + 1})
            await _store(connection, after, at=at)
            change = Change(
                "pools.grant", f"workspace:{workspace_id}", {"pools": list(before.pools)}, {"pools": list(pools)}
            )
            await record(connection, workspace_id, (change,), actor=SYSTEM, origin=None, at=at)
    return workspace_id


async def _lock(connection: Connection, workspace_id: UUID) -> WorkspaceSettings:
    # Stronger than what adding a host to a pool holds (store.pools), so that no host slips in while it is taken away.
    found = await connection.execute(
        "select * from config.workspaces where workspace_id = %s for update", (workspace_id,)
    )
    return WorkspaceSettings.model_validate(await found.fetchone())


async def _refuse_used(connection: Connection, slug: str, pool: str) -> None:
    found = await connection.execute(
        "select count(*) as hosts from config.hosts where pool = %s and status <> 'deleted'", (pool,)
    )
    row = await found.fetchone()
    if row is not None and row["hosts"]:
        raise PoolInUse(f"{row['hosts']} hosts of {slug} are scanned by pool {pool}: move or delete them first")


async def _store(connection: Connection, settings: WorkspaceSettings, *, at: datetime) -> None:
    await connection.execute(
        "update config.workspaces set pools = %s, version = %s, updated_at = %s where workspace_id = %s",
        (list(settings.pools), settings.version, at, settings.workspace_id),
    )
    await rows.publish(connection, settings.workspace_id, [workspaces.record(settings, at=at)])
