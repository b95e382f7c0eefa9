"""The first person of an installation: owner of its first workspace, without a password until a link was followed."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from services.api.audit.change import Change
from services.api.audit.writing import SYSTEM, record
from services.api.signin.accounts import add_local_account, local_account
from vigilo.adapters.postgres import Connection, tenant

EMAIL: Final = "owner@localhost"
_NAME: Final = "Owner"


async def first_owner(connection: Connection, workspace_id: UUID) -> UUID | None:
    """The local account that is the workspace's owner for the longest time; None if there is none."""
    async with tenant(connection, workspace_id):
        found = await connection.execute(
            "select m.user_id from config.memberships m join config.users u on u.user_id = m.user_id "
            "where m.role = 'owner' and u.oidc_issuer is null and u.disabled_at is null "
            "order by m.created_at, m.user_id limit 1"
        )
        row = await found.fetchone()
    return row["user_id"] if row else None


async def ensure_first_user(connection: Connection, workspace_id: UUID, *, at: datetime) -> None:
    """The workspace has an owner; if it had none, one who can sign in by a link. Call it under the bootstrap's lock."""
    async with tenant(connection, workspace_id):
        found = await connection.execute("select 1 from config.memberships where role = 'owner' limit 1")
        if await found.fetchone() is not None:
            return
        user_id = await _account(connection, at=at)
        await connection.execute(
            "insert into config.memberships (workspace_id, user_id, role, source, created_at, updated_at) "
            "values (%s, %s, 'owner', 'local', %s, %s) "
            "on conflict (workspace_id, user_id) do update set role = 'owner', updated_at = excluded.updated_at",
            (workspace_id, user_id, at, at),
        )
        told = Change("member.add", f"user:{user_id}", None, {"role": "owner", "source": "local"})
        await record(connection, workspace_id, (told,), actor=SYSTEM, origin=None, at=at)


async def _account(connection: Connection, *, at: datetime) -> UUID:
    made = await add_local_account(connection, email=EMAIL, name=_NAME, password_hash=None, at=at)
    if made is not None:
        return made
    present = await local_account(connection, EMAIL)
    assert present is not None  # or it could have been made
    return present.user_id
