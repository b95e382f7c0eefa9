"""/channels: where alerts go."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from services.api.audit.change import Change
from services.api.auth import Caller
from services.api.commands import channels as decide
from services.api.commands import destinations
from services.api.etags import check_version, etag
from services.api.idempotency import Answer
from services.api.models.channel_kinds import SECRET_PREFIX, ChannelToAdd
from services.api.models.channels import (
    ChannelAdded,
    ChannelDetail,
    ChannelListing,
    ChannelPatch,
    ChannelView,
    TestAsked,
)
from services.api.openapi import BASE, problems, with_etag
from services.api.pagination import Page, decode_cursor, encode_cursor, link_next
from services.api.permissions import Permission
from services.api.queries.channels import health
from services.api.reading import Reader, Viewing
from services.api.stores import channels as store
from services.api.stores import rows
from services.api.stores import rules as rule_store
from services.api.writing import Writer, Writing, answered
from vigilo.adapters.channel_credentials import Credentials
from vigilo.adapters.postgres import Connection
from vigilo.events.ids import new_id
from vigilo.events.rules import Channel

router = APIRouter(prefix=f"{BASE}/channels", tags=["channels"])


@router.post(
    "", status_code=201, response_model=ChannelAdded, responses={**problems(409, 422), 201: with_etag("Added")}
)
async def add_channel(body: ChannelToAdd, writing: Writing) -> Response:
    """Add a channel. The answer shows the signing secret of a webhook, this once."""

    async def effect(connection: Connection) -> Answer:
        workspace_id, box = writing.caller.workspace_id, writing.resources.box
        channel, kept = decide.add(body, _fresh_secret(), workspace_id=workspace_id, channel_id=new_id(), at=writing.at)
        _check(writing, kept)
        await store.check_routes(connection, channel)
        await rows.insert(connection, store.TABLE, channel)
        await store.keep_credentials(connection, channel, kept, box, at=writing.at)
        await rows.publish(connection, workspace_id, [decide.record(channel)])
        view = ChannelAdded(**dict(_view(writing.caller, channel)), secret=getattr(kept, "secret", None))
        headers = {"ETag": etag(channel.version), "Location": view.href, "Cache-Control": "no-store"}
        changes = (decide.told("create", None, channel),)
        return answered(view, status=201, headers=headers, secret=True, changes=changes)

    return await writing.once(Permission.CHANNEL_MANAGE, effect)


@router.get("", responses=problems(422))
async def list_channels(
    request: Request, response: Response, listing: Annotated[ChannelListing, Query()], reading: Viewing
) -> Page[ChannelDetail]:
    """Channels in the order they were made."""
    after = decode_cursor(listing.cursor, (UUID,))
    found = await store.page(reading.connection, after=after[0] if after else None, limit=listing.limit + 1)
    items = found[: listing.limit]
    following = encode_cursor([items[-1].channel_id]) if len(found) > listing.limit else None
    link_next(request, response, following)
    return Page(items=await _details(reading, items), next=following)


@router.get("/{channel_id}", response_model=ChannelDetail, responses={**problems(404), 200: with_etag("The channel")})
async def get_channel(channel_id: UUID, reading: Viewing) -> Response:
    """One channel; never its secret."""
    channel = await store.load(reading.connection, channel_id)
    (view,) = await _details(reading, [channel])
    answer = answered(view, headers={"ETag": etag(channel.version)})
    return Response(answer.body, headers=dict(answer.headers))


@router.patch(
    "/{channel_id}",
    response_model=ChannelView,
    responses={**problems(404, 409, 412, 422), 200: with_etag("As it is now")},
)
async def edit_channel(channel_id: UUID, body: ChannelPatch, writing: Writing) -> Response:
    """Change a channel, its address or its signing secret."""

    async def effect(connection: Connection) -> Answer:
        channel = await store.lock(connection, channel_id)
        check_version(writing.if_match, channel.version)
        box = writing.resources.box
        present = await store.credentials(connection, channel, box)
        changed, kept = decide.edit(channel, present, body, at=writing.at)
        if changed is channel:
            return _shown(writing.caller, channel)
        if kept != present:
            _check(writing, kept)
            await store.keep_credentials(connection, changed, kept, box, at=writing.at)
        if changed.routes != channel.routes:
            await store.check_routes(connection, changed)
        await _apply(connection, changed)
        told = decide.told("edit", channel, changed, renewed=decide.renewed(present, kept))
        return _shown(writing.caller, changed, changes=(told,))

    return await writing.once(Permission.CHANNEL_MANAGE, effect)


@router.delete("/{channel_id}", status_code=204, responses=problems(404, 409, 412))
async def delete_channel(channel_id: UUID, writing: Writing) -> Response:
    """Remove a channel and its secret. Rules that send to it must be changed first."""

    async def effect(connection: Connection) -> Answer:
        channel = await store.lock(connection, channel_id)
        check_version(writing.if_match, channel.version)
        users = await rule_store.using(connection, channel_id)
        deleted = decide.delete(channel, users, at=writing.at)
        await _apply(connection, deleted)
        await store.forget_credentials(connection, channel_id)
        return Answer(204, changes=(decide.told("delete", channel, deleted),))

    return await writing.once(Permission.CHANNEL_MANAGE, effect)


@router.post("/{channel_id}/test", status_code=202, response_model=TestAsked, responses=problems(404, 409))
async def test_channel(channel_id: UUID, writing: Writing) -> Response:
    """Send a test message."""

    async def effect(connection: Connection) -> Answer:
        channel = await store.lock(connection, channel_id)
        asked = decide.test(channel, command_id=new_id(), by=writing.caller.name, at=writing.at)
        await rows.publish(connection, channel.workspace_id, [decide.command(asked)])
        view = TestAsked(command_id=asked.command_id, channel_id=channel_id)
        return answered(view, status=202, changes=(decide.told_test(asked),))

    return await writing.once(Permission.CHANNEL_MANAGE, effect)


def _fresh_secret() -> str:
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


async def _apply(connection: Connection, channel: Channel) -> None:
    await rows.update(connection, store.TABLE, channel)
    await rows.publish(connection, channel.workspace_id, [decide.record(channel)])


def _view(caller: Caller, channel: Channel) -> ChannelView:
    href = f"/api/v1/workspaces/{caller.slug}/channels/{channel.channel_id}"
    return ChannelView(**dict(channel), href=href)


async def _details(reading: Reader, channels: Sequence[Channel]) -> list[ChannelDetail]:
    fares = await health(reading.connection, [one.channel_id for one in channels])
    return [ChannelDetail(**dict(_view(reading.caller, one)), health=fares[one.channel_id]) for one in channels]


def _check(writing: Writer, kept: Credentials) -> None:
    shared = writing.resources
    destinations.check(kept, shared.delivery_egress, smtp_host=shared.settings.smtp_host)


def _shown(caller: Caller, channel: Channel, *, changes: tuple[Change, ...] = ()) -> Answer:
    return answered(_view(caller, channel), headers={"ETag": etag(channel.version)}, changes=changes)
