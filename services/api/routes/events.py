"""/events: what has just changed, as it happens."""

from __future__ import annotations

from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, Header, Request
from fastapi.security.utils import get_authorization_scheme_param

from services.api.auth import owner_of
from services.api.live.feed import Feed
from services.api.live.stream import MEDIA_TYPE, Allowed, EventStream
from services.api.openapi import BASE, Responses, problems
from services.api.permissions import Permission
from services.api.reading import Reader, reading
from services.api.resources import resources

router = APIRouter(prefix=BASE, tags=["events"])

_EXAMPLE = (
    "id: 5f0c7a3e8b1d4c52a6e90b7d1f3c2a48.0\nevent: snapshot\n"
    'data: {"kind":"snapshot","host_id":"018f3e5c-0000-7000-8000-000000000001",'
    '"scan_id":"018f3e5c-0000-7000-8000-000000000002","at":"2026-01-31T12:00:00.25Z"}\n\n'
)
_STREAM: dict[str, Any] = {
    "description": "Events without end; a comment every 15 seconds when there are none",
    "content": {MEDIA_TYPE: {"schema": {"type": "string"}, "example": _EXAMPLE}},
}
_RESPONSES: Responses = {200: _STREAM, **problems(429, 503)}

Following = Annotated[Reader, Depends(reading(Permission.FEED_READ), scope="function")]


def feed_of(request: Request) -> Feed:
    """The feed of the app that serves this request."""
    return cast(Feed, request.app.state.feed)


@router.get("/events", status_code=200, response_class=EventStream, responses=_RESPONSES)
async def follow_events(
    request: Request,
    reading: Following,
    last_event_id: Annotated[
        str | None,
        Header(max_length=100, description="The id of the last event you got, to go on after it"),
    ] = None,
) -> EventStream:
    """Server-Sent Events: each names a kind and the ids of what changed; fetch what you need of it.

    Begins with `ready`, or with what came after `Last-Event-ID`. `resync` means that events are missing: fetch
    everything you show again. An event may come twice.
    """
    caller = reading.caller
    return EventStream(
        feed_of(request),
        caller.workspace_id,
        caller.name,
        after=last_event_id or None,
        allowed=_still_allowed(request, reading),
    )


def _still_allowed(request: Request, reading: Reader) -> Allowed:
    pool, workspace_id = resources(request).pool, reading.caller.workspace_id
    _, token = get_authorization_scheme_param(request.headers.get("authorization"))

    async def allowed() -> bool:
        async with pool.connection() as connection:
            found = await owner_of(connection, token)
        return found is not None and found.workspace_id == workspace_id and found.may(Permission.FEED_READ)

    return allowed
