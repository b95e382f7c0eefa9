"""Workspaces in PostgreSQL."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from services.api.problems import not_found
from vigilo.adapters.postgres import Connection


async def present(connection: Connection) -> dict[str, Any]:
    """workspace_id, slug and name of the transaction's workspace. Raises a 404 problem."""
    row = await (await connection.execute("select workspace_id, slug, name from config.workspaces")).fetchone()
    if row is None:
        raise not_found("workspace")
    return row


async def of_user(connection: Connection, user_id: UUID) -> list[dict[str, Any]]:
    """workspace_id, slug, name, role (label) and source of each place of the user, by slug."""
    return await (await connection.execute("select * from config.memberships_of(%s)", (user_id,))).fetchall()
