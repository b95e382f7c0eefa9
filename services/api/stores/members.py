"""Members in PostgreSQL. Lock the workspace (plans.lock_workspace) before a change of who owns it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.api.commands.members import Member
from services.api.permissions import Role
from services.api.problems import not_found
from vigilo.adapters.postgres import Connection

_SELECT: Final = (
    "select m.user_id, u.name, u.email, m.role, m.source, m.created_at as joined_at, "
    "u.disabled_at is not null as disabled "
    "from config.memberships m join config.users u on u.user_id = m.user_id "
)


async def page(connection: Connection, *, after: UUID | None, limit: int) -> list[Member]:
    """At most `limit` members by user id, after that id."""
    found = await connection.execute(
        _SELECT + "where m.user_id > %(after)s or %(after)s::uuid is null order by m.user_id limit %(limit)s",
        {"after": after, "limit": limit},
    )
    return [_member(row) for row in await found.fetchall()]


async def load(connection: Connection, user_id: UUID) -> Member:
    """The member. Raises a 404 problem."""
    row = await (await connection.execute(_SELECT + "where m.user_id = %s", (user_id,))).fetchone()
    if row is None:
        raise not_found("member")
    return _member(row)


async def other_owners(connection: Connection, user_id: UUID) -> int:
    """How many owners the workspace has beside that user, shut accounts not counted."""
    row = await (
        await connection.execute(
            "select count(*) as n from config.memberships m join config.users u on u.user_id = m.user_id "
            "where m.role = 'owner' and u.disabled_at is null and m.user_id <> %s",
            (user_id,),
        )
    ).fetchone()
    return 0 if row is None else int(row["n"])


async def update(connection: Connection, member: Member, *, at: datetime) -> None:
    """Overwrites role and source, and ends the member's sessions: the next one is asked for anew."""
    await connection.execute(
        "update config.memberships set role = %s, source = %s, updated_at = %s where user_id = %s",
        (member.role.label, member.source, at, member.user_id),
    )
    await connection.execute("select config.end_sessions_of(%s, %s)", (member.user_id, at))


async def remove(connection: Connection, member: Member, *, at: datetime) -> None:
    """The place is gone, and with it the user's tokens here, open invitations and all sessions."""
    await connection.execute("delete from config.memberships where user_id = %s", (member.user_id,))
    await connection.execute(
        "update config.tokens set revoked_at = %s where user_id = %s and revoked_at is null", (at, member.user_id)
    )
    await revoke_invitations_above(connection, member, None, at=at)
    await connection.execute("select config.end_sessions_of(%s, %s)", (member.user_id, at))


async def revoke_invitations_above(connection: Connection, member: Member, role: Role | None, *, at: datetime) -> None:
    """Revokes the member's open invitations to roles he could not give any more with `role` (None: to any)."""
    await connection.execute(
        "update config.invitations set revoked_at = %s where created_by = %s and revoked_at is null "
        "and accepted_at is null and config.role_rank(role) > %s",
        (at, f"user:{member.user_id}", 0 if role is None or role < Role.ADMIN else int(role)),
    )


def _member(row: dict[str, Any]) -> Member:
    return Member(**{**row, "role": Role.named(row["role"])})
