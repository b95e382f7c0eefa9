"""What the operator grants: how many scans a day a workspace may plan. The API itself has no right to change it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from services.api.audit.change import Change
from services.api.audit.writing import SYSTEM, record
from services.api.database_roles import API, OWNER
from vigilo.adapters.postgres import Connection, connect, tenant


class NoSuchWorkspace(Exception):
    """No workspace has that short name."""


async def grant(database_url: str, slug: str, scans_per_day: int | None, *, at: datetime) -> int | None:
    """Sets the plan of a workspace (None: unlimited); returns the one before. Hosts that are there stay as they are.

    `database_url` is a superuser's, or of whoever may act as the tables' owner and as vigilo_api. Raises
    NoSuchWorkspace, psycopg.Error.
    """
    async with await connect(database_url, name="vigilo-quota", role=API) as connection:
        workspace_id = await workspace_of(connection, slug)
        async with tenant(connection, workspace_id):
            await connection.execute(f"set local role {OWNER}")
            before = await _exchange(connection, workspace_id, scans_per_day)
            await connection.execute(f"set local role {API}")
            change = Change(
                "quota.grant", f"workspace:{workspace_id}", {"scans_per_day": before}, {"scans_per_day": scans_per_day}
            )
            await record(connection, workspace_id, (change,), actor=SYSTEM, origin=None, at=at)
    return before


async def workspace_of(connection: Connection, slug: str) -> UUID:
    """The id of the workspace with that short name. Raises NoSuchWorkspace."""
    row = await (await connection.execute("select config.workspace_by_slug(%s) as id", (slug,))).fetchone()
    if row is None or row["id"] is None:
        raise NoSuchWorkspace(f"there is no workspace {slug}")
    return UUID(str(row["id"]))


async def _exchange(connection: Connection, workspace_id: UUID, scans_per_day: int | None) -> int | None:
    found = await connection.execute(
        "select scans_per_day from config.workspaces where workspace_id = %s for no key update", (workspace_id,)
    )
    row = await found.fetchone()
    await connection.execute(
        "update config.workspaces set scans_per_day = %s where workspace_id = %s", (scans_per_day, workspace_id)
    )
    return None if row is None else row["scans_per_day"]
