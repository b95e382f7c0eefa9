"""/members: who is in the workspace, and as what."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from services.api.auth import Caller
from services.api.commands import members as decide
from services.api.idempotency import Answer
from services.api.models.people import MemberPatch, MemberView, PeopleListing
from services.api.openapi import BASE, problems
from services.api.pagination import Page, decode_cursor, encode_cursor, link_next
from services.api.permissions import Permission, Role
from services.api.reading import Viewing
from services.api.stores import members as store
from services.api.stores import plans
from services.api.writing import Writing, answered
from vigilo.adapters.postgres import Connection

router = APIRouter(prefix=f"{BASE}/members", tags=["people"])


@router.get("", responses=problems(422))
async def list_members(
    request: Request, response: Response, listing: Annotated[PeopleListing, Query()], reading: Viewing
) -> Page[MemberView]:
    """Members by id."""
    after = decode_cursor(listing.cursor, (UUID,))
    found = await store.page(reading.connection, after=after[0] if after else None, limit=listing.limit + 1)
    items = found[: listing.limit]
    following = encode_cursor([items[-1].user_id]) if len(found) > listing.limit else None
    link_next(request, response, following)
    return Page(items=[_view(reading.caller, member) for member in items], next=following)


@router.get("/{user_id}", responses=problems(404))
async def get_member(user_id: UUID, reading: Viewing) -> MemberView:
    """One member."""
    return _view(reading.caller, await store.load(reading.connection, user_id))


@router.patch("/{user_id}", response_model=MemberView, responses=problems(404, 409, 422))
async def give_role(user_id: UUID, body: MemberPatch, writing: Writing) -> Response:
    """Give a member another role, at most your own. Acts at once, on tokens too; the member signs in anew."""

    async def effect(connection: Connection) -> Answer:
        await plans.lock_workspace(connection)
        member = await store.load(connection, user_id)
        others = await store.other_owners(connection, user_id)
        changed = decide.give_role(member, Role.named(body.role), by=writing.caller.role, other_owners=others)
        if changed is member:
            return answered(_view(writing.caller, member))
        await store.update(connection, changed, at=writing.at)
        await store.revoke_invitations_above(connection, changed, changed.role, at=writing.at)
        return answered(_view(writing.caller, changed), changes=(decide.role_changed(member, changed),))

    return await writing.once(Permission.MEMBERS_MANAGE, effect)


@router.delete("/{user_id}", status_code=204, responses=problems(404, 409))
async def remove_member(user_id: UUID, writing: Writing) -> Response:
    """Take a member's place away, with all tokens the member made here for himself. Acts at once."""

    async def effect(connection: Connection) -> Answer:
        await plans.lock_workspace(connection)
        member = await store.load(connection, user_id)
        others = await store.other_owners(connection, user_id)
        decide.remove(member, by=writing.caller.role, other_owners=others)
        await store.remove(connection, member, at=writing.at)
        return Answer(204, changes=(decide.removed(member),))

    return await writing.once(Permission.MEMBERS_MANAGE, effect)


def _view(caller: Caller, member: decide.Member) -> MemberView:
    href = f"/api/v1/workspaces/{caller.slug}/members/{member.user_id}"
    fields = {name: getattr(member, name) for name in ("user_id", "name", "email", "source", "joined_at", "disabled")}
    return MemberView.model_validate({**fields, "role": member.role.label, "href": href})
