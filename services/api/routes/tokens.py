"""/tokens: what machines, and people without a browser, ask with."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from services.api.auth import new_token
from services.api.commands import tokens as decide
from services.api.idempotency import Answer
from services.api.models.tokens import TokenListing, TokenMade, TokenToMake, TokenView
from services.api.openapi import BASE, problems
from services.api.pagination import Page, decode_cursor, encode_cursor, link_next
from services.api.permissions import Permission
from services.api.reading import Reader, reading
from services.api.stores import tokens as store
from services.api.writing import Writing, answered
from vigilo.adapters.postgres import Connection
from vigilo.events.ids import new_id

router = APIRouter(prefix=f"{BASE}/tokens", tags=["tokens"])

OwnTokens = Annotated[Reader, Depends(reading(Permission.TOKENS_PERSONAL), scope="function")]


@router.post("", status_code=201, response_model=TokenMade, responses=problems(409, 422))
async def make_token(body: TokenToMake, writing: Writing) -> Response:
    """Make a token. The answer shows it, this once."""
    permission = Permission.TOKENS_SERVICE if body.kind == "service" else Permission.TOKENS_PERSONAL

    async def effect(connection: Connection) -> Answer:
        token, secret = decide.make(body, writing.caller, token_id=new_id(), at=writing.at), new_token()
        await store.add(connection, writing.caller.workspace_id, token, secret)
        view = TokenMade(**_fields(token), token=secret)
        return answered(view, status=201, secret=True, changes=(decide.made(token),))

    return await writing.once(permission, effect)


@router.get("", responses=problems(422))
async def list_tokens(
    request: Request, response: Response, listing: Annotated[TokenListing, Query()], reading: OwnTokens
) -> Page[TokenView]:
    """Your own tokens; for administrators all of the workspace. Ended ones stay in the list."""
    after = decode_cursor(listing.cursor, (UUID,))
    found = await store.page(
        reading.connection,
        of=reading.caller.user_id,
        everybodys=reading.caller.may(Permission.TOKENS_SERVICE),
        kind=listing.kind,
        after=after[0] if after else None,
        limit=listing.limit + 1,
    )
    items = found[: listing.limit]
    following = encode_cursor([items[-1].token_id]) if len(found) > listing.limit else None
    link_next(request, response, following)
    return Page(items=[TokenView(**_fields(token)) for token in items], next=following)


@router.delete("/{token_id}", status_code=204, responses=problems(404))
async def revoke_token(token_id: UUID, writing: Writing) -> Response:
    """End a token at once. Your own, or as an administrator any that has no higher role than yours."""

    async def effect(connection: Connection) -> Answer:
        token = await store.lock(connection, token_id)
        decide.check_revoke(token, writing.caller)
        if token.revoked_at is not None:
            return Answer(204)
        await store.revoke(connection, token_id, at=writing.at)
        return Answer(204, changes=(decide.revoked(token),))

    return await writing.once(Permission.TOKENS_PERSONAL, effect)


def _fields(token: decide.Token) -> dict[str, Any]:
    return {**asdict(token), "role": token.role.label}
