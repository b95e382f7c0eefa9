"""Invitations in PostgreSQL: only the SHA-256 of a link's secret is kept."""

from __future__ import annotations

import re
import secrets
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.api.auth import token_sha256
from services.api.commands.invitations import Offer, Taken
from services.api.models.people import INVITATION_PREFIX
from services.api.permissions import Role
from services.api.problems import not_found
from vigilo.adapters.postgres import Connection

_TOKEN: Final = re.compile(INVITATION_PREFIX + "[A-Za-z0-9_-]{43}")
_SELECT: Final = (
    "select invitation_id, role, email, created_by, created_at, expires_at, accepted_by, accepted_at, "
    "case when accepted_at is not null then 'accepted' when revoked_at is not null then 'revoked' "
    "when expires_at <= now() then 'expired' else 'open' end as state from config.invitations "
)


def new_invitation_token() -> str:
    """A fresh secret."""
    return INVITATION_PREFIX + secrets.token_urlsafe(32)


async def add(connection: Connection, workspace_id: UUID, token: str, values: dict[str, Any]) -> None:
    """Adds an invitation. `values`: invitation_id, role (label), email, created_by, created_at, expires_at."""
    await connection.execute(
        "insert into config.invitations "
        "(invitation_id, workspace_id, sha256, role, email, created_by, created_at, expires_at) values "
        "(%(invitation_id)s, %(workspace)s, %(sha256)s, %(role)s, %(email)s, %(created_by)s, %(created_at)s, "
        "%(expires_at)s)",
        {**values, "workspace": workspace_id, "sha256": token_sha256(token)},
    )


async def page(connection: Connection, *, after: UUID | None, limit: int) -> list[dict[str, Any]]:
    """At most `limit` invitations in the order they were made, after that id."""
    found = await connection.execute(
        _SELECT + "where invitation_id > %(after)s or %(after)s::uuid is null order by invitation_id limit %(limit)s",
        {"after": after, "limit": limit},
    )
    return await found.fetchall()


async def lock(connection: Connection, invitation_id: UUID) -> dict[str, Any]:
    """The invitation, its row locked until the transaction ends. Raises a 404 problem."""
    found = await connection.execute(_SELECT + "where invitation_id = %s for update", (invitation_id,))
    row = await found.fetchone()
    if row is None:
        raise not_found("invitation")
    return row


async def revoke(connection: Connection, invitation_id: UUID, *, at: datetime) -> None:
    """Its link works no more."""
    await connection.execute(
        "update config.invitations set revoked_at = %s where invitation_id = %s", (at, invitation_id)
    )


async def offered(connection: Connection, token: str) -> Offer | None:
    """What this link offers; None for one that is unknown, used, revoked or expired. In no workspace's transaction."""
    if not _TOKEN.fullmatch(token):
        return None
    found = await connection.execute("select * from config.open_invitation(%s)", (token_sha256(token),))
    row = await found.fetchone()
    return None if row is None else Offer(**{**row, "role": Role.named(row["role"])})


async def take(connection: Connection, token: str, user_id: UUID, *, at: datetime) -> Taken | None:
    """Makes the user a member; None as in `offered`. Write the change into that workspace's audit log afterwards."""
    if not _TOKEN.fullmatch(token):
        return None
    found = await connection.execute(
        "select * from config.accept_invitation(%s, %s, %s)", (token_sha256(token), user_id, at)
    )
    row = await found.fetchone()
    return None if row is None else Taken(**{**row, "role": Role.named(row["role"])})
