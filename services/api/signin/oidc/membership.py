"""Memberships follow the issuer's groups, at each sign-in and in its transaction."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from services.api.audit.change import Change
from services.api.audit.writing import SYSTEM, record
from services.api.permissions import Role
from services.api.sessions import places_of
from services.api.signin.groups import GroupRole, Membership, Step, roles_for, steps
from vigilo.adapters.postgres import Connection, tenant

logger = logging.getLogger("vigilo.api.signin")


async def follow_groups(
    connection: Connection,
    user_id: UUID,
    groups: frozenset[str],
    group_map: Sequence[GroupRole],
    *,
    origin: str | None,
    at: datetime,
) -> None:
    """The memberships with source `oidc` are what the map says for these groups, now."""
    places = await places_of(connection, user_id)
    present = [Membership(place.slug, place.role, place.source) for place in places]
    todo = steps(present, roles_for(groups, group_map))
    ids = {step.workspace: await _workspace(connection, step.workspace) for step in todo}
    for step in sorted(todo, key=lambda one: str(ids[one.workspace])):  # locks are taken in one order by all
        workspace_id = ids[step.workspace]
        if workspace_id is None:
            logger.warning("the group map names a workspace that is not there", extra={"workspace": step.workspace})
            continue
        async with tenant(connection, workspace_id):
            await _apply(connection, workspace_id, user_id, step, at=at)
            told = Change(f"member.{_VERBS[step.kind]}", f"user:{user_id}", _told(step.before), _told(step.role))
            await record(connection, workspace_id, (told,), actor=SYSTEM, origin=origin, at=at)


_VERBS: Mapping[str, str] = {"add": "add", "alter": "edit", "remove": "remove"}


def _told(role: Role | None) -> dict[str, str] | None:
    return None if role is None else {"role": role.label, "source": "oidc"}


async def _workspace(connection: Connection, slug: str) -> UUID | None:
    row = await (await connection.execute("select config.workspace_by_slug(%s) as id", (slug,))).fetchone()
    return row["id"] if row else None


async def _apply(connection: Connection, workspace_id: UUID, user_id: UUID, step: Step, *, at: datetime) -> None:
    if step.role is None:
        await connection.execute(
            "delete from config.memberships where user_id = %s and source = 'oidc' and role <> 'owner'", (user_id,)
        )
        return
    # A role given by hand meanwhile stays, and so does an owner.
    await connection.execute(
        "insert into config.memberships (workspace_id, user_id, role, source, created_at, updated_at) "
        "values (%s, %s, %s, 'oidc', %s, %s) on conflict (workspace_id, user_id) do update "
        "set role = excluded.role, updated_at = excluded.updated_at "
        "where memberships.source = 'oidc' and memberships.role <> 'owner'",
        (workspace_id, user_id, step.role.label, at, at),
    )
