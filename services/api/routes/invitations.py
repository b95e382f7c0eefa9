"""/invitations: into a workspace by a link that works once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from services.api.audit.writing import record
from services.api.auth import TokenCaller
from services.api.commands import invitations as decide
from services.api.commands import members
from services.api.idempotency import Answer
from services.api.models.people import (
    INVITATION_PATH,
    InvitationMade,
    InvitationTaken,
    InvitationToMake,
    InvitationView,
    PeopleListing,
    Place,
)
from services.api.openapi import BASE, problems
from services.api.pagination import Page, decode_cursor, encode_cursor, link_next
from services.api.permissions import Permission, Role
from services.api.problems import Problem
from services.api.reading import Reader, reading
from services.api.resources import resources
from services.api.stores import invitations as store
from services.api.writing import Writing, answered
from vigilo.adapters.postgres import Connection, tenant
from vigilo.events.ids import new_id

router = APIRouter(tags=["people"])

_PREFIX: Final = f"{BASE}/invitations"
Managing = Annotated[Reader, Depends(reading(Permission.MEMBERS_MANAGE), scope="function")]


@router.post(_PREFIX, status_code=201, response_model=InvitationMade, responses=problems(422))
async def invite(body: InvitationToMake, writing: Writing) -> Response:
    """Invite somebody. The answer shows the link, this once; nothing is sent."""

    async def effect(connection: Connection) -> Answer:
        caller = writing.caller
        members.invite(Role.named(body.role), by=caller.role)
        values = decide.make(body, invitation_id=new_id(), by=caller.name, at=writing.at)
        token = store.new_invitation_token()
        await store.add(connection, caller.workspace_id, token, values)
        view = InvitationMade(**values, state="open", token=token, path=INVITATION_PATH + token)
        return answered(view, status=201, secret=True, changes=(decide.made(values),))

    return await writing.once(Permission.MEMBERS_MANAGE, effect)


@router.get(_PREFIX, responses=problems(422))
async def list_invitations(
    request: Request, response: Response, listing: Annotated[PeopleListing, Query()], reading: Managing
) -> Page[InvitationView]:
    """Invitations in the order they were made, used and revoked ones too."""
    after = decode_cursor(listing.cursor, (UUID,))
    found = await store.page(reading.connection, after=after[0] if after else None, limit=listing.limit + 1)
    items = found[: listing.limit]
    following = encode_cursor([items[-1]["invitation_id"]]) if len(found) > listing.limit else None
    link_next(request, response, following)
    return Page(items=[InvitationView.model_validate(row) for row in items], next=following)


@router.delete(_PREFIX + "/{invitation_id}", status_code=204, responses=problems(404, 409))
async def revoke_invitation(invitation_id: UUID, writing: Writing) -> Response:
    """Make a link useless that nobody has used yet."""

    async def effect(connection: Connection) -> Answer:
        row = await store.lock(connection, invitation_id)
        decide.check_open(row)
        if row["state"] == "revoked":
            return Answer(204)
        await store.revoke(connection, invitation_id, at=writing.at)
        return Answer(204, changes=(decide.revoked(row),))

    return await writing.once(Permission.MEMBERS_MANAGE, effect)


@router.post("/api/v1/invitations/accept", responses=problems(409, 422))
async def accept_invitation(body: InvitationTaken, request: Request, caller: TokenCaller) -> Place:
    """Join a workspace you were invited to, with a personal token of another one.

    People without an account open the link in a browser instead.
    """
    if caller.user_id is None or caller.scopes is not None:
        raise Problem(403, "forbidden", "Only a person takes an invitation: use a personal token without scopes.")
    at = datetime.now(UTC)
    async with resources(request).pool.connection() as connection, connection.transaction():
        taken = decide.check_taken(await store.take(connection, body.token, caller.user_id, at=at))
        async with tenant(connection, taken.workspace_id):
            found = await connection.execute("select name from config.workspaces")
            row = await found.fetchone()
            changes = (decide.joined(taken, caller.user_id),)
            await record(connection, taken.workspace_id, changes, actor=caller.name, origin=caller.origin, at=at)
    name = taken.slug if row is None else row["name"]
    return Place.model_validate(
        {"workspace_id": taken.workspace_id, "slug": taken.slug, "name": name, "role": taken.role.label}
    )
